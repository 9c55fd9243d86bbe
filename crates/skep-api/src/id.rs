//! The text form of ids: `<prefix>_<32 characters>`, with a keyed tag of the tenant.
//!
//! The 32 characters are Crockford base32 of 20 bytes: the UUID and a 4-byte tag over kind, tenant
//! and UUID. An id from another tenant, or one made up, fails the tag before anything is queried.

use skep_domain::{Id, IdKind};

/// Makes and checks tags; the key stays behind this.
pub trait Tagger: Send + Sync {
    /// The tag of an id of the tenant that this tagger was made for.
    fn tag(&self, kind: IdKind, uuid: &[u8; 16]) -> [u8; 4];
    /// Whether the tag is right, in constant time.
    fn verify(&self, kind: IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool;
}

/// Why a text is not an id of the caller's tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not of this shape, or of another kind: 400.
    #[error("not an id of this kind: expected `{0}_` and 32 characters")]
    Malformed(&'static str),
    /// Another tenant's, or made up; nobody can tell which: 403.
    #[error("not an id of this workspace")]
    Foreign,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes an id for the tenant of the tagger.
#[must_use]
pub fn format<I: Id>(tagger: &dyn Tagger, id: I) -> String {
    let uuid = id.to_bytes();
    let mut bytes = [0; 20];
    bytes[..16].copy_from_slice(&uuid);
    bytes[16..].copy_from_slice(&tagger.tag(I::KIND, &uuid));
    let mut text = String::with_capacity(36);
    text.push_str(I::KIND.prefix());
    text.push('_');
    for group in bytes.chunks_exact(5) {
        let bits = group
            .iter()
            .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        for at in (0..8).rev() {
            text.push(char::from(ALPHABET[(bits >> (5 * at) & 31) as usize]));
        }
    }
    text
}

/// Reads an id of the tagger's tenant.
///
/// # Errors
/// [`IdError::Malformed`] before the tag is looked at, [`IdError::Foreign`] when the tag is wrong.
pub fn parse<I: Id>(tagger: &dyn Tagger, text: &str) -> Result<I, IdError> {
    let malformed = IdError::Malformed(I::KIND.prefix());
    let body = text
        .strip_prefix(I::KIND.prefix())
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|body| body.len() == 32)
        .ok_or(malformed)?;
    let mut bytes = [0u8; 20];
    for (group, out) in body
        .as_bytes()
        .chunks_exact(8)
        .zip(bytes.chunks_exact_mut(5))
    {
        let mut bits = 0u64;
        for character in group {
            bits = bits << 5 | digit(*character).ok_or(malformed)?;
        }
        out.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&bytes[..16]);
    let tag = [bytes[16], bytes[17], bytes[18], bytes[19]];
    if tagger.verify(I::KIND, &uuid, tag) {
        Ok(I::from_bytes(uuid))
    } else {
        Err(IdError::Foreign)
    }
}

/// The value of one canonical character; look-alikes and capitals are refused, so that an id has
/// exactly one text.
fn digit(character: u8) -> Option<u64> {
    ALPHABET
        .iter()
        .position(|known| *known == character)
        .map(|at| at as u64)
}

#[cfg(test)]
mod tests {
    use super::{IdError, Tagger, format, parse};
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
    use skep_domain::{Id, IdKind, MemoryId, TurnId};

    /// Stands in for the keyed tag: a weak mix of kind and tenant is enough to test the text form.
    struct Mix(u8);
    impl Tagger for Mix {
        fn tag(&self, kind: IdKind, uuid: &[u8; 16]) -> [u8; 4] {
            let sum = uuid
                .iter()
                .fold(self.0, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
            [self.0, kind as u8, sum, sum ^ 0x5A]
        }
        fn verify(&self, kind: IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
            self.tag(kind, uuid) == tag
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn ids_read_back_for_their_own_tenant_only(bytes in any::<[u8; 16]>()) {
            let id = MemoryId::from_bytes(bytes);
            let text = format(&Mix(1), id);
            prop_assert_eq!(text.len(), 36);
            prop_assert_eq!(parse::<MemoryId>(&Mix(1), &text), Ok(id));
            prop_assert_eq!(parse::<MemoryId>(&Mix(2), &text), Err(IdError::Foreign));
            prop_assert_eq!(parse::<TurnId>(&Mix(1), &text), Err(IdError::Malformed("trn")));
        }

        #[test]
        fn any_text_is_malformed_or_foreign_or_canonical(text in "mem_[0-9a-zA-Z]{30,34}") {
            match parse::<MemoryId>(&Mix(1), &text) {
                Ok(id) => prop_assert_eq!(format(&Mix(1), id), text),
                Err(IdError::Malformed(prefix)) => prop_assert_eq!(prefix, "mem"),
                Err(IdError::Foreign) => {}
            }
        }
    }

    #[test]
    fn look_alikes_and_capitals_are_not_second_spellings() {
        let text = format(&Mix(1), MemoryId::from_bytes([0; 16]));
        assert!(parse::<MemoryId>(&Mix(1), &text.to_uppercase()).is_err());
        assert!(parse::<MemoryId>(&Mix(1), &text.replace('0', "o")).is_err());
    }
}
