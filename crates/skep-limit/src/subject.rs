//! Whose allowance it is, as a fingerprint.

use std::net::IpAddr;

use skep_crypto::MacKey;
use skep_domain::{Id, OrganizationId, RateClass, RateKey};

/// One counted party: what kind it is, and what tells it from others of its kind.
///
/// The bytes may be anything, of any length: an attacker's line break, a name of 64 kB. They are
/// never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// An organization.
    Organization(OrganizationId),
    /// A credential, by whatever it is stored under.
    Credential(&'a [u8]),
    /// A network address.
    Address(IpAddr),
    /// A local process without an address, by its user.
    LocalUser(u32),
    /// An account, by the name that somebody typed.
    Account(&'a [u8]),
    /// A peer, by its id.
    Peer(&'a [u8]),
}

/// What an allowance is found by: 16 bytes of HMAC-SHA-256 over class, kind and identity, each
/// length-prefixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Fingerprint(pub(crate) [u8; 16]);

impl Subject<'_> {
    /// Which allowances count it.
    #[must_use]
    pub const fn key(&self) -> RateKey {
        match self {
            Self::Organization(_) => RateKey::Organization,
            Self::Credential(_) => RateKey::Credential,
            Self::Address(_) | Self::LocalUser(_) => RateKey::Address,
            Self::Account(_) => RateKey::Account,
            Self::Peer(_) => RateKey::Peer,
        }
    }

    pub(crate) fn fingerprint(&self, key: &MacKey, class: RateClass) -> Fingerprint {
        let (kind, identity): (&[u8], &[u8]) = match self {
            Self::Organization(id) => (b"organization", &id.to_bytes()),
            Self::Credential(bytes) => (b"credential", bytes),
            Self::Address(address) => match address.to_canonical() {
                IpAddr::V4(address) => (b"address 4", &address.octets()),
                // Whoever has one address of a /64 has them all.
                IpAddr::V6(address) => (b"address 6", &address.octets()[..8]),
            },
            Self::LocalUser(uid) => (b"local user", &uid.to_be_bytes()),
            Self::Account(bytes) => (b"account", bytes),
            Self::Peer(bytes) => (b"peer", bytes),
        };
        Fingerprint(key.tag16(&[class.as_str().as_bytes(), kind, identity]))
    }
}

impl Fingerprint {
    /// Its name in the shared store: 43 bytes of a fixed alphabet.
    pub(crate) fn name(self) -> String {
        use std::fmt::Write as _;
        let mut name = String::from("skep:limit:");
        for byte in self.0 {
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use skep_crypto::MacKey;
    use skep_domain::RateClass;

    use super::Subject;

    #[test]
    fn t14_names_in_the_shared_store_have_one_form_whatever_is_counted() {
        let key = MacKey::from_bytes(&[7; 32]);
        let long = vec![b'a'; 64 << 10];
        let hostile: [&[u8]; 9] = [
            b"",
            b"*",
            b"a:b",
            b"a",
            b"a\r\nFLUSHALL\r\n",
            b"%00",
            b"\0",
            b"{a}",
            &long,
        ];
        let mut names = HashSet::new();
        for class in [RateClass::Login, RateClass::Federation] {
            for bytes in hostile {
                for subject in [
                    Subject::Account(bytes),
                    Subject::Credential(bytes),
                    Subject::Peer(bytes),
                ] {
                    let name = subject.fingerprint(&key, class).name();
                    assert_eq!(name.len(), 43);
                    let tail = name.strip_prefix("skep:limit:").expect("the prefix");
                    assert!(tail.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
                    names.insert(name);
                }
            }
        }
        assert_eq!(names.len(), 2 * 9 * 3, "no two of them meet");
    }

    #[test]
    fn n04_an_address_counts_as_one_however_it_is_written() {
        let key = MacKey::from_bytes(&[7; 32]);
        let print = |text: &str| {
            Subject::Address(text.parse().expect(text)).fingerprint(&key, RateClass::Login)
        };
        assert_eq!(print("203.0.113.9"), print("::ffff:203.0.113.9"));
        assert_ne!(print("203.0.113.9"), print("203.0.113.8"));
        assert_eq!(print("2001:db8:1:2::1"), print("2001:db8:1:2:ffff::9"));
        assert_ne!(print("2001:db8:1:2::1"), print("2001:db8:1:3::1"));
        assert_ne!(
            print("0.0.0.7"),
            Subject::LocalUser(7).fingerprint(&key, RateClass::Login)
        );
    }
}
