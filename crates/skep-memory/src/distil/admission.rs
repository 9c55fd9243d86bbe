//! Whether a candidate is kept: what is counted about it, what each thing weighs, one threshold.
//!
//! The weights were found on the tuning half of the labelled sessions; `docs/distilling.md` has the
//! figures. Every refusal names the feature that weighed most against the candidate.

use super::draft::Draft;
use super::phrase::is_one;
use crate::clean::cut_line;
use skep_domain::{MemoryKind, Trust};
use std::fmt;

/// A name is what somebody will search for, so it is worth more than any other word.
const NAME: f32 = 0.04;
/// Beyond four names a statement is a list.
const NAMES_MAX: usize = 4;
/// A reason outlives the statement: it says when to decide anew.
const REASONED: f32 = 0.06;
/// A cause with its remedy saves the next one the search.
const REMEDIED: f32 = 0.06;
/// Work that changed a file can be seen in the repository: it happened.
const CHANGED: f32 = 0.06;
/// What holds for now is wrong next week.
const MOMENTARY: f32 = -0.2;
/// "It fails then": without the sentence before, nobody knows what.
const DETACHED: f32 = -0.2;
/// With a name in it, a detached sentence can still be understood.
const DETACHED_NAMED: f32 = -0.1;
/// Three words say nothing by themselves.
const SHORT: f32 = -0.1;
const SHORT_WORDS: usize = 4;
/// Beyond sixty content words it is a text, not a statement.
const LONG: f32 = -0.1;
const LONG_WORDS: usize = 60;
/// Nothing that anybody could search for: no name, no number, few words.
const VAGUE: f32 = -0.08;
const VAGUE_WORDS: usize = 6;
/// Work that was not finished is told by what finishes it.
const UNFINISHED: f32 = -0.04;
/// A cause named on the way is often not the last word.
pub(super) const PASSING: f32 = -0.06;

/// What is counted about a candidate.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a feature holds or does not, and each has a weight of its own"
)]
pub(super) struct Features {
    /// How surely the rule that found it marks a statement of its kind.
    pub(super) cue: f32,
    /// Paths, symbols, commands, codes it names.
    pub(super) names: usize,
    /// Content words.
    pub(super) words: usize,
    /// It has a number in it.
    pub(super) has_number: bool,
    pub(super) is_reasoned: bool,
    pub(super) is_remedied: bool,
    /// The work it tells of changed a file.
    pub(super) is_change: bool,
    pub(super) is_momentary: bool,
    /// Its subject stands in a sentence that is not part of it.
    pub(super) is_detached: bool,
    pub(super) is_unfinished: bool,
    /// An agent said it before its last message.
    pub(super) is_passing: bool,
    /// A person said it: their rules need no names to be worth keeping.
    pub(super) is_person: bool,
}

/// What weighed most against a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its rule alone is not sure enough, and nothing else speaks for it.
    WeakCue,
    /// It holds for the moment only.
    Momentary,
    /// Its subject stands elsewhere.
    Detached,
    /// Too few words to be understood.
    Short,
    /// A text, not a statement.
    Long,
    /// It names nothing that could be searched for.
    Vague,
    /// The work it tells of was not finished.
    Unfinished,
    /// A cause that was named on the way to another.
    Passing,
    /// A later message took it back.
    TakenBack,
    /// An outside source cannot lay down steps.
    OutsideProcedure,
    /// Its exchange had better ones.
    Crowded,
}

/// A candidate that was not kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Its score, below [`Draft::ADMISSION`] unless another reason stands in `why`.
    pub score: f32,
    /// What weighed most against it.
    pub why: Why,
    /// What it would have been.
    pub kind: MemoryKind,
    /// Its beginning, for whoever asks.
    pub text: String,
}

impl Refused {
    pub(super) fn new(score: f32, why: Why, kind: MemoryKind, text: &str) -> Self {
        Self {
            score,
            why,
            kind,
            text: cut_line(text, Draft::KEY_CHARS).into_owned(),
        }
    }

    pub(super) fn draft(draft: &Draft, why: Why) -> Self {
        Self::new(draft.score, why, draft.kind, &draft.text)
    }
}

impl Why {
    /// The reason as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WeakCue => "weak-cue",
            Self::Momentary => "momentary",
            Self::Detached => "detached",
            Self::Short => "short",
            Self::Long => "long",
            Self::Vague => "vague",
            Self::Unfinished => "unfinished",
            Self::Passing => "passing",
            Self::TakenBack => "taken-back",
            Self::OutsideProcedure => "outside-procedure",
            Self::Crowded => "crowded",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Features {
    /// The score, and what weighed most against it.
    pub(super) fn weigh(&self) -> (f32, Why) {
        let for_it = [
            (self.names > 0, NAME * self.names.min(NAMES_MAX) as f32),
            (self.is_reasoned, REASONED),
            (self.is_remedied, REMEDIED),
            (self.is_change, CHANGED),
        ];
        let is_vague =
            self.names == 0 && !self.has_number && !self.is_person && self.words < VAGUE_WORDS;
        let detached = if self.names > 0 {
            DETACHED_NAMED
        } else {
            DETACHED
        };
        let against = [
            (self.is_momentary, MOMENTARY, Why::Momentary),
            (self.is_detached, detached, Why::Detached),
            (self.words < SHORT_WORDS, SHORT, Why::Short),
            (self.words > LONG_WORDS, LONG, Why::Long),
            (is_vague, VAGUE, Why::Vague),
            (self.is_unfinished, UNFINISHED, Why::Unfinished),
            (self.is_passing, PASSING, Why::Passing),
        ];
        let mut score = self.cue;
        score += sum(for_it.iter().map(|(holds, weight)| (*holds, *weight)));
        score += sum(against.iter().map(|(holds, weight, _)| (*holds, *weight)));
        let worst = against
            .iter()
            .filter(|(holds, ..)| *holds)
            .min_by(|a, b| a.1.total_cmp(&b.1));
        (score, worst.map_or(Why::WeakCue, |(.., why)| *why))
    }
}

fn sum(parts: impl Iterator<Item = (bool, f32)>) -> f32 {
    parts
        .filter(|(holds, _)| *holds)
        .map(|(_, weight)| weight)
        .sum()
}

/// Whether an outside source may yield this.
pub(super) fn is_outside_procedure(draft: &Draft) -> bool {
    draft.kind == MemoryKind::Procedure && draft.trust == Trust::External
}

/// What is counted about a commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommitFeatures<'a> {
    pub(super) kind: MemoryKind,
    /// The type of a conventional commit.
    pub(super) sort: &'a str,
    /// Its scope, folded.
    pub(super) area: &'a str,
    /// Content words of the subject and of the body.
    pub(super) subject_words: usize,
    pub(super) body_words: usize,
    pub(super) names: usize,
}

/// A commit is a change that somebody thought worth naming, but most say no more than that.
const COMMIT: f32 = 0.34;
/// A subject of up to six words says more with each.
const COMMIT_SUBJECT: f32 = 0.035;
const COMMIT_NAME: f32 = 0.02;
/// A body explains: a line, a paragraph, more.
const COMMIT_BODY: [(usize, f32); 3] = [(40, 0.26), (12, 0.2), (4, 0.12)];
/// Choices, traps and rules are what is asked for later.
const COMMIT_KIND: f32 = 0.08;
const COMMIT_FEATURE: f32 = 0.05;
/// What only the machinery or the wording changed is seldom asked for.
const COMMIT_HOUSEKEEPING: f32 = -0.14;
/// A subject of one word leaves the rest to the diff.
const COMMIT_BARE: f32 = -0.2;

impl CommitFeatures<'_> {
    pub(super) fn weigh(&self) -> f32 {
        let mut score = COMMIT
            + COMMIT_SUBJECT * self.subject_words.min(6) as f32
            + COMMIT_NAME * self.names.min(NAMES_MAX) as f32;
        let body = COMMIT_BODY
            .iter()
            .find(|(least, _)| self.body_words >= *least);
        score += body.map_or(0.0, |(_, weight)| *weight);
        if matches!(
            self.kind,
            MemoryKind::Decision | MemoryKind::Gotcha | MemoryKind::Convention
        ) {
            score += COMMIT_KIND;
        }
        if is_one(self.sort, "feat|feature|perf") {
            score += COMMIT_FEATURE;
        }
        if self.body_words < 12 {
            let is_quiet = [
                (is_one(self.sort, HOUSEKEEPING), COMMIT_HOUSEKEEPING),
                (is_one(self.area, QUIET_AREAS), COMMIT_HOUSEKEEPING),
                (self.subject_words < 2, COMMIT_BARE),
            ];
            score += sum(is_quiet.into_iter());
        }
        score
    }
}

const HOUSEKEEPING: &str =
    "chore|deps|dep|release|fmt|merge|wip|test|tests|build|ci|docs|doc|style|cleanup";
const QUIET_AREAS: &str =
    "deps|deps-dev|changelog|release|pkg/brew|doc|docs|style|tests|test|lint|typo|readme";

#[cfg(test)]
mod tests {
    use super::{Draft, Features, Why};

    #[test]
    fn each_feature_can_be_what_a_candidate_is_refused_for() {
        let plain = Features {
            cue: 0.5,
            words: 10,
            ..Features::default()
        };
        for (features, expected) in [
            (Features { cue: 0.4, ..plain }, Why::WeakCue),
            (
                Features {
                    is_momentary: true,
                    ..plain
                },
                Why::Momentary,
            ),
            (
                Features {
                    is_detached: true,
                    ..plain
                },
                Why::Detached,
            ),
            (
                Features {
                    words: 2,
                    is_person: true,
                    ..plain
                },
                Why::Short,
            ),
            (Features { words: 90, ..plain }, Why::Long),
            (Features { words: 5, ..plain }, Why::Vague),
            (
                Features {
                    is_unfinished: true,
                    ..plain
                },
                Why::Unfinished,
            ),
            (
                Features {
                    is_passing: true,
                    ..plain
                },
                Why::Passing,
            ),
        ] {
            let (score, why) = features.weigh();
            assert!(score < Draft::ADMISSION, "{features:?}: {score}");
            assert_eq!(why, expected);
        }
        assert!(plain.weigh().0 >= Draft::ADMISSION);
    }

    #[test]
    fn names_reasons_and_changes_speak_for_a_candidate() {
        let weak = Features {
            cue: 0.46,
            words: 10,
            ..Features::default()
        };
        assert!(weak.weigh().0 < Draft::ADMISSION);
        for better in [
            Features { names: 1, ..weak },
            Features {
                is_reasoned: true,
                ..weak
            },
            Features {
                is_remedied: true,
                ..weak
            },
            Features {
                is_change: true,
                ..weak
            },
        ] {
            assert!(better.weigh().0 >= Draft::ADMISSION, "{better:?}");
        }
    }
}
