//! The root key, where it comes from, and the machine it is bound to.

use std::fs;

use zeroize::Zeroizing;

use crate::{CryptoError, Random};

/// Where the root key is kept: a file, an operating system keyring, a hardware module.
pub trait RootKeyProvider: Send + Sync {
    /// The root key, or `None` if none was ever created here.
    ///
    /// # Errors
    /// When there is one but it cannot be trusted or read.
    fn load(&self) -> Result<Option<RootKey>, CryptoError>;

    /// Creates and keeps a fresh root key. It is durable when this returns.
    ///
    /// # Errors
    /// When there is one already, or it cannot be kept.
    fn create(&self, random: &dyn Random) -> Result<RootKey, CryptoError>;
}

/// 256 random bits at the top of the key hierarchy. Wiped when dropped.
pub struct RootKey(Zeroizing<[u8; 32]>);

impl RootKey {
    /// A fresh root key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random.array()))
    }

    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// This machine's id (machine-id(5)), or nothing where the system has none.
///
/// Readable by all, so never a secret: it only makes a copied data directory useless elsewhere.
#[must_use]
pub fn machine_id() -> Vec<u8> {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .into_iter()
        .filter_map(|path| fs::read(path).ok())
        .find_map(|text| parse_machine_id(&text))
        .unwrap_or_default()
}

/// 32 hexadecimal digits; "uninitialized" and an empty file are what an image ships before boot.
fn parse_machine_id(text: &[u8]) -> Option<Vec<u8>> {
    let id = text.trim_ascii();
    (id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit)).then(|| id.to_vec())
}

#[cfg(test)]
mod tests {
    use super::parse_machine_id;

    #[test]
    fn only_a_real_machine_id_counts() {
        let id = b"0123456789abcdef0123456789abcdef";
        assert_eq!(
            parse_machine_id(b"0123456789abcdef0123456789abcdef\n"),
            Some(id.to_vec())
        );
        for text in [&b""[..], b"\n", b"uninitialized\n", b"0123", &[b'g'; 32]] {
            assert_eq!(parse_machine_id(text), None);
        }
    }
}
