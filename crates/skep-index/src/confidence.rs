//! How sure a candidate is, whatever else the question found.

use crate::Candidate;

/// What a cosine of one adds, what each e-fold of BM25 and of the question's words add, and where
/// all begin: the weights of a logistic regression on the tune half of the coding set's prompts
/// (docs/quality.md).
const MEANING: f32 = 7.13;
const WORDS: f32 = 1.50;
const LENGTH: f32 = 0.75;
const NOTHING: f32 = -11.36;

/// From this cosine on, two texts say nearly the same.
const SAME: f32 = 0.65;

/// What a cosine of one more than [`SAME`] would come to.
const SAME_SLOPE: f32 = 3.0;

impl Candidate {
    /// How sure it is that the memory answers the question of so many words, between 0 and 1. Unlike
    /// `fused`, it is not relative to the best of the question: the best of nothing is still nothing.
    ///
    /// BM25 counts by its logarithm, so that a long prompt cannot heap up certainty from many common
    /// words. A memory that waits for its vector has to say the more in words. In a workspace of a
    /// few memories no word is rare and words say little: there, saying nearly the same is enough.
    #[must_use]
    pub fn confidence(&self, asked: usize) -> f32 {
        let (words, length) = (self.lexical.max(0.0).ln_1p(), (asked as f32).ln_1p());
        let sum = MEANING * self.vector.max(0.0) + WORDS * words + LENGTH * length + NOTHING;
        let same = SAME_SLOPE * (self.vector - SAME);
        (1.0 / (1.0 + (-sum).exp())).max(same.clamp(0.0, 1.0))
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
            waits: false,
        };
        candidate.confidence(10)
    }

    #[test]
    fn one_common_word_is_no_reason_and_much_in_common_is() {
        assert!(confidence(0.0, 0.0) < 0.001);
        assert!(confidence(3.0, 0.3) < 0.05);
        assert!(confidence(60.0, 0.7) > 0.7 && confidence(30.0, 0.6) > 0.3);
        assert!(confidence(0.0, 0.75) > 0.25 && confidence(0.0, 0.6) < 0.05);
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
