//! The section `[exec]`: programs that are run with secrets.

use std::fmt;

use anyhow::bail;
use serde::Deserialize;
use skep_app::ExecSettings;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Exec {
    /// Whether programs are run here at all.
    enabled: bool,
    /// Programs that run at a time.
    pub(crate) workers: usize,
    /// Runs that may wait.
    queue: usize,
    /// Days that a run is kept after it ended.
    keep_days: u32,
}

impl Default for Exec {
    fn default() -> Self {
        Self {
            enabled: true,
            workers: 4,
            queue: 64,
            keep_days: 30,
        }
    }
}

impl Exec {
    /// What the application is told; nothing where no program is run.
    pub(crate) fn settings(&self) -> anyhow::Result<Option<ExecSettings>> {
        if !(1..=64).contains(&self.workers) {
            bail!("exec.workers must be 1 to 64");
        }
        if !(1..=4_096).contains(&self.queue) {
            bail!("exec.queue must be 1 to 4096");
        }
        if !(1..=3_650).contains(&self.keep_days) {
            bail!("exec.keep_days must be 1 to 3650");
        }
        Ok(self.enabled.then_some(ExecSettings {
            workers: self.workers,
            queue: self.queue,
            keep_days: self.keep_days,
        }))
    }
}

impl fmt::Display for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exec.enabled = {}", self.enabled)?;
        writeln!(f, "exec.workers = {}", self.workers)?;
        writeln!(f, "exec.queue = {}", self.queue)?;
        write!(f, "exec.keep_days = {}", self.keep_days)
    }
}
