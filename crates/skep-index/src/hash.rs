//! A hash for tables of terms and ids: fast on short keys, and keyed anew for each table, so that
//! nobody can write texts whose terms all fall into one place.
//!
//! It folds the 128-bit product of two words into one, as wyhash does (Wang Yi, 2019).

use std::hash::{BuildHasher, Hasher, RandomState};

/// The key of one table.
#[derive(Clone)]
pub(crate) struct Keyed {
    start: u64,
    factor: u64,
}

/// One hash in the making.
pub(crate) struct Folding {
    state: u64,
    factor: u64,
}

impl Default for Keyed {
    fn default() -> Self {
        // What the standard library's own tables are keyed with.
        let random = RandomState::new();
        Self {
            start: random.hash_one(0u8),
            factor: random.hash_one(1u8) | 1,
        }
    }
}

impl Keyed {
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }
}

impl BuildHasher for Keyed {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        let (state, factor) = (self.start, self.factor);
        Folding { state, factor }
    }
}

impl Hasher for Folding {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut state = self.state ^ bytes.len() as u64;
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            state = fold(state ^ u64::from_le_bytes(*word), self.factor);
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.state = fold(state ^ u64::from_le_bytes(last), self.factor);
    }

    fn finish(&self) -> u64 {
        fold(self.state, self.factor ^ 0x9E37_79B9_7F4A_7C15)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Keyed;

    #[test]
    fn short_keys_are_told_apart() {
        let keyed = Keyed::default();
        let mut seen = HashSet::new();
        let mut low = HashSet::new();
        for number in 0..20_000u32 {
            for key in [
                format!("{number}"),
                format!("a{number}\0"),
                "\0".repeat(number as usize % 50) + &number.to_string(),
            ] {
                seen.insert(keyed.hash(key.as_bytes()));
                low.insert(keyed.hash(key.as_bytes()) & 0xFFFF);
            }
        }
        assert!(seen.len() >= 59_600, "{}", seen.len());
        assert!(low.len() > 36_000, "{}", low.len());
        assert_ne!(keyed.hash(b"x"), Keyed::default().hash(b"x"));
    }
}
