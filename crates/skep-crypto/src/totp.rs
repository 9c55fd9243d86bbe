//! Time-based one-time passwords (RFC 6238) and the codes that replace a lost device.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::certain::certain;
use crate::{CryptoError, MacKey, Plain, Random};

/// Seconds that one code stands for.
pub const TOTP_PERIOD: u64 = 30;
/// Digits of a code.
pub const TOTP_DIGITS: usize = 6;
/// Bytes of a seed: as many as SHA-1 gives (RFC 4226, section 4).
const SEED: usize = 20;
const MODULUS: u32 = 1_000_000;

/// Codes that stand in for a device that was lost.
pub const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code, five bits each.
const RECOVERY_CHARS: usize = 10;
/// Crockford's, in small letters: nothing that reads like something else.
const RECOVERY_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The secret that an authenticator app shares with us. Wiped when dropped.
pub struct TotpSeed(Zeroizing<[u8; SEED]>);

/// A code to write down, good once in place of a second factor. Wiped when dropped.
pub struct RecoveryCode(Zeroizing<[u8; RECOVERY_CHARS]>);

impl TotpSeed {
    /// A fresh seed.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random.array()))
    }

    /// Takes the bytes of a stored seed.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let seed = bytes
            .try_into()
            .map_err(|_| CryptoError::Malformed { what: "TOTP seed" })?;
        Ok(Self(Zeroizing::new(seed)))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8; SEED] {
        &self.0
    }

    /// The seed as authenticator apps take it by hand: base32 (RFC 4648), without padding.
    #[must_use]
    pub fn base32(&self) -> Plain<String> {
        let mut text = String::with_capacity(SEED * 8 / 5);
        for group in self.0.chunks(5) {
            let bits = group
                .iter()
                .fold(0_u64, |bits, b| bits << 8 | u64::from(*b));
            text.extend((0..8).rev().map(|at| {
                let five = (bits >> (at * 5)) as u8 & 31;
                char::from(if five < 26 {
                    b'A' + five
                } else {
                    b'2' + five - 26
                })
            }));
        }
        Plain::new(text)
    }

    /// The step whose code this is, if it is one of the present, the one before and the one after,
    /// and later than `used`, the last step that was accepted. Whoever stores the answer as the new
    /// `used` accepts each code once.
    #[must_use]
    pub fn accept(&self, code: &str, unix_seconds: u64, used: Option<u64>) -> Option<u64> {
        let code: [u8; TOTP_DIGITS] = code.as_bytes().try_into().ok()?;
        let now = unix_seconds / TOTP_PERIOD;
        let mut found = None;
        // All three are computed and compared, so that time does not say which it was.
        for step in [now.saturating_sub(1), now, now.saturating_add(1)] {
            let same: bool = self.code(step).ct_eq(&code).into();
            if same && used.is_none_or(|used| step > used) {
                found = Some(step);
            }
        }
        found
    }

    /// The code of a step (RFC 4226, section 5.3).
    #[must_use]
    pub fn code(&self, step: u64) -> [u8; TOTP_DIGITS] {
        let mut mac: Hmac<Sha1> = certain(Hmac::new_from_slice(&*self.0));
        mac.update(&step.to_be_bytes());
        let tag = mac.finalize().into_bytes();
        let at = usize::from(tag[tag.len() - 1] & 15);
        let word = u32::from_be_bytes(std::array::from_fn(|i| tag[at + i])) & 0x7FFF_FFFF;
        let mut left = word % MODULUS;
        let mut digits = [b'0'; TOTP_DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit += (left % 10) as u8;
            left /= 10;
        }
        digits
    }
}

impl RecoveryCode {
    /// A fresh code: 50 random bits, to be guessed at only through us, who count.
    #[must_use]
    pub fn mint(random: &dyn Random) -> Self {
        Self::from_random(random.array())
    }

    /// The code that ten random bytes make.
    #[must_use]
    pub fn from_random(bytes: [u8; RECOVERY_CHARS]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Zeroizing::new(
            bytes.map(|b| RECOVERY_ALPHABET[usize::from(b & 31)]),
        ))
    }

    /// Reads what a person typed: in any case, with or without the hyphen and spaces, and with the
    /// letters that look like digits.
    ///
    /// # Errors
    /// [`CryptoError::BadCredential`].
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        let mut code = Zeroizing::new([0; RECOVERY_CHARS]);
        let mut at = 0;
        for c in text.bytes().filter(|c| !matches!(c, b'-' | b' ')) {
            let c = match c.to_ascii_lowercase() {
                b'o' => b'0',
                b'i' | b'l' => b'1',
                c => c,
            };
            if at == RECOVERY_CHARS || !RECOVERY_ALPHABET.contains(&c) {
                return Err(CryptoError::BadCredential);
            }
            code[at] = c;
            at += 1;
        }
        if at < RECOVERY_CHARS {
            return Err(CryptoError::BadCredential);
        }
        Ok(Self(code))
    }

    /// As it is shown, once: two groups of five.
    #[must_use]
    pub fn text(&self) -> Plain<String> {
        let mut text = String::with_capacity(RECOVERY_CHARS + 1);
        for (at, c) in self.0.iter().enumerate() {
            if at == RECOVERY_CHARS / 2 {
                text.push('-');
            }
            text.push(char::from(*c));
        }
        Plain::new(text)
    }

    /// What to store for this code of this owner: a MAC under the pepper, worth nothing without it.
    #[must_use]
    pub fn stored_form(&self, pepper: &MacKey, owner: &[u8; 16]) -> [u8; 32] {
        pepper.tag32(&self.parts(owner))
    }

    /// Which of the stored forms is this code's; all are compared, each in constant time.
    #[must_use]
    pub fn find(&self, pepper: &MacKey, owner: &[u8; 16], stored: &[[u8; 32]]) -> Option<usize> {
        let own = self.stored_form(pepper, owner);
        let mut found = None;
        for (at, stored) in stored.iter().enumerate() {
            if own.ct_eq(stored).into() {
                found = Some(at);
            }
        }
        found
    }

    fn parts<'a>(&'a self, owner: &'a [u8; 16]) -> [&'a [u8]; 3] {
        [b"skep recovery code v1", owner, &*self.0]
    }
}

#[cfg(test)]
mod tests;
