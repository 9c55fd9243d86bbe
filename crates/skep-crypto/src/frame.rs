//! Length-prefixed framing: lists of byte strings that can be read in one way only.

/// Appends `part` as its length (8 bytes, little endian) and its bytes.
///
/// Each part delimits itself, so the encoding of a list of parts is injective:
/// `("a/b", "c")` and `("a", "b/c")` never meet.
pub(crate) fn push_part(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&prefix(part));
    out.extend_from_slice(part);
}

/// The length prefix of `part`.
pub(crate) fn prefix(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_le_bytes()
}
