//! Argon2id for passwords and personal access tokens (RFC 9106, the OWASP minimum of 19 MiB).

use std::fmt;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::certain::certain;
use crate::{CryptoError, Random};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT: usize = 32;

// A stored hash names its own cost, so a changed row could ask for gigabytes.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
const MAX_PASSES: u32 = 8;
const MAX_LANES: u32 = 4;

/// What a hash costs whoever makes it, and whoever guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
}

impl PasswordCost {
    /// Next to nothing: for tests that make many.
    pub const LEAST: Self = Self {
        memory_kib: 8,
        passes: 1,
    };
}

/// 19 MiB and 2 passes.
impl Default for PasswordCost {
    fn default() -> Self {
        Self {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
        }
    }
}

/// A stored password hash: a PHC string with its salt and cost.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Hashes a password with a fresh salt: Argon2id, 19 MiB, 2 passes, 1 lane. Takes tens of
/// milliseconds and the memory; call it where blocking is fine and bound how many run at once.
///
/// # Errors
/// [`CryptoError::Malformed`] if the password is longer than Argon2 can take (4 GiB).
pub fn hash_password(password: &[u8], random: &dyn Random) -> Result<PasswordHash, CryptoError> {
    hash_password_at(PasswordCost::default(), password, random.array())
}

/// [`hash_password`] at another price, with a salt that was drawn before.
///
/// # Errors
/// [`CryptoError::Malformed`] if the password is longer than Argon2 can take (4 GiB).
pub fn hash_password_at(
    cost: PasswordCost,
    password: &[u8],
    salt: [u8; 16],
) -> Result<PasswordHash, CryptoError> {
    let params = certain(Params::new(
        cost.memory_kib,
        cost.passes,
        LANES,
        Some(OUTPUT),
    ));
    let output = stretch(&params, password, &salt)?;
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: certain((&params).try_into()),
        salt: Some(certain(phc::Salt::new(&salt))),
        hash: Some(certain(phc::Output::new(&*output))),
    };
    Ok(PasswordHash(hash.to_string()))
}

impl PasswordHash {
    /// Takes a stored PHC string, refusing other algorithms and costs beyond our bounds.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        read(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The PHC string to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `password` made this hash; compared in constant time. As slow as hashing.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let Ok((params, hash)) = read(&self.0) else {
            return false;
        };
        let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else {
            return false;
        };
        stretch(&params, password, salt)
            .is_ok_and(|output| output.ct_eq(expected.as_bytes()).into())
    }
}

/// Shows nothing: a hash in a log is material for guessing.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

fn read(text: &str) -> Result<(Params, phc::PasswordHash), CryptoError> {
    const MALFORMED: CryptoError = CryptoError::Malformed {
        what: "password hash",
    };
    let hash = phc::PasswordHash::new(text).map_err(|_| MALFORMED)?;
    let params = Params::try_from(&hash).map_err(|_| MALFORMED)?;
    let sound = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
        && params.p_cost() <= MAX_LANES
        && hash.salt.is_some()
        && hash
            .hash
            .as_ref()
            .is_some_and(|output| output.len() == OUTPUT);
    if sound {
        Ok((params, hash))
    } else {
        Err(MALFORMED)
    }
}

fn stretch(
    params: &Params,
    password: &[u8],
    salt: &[u8],
) -> Result<Zeroizing<[u8; OUTPUT]>, CryptoError> {
    let mut output = Zeroizing::new([0; OUTPUT]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into(password, salt, output.as_mut_slice())
        .map_err(|_| CryptoError::Malformed { what: "password" })?;
    Ok(output)
}

#[cfg(test)]
mod tests;
