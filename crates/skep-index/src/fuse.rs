//! One score from all channels. Every weight of the search is here.
//!
//! The score is a weighted sum, each channel scaled by its best. Equal ranks of a strong and a weak
//! channel (reciprocal rank fusion) measured worse than the strong one alone; scores keep what
//! ranks forget. How much words count follows the question: much where it names things, little
//! where one meaning stands out of all others.
//!
//! The numbers were chosen on two sets at once, conversations and code, and lie where neither
//! changes by much; `model/README.md` has the figures.

/// The part of what all memories share that is taken off a question: memories of one workspace are
/// all somewhat near to anything that is asked there.
pub(crate) const COMMON: f32 = 0.2;

/// How much a neighbour's words and meaning count: the one next to a memory, and the one after.
pub(crate) const NEIGHBOURS: [f32; 2] = [0.5, 0.3];

/// The share of words where no meaning stands out, and where one does.
const WORDS_MOST: f32 = 0.5;
const WORDS_LEAST: f32 = 0.18;

/// By how many deviations the best cosine stands out in the two cases; between them the share falls
/// evenly.
const FLAT: f32 = 3.5;
const SHARP: f32 = 4.5;

/// The share where there are too few memories to tell.
const WORDS_UNKNOWN: f32 = 0.3;

/// What is added where all candidates have neighbours, whose words make the lexical channel the
/// better one.
const WORDS_NEAR: f32 = 0.05;

/// At least this share for a query that names things: identifiers, paths, codes, quotations.
const WORDS_NAMES: f32 = 0.5;

/// At least this share for a memory that has no vector yet: a draft tells less than words do, and what was just
/// said must not stand behind all others because it is new.
const WORDS_DRAFTS: f32 = 0.6;

/// What a memory gains whose label, such as its speaker, the question names.
const LABELLED: f32 = 0.15;

/// What a memory gains that says something: scraps match short questions by chance. It grows with
/// the logarithm of the terms up to [`ENOUGH`] of them.
const SAYING: f32 = 0.15;

/// See [`SAYING`].
const ENOUGH: f32 = 12.0;

/// What a candidate gains that a name leads to. Names are words too, so that the other channels
/// know most of it; what they do not know is a hint.
const NAMED: f32 = 0.2;

/// What speaks for a candidate.
#[derive(Clone, Copy)]
pub(crate) struct Evidence {
    /// BM25 of its words and its neighbours'.
    pub(crate) words: f32,
    /// The cosine with the question as it stands; what a reader is shown.
    pub(crate) cosine: f32,
    /// The cosine with the question as searched for, neighbours mixed in.
    pub(crate) meaning: f32,
    /// Whether the question names its label.
    pub(crate) labelled: bool,
    /// How many terms it has.
    pub(crate) length: u32,
    /// Whether it has neighbours.
    pub(crate) near: bool,
    /// Whether its vector is still to be made.
    pub(crate) waits: bool,
}

/// What all candidates of one question are measured by.
pub(crate) struct Scale {
    /// The share of words, and for a memory that waits for its vector.
    share: f32,
    of_waiting: f32,
    words: f32,
    meaning: f32,
    name: f32,
}

impl Scale {
    /// For a question, by how much its best cosine stands out, and what was found.
    pub(crate) fn of(
        query: &str,
        peak: Option<f32>,
        found: &[Evidence],
        by_name: &[(f32, u32)],
    ) -> Self {
        let part = |of: fn(&Evidence) -> bool| {
            found.iter().filter(|found| of(found)).count() as f32 / found.len().max(1) as f32
        };
        let near = part(|found| found.near);
        let best = |of: fn(&Evidence) -> f32| found.iter().map(of).fold(0.0, f32::max);
        let (words, meaning) = (best(|found| found.words), best(|found| found.meaning));
        // A channel that is silent leaves everything to the other.
        let (share, of_waiting) = match (words > 0.0, meaning > 0.0) {
            (true, true) => {
                let share = words_share(query, peak, near);
                (share, share.max(WORDS_DRAFTS))
            }
            (words, _) => [f32::from(u8::from(words)); 2].into(),
        };
        Self {
            share,
            of_waiting,
            words,
            meaning,
            name: by_name.first().map_or(0.0, |&(weight, _)| weight),
        }
    }

    /// The score of one candidate, in 0..=1; zero if neither words nor meaning nor a name speak for
    /// it.
    pub(crate) fn fuse(&self, found: &Evidence, name: f32) -> f32 {
        let words = scaled(found.words, self.words);
        let meaning = scaled(found.meaning, self.meaning);
        let share = if found.waits {
            self.of_waiting
        } else {
            self.share
        };
        let both = share * words + (1.0 - share) * meaning;
        let mut score = both;
        if both > 0.0 {
            score += LABELLED * f32::from(u8::from(found.labelled));
            score += SAYING * (1.0 + (found.length as f32).min(ENOUGH)).ln() / (1.0 + ENOUGH).ln();
        }
        score /= 1.0 + LABELLED + SAYING;
        if self.name > 0.0 {
            (score + NAMED * name / self.name) / (1.0 + NAMED)
        } else {
            score
        }
    }
}

/// A score with the best of its channel. A channel without a positive best has nothing to say.
fn scaled(score: f32, best: f32) -> f32 {
    if best > 0.0 {
        score.max(0.0) / best
    } else {
        0.0
    }
}

/// The share of words, between zero and one, where this part of the candidates has neighbours.
fn words_share(query: &str, peak: Option<f32>, near: f32) -> f32 {
    let plain = peak.map_or(WORDS_UNKNOWN, |peak| {
        let sharp = ((peak - FLAT) / (SHARP - FLAT)).clamp(0.0, 1.0);
        WORDS_MOST + (WORDS_LEAST - WORDS_MOST) * sharp
    });
    let plain = plain + WORDS_NEAR * near;
    if quotes(query) || query.split_whitespace().any(is_name) {
        plain.max(WORDS_NAMES)
    } else {
        plain
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
    use super::{Evidence, Scale, quotes, words_share};

    fn evidence(words: f32, meaning: f32) -> Evidence {
        Evidence {
            words,
            cosine: meaning,
            meaning,
            labelled: false,
            length: 20,
            near: false,
            waits: false,
        }
    }

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
        let flat = |query: &str| words_share(query, Some(2.0), 0.0);
        let sharp = |query: &str| words_share(query, Some(7.0), 0.0);
        for name in [
            "parse_config panics",
            "src/main.rs",
            "fooBar",
            "what is E0425?",
            "\"as is\"",
        ] {
            assert!(sharp(name) >= 0.5, "{name}");
        }
        for prose in [
            "why do we retry",
            "Melanie's painting in 2022",
            "What did Caroline do?",
        ] {
            assert!(sharp(prose) < 0.2 && flat(prose) >= 0.5, "{prose}");
            assert!(words_share(prose, Some(4.0), 0.0) < flat(prose), "{prose}");
            assert!(words_share(prose, None, 1.0) > words_share(prose, None, 0.0));
        }
    }

    #[test]
    fn words_count_for_more_while_vectors_are_made() {
        let said = evidence(4.0, 0.3);
        let meant = evidence(2.0, 0.8);
        let first_by_words = |waits: bool| {
            let found = [said, meant].map(|found| Evidence { waits, ..found });
            let scale = Scale::of("why", Some(5.0), &found, &[]);
            scale.fuse(&found[0], 0.0) > scale.fuse(&found[1], 0.0)
        };
        assert!(first_by_words(true) && !first_by_words(false));
    }

    #[test]
    fn scores_lie_in_their_range_and_silence_is_none() {
        let found = [evidence(4.0, 0.8), evidence(0.0, -0.1), evidence(2.0, 0.0)];
        let scale = Scale::of("why", Some(3.0), &found, &[(2.0, 7)]);
        let scores: Vec<f32> = found.iter().map(|found| scale.fuse(found, 0.0)).collect();
        assert!(scores[0] > scores[2] && scores[2] > 0.0, "{scores:?}");
        assert!(scores[1] <= 0.0, "nothing speaks for it: {scores:?}");
        assert!((0.999..=1.0).contains(&scale.fuse(
            &Evidence {
                labelled: true,
                ..evidence(4.0, 0.8)
            },
            2.0
        )));
    }
}
