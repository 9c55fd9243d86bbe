//! Which placeholders of a head may be replaced, and replacing them.

use std::collections::BTreeSet;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use hyper::http::request::Parts;
use skep_crypto::Plain;
use skep_egress::Origin;
use zeroize::Zeroizing;

use crate::basic;
use crate::head::with_port;
use crate::lease::Leased;
use crate::matcher::Piece;
use crate::refusal::{Reason, Refusal};
use crate::rule::{Body, Rule, is_marked, percent_decoded};
use crate::secrets::{Asked, Why, Withheld};

/// Bytes that a value has at least: what is shorter would be found in any answer.
const SHORTEST: usize = 4;
/// Bytes that a value has at most.
const LONGEST: usize = 16 << 10;

/// One request, as the rules see it.
pub(crate) struct Judge<'a> {
    pub(crate) lease: &'a Arc<Leased>,
    pub(crate) origin: &'a Origin,
    pub(crate) parts: &'a Parts,
}

/// What placeholders a text holds.
#[derive(Default)]
struct Found {
    known: BTreeSet<usize>,
    has_unknown: bool,
}

impl Judge<'_> {
    /// The secrets that the head needs, all of which may stand where they stand.
    pub(crate) fn head(&self) -> Result<BTreeSet<usize>, Refusal> {
        let uri = self.parts.uri.path_and_query();
        let uri = uri.map_or(&b""[..], |path| path.as_str().as_bytes());
        if is_marked(uri) || is_marked(&percent_decoded(uri)) {
            return Err(Refusal::new(
                Reason::PlaceholderInUrl,
                "a placeholder stands in its URL",
            ));
        }
        let mut needed = BTreeSet::new();
        for (name, value) in &self.parts.headers {
            if *name == PROXY_AUTHORIZATION {
                continue;
            }
            let mut found = self.found(value.as_bytes());
            if *name == AUTHORIZATION
                && let Some(credentials) = basic::decoded(value.as_bytes())
            {
                let inside = self.found(&credentials);
                found.has_unknown |= inside.has_unknown;
                found.known.extend(inside.known);
            }
            found.has_unknown |= is_marked(name.as_str().as_bytes());
            if found.has_unknown {
                return Err(Refusal::new(
                    Reason::UnknownPlaceholder,
                    format!("{name} holds a placeholder of no secret that this lease has"),
                ));
            }
            for nth in found.known {
                self.may_stand_in(nth, name)?;
                needed.insert(nth);
            }
        }
        Ok(needed)
    }

    fn found(&self, text: &[u8]) -> Found {
        let mut found = Found::default();
        self.lease.patterns.scan(text, |piece| match piece {
            Piece::Text(text) => found.has_unknown |= is_marked(text),
            Piece::Hit { name, .. } => {
                found.known.insert(name);
            }
        });
        found
    }

    fn may_stand_in(&self, nth: usize, header: &HeaderName) -> Result<(), Refusal> {
        let fits = |rule: &&Rule| rule.takes_header(header);
        self.judged(nth, fits).map_err(|stage| {
            let what = format!(
                "{} stands in {header}, towards {}",
                self.lease.placeholders[nth],
                with_port(self.origin)
            );
            Refusal::new(stage.unwrap_or(Reason::PlaceholderInHeader), what)
        })
    }

    /// Whether a rule takes the secret here; if not, what is in the way, as far as it is not the place.
    fn judged(&self, nth: usize, place: impl Fn(&&Rule) -> bool) -> Result<(), Option<Reason>> {
        let parts = self.parts;
        let origin = self.origin;
        let secret = &self.lease.names[nth];
        let of_secret = self
            .lease
            .rules
            .iter()
            .filter(|rule| rule.secret() == secret);
        let to_host = of_secret.filter(|rule| rule.names_host(&origin.host, origin.port));
        let to_host: Vec<&Rule> = to_host.collect();
        if to_host.is_empty() {
            return Err(Some(Reason::PlaceholderToHost));
        }
        if !to_host.iter().any(|rule| rule.takes_origin(origin)) {
            return Err(Some(Reason::InClear));
        }
        let to_path =
            |rule: &&Rule| rule.takes_method(&parts.method) && rule.takes_path(parts.uri.path());
        let to_path: Vec<&Rule> = to_host.into_iter().filter(to_path).collect();
        if to_path.is_empty() {
            return Err(Some(Reason::PlaceholderToPath));
        }
        if to_path.iter().any(place) {
            Ok(())
        } else {
            Err(None)
        }
    }

    /// What becomes of each placeholder in the body: replaced, or refused; the others stay.
    pub(crate) fn body(&self) -> BodyPlan {
        let origin = self.origin;
        let rules = self.lease.rules.iter();
        let here = rules.filter(|rule| rule.names_host(&origin.host, origin.port));
        let here: Vec<&Rule> = here.collect();
        let leaves = here.iter().any(|rule| rule.body_use() == Body::Leave);
        let mut plan = BodyPlan::default();
        if here.is_empty() {
            return plan;
        }
        for nth in 0..self.lease.names.len() {
            if self
                .judged(nth, |rule| rule.body_use() == Body::Replace)
                .is_ok()
            {
                plan.replace.insert(nth);
            } else if !leaves {
                plan.refuse.insert(nth);
            }
        }
        plan
    }

    /// The secrets that answers from here are looked through for: those that go here, and those that
    /// went anywhere.
    pub(crate) fn to_scrub(&self) -> BTreeSet<usize> {
        let mut all = self.lease.all_sent();
        for (nth, name) in self.lease.names.iter().enumerate() {
            let mut rules = self.lease.rules.iter().filter(|rule| rule.secret() == name);
            if rules.any(|rule| rule.names_host(&self.origin.host, self.origin.port)) {
                all.insert(nth);
            }
        }
        all
    }

    pub(crate) async fn value(&self, nth: usize, why: Why) -> Result<Plain<String>, Refusal> {
        let host = with_port(self.origin);
        let asking = Asking {
            lease: self.lease,
            host: &host,
            method: self.parts.method.as_str(),
            path: self.parts.uri.path(),
        };
        asking.value(nth, why).await
    }
}

/// Placeholders of a body, by their numbers.
#[derive(Clone, Default)]
pub(crate) struct BodyPlan {
    pub(crate) replace: BTreeSet<usize>,
    pub(crate) refuse: BTreeSet<usize>,
}

/// What a value is asked for with.
pub(crate) struct Asking<'a> {
    pub(crate) lease: &'a Leased,
    pub(crate) host: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
}

impl Asking<'_> {
    pub(crate) async fn value(&self, nth: usize, why: Why) -> Result<Plain<String>, Refusal> {
        let secret = self.lease.names[nth].as_str();
        let asked = Asked {
            lease: &self.lease.name,
            secret,
            why,
            host: self.host,
            method: self.method,
            path: self.path,
        };
        let given = self.lease.secrets.value(&asked).await;
        let value = given.map_err(|withheld| match withheld {
            Withheld::Refused(text) => {
                Refusal::new(Reason::Withheld, format!("{secret} is not given: {text}"))
            }
            Withheld::Unavailable => Refusal::new(
                Reason::Unavailable,
                format!("{secret} cannot be got at just now"),
            ),
        })?;
        let length = value.expose().len();
        if (SHORTEST..=LONGEST).contains(&length) {
            return Ok(value);
        }
        Err(Refusal::new(
            Reason::UnusableValue,
            format!("{secret} has a value of fewer than {SHORTEST} or more than {LONGEST} bytes"),
        ))
    }
}

/// The headers with values in the place of placeholders.
pub(crate) fn headers(
    lease: &Leased,
    headers: &HeaderMap,
    values: &[(usize, Plain<String>)],
) -> Result<HeaderMap, Refusal> {
    let mut out = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let bytes = value.as_bytes();
        if let Some(credentials) = basic::decoded(bytes).filter(|_| *name == AUTHORIZATION)
            && lease.patterns.occur_in(&credentials)
        {
            let credentials = replaced(lease, &credentials, values);
            out.append(name, sensitive(name, &basic::encoded(&credentials))?);
        } else if lease.patterns.occur_in(bytes) {
            out.append(name, sensitive(name, &replaced(lease, bytes, values))?);
        } else {
            out.append(name, value.clone());
        }
    }
    Ok(out)
}

/// Marked, so that no log shows it and HTTP/2 keeps it in no table.
fn sensitive(name: &HeaderName, bytes: &[u8]) -> Result<HeaderValue, Refusal> {
    let mut value = HeaderValue::from_bytes(bytes).map_err(|_| {
        Refusal::new(
            Reason::UnusableValue,
            format!("the value for {name} holds what no header may, such as the end of a line"),
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn replaced(lease: &Leased, text: &[u8], values: &[(usize, Plain<String>)]) -> Zeroizing<Vec<u8>> {
    let longest = values.iter().map(|(_, value)| value.expose().len()).max();
    // Made as large as it can get: a vector that grows leaves a copy behind.
    let most = text.len() * (1 + longest.unwrap_or(0) / 8);
    let mut out = Zeroizing::new(Vec::with_capacity(most + longest.unwrap_or(0)));
    lease.patterns.scan(text, |piece| match piece {
        Piece::Text(text) => out.extend_from_slice(text),
        Piece::Hit { name, .. } => {
            let value = values.iter().find(|(nth, _)| *nth == name);
            out.extend_from_slice(value.map_or(&b""[..], |(_, value)| value.expose().as_bytes()));
        }
    });
    out
}
