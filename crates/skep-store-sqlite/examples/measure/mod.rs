//! What both measurements need: a place on disk, a watch, percentiles.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement takes the time"
)]

use std::sync::Arc;
use std::time::Instant;

use skep_conformance::Harness;
use skep_store::backend::Backend;
use skep_store_sqlite::{Options, SqliteBackend};
use tempfile::TempDir;

pub(crate) struct At(TempDir);

impl At {
    pub(crate) fn scratch() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Harness for At {
    async fn fresh() -> Self {
        Self::scratch()
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let opened = SqliteBackend::open(self.0.path(), Options::default()).await;
        Arc::new(opened.unwrap())
    }
}

pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds.
pub(crate) fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1_000.0
}

pub(crate) fn percentiles(times: &mut [f64]) -> String {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!("p50 {:.3} ms, p99 {:.3} ms", at(0.5), at(0.99))
}

/// Milliseconds of processor time that the whole process has taken so far, where the system says
/// (Linux, in steps of 10 ms): on a busy machine it tells more than the watch.
pub(crate) fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        * 10.0
}
