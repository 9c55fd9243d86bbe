//! What a lease consists of.

use std::path::PathBuf;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use skep_egress::{Origin, Scheme, Target};

use crate::rule::{self, placeholders_in};
use crate::{Hosts, Rule, WireError};

/// Rules of a lease.
const RULES: usize = 64;
/// Bases of a lease.
const BASES: usize = 32;
/// Hosts that are tunnelled to.
const TUNNELLED: usize = 256;

/// What becomes of requests to hosts that no rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Others {
    /// They are refused.
    Refuse,
    /// To these they go through untouched and unread; to others they are refused.
    Tunnel(Vec<Hosts>),
    /// They go through untouched and unread.
    TunnelAll,
}

/// Where a lease listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A free port on 127.0.0.1.
    Tcp,
    /// A Unix socket at this path, for its owner alone. It must not be there yet.
    Unix(PathBuf),
    /// Both.
    Both(PathBuf),
}

/// What a program may do, and for how long.
pub struct Terms {
    pub(crate) name: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) others: Others,
    pub(crate) bases: Vec<Base>,
    pub(crate) listen: Listen,
    pub(crate) lasts: Duration,
}

impl Terms {
    /// These rules for so long, on a port of 127.0.0.1; other hosts are refused.
    #[must_use]
    pub fn new(name: &str, rules: Vec<Rule>, lasts: Duration) -> Self {
        Self {
            name: name.to_owned(),
            rules,
            others: Others::Refuse,
            bases: Vec::new(),
            listen: Listen::Tcp,
            lasts,
        }
    }

    /// Under this name, which whoever gives values is told.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// For so long.
    #[must_use]
    pub fn lasting(mut self, lasts: Duration) -> Self {
        self.lasts = lasts;
        self
    }

    /// What becomes of requests to other hosts.
    #[must_use]
    pub fn others(mut self, others: Others) -> Self {
        self.others = others;
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn listen(mut self, listen: Listen) -> Self {
        self.listen = listen;
        self
    }

    /// With a base URL.
    #[must_use]
    pub fn base(mut self, base: Base) -> Self {
        self.bases.push(base);
        self
    }

    /// What is asked again when a lease begins.
    ///
    /// # Errors
    /// [`WireError::Terms`].
    pub fn check(&self) -> Result<(), WireError> {
        let tunnelled = match &self.others {
            Others::Tunnel(hosts) => hosts.len(),
            Others::Refuse | Others::TunnelAll => 0,
        };
        if self.rules.len() > RULES || self.bases.len() > BASES || tunnelled > TUNNELLED {
            return Err(WireError::Terms(
                "a lease has at most 64 rules, 32 bases and 256 hosts that are tunnelled to".into(),
            ));
        }
        for base in &self.bases {
            let name = &base.name;
            let known = |secret: &String| self.rules.iter().any(|rule| rule.secret() == secret);
            if let Some(unknown) = placeholders_in(&base.text).iter().find(|name| !known(name)) {
                return Err(WireError::Terms(format!(
                    "the base {name} names the secret {unknown}, for which there is no rule"
                )));
            }
            if self
                .bases
                .iter()
                .filter(|other| other.name == *name)
                .count()
                > 1
            {
                return Err(WireError::Terms(format!(
                    "there are two bases named {name}"
                )));
            }
        }
        Ok(())
    }
}

/// A URL on this machine that stands for one origin, for programs that take a base URL and no proxy.
/// A request to it is judged by the rules like any other, with this header set.
#[derive(Clone, Debug)]
pub struct Base {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) header: HeaderName,
    pub(crate) value: HeaderValue,
    text: String,
}

impl Base {
    /// `name` is part of the URL. `value` is what the header holds, a placeholder in it.
    ///
    /// # Errors
    /// [`WireError::Terms`].
    pub fn new(name: &str, origin: &str, header: &str, value: &str) -> Result<Self, WireError> {
        let wrong = |problem: String| WireError::Terms(format!("the base {name}: {problem}"));
        if !rule::is_name(name) {
            return Err(wrong("its name holds more than a-z, 0-9, - and _".into()));
        }
        let target = Target::parse(origin).map_err(|error| wrong(error.to_string()))?;
        if target.path() != "/" || target.origin().scheme != Scheme::Https {
            return Err(wrong("its origin is https:// and a host, no path".into()));
        }
        let header = rule::header_name(header).map_err(wrong)?;
        Ok(Self {
            name: name.to_owned(),
            origin: target.origin().clone(),
            header,
            value: HeaderValue::from_str(value)
                .map_err(|_| wrong("its header's value holds what no header may".into()))?,
            text: value.to_owned(),
        })
    }
}
