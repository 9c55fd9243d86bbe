//! Gathers turns into batches that the daemon takes, each with the place it brings us to.

use skep_api::capture::TurnInput;

/// Turns of one batch.
const TURNS: usize = 500;
/// Bytes of one batch, as JSON; the daemon takes twice as much.
const BYTES: usize = 4 << 20;
/// What a turn costs beside its texts: field names, time, punctuation.
const TURN_OVERHEAD: usize = 160;

/// Turns that go out together.
#[derive(Debug, Default)]
pub(crate) struct Batch<P> {
    /// The turns, and the line each comes from.
    pub(crate) turns: Vec<(u64, TurnInput)>,
    /// Where the source was read to when they are all stored.
    pub(crate) position: Option<P>,
    bytes: usize,
}

impl<P> Batch<P> {
    /// The same turns with the place written another way.
    pub(crate) fn at<Q>(self, position: Option<Q>) -> Batch<Q> {
        Batch {
            turns: self.turns,
            position,
            bytes: self.bytes,
        }
    }
}

/// Collects; never holds more than one batch and one record.
#[derive(Debug)]
pub(crate) struct Batcher<P> {
    open: Batch<P>,
    turns_max: usize,
    bytes_max: usize,
}

impl<P: Clone> Batcher<P> {
    /// Begins at a place that needs no storing.
    pub(crate) const fn new(position: Option<P>) -> Self {
        Self::with_limits(position, TURNS, BYTES)
    }

    const fn with_limits(position: Option<P>, turns_max: usize, bytes_max: usize) -> Self {
        Self {
            open: Batch {
                turns: Vec::new(),
                position,
                bytes: 0,
            },
            turns_max,
            bytes_max,
        }
    }

    /// Adds what one record gave and the place after it. Batches that are full come out.
    ///
    /// A batch is given out only when the next turn does not fit, so that the last one always
    /// carries the very last place. A record whose own turns fill several batches moves the place
    /// only with the last of them.
    pub(crate) fn add(&mut self, line: u64, turns: Vec<TurnInput>, after: P) -> Vec<Batch<P>> {
        let mut full = Vec::new();
        for turn in turns {
            let bytes = json_bytes(&turn);
            let fits =
                self.open.turns.len() < self.turns_max && self.open.bytes + bytes <= self.bytes_max;
            if !fits && !self.open.turns.is_empty() {
                let next = Self::new(self.open.position.clone()).open;
                full.push(std::mem::replace(&mut self.open, next));
            }
            self.open.bytes += bytes;
            self.open.turns.push((line, turn));
        }
        self.open.position = Some(after);
        full
    }

    /// The last batch, unless it is empty.
    pub(crate) fn finish(self) -> Option<Batch<P>> {
        (!self.open.turns.is_empty()).then_some(self.open)
    }
}

/// An upper bound of a turn's size as JSON.
fn json_bytes(turn: &TurnInput) -> usize {
    let paths: usize = turn.paths.iter().map(|path| escaped(path) + 3).sum();
    let tool = turn.tool.as_deref().map_or(0, escaped);
    TURN_OVERHEAD + escaped(&turn.text) + escaped(&turn.client_event_id) + tool + paths
}

fn escaped(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
    use skep_api::capture::{Branch, TurnInput};
    use skep_api::{Instant, Limits, Timestamp};

    use super::{BYTES, Batcher, TURNS, json_bytes};

    fn turn(text: String) -> TurnInput {
        TurnInput {
            author: None,
            client_event_id: text.chars().take(20).collect(),
            role: "tool_result".into(),
            at: Instant(Timestamp::from_micros(1_700_000_000_123_456)),
            tool: Some(text.chars().rev().take(20).collect()),
            is_error: true,
            paths: vec![text.chars().take(30).collect(); 2],
            branch: Branch::Abandoned,
            text,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn n12_no_batch_is_larger_than_the_daemon_takes(
            records in proptest::collection::vec((0usize..12, 0usize..3_000), 1..40),
        ) {
            let (turns_max, bytes_max) = (10, 8_000);
            let mut batcher = Batcher::with_limits(None, turns_max, bytes_max);
            let mut out = Vec::new();
            let mut added = 0;
            for (at, (turns, length)) in records.iter().enumerate() {
                added += turns;
                let made = (0..*turns).map(|_| turn("\u{1}".repeat(length / 6))).collect();
                out.extend(batcher.add(at as u64, made, at + 1));
            }
            out.extend(batcher.finish());
            let mut sent = 0;
            for batch in &out {
                let bytes: usize = batch.turns.iter().map(|(_, turn)| json_bytes(turn)).sum();
                prop_assert!(batch.turns.len() <= turns_max && bytes <= bytes_max);
                sent += batch.turns.len();
                let records_passed = batch.position.unwrap_or_default() as u64;
                let pending = out.iter().flat_map(|batch| &batch.turns).skip(sent);
                for (line, _) in pending {
                    prop_assert!(*line >= records_passed, "a place beyond an unsent turn");
                }
            }
            prop_assert_eq!(sent, added);
            if let Some(last) = out.last() {
                prop_assert_eq!(last.position, Some(records.len()));
            }
            const { assert!(BYTES * 2 <= Limits::CAPTURE_BODY && TURNS <= Limits::CAPTURE_TURNS) };
        }

        #[test]
        fn the_estimate_is_an_upper_bound(text in any::<String>()) {
            let turn = turn(text);
            prop_assert!(serde_json::to_vec(&turn).unwrap().len() <= json_bytes(&turn));
        }
    }
}
