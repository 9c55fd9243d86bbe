//! A session as a whole: what it was for, what was decided, changed and found, what stayed open.

use super::cue::Cue;
use super::draft::Draft;
use super::harness::{is_summary, spoken};
use super::outcome::goal;
use super::passage::{Section, Sentence, read};
use super::paste::without_output;
use super::phrase::has;
use super::shell::edited_paths;
use super::statement::{capital, without_opener};
use crate::clean::cut_line;
use crate::normal::normal_form;
use crate::turn::TurnView;
use skep_domain::{Harness, MemoryKind, Timestamp, Trust, TurnRole};
use std::fmt::Write as _;

/// Lines of one sort that a recap keeps; of goals and outcomes the first and the last ones.
const LINES_MAX: usize = 6;
/// Characters of one line.
const LINE_CHARS: usize = 220;
/// Files that it names.
const FILES_MAX: usize = 12;
/// Turns that it cites.
const TURNS_MAX: usize = 24;
/// What is remembered of each sort while a long session is read.
const HELD_MAX: usize = 256;
/// A session that left fewer statements is told by them alone.
const LEAST: usize = 2;

/// Gathers a session, exchange by exchange.
#[derive(Debug)]
pub struct Recap {
    harness: Harness,
    goals: Vec<Line>,
    open: Vec<Line>,
    files: Vec<String>,
    last_at: Option<Timestamp>,
}

/// What was kept of a session: one statement.
#[derive(Clone, Copy, Debug)]
pub struct KeptStatement<'a> {
    /// Of what sort.
    pub kind: MemoryKind,
    /// Whose word.
    pub trust: Trust,
    /// What it says.
    pub text: &'a str,
}

#[derive(Clone, Debug)]
struct Line {
    turn: usize,
    text: String,
}

impl Recap {
    /// Of a session of this harness.
    #[must_use]
    pub const fn new(harness: Harness) -> Self {
        Self {
            harness,
            goals: Vec::new(),
            open: Vec::new(),
            files: Vec::new(),
            last_at: None,
        }
    }

    /// Takes in one exchange; in the order of the session.
    pub fn observe(&mut self, exchange: &[TurnView<'_>]) {
        for turn in exchange {
            self.last_at = self.last_at.max(Some(turn.at));
            let text = match turn.role {
                TurnRole::User => without_output(&spoken(self.harness, turn.text)),
                TurnRole::Assistant => spoken(self.harness, turn.text).into_owned(),
                _ => continue,
            };
            if turn.role == TurnRole::User && !is_summary(turn.text) {
                let goal = goal(&text).map(|text| Line {
                    turn: turn.index,
                    text,
                });
                hold(&mut self.goals, goal);
            }
            for sentence in read(&text).iter().filter(|sentence| is_open(sentence)) {
                let text = capital(without_opener(&sentence.text));
                hold(
                    &mut self.open,
                    Some(Line {
                        turn: turn.index,
                        text,
                    }),
                );
            }
        }
        for path in edited_paths(exchange) {
            if !self.files.contains(&path) && self.files.len() < HELD_MAX {
                self.files.push(path);
            }
        }
    }

    /// The recap, given what was kept of the session, in its order; `None` when that says it all.
    ///
    /// Its turns are those of goals and open ends; what it takes from `kept` has its own.
    #[must_use]
    pub fn finish(self, kept: &[KeptStatement<'_>]) -> Option<Draft> {
        use MemoryKind::{Convention, Decision, Fact, Gotcha, Preference};
        let least = if self.goals.len() > 1 {
            LEAST
        } else {
            LEAST + 1
        };
        if kept.len() < least || self.goals.is_empty() {
            return None;
        }
        let of = |kinds: &[MemoryKind]| -> Vec<String> {
            let fits = kept
                .iter()
                .filter(|statement| kinds.contains(&statement.kind));
            fits.map(|statement| without_goal(statement)).collect()
        };
        let said = |lines: &[Line]| lines.iter().map(|line| line.text.clone()).collect();
        let mut text = String::new();
        for (name, lines) in [
            ("Asked", said(&self.goals)),
            ("Decided", of(&[Decision, Convention, Preference])),
            ("Found", of(&[Gotcha])),
            ("Done", of(&[Fact])),
            ("Open", said(&self.open)),
        ] {
            section(&mut text, name, &ends(&lines));
        }
        if !self.files.is_empty() {
            let shown = &self.files[..self.files.len().min(FILES_MAX)];
            let _ = writeln!(text, "Files: {}", shown.join(", "));
        }
        let cited = self.goals.iter().chain(&self.open);
        // Its words are of many; at best an agent's.
        let trust = kept.iter().map(|statement| statement.trust).min();
        let first = self.goals.first().map_or("", |line| line.text.as_str());
        let draft = Draft {
            kind: Fact,
            key: format!("Session: {}", cut_line(first, Draft::KEY_CHARS - 16)),
            text,
            trust: trust.unwrap_or(Trust::Agent).min(Trust::Agent),
            valid_from: self.last_at?,
            turns: cited.map(|line| line.turn).take(TURNS_MAX).collect(),
            entities: self.files,
            score: 1.0,
        };
        Some(draft.bounded())
    }
}

fn hold(lines: &mut Vec<Line>, line: Option<Line>) {
    let Some(mut line) = line.filter(|_| lines.len() < HELD_MAX) else {
        return;
    };
    line.text = cut_line(&line.text, LINE_CHARS).into_owned();
    let normal = normal_form(&line.text);
    if !lines.iter().any(|known| normal_form(&known.text) == normal) {
        lines.push(line);
    }
}

/// The first half and the last half of what there is room for: how it began, how it ended.
fn ends(lines: &[String]) -> Vec<String> {
    if lines.len() <= LINES_MAX {
        return lines.to_vec();
    }
    let (head, tail) = (LINES_MAX / 2, lines.len() - (LINES_MAX - LINES_MAX / 2));
    let kept = lines[..head].iter().chain(&lines[tail..]);
    kept.cloned().collect()
}

/// An outcome begins with its goal, which stands above already.
fn without_goal(statement: &KeptStatement<'_>) -> String {
    let text = statement.text;
    let rest = text
        .split_once(": ")
        .filter(|(goal, _)| statement.kind == MemoryKind::Fact && goal.len() <= 160);
    rest.map_or(text, |(_, rest)| rest).to_owned()
}

fn section(text: &mut String, name: &str, lines: &[String]) {
    match lines {
        [] => {}
        [line] => {
            let _ = writeln!(text, "{name}: {}", cut_line(line, LINE_CHARS));
        }
        lines => {
            let _ = writeln!(text, "{name}:");
            for line in lines {
                let _ = writeln!(text, "- {}", cut_line(line, LINE_CHARS));
            }
        }
    }
}

/// Work that somebody says is left for another day.
fn is_open(sentence: &Sentence) -> bool {
    const LEFT: &str = "still to do|still open|left open|left out|remains to be|to be done|for later|next week|\
follow-up|follow up|not yet|yet to be|todo|to do:|out of scope|another time|still need|still missing|not done";
    let is_talk = sentence.cues.has_any(&[Cue::Asks, Cue::Hedge]);
    let listed = sentence.section == Section::Open && sentence.is_item;
    !is_talk && sentence.words >= 2 && (listed || has(&sentence.folded, LEFT))
}
