//! What an operator may set.

use std::time::Duration;

/// Bounds of the backend.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Connections that a node keeps at the most.
    pub connections: usize,
    /// How long a transaction waits for a connection, and for another one that writes the same workspace.
    pub patience: Duration,
    /// How long a statement may take.
    pub statement_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 16,
            patience: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
        }
    }
}
