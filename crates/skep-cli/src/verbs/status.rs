//! `skep status`.

use std::process::ExitCode;

use serde_json::json;
use skep_api::capture::CaptureHealth;
use skep_api::system::Health;
use skep_client::{Client, ClientError, Spool, daemon};

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

pub(super) async fn run(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let running = daemon::is_running(&context.home).unwrap_or_default();
    let health = match context.endpoint() {
        Ok(endpoint) => match Client::connect(&endpoint).await {
            Ok(mut client) => Some(client.health().await?),
            Err(ClientError::Unreachable { .. }) => None,
            Err(error) => return Err(error.into()),
        },
        Err(failure) if running => return Err(failure),
        Err(_no_token_yet) => None,
    };
    let code = ExitCode::from(u8::from(health.is_none()));
    if context.output.is_json() {
        context.output.json(&json!({
            "home": context.home.path(), "running": running || health.is_some(), "health": health,
        }))?;
        return Ok(code);
    }
    let Some(health) = health else {
        let what = if running {
            "runs but does not answer"
        } else {
            "is not running"
        };
        let home = context.home.path().display();
        let line = format!("skepd {what} (data in {home})");
        context.output.line(&line)?;
        let next = if running {
            "see: skep logs"
        } else {
            "start it with: skep start"
        };
        context.output.line(next)?;
        return Ok(code);
    };
    show(context, &health)?;
    Ok(code)
}

fn show(context: &Context<'_>, health: &Health) -> Result<(), Failure> {
    let style = context.output.style();
    let state = if health.problems.is_empty() {
        style.good(&health.status)
    } else {
        style.bad(&health.status)
    };
    let workspace = &health.workspace;
    let waiting = match (workspace.awaiting_distil, workspace.awaiting_vector) {
        (0, 0) => "nothing".to_owned(),
        (turns, vectors) => format!("{turns} turns to distil, {vectors} memories to embed"),
    };
    let row = |name: &str, value: String| vec![style.dim(name), value];
    let rows = [
        row(
            "daemon",
            format!(
                "{state} · {} · pid {}",
                one_line(&health.version),
                health.pid
            ),
        ),
        row("mode", one_line(&health.mode)),
        row("since", health.started_at.to_string()),
        row("listens", one_line(&health.listeners.join(", "))),
        row("data", context.home.path().display().to_string()),
        row("store", one_line(&health.store)),
        row("embedder", one_line(&health.embedder)),
        row("workspace", one_line(&workspace.name)),
        row("sessions", workspace.sessions.to_string()),
        row("turns", workspace.turns.to_string()),
        row("memories", workspace.memories.to_string()),
        row("waiting", waiting),
        row("capture", capture(&workspace.capture)),
        row("spool", spool(context)),
        row(
            "index",
            format!(
                "{} of {} MiB in {} workspaces",
                health.index.bytes.div_ceil(1 << 20),
                health.index.budget >> 20,
                health.index.workspaces,
            ),
        ),
    ];
    for line in columns(&rows) {
        context.output.line(&line)?;
    }
    for problem in &health.problems {
        context
            .output
            .line(&format!("{} {}", style.bad("!"), one_line(problem)))?;
    }
    Ok(())
}

/// What of capture matters now, and what became of what was received.
fn capture(health: &CaptureHealth) -> String {
    let pauses = health.pauses.iter().map(|pause| {
        let who = match (pause.everyone, pause.session) {
            (true, false) => "everybody paused",
            (false, false) => "paused",
            (_, true) => "one session opted out",
        };
        match &pause.until {
            Some(until) => format!("{who} until {until}"),
            None => who.to_owned(),
        }
    });
    let mut parts: Vec<String> = if health.enabled {
        pauses.collect()
    } else {
        vec!["off".into()]
    };
    if parts.is_empty() {
        parts.push("on".into());
    }
    let outcomes = health.outcomes.iter().filter(|(_, turns)| **turns > 0);
    parts.push(format!("{} turns received", health.received));
    parts.extend(outcomes.map(|(outcome, turns)| format!("{turns} {}", one_line(outcome))));
    parts.join(" · ")
}

fn spool(context: &Context<'_>) -> String {
    let spool = Spool::of(&context.home);
    match spool.len() {
        Ok(0) if spool.dropped() == 0 => "empty".into(),
        Ok(batches) => format!("{batches} batches wait, {} turns dropped", spool.dropped()),
        Err(error) => format!("cannot be read: {error}"),
    }
}
