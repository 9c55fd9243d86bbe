//! Randomness as an argument: the operating system's source, and a repeatable one for tests.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::mac::MacKey;

/// A source of random bytes, passed to whatever mints keys, nonces, ids or tokens.
pub trait Random: Send + Sync {
    /// Fills `out` wholly.
    fn fill(&self, out: &mut [u8]);
}

impl dyn Random + '_ {
    /// `N` fresh bytes.
    #[must_use]
    pub fn array<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

/// The operating system's random source; the only one for production.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// Ends the process when the system source fails: a predictable key or a repeated nonce is
    /// worse than no service, and no caller has a better answer.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's random source"
    )]
    fn fill(&self, out: &mut [u8]) {
        if getrandom::fill(out).is_err() {
            std::process::abort();
        }
    }
}

/// The same bytes for the same seed, for tests and replays. **Never for production**: whoever
/// knows the seed knows every key.
///
/// Call `n` yields HMAC-SHA-256(seed, n ‖ block number), so calls from several threads never see
/// the same bytes, though which thread sees which is not fixed.
pub struct SeededRandom {
    key: MacKey,
    calls: AtomicU64,
}

impl SeededRandom {
    /// A source whose whole output follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self {
            key: MacKey::from_bytes(&bytes),
            calls: AtomicU64::new(0),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (block, chunk) in (0_u64..).zip(out.chunks_mut(32)) {
            let bytes = self.key.tag32(&[&call, &block.to_le_bytes()]);
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, SeededRandom, SystemRandom};

    #[test]
    fn a_seed_repeats_itself_and_no_other() {
        let draw = |seed| {
            let source = SeededRandom::new(seed);
            let source: &dyn Random = &source;
            (source.array::<70>(), source.array::<70>())
        };
        let (first, second) = draw(1);
        assert_eq!((first, second), draw(1));
        assert_ne!(first, second, "a call never repeats the one before");
        assert_ne!(first[..32], first[32..64], "nor a block the one before");
        assert_ne!(first, draw(2).0);
    }

    #[test]
    fn the_system_source_fills_every_byte() {
        let source: &dyn Random = &SystemRandom;
        let mut seen = [0_u8; 64];
        for _ in 0..16 {
            for (all, byte) in seen.iter_mut().zip(source.array::<64>()) {
                *all |= byte;
            }
        }
        assert!(seen.iter().all(|byte| *byte != 0));
    }
}
