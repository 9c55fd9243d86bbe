//! `skep verify secrets`: a canary is planted in the vault of a running daemon, everything that is known is
//! tried to get at it, and what came back is said, for each way of using secrets.
//!
//! What is tried is what an agent, a program or somebody on the machine could try: through the daemon's own
//! interface, with templates that were approved like any other. Nothing here has a way of its own to a value.

mod canary;
mod door;
mod host;
mod journal;
mod look;
mod programs;
mod reader;
mod reading;
mod report;
mod stand;
mod undo;
mod wire;

use std::process::ExitCode;

use crate::args::{Mode, VerifySecrets};
use crate::context::Context;
use crate::failure::Failure;

use report::{Report, Tried};
use stand::Stand;

/// Plants, tries, takes away what was planted, and tells.
pub(crate) async fn secrets(
    context: &Context<'_>,
    wanted: VerifySecrets,
) -> Result<ExitCode, Failure> {
    let mut stand = Stand::plant(context).await?;
    let tried = tokio::select! {
        tried = attempts(context, &mut stand, &wanted.only) => tried,
        _ = tokio::signal::ctrl_c() => Err(Failure::new("INTERRUPTED", "nothing more was tried")),
    };
    let cleared = stand.clear().await;
    let report = Report::new(stand.place().clone(), tried?);
    cleared?;
    report.tell(context.output)
}

async fn attempts(
    context: &Context<'_>,
    stand: &mut Stand<'_>,
    only: &[Mode],
) -> Result<Vec<Tried>, Failure> {
    let mut all = Vec::new();
    for mode in [Mode::Reading, Mode::Programs, Mode::Wire, Mode::Machine] {
        if !only.is_empty() && !only.contains(&mode) {
            continue;
        }
        context
            .output
            .note(&format!("trying: {} …", report::title(mode)));
        all.push(match mode {
            Mode::Reading => reading::attempt(stand).await?,
            Mode::Programs => programs::attempt(stand).await?,
            Mode::Wire => wire::attempt(stand).await?,
            Mode::Machine => host::attempt(context, stand).await?,
        });
    }
    Ok(all)
}
