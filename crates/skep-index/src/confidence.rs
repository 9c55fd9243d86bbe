//! How sure a candidate is, whatever else the question found.

use crate::Candidate;

/// What a cosine of one adds, what each e-fold of BM25 adds, and where both begin: the weights of a
/// logistic regression on the tune half of the coding set and its prompts (docs/quality.md).
const MEANING: f32 = 8.95;
const WORDS: f32 = 2.82;
const NOTHING: f32 = -15.75;

impl Candidate {
    /// How sure it is that the memory answers the question, between 0 and 1. Unlike `fused`, it is
    /// not relative to the best of the question: the best of nothing is still nothing.
    ///
    /// BM25 counts by its logarithm, so that a long prompt cannot heap up certainty from many common
    /// words. A memory that waits for its vector has to say the more in words.
    #[must_use]
    pub fn confidence(&self) -> f32 {
        let words = self.lexical.max(0.0).ln_1p();
        let sum = MEANING * self.vector.max(0.0) + WORDS * words + NOTHING;
        1.0 / (1.0 + (-sum).exp())
    }
}

#[cfg(test)]
mod tests {
    use crate::Candidate;
    use proptest::prelude::{prop_assert, proptest};
    use skep_domain::{Id as _, MemoryId};

    fn confidence(lexical: f32, vector: f32) -> f32 {
        let id = MemoryId::from_bytes([0; 16]);
        let (graph, fused) = (0.0, 1.0);
        let candidate = Candidate {
            id,
            lexical,
            vector,
            graph,
            fused,
        };
        candidate.confidence()
    }

    #[test]
    fn one_common_word_is_no_reason_and_much_in_common_is() {
        assert!(confidence(0.0, 0.0) < 0.001);
        assert!(confidence(3.0, 0.3) < 0.05);
        assert!(confidence(30.0, 0.8) > 0.7);
    }

    proptest! {
        #[test]
        fn more_of_either_is_never_less_sure(
            lexical in -1.0_f32..200.0,
            vector in -1.0_f32..1.0,
            more in 0.0_f32..10.0,
        ) {
            let sure = confidence(lexical, vector);
            prop_assert!((0.0..=1.0).contains(&sure));
            prop_assert!(confidence(lexical + more, vector) >= sure);
            prop_assert!(confidence(lexical, vector + more / 10.0) >= sure);
        }
    }
}
