//! Where a daemon is reached over TCP: plain HTTP on this machine, HTTPS anywhere.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::EndpointError;

const LOCALHOST: &str = "localhost";

/// Scheme, host and port, and nothing else: a daemon answers at the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    tls: bool,
    /// A name, or an address without brackets.
    host: String,
    port: u16,
}

impl Origin {
    /// The daemon's usual address on this machine.
    #[must_use]
    pub fn usual() -> Self {
        Self::loopback(SocketAddr::from((Ipv4Addr::LOCALHOST, 3850)))
    }

    fn loopback(address: SocketAddr) -> Self {
        Self {
            tls: false,
            host: address.ip().to_string(),
            port: address.port(),
        }
    }

    /// Reads `https://skep.example.com` or `http://127.0.0.1:3850`.
    ///
    /// # Errors
    /// [`EndpointError`] for anything else, plain HTTP to another machine among it: what proves who
    /// you are would travel in clear.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let malformed = || EndpointError::Url(url.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        match scheme {
            "http" => plain(authority).ok_or_else(malformed)?,
            "https" => secure(authority).ok_or_else(malformed),
            _ => Err(malformed()),
        }
    }

    /// Whether what is sent stays on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        !self.tls
    }

    /// Where to connect to: a name of this machine is not looked up.
    pub(crate) async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        if !self.tls && self.host == LOCALHOST {
            let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Ok(loopback.map(|ip| SocketAddr::new(ip, self.port)).to_vec());
        }
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        Ok(found.collect())
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What the `Host` header holds.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.tls && self.port == 443 {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

fn plain(authority: &str) -> Option<Result<Origin, EndpointError>> {
    if let Some(port) = authority.strip_prefix("localhost:") {
        let port = port.parse().ok().filter(|port| *port > 0)?;
        return Some(Ok(Origin {
            tls: false,
            host: LOCALHOST.into(),
            port,
        }));
    }
    let address: SocketAddr = authority.parse().ok()?;
    Some(if address.ip().to_canonical().is_loopback() {
        Ok(Origin::loopback(address))
    } else {
        Err(EndpointError::NotLoopback(authority.to_owned()))
    })
}

fn secure(authority: &str) -> Option<Origin> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<IpAddr>().ok()?;
            (host, port.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        None => 443,
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            digits.parse().ok()?
        }
        Some(_) => return None,
    };
    let sound = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
    (sound && port > 0).then(|| Origin {
        tls: true,
        host: host.to_ascii_lowercase(),
        port,
    })
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn n04_only_what_keeps_a_token_safe_is_an_origin() {
        for (url, read) in [
            ("http://127.0.0.1:3850", Some("http://127.0.0.1:3850")),
            ("http://127.0.0.1:3850/", Some("http://127.0.0.1:3850")),
            ("http://localhost:4000", Some("http://localhost:4000")),
            ("http://localhost:0", None),
            ("http://[::1]:3850", Some("http://[::1]:3850")),
            (
                "http://[::ffff:127.0.0.1]:3850",
                Some("http://[::ffff:127.0.0.1]:3850"),
            ),
            ("https://127.0.0.1:3850", Some("https://127.0.0.1:3850")),
            ("https://Skep.example.com", Some("https://skep.example.com")),
            (
                "https://skep.example.com/",
                Some("https://skep.example.com"),
            ),
            ("https://a.b:443", Some("https://a.b")),
            ("https://a.b:8443", Some("https://a.b:8443")),
            ("https://[2001:db8::1]", Some("https://[2001:db8::1]")),
            ("http://10.0.0.1:3850", None),
            ("http://0.0.0.0:3850", None),
            ("http://127.0.0.1", None),
            ("http://user@127.0.0.1:3850", None),
            ("http://localhost.example.com:3850", None),
            ("https://user@a.b", None),
            ("https://user:pw@a.b", None),
            ("https://a.b/path", None),
            ("https://a.b//", None),
            ("https://a.b?x=1", None),
            ("https://a.b:0", None),
            ("https://a.b:+1", None),
            ("https://a.b:99999", None),
            ("https://", None),
            ("https://a b", None),
            ("HTTPS://a.b", None),
            ("unix:/x", None),
            ("skep.example.com", None),
        ] {
            let found = Origin::parse(url).ok().map(|origin| origin.to_string());
            assert_eq!(found.as_deref(), read, "{url}");
        }
    }
}
