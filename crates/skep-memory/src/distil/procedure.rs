//! Commands that succeed in the same order in several sessions: candidates for a procedure.
//!
//! A session yields its sequences in a form without what differs from run to run; whoever keeps
//! them counts in how many sessions each was seen.

use super::draft::Draft;
use super::entity::entities;
use super::key::key_line;
use super::phrase::is_one;
use super::repair::runs;
use super::shell::{ToolSort, is_check, sort};
use crate::turn::TurnView;
use regex::Regex;
use skep_domain::{MemoryKind, Timestamp, Trust, TurnRole};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// Commands of a session that are looked at.
const STEPS_MAX: usize = 96;
/// Fewer steps are a habit, not a procedure.
const LENGTH_MIN: usize = 3;
const LENGTH_MAX: usize = 5;
/// How far apart two steps may stand: something may have gone wrong between them.
const GAP_MAX: usize = 2;
/// Sequences that a session yields.
const SEQUENCES_MAX: usize = 600;
/// Candidates that one session can bring up.
const CANDIDATES_MAX: usize = 2;
/// Sessions that must have done the same.
const REPEATED: u64 = 2;

/// Gathers the commands of a session.
#[derive(Clone, Debug, Default)]
pub struct CommandRuns {
    steps: Vec<Step>,
    /// The web was read: what followed may have been its idea.
    is_tainted: bool,
    last_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Step {
    command: String,
    general: String,
    turn: usize,
}

/// Commands that succeeded one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// What counts for being the same sequence.
    pub normal: String,
    general: Vec<String>,
    commands: Vec<String>,
    turns: Vec<usize>,
}

impl CommandRuns {
    /// Takes in turns, in the order of the session.
    pub fn observe(&mut self, turns: &[TurnView<'_>]) {
        for turn in turns.iter().filter(|turn| turn.role == TurnRole::ToolCall) {
            self.is_tainted |= sort(turn.tool) == ToolSort::Web;
            self.last_at = self.last_at.max(Some(turn.at));
        }
        for run in runs(turns) {
            let is_step = !run.failed && is_check(&run.signature) && !run.core.contains('\n');
            let general = general(&run.core);
            let is_again = self
                .steps
                .last()
                .is_some_and(|last| last.general == general);
            if is_step && !is_again && run.core.len() <= 200 && self.steps.len() < STEPS_MAX {
                self.steps.push(Step {
                    command: run.core,
                    general,
                    turn: turns[run.call].index,
                });
            }
        }
    }

    /// The sequences that are worth counting, the longest first.
    #[must_use]
    pub fn sequences(&self) -> Vec<Sequence> {
        let mut found = Vec::new();
        if self.is_tainted {
            return found;
        }
        let mut seen = BTreeSet::new();
        for length in (LENGTH_MIN..=LENGTH_MAX).rev() {
            for start in 0..self.steps.len() {
                self.extend(&mut vec![start], length, &mut |chosen| {
                    let sequence = self.sequence(chosen);
                    if found.len() < SEQUENCES_MAX
                        && sequence.is_telling()
                        && seen.insert(sequence.normal.clone())
                    {
                        found.push(sequence);
                    }
                });
            }
        }
        found
    }

    fn extend(&self, chosen: &mut Vec<usize>, length: usize, give: &mut dyn FnMut(&[usize])) {
        if chosen.len() == length {
            give(chosen);
            return;
        }
        let last = chosen.last().copied().unwrap_or_default();
        for next in last + 1..(last + 1 + GAP_MAX).min(self.steps.len()) {
            chosen.push(next);
            self.extend(chosen, length, give);
            chosen.pop();
        }
    }

    fn sequence(&self, chosen: &[usize]) -> Sequence {
        let steps = || chosen.iter().map(|at| &self.steps[*at]);
        let general: Vec<String> = steps().map(|step| step.general.clone()).collect();
        Sequence {
            normal: general.join("\n"),
            general,
            commands: steps().map(|step| step.command.clone()).collect(),
            turns: steps().map(|step| step.turn).collect(),
        }
    }

    /// The candidates among `sequences`, of which the store knows in how many sessions each was
    /// seen. Of two that overlap the longer one stands.
    #[must_use]
    pub fn candidates(&self, sequences: &[Sequence], sessions: &[u64]) -> Vec<(Draft, u64)> {
        let mut found: Vec<(&Sequence, u64)> = Vec::new();
        for (sequence, count) in sequences.iter().zip(sessions) {
            let overlaps = |known: &&(&Sequence, u64)| {
                let shared = |step: &&String| known.0.general.contains(step);
                sequence.general.iter().filter(shared).count() >= 2
            };
            let is_new = found.iter().find(overlaps).is_none();
            if *count >= REPEATED && is_new && found.len() < CANDIDATES_MAX {
                found.push((sequence, *count));
            }
        }
        let at = self.last_at.unwrap_or(Timestamp::from_micros(0));
        let draft = |(sequence, count): (&Sequence, u64)| (sequence.draft(at), count);
        found.into_iter().map(draft).collect()
    }
}

impl Sequence {
    /// Checking and committing is how every day goes.
    fn is_telling(&self) -> bool {
        let distinct: BTreeSet<&String> = self.general.iter().collect();
        distinct.len() == self.general.len()
            && self.general.iter().any(|command| !is_everyday(command))
    }

    fn draft(&self, at: Timestamp) -> Draft {
        let mut text = "Steps that succeeded in this order:".to_owned();
        for (at, command) in self.general.iter().enumerate() {
            let _ = write!(text, "\n{}. `{command}`", at + 1);
        }
        let mut names = self.general.clone();
        names.extend(self.commands.iter().flat_map(|command| entities(command)));
        let draft = Draft {
            kind: MemoryKind::Procedure,
            key: key_line(&self.general.join(", then "), &names, None),
            text,
            trust: Trust::Agent,
            valid_from: at,
            turns: self.turns.clone(),
            entities: names,
            score: Draft::ADMISSION,
        };
        draft.bounded()
    }
}

fn is_everyday(command: &str) -> bool {
    let mut words = command.split(' ').filter(|word| !word.starts_with('-'));
    let program = words.next().unwrap_or_default();
    let verb = words.next().unwrap_or_default();
    let verb = if is_one(verb, "run|-m|exec") {
        words.next().unwrap_or_default()
    } else {
        verb
    };
    is_one(verb, EVERYDAY) || is_one(program, CHECKERS) || program == "git" && verb != "push"
}

const EVERYDAY: &str = "test|tests|build|check|clippy|fmt|format|lint|nextest|run|install|add|i|ci|commit|status|\
typecheck|tsc|vitest|jest|pytest|ruff|mypy|doc|bench|start|dev|vet|mod|sync";
const CHECKERS: &str =
    "pytest|tsc|eslint|jest|vitest|ruff|mypy|black|node|python|python3|bash|sh|playwright";

/// The command without versions, dates, ids and quoted texts.
fn general(command: &str) -> String {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r#""[^"]*"|'[^']*'"#));
    static VERSION: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\bv?[0-9]+(?:\.[0-9]+)+(?:-[A-Za-z0-9.]+)?\b"));
    static ID: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b(?:[0-9a-f]{7,64}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2,})\b"));
    let text = QUOTED.replace_all(command, "<text>");
    let text = VERSION.replace_all(&text, "<version>");
    ID.replace_all(&text, "<id>").into_owned()
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants, and every test compiles them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

#[cfg(test)]
mod tests {
    use super::{CommandRuns, Sequence, general};
    use crate::turn::TurnView;
    use skep_domain::{MemoryKind, Timestamp, TurnRole};

    fn runs(commands: &[(&str, bool)], web_first: bool) -> CommandRuns {
        let mut turns = Vec::new();
        let turn = |index, role, tool, text, is_error| TurnView {
            index,
            role,
            at: Timestamp::from_micros(0),
            text,
            tool: Some(tool),
            is_error,
            paths: &[],
        };
        if web_first {
            turns.push(turn(0, TurnRole::ToolCall, "WebFetch", "https://a", false));
        }
        for (command, passed) in commands {
            let at = turns.len();
            turns.push(turn(at, TurnRole::ToolCall, "Bash", command, false));
            turns.push(turn(at + 1, TurnRole::ToolResult, "Bash", "ok", !passed));
        }
        let mut runs = CommandRuns::default();
        runs.observe(&turns);
        runs
    }

    const RELEASE: &[(&str, bool)] = &[
        ("cargo xtask changelog", true),
        ("cargo publish --dry-run", true),
        ("git push origin v0.8.0", true),
    ];

    #[test]
    fn what_differs_from_run_to_run_does_not_count() {
        for (command, expected) in [
            ("git push origin v0.9.1-rc.2", "git push origin <version>"),
            ("git commit -m \"Release\"", "git commit -m <text>"),
            ("kubectl apply -f a.yaml", "kubectl apply -f a.yaml"),
            ("git revert 1f0c2d9", "git revert <id>"),
        ] {
            assert_eq!(general(command), expected);
        }
    }

    #[test]
    fn a_failed_step_between_does_not_hide_a_sequence() {
        let plain: Vec<Sequence> = runs(RELEASE, false).sequences();
        assert_eq!(plain.len(), 1);
        let mut bumpy = RELEASE.to_vec();
        bumpy.insert(1, ("cargo publish --dry-run", false));
        bumpy.insert(2, ("git commit -am \"x\"", true));
        let bumpy = runs(&bumpy, false).sequences();
        assert!(
            bumpy
                .iter()
                .any(|sequence| sequence.normal == plain[0].normal)
        );
    }

    #[test]
    fn candidates_need_two_sessions_and_everyday_checks_are_none() {
        let release = runs(RELEASE, false);
        let sequences = release.sequences();
        assert!(release.candidates(&sequences, &[1]).is_empty());
        let found = release.candidates(&sequences, &[2]);
        assert_eq!(found[0].0.kind, MemoryKind::Procedure);
        assert!(found[0].0.text.contains("2. `cargo publish --dry-run`"));
        let everyday = [
            ("cargo fmt", true),
            ("cargo clippy", true),
            ("cargo test", true),
            ("git commit -m x", true),
        ];
        assert!(runs(&everyday, false).sequences().is_empty());
    }

    #[test]
    fn m05_a_session_that_read_the_web_yields_no_steps() {
        assert!(runs(RELEASE, true).sequences().is_empty());
    }
}
