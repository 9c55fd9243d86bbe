//! A root key under a passphrase: Argon2id, with its price and salt beside what it opens.
//!
//! ```text
//! skep-locked-root-1 m=<KiB>,t=<passes> <salt (16)> <nonce (24) ‖ root key (32) ‖ tag (16)>   (base64url)
//! ```
//!
//! The tag is the verifier: nothing tells a wrong passphrase from a changed file, and both open nothing.

use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::{CryptoError, Plain, Random, RootKey, aead, kdf};

const PREFIX: &str = "skep-locked-root-1 ";
const SALT: usize = 16;
/// A file names its own price, so one made by somebody else could ask for all the memory there is.
const MAX_MEMORY_KIB: u32 = 4 << 20;
const MAX_PASSES: u32 = 16;
const MALFORMED: CryptoError = CryptoError::Malformed {
    what: "locked root key",
};

/// What one guess at a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockCost {
    memory_kib: u32,
    passes: u32,
}

impl LockCost {
    /// So many mebibytes (8 to 4,096), three times over.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] beyond these bounds.
    pub fn mebibytes(memory: u32) -> Result<Self, CryptoError> {
        if !(8..=MAX_MEMORY_KIB >> 10).contains(&memory) {
            return Err(CryptoError::Malformed {
                what: "price of a passphrase (8 to 4096 MiB)",
            });
        }
        Ok(Self {
            memory_kib: memory << 10,
            passes: 3,
        })
    }
}

/// 256 MiB and 3 passes: about a second, once at each start.
impl Default for LockCost {
    fn default() -> Self {
        Self {
            memory_kib: 256 << 10,
            passes: 3,
        }
    }
}

/// The line to keep of `key` under `passphrase`. Slow on purpose.
///
/// # Errors
/// [`CryptoError::Malformed`] for a passphrase that Argon2 does not take.
pub fn lock_root(
    key: &RootKey,
    passphrase: &Plain<String>,
    cost: LockCost,
    random: &dyn Random,
) -> Result<String, CryptoError> {
    let salt: [u8; SALT] = random.array();
    let head = head(cost, &salt);
    let cipher = cipher(passphrase, cost, &salt)?;
    let sealed = aead::seal(&cipher, random, &[], head.as_bytes(), key.bytes());
    Ok(format!(
        "{head}{}",
        Base64UrlUnpadded::encode_string(&sealed)
    ))
}

/// The key in such a line. Slow on purpose.
///
/// # Errors
/// [`CryptoError::Damaged`] when the passphrase is another one or the line was changed,
/// [`CryptoError::Malformed`] when it is none.
pub fn unlock_root(line: &str, passphrase: &Plain<String>) -> Result<RootKey, CryptoError> {
    let (cost, salt, sealed) = read(line.trim_ascii_end()).ok_or(MALFORMED)?;
    let head = head(cost, &salt);
    let cipher = cipher(passphrase, cost, &salt)?;
    let mut opened = Zeroizing::new(Vec::with_capacity(32));
    aead::open(&cipher, &[], head.as_bytes(), &sealed, &mut opened)?;
    let mut key = Zeroizing::new([0; 32]);
    let bytes = opened.first_chunk::<32>().filter(|_| opened.len() == 32);
    key.copy_from_slice(bytes.ok_or(CryptoError::Damaged)?);
    Ok(RootKey::from_bytes(key))
}

/// Everything before what is sealed, which is authenticated with it.
fn head(cost: LockCost, salt: &[u8; SALT]) -> String {
    let LockCost { memory_kib, passes } = cost;
    let salt = Base64UrlUnpadded::encode_string(salt);
    format!("{PREFIX}m={memory_kib},t={passes} {salt} ")
}

fn read(line: &str) -> Option<(LockCost, [u8; SALT], Vec<u8>)> {
    let mut parts = line.strip_prefix(PREFIX)?.split(' ');
    let (memory, passes) = parts.next()?.strip_prefix("m=")?.split_once(",t=")?;
    let cost = LockCost {
        memory_kib: memory.parse().ok()?,
        passes: passes.parse().ok()?,
    };
    let fits = cost.memory_kib <= MAX_MEMORY_KIB && cost.passes <= MAX_PASSES;
    let salt = Base64UrlUnpadded::decode_vec(parts.next()?).ok()?;
    let sealed = Base64UrlUnpadded::decode_vec(parts.next()?).ok()?;
    (fits && parts.next().is_none()).then_some(())?;
    Some((cost, salt.try_into().ok()?, sealed))
}

fn cipher(
    passphrase: &Plain<String>,
    cost: LockCost,
    salt: &[u8; SALT],
) -> Result<XChaCha20Poly1305, CryptoError> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(|_| MALFORMED)?;
    let mut stretched = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(
            passphrase.expose().as_bytes(),
            salt,
            stretched.as_mut_slice(),
        )
        .map_err(|_| CryptoError::Malformed { what: "passphrase" })?;
    let key = kdf::derive(&*stretched, salt, b"skep locked root v1");
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

#[cfg(test)]
mod tests {
    use super::{LockCost, lock_root, unlock_root};
    use crate::{CryptoError, Plain, RootKey, SeededRandom};

    fn passphrase(text: &str) -> Plain<String> {
        Plain::new(text.into())
    }

    #[test]
    fn x06_a_locked_root_opens_with_its_passphrase_alone() {
        let random = SeededRandom::new(3);
        let key = RootKey::generate(&random);
        let cost = LockCost::mebibytes(8).unwrap();
        let line = lock_root(&key, &passphrase("plover anvil tuba"), cost, &random).unwrap();
        assert!(line.starts_with("skep-locked-root-1 m=8192,t=3 "));
        assert!(!line.contains(key.text().expose().split(' ').nth(1).unwrap()));
        let opened = unlock_root(&format!("{line}\n"), &passphrase("plover anvil tuba")).unwrap();
        assert!(opened.is(&key));
        for wrong in ["", "plover anvil tub", "Plover anvil tuba"] {
            let refused = unlock_root(&line, &passphrase(wrong));
            assert!(matches!(refused, Err(CryptoError::Damaged)), "{wrong}");
        }
    }

    #[test]
    fn x08_a_changed_price_salt_or_seal_opens_nothing() {
        let random = SeededRandom::new(4);
        let (key, words) = (RootKey::generate(&random), passphrase("plover anvil tuba"));
        let cost = LockCost::mebibytes(8).unwrap();
        let line = lock_root(&key, &words, cost, &random).unwrap();
        assert!(unlock_root(&line.replace("t=3", "t=2"), &words).is_err());
        // Neither gigabytes nor hours, however the file asks for them.
        for greedy in ["m=4294967295,t=3", "m=8192,t=4000000000"] {
            let asked = line.replace("m=8192,t=3", greedy);
            assert!(matches!(
                unlock_root(&asked, &words),
                Err(CryptoError::Malformed { .. })
            ));
        }
        let from = line.rfind(' ').unwrap() + 1;
        for at in [from - 3, from, from + 40, line.len() - 2] {
            let mut bytes = line.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(unlock_root(&changed, &words).is_err(), "{at}");
        }
        assert!(unlock_root(&format!("{line} x"), &words).is_err());
        assert!(LockCost::mebibytes(7).is_err() && LockCost::mebibytes(4097).is_err());
    }
}
