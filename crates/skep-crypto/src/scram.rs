//! What a server keeps of a password that clients prove by SCRAM-SHA-256 (RFC 5802, RFC 7677): enough to
//! check a proof, not to make one without guessing the password.

use std::num::NonZeroU32;

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use ring::pbkdf2;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::certain::certain;
use crate::mac::sha256;
use crate::{CryptoError, Random};

/// What the RFC asks for, and PostgreSQL's default: a password from a file is nobody's to remember, so it
/// can be too long to guess.
const ROUNDS: u32 = 4_096;
// A verifier names its own cost, so a changed one could ask for hours.
const MAX_ROUNDS: u32 = 1 << 20;
const SALT: usize = 16;
const MAX_SALT: usize = 64;
const NAME: &str = "SCRAM-SHA-256$";
const UNFIT: CryptoError = CryptoError::Malformed {
    what: "password for SCRAM",
};

/// The verifier of a password, in PostgreSQL's spelling.
///
/// # Errors
/// [`CryptoError::Malformed`] unless the password is printable ASCII, which no rule of spelling changes.
pub fn scram_verifier(password: &str, random: &dyn Random) -> Result<String, CryptoError> {
    spell(password, ROUNDS, &random.array::<SALT>())
}

/// Whether a verifier is this password's. What is no verifier is nobody's.
#[must_use]
pub fn scram_fits(verifier: &str, password: &str) -> bool {
    let made_again = parts(verifier).and_then(|(rounds, salt)| spell(password, rounds, &salt).ok());
    made_again.is_some_and(|again| again.as_bytes().ct_eq(verifier.as_bytes()).into())
}

/// `SCRAM-SHA-256$<rounds>:<salt>$<StoredKey>:<ServerKey>`
fn spell(password: &str, rounds: u32, salt: &[u8]) -> Result<String, CryptoError> {
    if password.is_empty() || !password.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(UNFIT);
    }
    let rounds = NonZeroU32::new(rounds).ok_or(UNFIT)?;
    let mut salted = Zeroizing::new([0; 32]);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        rounds,
        salt,
        password.as_bytes(),
        salted.as_mut_slice(),
    );
    let stored = sha256(tag(&salted, b"Client Key").as_slice());
    let server = tag(&salted, b"Server Key");
    Ok(format!(
        "{NAME}{rounds}:{}${}:{}",
        Base64::encode_string(salt),
        Base64::encode_string(&stored),
        Base64::encode_string(server.as_slice())
    ))
}

fn tag(key: &[u8; 32], what: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac: Hmac<Sha256> = certain(Hmac::new_from_slice(key));
    mac.update(what);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn parts(verifier: &str) -> Option<(u32, Vec<u8>)> {
    let (cost, _keys) = verifier.strip_prefix(NAME)?.split_once('$')?;
    let (rounds, salt) = cost.split_once(':')?;
    let rounds = rounds.parse().ok().filter(|rounds| *rounds <= MAX_ROUNDS)?;
    let salt = Base64::decode_vec(salt).ok()?;
    (salt.len() <= MAX_SALT).then_some((rounds, salt))
}

#[cfg(test)]
mod tests {
    use super::{scram_fits, scram_verifier, spell};
    use crate::SeededRandom;

    /// Salt, rounds and password of RFC 7677, section 3. The keys are those that the
    /// proofs there come from.
    #[test]
    fn the_verifier_is_the_one_that_a_server_makes_of_the_same_salt() {
        use base64ct::Encoding as _;
        let salt = base64ct::Base64::decode_vec("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = spell("pencil", 4_096, &salt).unwrap();
        assert_eq!(
            verifier,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
             WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn a_verifier_fits_its_password_alone() {
        let random = SeededRandom::new(7);
        let verifier = scram_verifier("correct-horse", &random).unwrap();
        assert!(scram_fits(&verifier, "correct-horse"));
        for other in ["correct-hors", "Correct-horse", "", "correct horse"] {
            assert!(!scram_fits(&verifier, other), "{other}");
        }
        let again = scram_verifier("correct-horse", &random).unwrap();
        assert_ne!(verifier, again, "each has a salt of its own");
        let dear = verifier.replacen("4096", "4294967295", 1);
        for no_verifier in [
            "",
            "md5abc",
            "SCRAM-SHA-256$",
            "SCRAM-SHA-256$0:AA==$a:b",
            &dear,
        ] {
            assert!(!scram_fits(no_verifier, "correct-horse"), "{no_verifier}");
        }
    }

    #[test]
    fn a_password_whose_spelling_is_not_one_alone_has_no_verifier() {
        for password in ["", "two words", "Grüße", "line\n"] {
            assert!(
                scram_verifier(password, &SeededRandom::new(7)).is_err(),
                "{password}"
            );
        }
    }
}
