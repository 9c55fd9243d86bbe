//! What of a session a model gets to read: what was said, as much at a time as fits.
//!
//! Only what people and agents said: what tools printed stays here. It holds most of the secrets and
//! nearly all of what strangers wrote, and agents say in their own words what mattered of it.

use super::exchange::{said, trust_of_agent};
use super::harness::is_summary;
use super::paste::is_document;
use super::sentence::content_words;
use super::shell::{ToolSort, sort};
use crate::clean::cut_middle;
use crate::guard::assess;
use crate::inject::{FramedTurn, framed_bytes};
use crate::redact::Redactor;
use crate::turn::TurnView;
use skep_domain::{Harness, Timestamp, Trust, TurnRole};

/// A turn as a model gets to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What an answer cites it by: its place in the window, from 1.
    pub number: u32,
    /// Its place in the session.
    pub index: usize,
    /// When it was said.
    pub at: Timestamp,
    /// Whether a person said it.
    pub by_person: bool,
    /// How far its words are trusted.
    pub trust: Trust,
    /// What was said, without secrets, cut to a bounded length.
    pub text: String,
}

/// A part of a session to be read in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// What is shown.
    pub shown: Vec<Shown>,
    /// Turns that are not shown, because they read like instructions to a model.
    pub withheld: u32,
    /// How many of the turns given are done with, shown or not.
    pub taken: usize,
    /// Whether the web was read by now: what agents say from here on may be its word.
    pub is_tainted: bool,
}

/// Bytes of a window, marks and escapes included.
const WINDOW_BYTES: usize = 24 << 10;
/// Bytes of one turn in it.
const TURN_BYTES: usize = 8 << 10;
/// Bytes of a turn's words before they are escaped.
const WORDS_BYTES: usize = 4 << 10;
/// Fewer words than this are not worth a call.
const WORDS_MIN: usize = 16;

/// Takes the next window from the beginning of `turns`. `is_tainted`: the web was read before them.
#[must_use]
pub fn read_window(
    harness: Harness,
    turns: &[TurnView<'_>],
    is_tainted: bool,
    redactor: &Redactor,
) -> Window {
    let mut window = Window {
        is_tainted,
        ..Window::default()
    };
    let mut room = WINDOW_BYTES;
    for turn in turns {
        window.is_tainted |= sort(turn.tool) == ToolSort::Web;
        if let Some(shown) = show(harness, turn, window.is_tainted, redactor) {
            let doubted = if shown.by_person {
                shown.trust
            } else {
                Trust::External
            };
            if assess(&shown.text, doubted).held {
                window.withheld += 1;
            } else {
                let number = window.shown.len() as u32 + 1;
                let Some(left) = room.checked_sub(framed_bytes(&shown.framed())) else {
                    break;
                };
                room = left;
                window.shown.push(Shown { number, ..shown });
            }
        }
        window.taken += 1;
    }
    window
}

impl Shown {
    /// As it is put into a frame.
    #[must_use]
    pub fn framed(&self) -> FramedTurn<'_> {
        FramedTurn {
            number: self.number,
            by_person: self.by_person,
            text: &self.text,
        }
    }
}

impl Window {
    /// Whether there is enough in it to ask a model about.
    #[must_use]
    pub fn is_worth_a_call(&self) -> bool {
        let words = self
            .shown
            .iter()
            .map(|turn| content_words(&turn.text).len());
        words.sum::<usize>() >= WORDS_MIN
    }

    /// How far anything is trusted that was made of this: a model's word is an agent's at most, and
    /// nothing that it read may gain by being read.
    #[must_use]
    pub fn trust(&self) -> Trust {
        let least = self.shown.iter().map(|turn| turn.trust).min();
        least.unwrap_or(Trust::External).min(Trust::Agent)
    }
}

fn show(
    harness: Harness,
    turn: &TurnView<'_>,
    is_tainted: bool,
    redactor: &Redactor,
) -> Option<Shown> {
    let by_person = turn.role == TurnRole::User;
    if !(by_person || turn.role == TurnRole::Assistant) || is_summary(turn.text) {
        return None;
    }
    let words = said(harness, turn);
    // It was redacted when it came in; rules have been added since.
    let words = redactor.redact(&words).text;
    let words = words.trim();
    let trust = match by_person {
        // Whoever hands a document over did not write it.
        true if is_document(words) => Trust::Tool,
        true => Trust::User,
        false => trust_of_agent(is_tainted),
    };
    let shown = Shown {
        number: u32::MAX,
        index: turn.index,
        at: turn.at,
        by_person,
        trust,
        text: fitting(words),
    };
    (!shown.text.is_empty()).then_some(shown)
}

/// Cut so that it fits with its escapes, whatever it consists of.
fn fitting(words: &str) -> String {
    let mut most = WORDS_BYTES;
    loop {
        let text = cut_middle(words, most).into_owned();
        let turn = FramedTurn {
            number: u32::MAX,
            by_person: false,
            text: &text,
        };
        if framed_bytes(&turn) <= TURN_BYTES || most < 64 {
            return text;
        }
        most /= 2;
    }
}
