//! The modes of a daemon, and what a mode makes of the other end of a connection.

use axum::http::{HeaderMap, HeaderName, header};

use crate::peer::Peer;

/// Who is let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// This machine only, and on it who holds the socket or the install token.
    #[default]
    Local,
    /// Anywhere; everybody with a credential of their own.
    Team,
    /// As local for this machine, as team for all others.
    Hybrid,
}

/// What one request is treated as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// From this machine: the credentials of the installation count.
    Local,
    /// From anywhere: they do not, but for what only the installation may do, over its own socket.
    Team,
    /// From nowhere that this mode serves.
    Refused,
}

/// What proxies add. One of them, whatever it says, means that the peer is not where it comes from.
const FORWARDED: [HeaderName; 3] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-real-ip"),
];

impl Mode {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Team => "team",
            Self::Hybrid => "hybrid",
        }
    }

    /// The mode of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Local, Self::Team, Self::Hybrid]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }

    /// What a request is treated as. Only the peer that the kernel reports can gain anything, and
    /// headers can only lose it; the `Host` header does neither.
    #[must_use]
    pub fn trust(self, peer: Option<&Peer>, headers: &HeaderMap) -> Trust {
        let Some(peer) = peer else {
            return Trust::Refused;
        };
        match self {
            Self::Local if peer.is_of_this_machine() => Trust::Local,
            Self::Local => Trust::Refused,
            Self::Hybrid if peer.is_of_this_machine() && !is_forwarded(headers) => Trust::Local,
            Self::Team | Self::Hybrid => Trust::Team,
        }
    }
}

/// Whether a proxy says that it stands in between.
fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        FORWARDED.contains(name)
            || name.as_str().starts_with("x-forwarded-")
            || name == "x-forwarded"
    })
}

impl Peer {
    /// Whether it is on this machine, as far as the kernel can tell. An IPv4 address in the form of
    /// IPv6 is what it stands for.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Socket { .. } => true,
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Mode, Trust};
    use crate::peer::Peer;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn tcp(address: &str) -> Peer {
        Peer::Tcp(address.parse().unwrap())
    }

    #[test]
    fn n04_loopback_is_what_the_kernel_says_however_it_is_written() {
        let cases = [
            ("127.0.0.1:1", true),
            ("127.255.255.254:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("[::ffff:0.0.0.0]:1", false),
            ("[::ffff:10.0.0.1]:1", false),
            ("[::127.0.0.1]:1", false),
            ("[64:ff9b::7f00:1]:1", false),
            ("[fe80::1%1]:1", false),
            ("[fe80::1%4294967295]:1", false),
            ("10.0.0.1:1", false),
            ("172.17.0.1:1", false),
            ("192.168.0.1:1", false),
        ];
        for (address, local) in cases {
            let peer = tcp(address);
            let none = HeaderMap::new();
            let (mine, theirs) = if local {
                (Trust::Local, Trust::Local)
            } else {
                (Trust::Refused, Trust::Team)
            };
            assert_eq!(Mode::Local.trust(Some(&peer), &none), mine, "{address}");
            assert_eq!(Mode::Hybrid.trust(Some(&peer), &none), theirs, "{address}");
            assert_eq!(Mode::Team.trust(Some(&peer), &none), Trust::Team);
        }
    }

    #[test]
    fn n04_a_peer_that_is_not_known_is_refused_in_every_mode() {
        for mode in [Mode::Local, Mode::Team, Mode::Hybrid] {
            assert_eq!(mode.trust(None, &HeaderMap::new()), Trust::Refused);
            assert_eq!(Mode::parse(mode.as_str()), Some(mode));
        }
        assert_eq!(Mode::parse("Local"), None);
    }

    #[test]
    fn n01_headers_gain_nothing() {
        let claims = headers(&[
            ("host", "localhost"),
            ("x-forwarded-for", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
        ]);
        let far = tcp("203.0.113.7:1");
        assert_eq!(Mode::Local.trust(Some(&far), &claims), Trust::Refused);
        assert_eq!(Mode::Hybrid.trust(Some(&far), &claims), Trust::Team);
    }

    #[test]
    fn n02_any_word_of_a_proxy_takes_the_trust_in_loopback_away() {
        let names = [
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "x-forwarded-anything",
            "X-Forwarded",
            "X-Real-IP",
            "Via",
        ];
        let near = [tcp("127.0.0.1:1"), Peer::Socket { uid: 0 }];
        for peer in &near {
            for name in names {
                for value in ["", "127.0.0.1", "unknown"] {
                    let told = headers(&[(name, value)]);
                    assert_eq!(Mode::Hybrid.trust(Some(peer), &told), Trust::Team, "{name}");
                }
            }
            let other = headers(&[("x-forward", "1"), ("host", "evil.example")]);
            assert_eq!(Mode::Hybrid.trust(Some(peer), &other), Trust::Local);
        }
    }
}
