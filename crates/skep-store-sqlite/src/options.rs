//! What an operator may set.

use std::time::Duration;

/// Bounds of the backend.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Workspaces whose files stay open, beside those in use just now. Each holds up to
    /// `2 + 2 * readers_kept + 1` file handles.
    pub open_workspaces: usize,
    /// Transactions that may read one workspace at the same time; more wait.
    pub readers: usize,
    /// Idle reading connections that a workspace keeps.
    pub readers_kept: usize,
    /// Page cache of one connection, in KiB; taken as it is needed. It should hold what decides
    /// about the memories of a workspace, some 170 bytes for each.
    pub cache_kib: u32,
    /// Memory of all connections together beyond which a cache turns its own pages over instead of
    /// growing, in MiB. One setting for the process.
    pub memory_mib: u32,
    /// Pages of a file's log before a commit copies them into the file, which takes some milliseconds.
    pub log_pages: u32,
    /// How long a transaction waits for its turn, in this process or for another one.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            open_workspaces: 64,
            readers: 8,
            readers_kept: 2,
            cache_kib: 16 << 10,
            memory_mib: 256,
            log_pages: 1_000,
            patience: Duration::from_secs(10),
        }
    }
}
