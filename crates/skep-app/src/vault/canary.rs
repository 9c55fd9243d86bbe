//! The canary of `skep verify secrets`: a name for a value that is nobody's.
//!
//! An origin of this daemon says it back in any code, and programs write it down in ways that nobody looks for.
//! So that nobody reads another secret there under that name, it stands for values of one form alone, which
//! are drawn for a trial, and for nothing that is kept elsewhere.

use skep_domain::RecordName;

use crate::AppError;

/// What the canary is called, as the vault keys it.
pub(crate) const NAME: &str = "skep-verify-canary";
/// What it begins with.
const BEGINS: &[u8] = b"cny_";
/// So many letters and digits follow.
const LETTERS: usize = 32;

pub(crate) fn is(name: &RecordName) -> bool {
    name.key() == NAME
}

/// Refuses what is no canary where the name says that it is one; a reference is none.
pub(super) fn check(name: &RecordName, value: Option<&[u8]>) -> Result<(), AppError> {
    if !is(name) || value.is_some_and(is_drawn) {
        return Ok(());
    }
    Err(AppError::Unfit(format!(
        "{NAME} is the name of what skep verify secrets plants, and holds nothing else, nor leads elsewhere: \
         call this secret otherwise"
    )))
}

fn is_drawn(value: &[u8]) -> bool {
    let letters = value.strip_prefix(BEGINS);
    letters.is_some_and(|letters| {
        letters.len() == LETTERS && letters.iter().all(u8::is_ascii_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use skep_domain::RecordName;

    use super::check;

    #[test]
    fn x01_the_canarys_name_stands_for_nothing_else() {
        let canary = b"cny_0123456789abcdefABCDEF0123456789".as_slice();
        for name in ["skep-verify-canary", "SKEP-Verify-Canary"] {
            let name = RecordName::parse(name).unwrap();
            assert!(check(&name, Some(canary)).is_ok());
            assert!(check(&name, None).is_err(), "a reference");
            for other in [
                &canary[1..],
                &canary[..35],
                b"cny_0123456789abcdefABCDEF01234567890",
                b"cny_0123456789abcdefABCDEF012345678-",
                b"ghp_0123456789abcdefABCDEF0123456789",
                b"",
            ] {
                assert!(check(&name, Some(other)).is_err());
            }
        }
        let other = RecordName::parse("skep-verify-canary-2").unwrap();
        assert!(check(&other, None).is_ok() && check(&other, Some(b"anything")).is_ok());
    }
}
