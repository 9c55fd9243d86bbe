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

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashSet;

    use super::push_part;

    /// All words of up to 3 letters over a, b and the usual separator: 40 of them.
    pub(crate) fn short_words() -> Vec<Vec<u8>> {
        let mut words = vec![Vec::new()];
        let mut longest = words.clone();
        for _ in 0..3 {
            longest = longest
                .iter()
                .flat_map(|word| b"ab/".map(|letter| [word.as_slice(), &[letter]].concat()))
                .collect();
            words.extend_from_slice(&longest);
        }
        words
    }

    #[test]
    fn t13_no_two_pairs_are_framed_alike() {
        let words = short_words();
        let framed: HashSet<Vec<u8>> = words
            .iter()
            .flat_map(|a| words.iter().map(move |b| (a, b)))
            .map(|(a, b)| {
                let mut out = Vec::new();
                push_part(&mut out, a);
                push_part(&mut out, b);
                out
            })
            .collect();
        assert_eq!(framed.len(), 40 * 40);
    }
}
