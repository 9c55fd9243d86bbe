//! Erasing what is left of a workspace that was deleted: in small steps, with a rest after each, so that
//! others do not wait.

use std::time::Duration;

use skep_store::Claimed;
use tokio::time::sleep;

use super::{Came, after};
use crate::{App, AppError};

/// How long one job is worked on before others have their turn.
const TURN: Duration = Duration::from_secs(20);
/// How much a step erases at most, and at least.
const ROWS: (u32, u32) = (100, 1_000);
/// What a step may take before the next one is made smaller, and under which it is made larger.
const SLOW: Duration = Duration::from_millis(100);
const FAST: Duration = Duration::from_millis(25);
/// The rest after a step: as long as the step took, and within these. When the store is busy a step
/// takes longer, and so does the rest.
const REST: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));
/// For so long the node has the job, from each step on.
const LEASE: Duration = super::LEASE;

impl App {
    pub(super) async fn erase_turn(&self, job: &Claimed) -> Result<Came, AppError> {
        if let Some(workspace) = job.workspace() {
            self.drop_workspace((job.organization(), workspace));
            self.forget_vault_of(workspace).await?;
        }
        let begun = self.stopwatch.micros();
        let (mut from, mut rows) = (0, ROWS.1);
        loop {
            let before = self.stopwatch.micros();
            let until = after(self.store.now(), LEASE);
            let step = self.store.erase_step(job, (from, rows), until).await?;
            if step.is_done {
                return Ok(Came::Through(Vec::new()));
            }
            from = step.next;
            let now = self.stopwatch.micros();
            if now.saturating_sub(begun) >= micros(TURN) {
                return Ok(Came::Part);
            }
            let took = Duration::from_micros(now.saturating_sub(before));
            rows = next_size(rows, took);
            sleep(took.clamp(REST.0, REST.1)).await;
        }
    }
}

fn next_size(rows: u32, took: Duration) -> u32 {
    let next = if took > SLOW {
        rows / 2
    } else if took < FAST {
        rows * 2
    } else {
        rows
    };
    next.clamp(ROWS.0, ROWS.1)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t17_a_slow_step_makes_the_next_one_smaller() {
        for (rows, took, next) in [
            (1_000, 101, 500),
            (1_000, 100, 1_000),
            (150, 500, 100),
            (100, 500, 100),
            (400, 24, 800),
            (800, 1, 1_000),
            (400, 25, 400),
        ] {
            let took = Duration::from_millis(took);
            assert_eq!(next_size(rows, took), next, "{rows} in {took:?}");
        }
    }
}
