//! One score from two channels: a weighted sum, each channel scaled by its best.
//!
//! Equal ranks of a strong and a weak channel (reciprocal rank fusion) measured worse than the
//! strong one alone; scores keep what ranks forget. The weight follows the nature of the query.

/// The share of the lexical channel for a query in plain words.
const PROSE: f32 = 0.25;

/// What is added to [`PROSE`] where all candidates have neighbours, whose words make the lexical
/// channel the better one.
const NEAR: f32 = 0.15;

/// The share for a query that names things: identifiers, paths, codes, quotations.
const NAMES: f32 = 0.7;

/// The lexical channel's share, between zero and one, where this part of the candidates has
/// neighbours.
pub(crate) fn lexical_share(query: &str, near: f32) -> f32 {
    if quotes(query) || query.split_whitespace().any(is_name) {
        NAMES
    } else {
        PROSE + NEAR * near
    }
}

/// The fused score of one candidate, each score with the best of its channel. A channel without
/// a positive best has nothing to say.
pub(crate) fn fuse(share: f32, lexical: (f32, f32), vector: (f32, f32)) -> f32 {
    let scaled = |(score, best): (f32, f32)| {
        if best > 0.0 {
            score.max(0.0) / best
        } else {
            0.0
        }
    };
    share * scaled(lexical) + (1.0 - share) * scaled(vector)
}

/// What a candidate gains that a name leads to. Names are words too, so that the other channels
/// know most of it; what they do not know is a hint.
const NAMED: f32 = 0.2;

/// The fused score of one candidate with the weight that names give it, and the best such weight.
pub(crate) fn with_names(fused: f32, weight: f32, best: f32) -> f32 {
    if best > 0.0 {
        (fused + NAMED * weight / best) / (1.0 + NAMED)
    } else {
        fused
    }
}

/// Whether part of the query is quoted, so that its words are meant as they stand. Single quotes
/// count where a phrase begins and ends with them; an apostrophe does neither.
fn quotes(query: &str) -> bool {
    let twice = ['"', '`']
        .iter()
        .any(|&mark| query.matches(mark).count() >= 2);
    let mut words = query.split_whitespace();
    let opens = |word: &str| word.len() > 1 && word.starts_with('\'');
    let closes = |word: &str| {
        word.len() > 1
            && word
                .trim_end_matches(['?', '.', ',', '!', ':', ';'])
                .ends_with('\'')
    };
    let first = words.by_ref().find(|word| opens(word));
    twice || first.is_some_and(|first| closes(first) || words.any(closes))
}

/// Whether a word names something: `snake_case`, `a/path`, `file.rs`, `a::b`, `fooBar`, `E0425`.
fn is_name(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let joined = word.contains(['_', '/', '\\', '.']) || word.contains("::");
    let letters = word.chars().any(char::is_alphabetic);
    let digits = word.chars().any(|c| c.is_ascii_digit());
    let begins_small = word.chars().next().is_some_and(char::is_lowercase);
    letters && (joined || digits || (begins_small && word.chars().any(char::is_uppercase)))
}

#[cfg(test)]
mod tests {
    use super::{NAMES, PROSE, fuse, lexical_share, quotes};

    #[test]
    fn a_phrase_in_quotes_counts_and_an_apostrophe_does_not() {
        for quoted in [
            "what causes 'database is locked'?",
            "say \"as it stands\"",
            "the `lock` word",
            "'one'?",
        ] {
            assert!(quotes(quoted), "{quoted}");
        }
        for plain in [
            "what's the harbour's name",
            "the ships' berths",
            "don't ask",
            "rock 'n roll",
            "'",
        ] {
            assert!(!quotes(plain), "{plain}");
        }
    }

    #[test]
    fn the_share_follows_the_nature_of_the_query() {
        let names = [
            "parse_config panics",
            "src/main.rs",
            "fooBar",
            "what is E0425?",
            "\"as is\"",
        ];
        let prose = [
            "why do we retry",
            "Melanie's painting in 2022",
            "What did Caroline do?",
        ];
        assert_eq!(
            names
                .map(|query| lexical_share(query, 0.5))
                .map(f32::to_bits),
            [NAMES.to_bits(); 5]
        );
        assert_eq!(
            prose
                .map(|query| lexical_share(query, 0.0))
                .map(f32::to_bits),
            [PROSE.to_bits(); 3]
        );
    }

    #[test]
    fn a_silent_channel_adds_nothing() {
        let near = |fused: f32| (fused - 0.5).abs() < 1e-6;
        assert!(near(fuse(0.5, (0.0, 0.0), (0.8, 0.8))));
        assert!(near(fuse(0.5, (3.0, 3.0), (-0.1, -0.1))));
    }
}
