//! URLs as they are called: parsed once, strictly, so that what was checked is what is connected to.
//!
//! No general URL parser: those mend what they read (`0x7f.1` becomes 127.0.0.1, a backslash a
//! slash), and two parsers that mend differently are how a check is passed by. What is not plain
//! is refused here, with what to write instead.

mod join;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::EgressError;

/// Bytes of a URL.
const LONGEST: usize = 4 << 10;
/// Characters of a host name.
const HOST: usize = 253;
/// Characters of one label of it.
const LABEL: usize = 63;

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In clear.
    Http,
    /// Over TLS.
    Https,
}

/// A host as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Scheme, host and port: who is spoken to. Credentials do not go from one to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// How.
    pub scheme: Scheme,
    /// Whom.
    pub host: Host,
    /// At which port.
    pub port: u16,
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    origin: Origin,
    /// Path and query, as they are sent.
    path: String,
}

impl Target {
    /// Reads a URL. Its fragment is left out.
    ///
    /// # Errors
    /// [`EgressError::Url`] with what to write instead.
    pub fn parse(text: &str) -> Result<Self, EgressError> {
        Self::read(text).map_err(EgressError::Url)
    }

    /// Who is spoken to.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Another path of the same origin.
    ///
    /// # Errors
    /// [`EgressError::Url`].
    pub fn with_path(&self, path: &str) -> Result<Self, EgressError> {
        if !path.starts_with('/') || path.len() > LONGEST {
            return Err(EgressError::Url("its path begins with a slash"));
        }
        Ok(Self {
            origin: self.origin.clone(),
            path: path_of(path),
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("it is longer than 4,096 bytes");
        }
        if text
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
        {
            return Err("it holds a blank, a control character or a backslash: percent-encode it");
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("it has no http:// or https://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err("only http:// and https:// are called"),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = authority_of(authority)?;
        let port = port.unwrap_or(scheme.port());
        Ok(Self {
            origin: Origin { scheme, host, port },
            path: path_of(path),
        })
    }
}

impl Scheme {
    /// The port when none is named.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

fn authority_of(authority: &str) -> Result<(Host, Option<u16>), &'static str> {
    if authority.contains('@') {
        return Err("it holds a user name: leave out what stands before the @");
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or("its [ is never closed")?;
        let address: Ipv6Addr = address
            .parse()
            .map_err(|_| "what stands in [ ] is no IPv6 address")?;
        return Ok((Host::Address(IpAddr::V6(address)), port_of(port)?));
    }
    let end = authority.find(':').unwrap_or(authority.len());
    let (host, port) = authority.split_at(end);
    Ok((host_of(host)?, port_of(port)?))
}

/// `""`, or `:` and a port.
fn port_of(text: &str) -> Result<Option<u16>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(':').unwrap_or_default();
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if plain && port != 0 => Ok(Some(port)),
        _ => Err("its port is no number from 1 to 65535"),
    }
}

fn host_of(text: &str) -> Result<Host, &'static str> {
    if text.is_empty() {
        return Err("it names no host");
    }
    if !text.is_ascii() {
        return Err("its host is not in ASCII: write it in the form that begins with xn--");
    }
    if text.ends_with('.') {
        return Err("its host ends in a dot: leave that out");
    }
    let fits = |label: &str| {
        (1..=LABEL).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if text.len() > HOST || !text.split('.').all(fits) {
        return Err("its host is no name and no address");
    }
    let text = text.to_ascii_lowercase();
    let last = text.rsplit('.').next().unwrap_or_default();
    // Resolvers read 2130706433, 0x7f000001, 0177.1 and 127.1 as 127.0.0.1; no name ends like it.
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if !numeric {
        return Ok(Host::Name(text));
    }
    let address: Ipv4Addr = text
        .parse()
        .map_err(|_| "its address is not in the form of four decimal numbers with dots")?;
    Ok(Host::Address(IpAddr::V4(address)))
}

/// Path and query without the fragment; what is not ASCII, percent-encoded.
fn path_of(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let slash = if text.starts_with('/') { "" } else { "/" };
    let mut path = String::from(slash);
    for byte in text.bytes() {
        if byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'^')
        {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl Origin {
    /// Host and port, the port only when it is not the scheme's: what the `Host` header says.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

#[cfg(test)]
mod tests;
