//! Which secret may go where: data, checked when it is made, asked at each request.

use hyper::Method;
use hyper::header::{HeaderMap, HeaderName};
use skep_egress::{Host, Origin, Scheme, Target};

use crate::WireError;

/// What every placeholder begins with.
pub(crate) const MARK: &str = "__skep_";
/// Hosts, methods, prefixes or headers of a rule.
const EACH: usize = 32;
/// Characters of a name.
const NAME: usize = 64;

/// Headers that say where a message goes or how it is framed: no secret stands in them.
const NEVER: [&str; 16] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What becomes of a placeholder in the body of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// The request is refused.
    #[default]
    Refuse,
    /// It stays, a word like others. For origins that are shown conversations, in which a program has
    /// every reason to speak of its placeholders.
    Leave,
    /// The value takes its place.
    Replace,
}

/// A host, or all hosts under a name; and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// With `*.`, what stands behind it.
    name: Host,
    below: bool,
    port: u16,
}

/// One secret, and where it may go.
#[derive(Clone, Debug)]
pub struct Rule {
    secret: String,
    placeholder: String,
    hosts: Vec<Hosts>,
    methods: Vec<Method>,
    paths: Vec<String>,
    headers: Vec<HeaderName>,
    body: Body,
}

impl Hosts {
    /// `api.example.com`, `*.example.com` or `[::1]`, and `:8443` where it is not 443.
    ///
    /// # Errors
    /// [`WireError::Terms`].
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let wrong = |problem: &str| WireError::Terms(format!("the host {text}: {problem}"));
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let target =
            Target::parse(&format!("https://{rest}")).map_err(|error| wrong(&error.to_string()))?;
        let Origin { host, port, .. } = target.origin().clone();
        let bare = !rest.contains(['/', '?', '#']);
        let named = matches!(&host, Host::Name(name) if name.contains('.'));
        if !bare {
            return Err(wrong("leave out the path"));
        }
        if below && !named {
            return Err(wrong("what stands behind *. has a dot in it"));
        }
        Ok(Self {
            name: host,
            below,
            port,
        })
    }

    pub(crate) fn fits(&self, host: &Host, port: u16) -> bool {
        if self.port != port {
            return false;
        }
        match (&self.name, host) {
            (Host::Name(suffix), Host::Name(name)) if self.below => name
                .strip_suffix(suffix.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            (ours, theirs) => !self.below && ours == theirs,
        }
    }
}

impl Rule {
    /// The secret of this name to these hosts, in no place yet.
    ///
    /// # Errors
    /// [`WireError::Terms`].
    pub fn new(secret: &str, hosts: &[&str]) -> Result<Self, WireError> {
        if !is_name(secret) {
            return Err(WireError::Terms(format!(
                "a secret's name has at most {NAME} of a-z, 0-9, - and _, with no _ at its ends and no two \
                 together"
            )));
        }
        let hosts = each("hosts", hosts)?.map(Hosts::parse);
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        if hosts.is_empty() {
            return Err(WireError::Terms(format!("{secret} may go to no host")));
        }
        Ok(Self {
            secret: secret.to_owned(),
            placeholder: placeholder(secret),
            hosts,
            methods: Vec::new(),
            paths: Vec::new(),
            headers: Vec::new(),
            body: Body::default(),
        })
    }

    /// In these headers. `Basic` credentials in `authorization` are taken apart and put together anew.
    ///
    /// # Errors
    /// [`WireError::Terms`].
    pub fn headers(mut self, names: &[&str]) -> Result<Self, WireError> {
        let names = each("headers", names)?.map(header_name);
        self.headers = names.collect::<Result<_, _>>().map_err(WireError::Terms)?;
        Ok(self)
    }

    /// With these methods alone.
    ///
    /// # Errors
    /// [`WireError::Terms`].
    pub fn methods(mut self, methods: &[&str]) -> Result<Self, WireError> {
        let parse = |text: &str| match Method::from_bytes(text.as_bytes()) {
            Ok(Method::CONNECT | Method::TRACE) | Err(_) => Err(WireError::Terms(format!(
                "{text} is no method that a secret goes with"
            ))),
            Ok(method) => Ok(method),
        };
        self.methods = each("methods", methods)?
            .map(parse)
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// To paths that begin so alone. A prefix that does not end in `/` ends at one, or at the end of
    /// the path: `/v1` is no `/v10`.
    ///
    /// # Errors
    /// [`WireError::Terms`].
    pub fn paths(mut self, prefixes: &[&str]) -> Result<Self, WireError> {
        let parse = |text: &str| match canonical(text) {
            Some(path) if !text.contains(['?', '#', '%']) => Ok(path),
            _ => Err(WireError::Terms(format!(
                "{text} is no beginning of a path: it starts with /, and has no . or .. as a part"
            ))),
        };
        self.paths = each("paths", prefixes)?
            .map(parse)
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// What becomes of its placeholder in a body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The name of its secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// What a program writes where the value is to stand.
    #[must_use]
    pub fn placeholder(&self) -> &str {
        &self.placeholder
    }

    pub(crate) fn names_host(&self, host: &Host, port: u16) -> bool {
        self.hosts.iter().any(|hosts| hosts.fits(host, port))
    }

    pub(crate) fn body_use(&self) -> Body {
        self.body
    }

    pub(crate) fn takes_header(&self, name: &HeaderName) -> bool {
        self.headers.contains(name)
    }

    pub(crate) fn takes_method(&self, method: &Method) -> bool {
        self.methods.is_empty() || self.methods.contains(method)
    }

    /// A path that an origin could read in two ways fits no prefix.
    pub(crate) fn takes_path(&self, path: &str) -> bool {
        if self.paths.is_empty() {
            return true;
        }
        let Some(path) = canonical(path) else {
            return false;
        };
        self.paths.iter().any(|prefix| {
            path.strip_prefix(prefix.as_str()).is_some_and(|rest| {
                prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/')
            })
        })
    }

    /// Never in clear.
    pub(crate) fn takes_origin(&self, origin: &Origin) -> bool {
        origin.scheme == Scheme::Https && self.names_host(&origin.host, origin.port)
    }
}

/// The path as every origin reads it, or nothing when they differ: dot segments, doubled slashes,
/// backslashes, and letters, dots or slashes that are percent-encoded.
fn canonical(path: &str) -> Option<String> {
    let plain = path.starts_with('/') && !path.contains("//") && !path.contains(['\\', ';']);
    let dots = path.split('/').any(|part| part == "." || part == "..");
    let bytes = percent_decoded(path.as_bytes());
    let hidden = bytes
        .iter()
        .filter(|byte| **byte == b'/' || **byte == b'.')
        .count()
        != path
            .bytes()
            .filter(|byte| *byte == b'/' || *byte == b'.')
            .count();
    let text = String::from_utf8(bytes).ok()?;
    let odd = text
        .chars()
        .any(|c| c.is_control() || c == '\\' || c == '%');
    (plain && !dots && !hidden && !odd).then_some(text)
}

/// `%41` as `A`; what is no such triple stays.
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| {
        let byte = text.get(at).copied()?;
        char::from(byte).to_digit(16).map(|value| value as u8)
    };
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'%'
            && let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2))
        {
            out.push(high << 4 | low);
            at += 3;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

/// `__skep_<name>__`.
pub(crate) fn placeholder(secret: &str) -> String {
    format!("{MARK}{secret}__")
}

pub(crate) fn is_name(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=NAME).contains(&text.len())
        && text.bytes().all(fits)
        && !text.contains("__")
        && !text.starts_with('_')
        && !text.ends_with('_')
}

/// The names of the secrets whose placeholders stand in a text.
pub(crate) fn placeholders_in(text: &str) -> Vec<String> {
    let parts = text.split(MARK).skip(1);
    let names = parts.filter_map(|part| part.split_once("__"));
    names.map(|(name, _)| name.to_owned()).collect()
}

pub(crate) fn header_name(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| format!("{text} is no name of a header"))?;
    if NEVER.contains(&name.as_str()) || text.starts_with("proxy-") {
        return Err(format!("no secret stands in {name}"));
    }
    Ok(name)
}

/// Whether something that only begins like a placeholder stands there, in any case of letters.
pub(crate) fn is_marked(bytes: &[u8]) -> bool {
    bytes
        .windows(MARK.len())
        .any(|window| window.eq_ignore_ascii_case(MARK.as_bytes()))
}

/// The headers of a map that no request may name as its own to be removed on the way.
pub(crate) fn named_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(hyper::header::CONNECTION);
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect()
}

fn each<'a>(
    what: &str,
    list: &'a [&'a str],
) -> Result<impl Iterator<Item = &'a str> + use<'a>, WireError> {
    if list.len() > EACH {
        return Err(WireError::Terms(format!(
            "a rule has at most {EACH} {what}"
        )));
    }
    Ok(list.iter().copied())
}

#[cfg(test)]
mod tests;
