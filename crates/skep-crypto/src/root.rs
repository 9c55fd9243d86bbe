//! The root key, where it comes from, and the machine it is bound to.

use std::fs;

use base64ct::{Base64, Base64Unpadded, Base64UrlUnpadded, Encoding};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{CryptoError, Plain, Random};

/// How a root key is written down: this, and 32 bytes in base64url.
const PREFIX: &str = "skep-root-1 ";
/// No form of a key is longer.
const TEXT_MAX: usize = 128;

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

    /// Reads a key that something else kept: 32 raw bytes, or a line with 64 hexadecimal digits, with
    /// base64 of 32 bytes (either alphabet, padded or not), or as [`RootKey::text`] writes it.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for anything else, and for what nobody drew at random: 32 letters, or
    /// one byte all over.
    pub fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        const NO_KEY: CryptoError = CryptoError::Malformed {
            what: "root key (32 raw bytes, or 64 hexadecimal digits, or base64 of 32 bytes)",
        };
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() > TEXT_MAX {
            return Err(NO_KEY);
        }
        if bytes.len() == 32 {
            key.copy_from_slice(bytes);
        } else {
            let text = std::str::from_utf8(bytes.trim_ascii()).map_err(|_| NO_KEY)?;
            let text = text.strip_prefix(PREFIX).unwrap_or(text);
            decode(text, &mut key).ok_or(NO_KEY)?;
        }
        let is_text = key.iter().all(|byte| (b' '..=b'~').contains(byte));
        let is_one_byte = key.iter().all(|byte| *byte == key[0]);
        if is_text || is_one_byte {
            return Err(NO_KEY);
        }
        Ok(Self(key))
    }

    /// The line that [`RootKey::parse`] and the key file read, without its end.
    #[must_use]
    pub fn text(&self) -> Plain<String> {
        let digits = Zeroizing::new(Base64UrlUnpadded::encode_string(self.bytes()));
        Plain::new([PREFIX, digits.as_str()].concat())
    }

    /// The 32 bytes themselves, for a program that wraps them.
    #[must_use]
    pub fn raw(&self) -> Plain<Vec<u8>> {
        Plain::new(self.bytes().to_vec())
    }

    /// The same key once more, for whoever keeps one and hands one out.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(Zeroizing::new(*self.bytes()))
    }

    /// Whether both are the same key; compared in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }

    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn decode(text: &str, key: &mut Zeroizing<[u8; 32]>) -> Option<()> {
    if text.len() == 64 {
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        return Some(());
    }
    let out = key.as_mut_slice();
    let decoded = match text.len() {
        44 => Base64::decode(text, out).ok()?,
        43 if text.contains(['-', '_']) => Base64UrlUnpadded::decode(text, out).ok()?,
        43 => Base64Unpadded::decode(text, out).ok()?,
        _ => return None,
    };
    (decoded.len() == 32).then_some(())
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
    use super::{RootKey, parse_machine_id};
    use crate::SeededRandom;

    #[test]
    fn a_key_is_read_in_each_form_and_nothing_else_is_one() {
        let key = RootKey::generate(&SeededRandom::new(1));
        let digits = key.bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = digits
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect();
        let text = key.text();
        let url = text.expose().strip_prefix("skep-root-1 ").unwrap();
        let plain = url.replace('-', "+").replace('_', "/");
        let forms = [
            hex.clone(),
            hex.to_uppercase(),
            format!("{hex}\n"),
            url.to_owned(),
            plain.clone(),
            format!("{plain}=\r\n"),
            text.expose().clone(),
        ];
        for form in forms {
            assert!(RootKey::parse(form.as_bytes()).unwrap().is(&key), "{form}");
        }
        assert!(RootKey::parse(key.raw().expose()).unwrap().is(&key));
        assert!(key.again().is(&key));
        let other = RootKey::generate(&SeededRandom::new(2));
        assert!(!other.is(&key));
        let mut long = key.raw().expose().clone();
        long.push(b'\n');
        let bad: [&[u8]; 8] = [
            b"",
            &long,
            &hex.as_bytes()[1..],
            &plain.as_bytes()[1..],
            b"correct horse battery staple ...",
            &[7; 32],
            &[b'0'; 64],
            &[b'a'; 4096],
        ];
        for bytes in bad {
            assert!(RootKey::parse(bytes).is_err(), "{bytes:?}");
        }
    }

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
