//! Where a daemon stands: its mode, its address for others, the proxies in front of it.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

use crate::mode::Mode;
use crate::peer::Peer;

/// Where a daemon stands.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Who is let in.
    pub mode: Mode,
    /// The address that others reach it at, such as `https://skep.example.com`, without a slash.
    pub public_url: Option<String>,
    /// Proxies in front of it, whose word on where a request comes from counts for rate limits and
    /// the record, and for nothing else.
    pub proxies: Vec<IpAddr>,
    /// Whether it listens where other machines reach it.
    pub is_public: bool,
    /// Where the root key comes from.
    pub key_provider: String,
    /// What the store is, and as whom it is used.
    pub store: String,
    /// Whether the link to the store is neither encrypted nor verified.
    pub stores_in_the_clear: bool,
    /// Whether its gRPC service describes itself to whoever may connect.
    pub describes_itself: bool,
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Site {
    /// Where a request comes from, for rate limits: the peer, or what the nearest proxy that is not
    /// ours saw. `None` over the socket.
    pub(crate) fn address(&self, peer: &Peer, headers: &HeaderMap) -> Option<IpAddr> {
        let Peer::Tcp(peer) = peer else { return None };
        let peer = peer.ip().to_canonical();
        if !self.is_proxy(peer) {
            return Some(peer);
        }
        // Each proxy adds what it saw at the end; what stands further left anybody can write.
        let mut lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let seen = lines.by_ref().filter_map(|line| line.to_str().ok());
        let hops = seen.flat_map(|line| line.rsplit(','));
        for hop in hops {
            match hop.trim().parse::<IpAddr>() {
                Ok(address) if self.is_proxy(address.to_canonical()) => {}
                Ok(address) => return Some(address.to_canonical()),
                Err(_) => return Some(peer),
            }
        }
        Some(peer)
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies
            .iter()
            .any(|proxy| proxy.to_canonical() == address)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{FORWARDED_FOR, Site};
    use crate::peer::Peer;

    #[test]
    fn n01_only_our_own_proxies_are_believed_and_only_what_they_saw() {
        let site = Site {
            proxies: vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()],
            ..Site::default()
        };
        let cases: &[(&str, &[&str], &str)] = &[
            ("203.0.113.7:1", &["198.51.100.1"], "203.0.113.7"),
            ("10.0.0.1:1", &["198.51.100.1"], "198.51.100.1"),
            ("[::ffff:10.0.0.1]:1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1:1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1:1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1:1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1:1", &["198.51.100.1, nonsense"], "10.0.0.1"),
            ("10.0.0.1:1", &["10.0.0.2"], "10.0.0.1"),
            ("10.0.0.1:1", &[], "10.0.0.1"),
        ];
        for (peer, lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
            }
            let peer = Peer::Tcp(peer.parse().unwrap());
            let address = site.address(&peer, &headers);
            assert_eq!(
                address.unwrap().to_string(),
                *expected,
                "{peer:?} {lines:?}"
            );
        }
        let socket = Peer::Socket { uid: 0 };
        assert_eq!(site.address(&socket, &HeaderMap::new()), None);
    }
}
