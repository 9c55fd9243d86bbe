//! Turns that were rolled back: a later record says how many.

use super::record::{Envelope, Event, Item, text_of};
use super::wording;
use crate::import::branches::{Trail, Verdict};

/// Counts the turns still to be taken back; sees lines last to first.
#[derive(Debug, Default)]
pub(super) struct Rollback {
    turns: u64,
}

impl Trail for Rollback {
    fn judge(&mut self, line: Option<&[u8]>) -> Verdict {
        let text = line.map(String::from_utf8_lossy);
        let envelope = text
            .as_deref()
            .and_then(|text| serde_json::from_str::<Envelope<'_>>(text).ok());
        let Some(envelope) = envelope else {
            return Verdict::Beside;
        };
        let Some(payload) = envelope.payload.map(serde_json::value::RawValue::get) else {
            return Verdict::Beside;
        };
        match envelope.kind.as_deref() {
            Some("event_msg") => {
                let event = serde_json::from_str::<Event>(payload).ok();
                let rollback =
                    event.filter(|event| event.kind.as_deref() == Some("thread_rolled_back"));
                self.turns += rollback
                    .and_then(|event| event.num_turns)
                    .unwrap_or_default();
                Verdict::Beside
            }
            Some("response_item") if self.turns > 0 => {
                self.turns -= u64::from(is_prompt(payload));
                Verdict::Off
            }
            Some("response_item") => Verdict::On,
            _ => Verdict::Beside,
        }
    }

    fn is_seeking(&self) -> bool {
        false
    }

    fn follow_next(&mut self) {}
}

/// Whether it is what a person asked: the start of a turn.
fn is_prompt(payload: &str) -> bool {
    serde_json::from_str::<Item>(payload).is_ok_and(|item| {
        item.role.as_deref() == Some("user")
            && wording::said_by_user(&text_of(&item.content)).is_ok()
    })
}
