//! Whose turn a sink is: one node delivers to it at a time, and whoever lost its turn moves nothing any more.

use skep_domain::{OrganizationId, Timestamp};
use skep_store::row::{LogKey, SinkKey, SinkState, SinkTurnRow};
use skep_store::{Mode, NewAudit, Outcome};

use super::post::Failed;
use crate::access::door;
use crate::{App, AppError};

/// For so long whoever delivers has a sink for itself; each batch begins that anew. Longer than a delivery may take.
const LEASE: i64 = 90 * 1_000_000;
/// Before the second try; each one after waits twice as long.
const FIRST_WAIT: i64 = 5 * 1_000_000;
/// No try waits longer.
const LONGEST_WAIT: i64 = 3_600 * 1_000_000;

/// A turn that is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) key: SinkKey,
    holder: [u8; 16],
}

/// How far a delivery brought a sink.
pub(super) struct Moved<'a> {
    /// The place of the next entry, by log.
    pub(super) to: &'a [(LogKey, u64)],
    /// Whether something was delivered, or only looked through.
    pub(super) delivered: bool,
    /// Whether the turn ends.
    pub(super) ends: bool,
}

impl App {
    /// Takes a turn; none when somebody else has it, or it is not the time.
    ///
    /// What a machine that dies loses of it, it loses with all that came after: so nobody waits for the disk.
    pub(super) async fn take_turn(&self, key: SinkKey) -> Result<Option<Turn>, AppError> {
        let holder = self.store.nonce();
        let mut tx = door!(self, Mode::Swift).await?;
        let now = tx.now();
        let known = tx.sink_turn(key).await?;
        let mut turn = match (known, key.organization) {
            (Some(turn), _) => turn,
            (None, None) => SinkTurnRow::fresh(now),
            // It was removed meanwhile.
            (None, Some(_)) => return Ok(None),
        };
        if turn.state != SinkState::On || turn.held_until > now || turn.not_before > now {
            return Ok(None);
        }
        turn.holder = Some(holder);
        turn.held_until = plus(now, LEASE);
        tx.put_sink_turn(key, turn).await?;
        tx.commit().await?;
        Ok(Some(Turn { key, holder }))
    }

    /// Moves a sink on: what came before is there. `false` when the turn is somebody else's by now.
    pub(super) async fn move_on(&self, turn: Turn, moved: Moved<'_>) -> Result<bool, AppError> {
        let mut tx = door!(self, Mode::Swift).await?;
        let now = tx.now();
        let known = tx.sink_turn(turn.key).await?;
        let Some(mut row) = known.filter(|row| row.holder == Some(turn.holder)) else {
            return Ok(false);
        };
        for (log, next) in moved.to {
            tx.put_sink_cursor(turn.key.id, *log, *next).await?;
        }
        if moved.delivered {
            row.failures = 0;
            row.failing_since = None;
            row.problem = None;
            row.delivered_at = Some(now);
        }
        row.held_until = plus(now, LEASE);
        if moved.ends {
            row.holder = None;
            row.held_until = now;
            // Others that wait come first.
            row.not_before = now;
        }
        tx.put_sink_turn(turn.key, row).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends a turn that failed: it is tried again, later each time, until it was tried for long enough.
    pub(super) async fn end_failed(
        &self,
        turn: Turn,
        name: &str,
        failed: &Failed,
    ) -> Result<(), AppError> {
        let luck = self.store.nonce();
        let mut tx = door!(self, Mode::Write).await?;
        let now = tx.now();
        let known = tx.sink_turn(turn.key).await?;
        let Some(mut row) = known.filter(|row| row.holder == Some(turn.holder)) else {
            return Ok(());
        };
        let since = *row.failing_since.get_or_insert(now);
        row.failures = row.failures.saturating_add(1);
        row.problem = Some(failed.problem.clone());
        row.not_before = plus(now, wait(row.failures, failed.after, luck));
        row.holder = None;
        row.held_until = now;
        let lasts = now.as_micros().saturating_sub(since.as_micros());
        let give_up = i64::try_from(self.sinks.settings.give_up.as_micros()).unwrap_or(i64::MAX);
        // A folder is whoever runs the daemon's: it is tried as long as it is configured.
        if let Some(organization) = turn.key.organization {
            if failed.is_gone() {
                row.state = SinkState::Gone;
            } else if lasts >= give_up {
                row.state = SinkState::GivenUp;
            }
            if row.state != SinkState::On {
                let told = told(organization, name, &row, now);
                tx.append_audit(&[(told, None, 1)]).await?;
            }
        }
        let state = row.state.as_str();
        tx.put_sink_turn(turn.key, row).await?;
        tx.commit().await?;
        tracing::warn!(
            sink = name,
            problem = failed.problem,
            state,
            "a sink was not delivered to"
        );
        Ok(())
    }
}

/// That a sink is not delivered to any more, for the record of whose it is.
fn told(organization: OrganizationId, name: &str, row: &SinkTurnRow, now: Timestamp) -> NewAudit {
    NewAudit {
        at: now,
        action: format!("sink.{}", row.state.as_str()),
        outcome: Outcome::Denied,
        organization: Some(organization),
        workspace: None,
        credential: None,
        reason: row.problem.clone().unwrap_or_default(),
        request: String::new(),
        peer: None,
        target: Some(name.to_owned()),
        shown: Vec::new(),
    }
}

/// How long to wait after so many failures: half of a time that doubles, and a part of the other half by luck, so that
/// sinks of one server do not come back together.
fn wait(failures: u32, after: Option<u32>, luck: [u8; 16]) -> i64 {
    let doubled = FIRST_WAIT << failures.saturating_sub(1).min(16);
    let most = doubled.min(LONGEST_WAIT);
    let luck = u16::from_be_bytes([luck[0], luck[1]]);
    let waits = most / 2 + most / 2 * i64::from(luck) / i64::from(u16::MAX);
    waits.max(i64::from(after.unwrap_or(0)) * 1_000_000)
}

fn plus(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros().saturating_add(micros))
}

/// The key of a folder: whose name is all that is known of it.
pub(super) fn key_of_file(name: &str) -> SinkKey {
    let hash = skep_crypto::sha256(&[b"skep file sink ", name.as_bytes()].concat());
    SinkKey {
        organization: None,
        id: std::array::from_fn(|at| hash[at]),
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST_WAIT, LONGEST_WAIT, wait};

    #[test]
    fn waits_double_up_to_an_hour_and_never_begin_together() {
        for failures in 1..40 {
            let (least, most) = (
                wait(failures, None, [0; 16]),
                wait(failures, None, [255; 16]),
            );
            let doubled = (FIRST_WAIT << (failures - 1).min(20)).min(LONGEST_WAIT);
            assert_eq!((least, most), (doubled / 2, doubled / 2 * 2), "{failures}");
        }
        assert_eq!(wait(1, Some(120), [9; 16]), 120_000_000);
        assert_eq!(wait(u32::MAX, None, [255; 16]), LONGEST_WAIT);
    }
}
