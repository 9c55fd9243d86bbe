//! The protocol over stdin and stdout, for a client that starts this process and ends it.

use std::sync::Arc;

use rmcp::ServiceExt;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::io::stdio_pipes;

use crate::{Daemon, Profile, Server};

/// Bytes of one message, the newline included; a longer one is refused and not kept.
const LINE: usize = 1 << 20;

/// Serves until the client closes stdin.
///
/// # Errors
/// What went wrong, for a log.
pub async fn serve<D: Daemon>(
    daemon: D,
    profile: Profile,
    version: &'static str,
) -> Result<(), String> {
    let (stdin, stdout) = stdio_pipes();
    let transport = AsyncRwTransport::new(stdin, stdout).with_max_line_length(LINE);
    let server = Server::new(Arc::new(daemon), profile, version);
    let running = server.serve(transport).await;
    let running = running.map_err(|error| error.to_string())?;
    let ended = running.waiting().await;
    ended.map(drop).map_err(|error| error.to_string())
}
