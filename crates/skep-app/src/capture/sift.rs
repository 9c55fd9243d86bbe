//! The stages between arrival and storing: normalise, deny by rule, redact, cut.

use skep_domain::{Limits, TurnOutcome, TurnRole};
use skep_memory::{Awaited, DenyView, Verdict};
use skep_store::NewTurn;

use super::normalise::normalise;
use super::{Capture, TurnIn};
use crate::App;

/// A turn that went through the stages.
pub(super) struct Sifted {
    /// What to store; nothing if a rule refuses it.
    pub(super) turn: Option<NewTurn>,
    /// How it ends if it is new.
    pub(super) outcome: TurnOutcome,
    /// Secrets taken out.
    pub(super) redacted: u32,
}

impl App {
    /// Takes a batch through the stages; `awaited` is what the session's earlier turns left open.
    pub(super) fn sift(&self, batch: &Capture, mut awaited: Awaited) -> Vec<Sifted> {
        batch
            .turns
            .iter()
            .map(|turn| self.sift_turn(batch, turn, &mut awaited))
            .collect()
    }

    fn sift_turn(&self, batch: &Capture, turn: &TurnIn, awaited: &mut Awaited) -> Sifted {
        let normal = normalise(batch.harness, batch.cwd.as_deref(), turn);
        let view = DenyView {
            role: turn.role,
            text: &turn.text,
            tool: normal.tool.as_deref(),
            paths: &normal.paths,
        };
        let (text, outcome, redacted) = match self.capturing.deny.judge(view, awaited) {
            Verdict::Refuse => {
                return Sifted {
                    turn: None,
                    outcome: TurnOutcome::Rule,
                    redacted: 0,
                };
            }
            Verdict::Withhold(notice) => (notice.to_owned(), TurnOutcome::Withheld, 0),
            Verdict::Keep => {
                let taken = self.take_in(&turn.text, Limits::TURN_BODY);
                let outcome = match (taken.cut, taken.redacted) {
                    (true, _) => TurnOutcome::Cut,
                    (false, 0) => TurnOutcome::Stored,
                    (false, _) => TurnOutcome::Redacted,
                };
                (taken.text, outcome, taken.redacted)
            }
        };
        Sifted {
            turn: Some(NewTurn {
                id: self.store.mint(),
                client_event_id: turn.client_event_id.clone(),
                role: turn.role,
                branch: turn.branch,
                author: turn.author,
                is_error: turn.is_error,
                at: turn.at,
                recorded_at: self.store.now(),
                text,
                tool: normal.tool.map(|tool| self.take_in_line(&tool)),
                paths: normal
                    .paths
                    .iter()
                    .map(|path| self.take_in_line(path))
                    .collect(),
            }),
            outcome,
            redacted,
        }
    }
}

/// Whether a result stands before any call, so that the call it answers came in an earlier batch.
pub(super) fn answers_earlier_call(turns: &[TurnIn]) -> bool {
    turns
        .iter()
        .find(|turn| matches!(turn.role, TurnRole::ToolCall | TurnRole::ToolResult))
        .is_some_and(|turn| turn.role == TurnRole::ToolResult)
}
