//! `skep status`.

use std::process::ExitCode;

use serde_json::json;
use skep_api::capture::CaptureHealth;
use skep_api::exec::ExecHealth;
use skep_api::system::{Health, IndexHealth, LimitsHealth, ModelHealth};
use skep_client::daemon;

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};
use crate::reach::Reach;

pub(super) async fn run(context: &Context<'_>, posture: bool) -> Result<ExitCode, Failure> {
    if posture {
        return super::posture::run(context).await;
    }
    let reach = context.reach()?;
    let own = matches!(reach, Reach::Socket | Reach::Install(_));
    let running = own && daemon::is_running(&context.home).unwrap_or_default();
    let health = match reach.connect(&context.home).await {
        Ok(mut client) => Some(client.health().await?),
        Err(failure) if failure.is_unreachable() => None,
        Err(failure) if running || !own => return Err(failure),
        Err(_no_token_yet) => None,
    };
    let code = ExitCode::from(u8::from(health.is_none()));
    if context.output.is_json() {
        context.output.json(&json!({
            "home": context.home.path(), "server": reach.server(),
            "running": running || health.is_some(), "health": health,
        }))?;
        return Ok(code);
    }
    let Some(health) = health else {
        let home = context.home.path().display();
        let (line, next) = match (reach.server(), running) {
            (Some(server), false) if !own => (
                format!("{server} does not answer"),
                "this machine's own daemon: skep status --local",
            ),
            (_, true) => (
                format!("skepd runs but does not answer (data in {home})"),
                "see: skep logs",
            ),
            (_, false) => (
                format!("skepd is not running (data in {home})"),
                "start it with: skep start",
            ),
        };
        context.output.line(&line)?;
        context.output.line(next)?;
        return Ok(code);
    };
    show(context, &reach, &health)?;
    Ok(code)
}

fn show(context: &Context<'_>, reach: &Reach, health: &Health) -> Result<(), Failure> {
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
        match reach.server() {
            Some(server) => row("server", one_line(&server)),
            None => row("data", context.home.path().display().to_string()),
        },
        row("store", one_line(&health.store)),
        row("embedder", one_line(&health.embedder)),
        row("workspace", one_line(&workspace.name)),
        row("sessions", workspace.sessions.to_string()),
        row("turns", workspace.turns.to_string()),
        row("memories", workspace.memories.to_string()),
        row("waiting", waiting),
        row("capture", capture(&workspace.capture)),
        row("model", health.model.as_ref().map_or("off".into(), model)),
        row(
            "limits",
            health.limits.as_ref().map_or("off".into(), limits),
        ),
        row("exec", health.exec.as_ref().map_or("off".into(), exec)),
        row("spool", spool(context)),
        row("index", index(&health.index)),
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

fn index(index: &IndexHealth) -> String {
    format!(
        "{} of {} MiB in {} workspaces",
        index.bytes.div_ceil(1 << 20),
        index.budget >> 20,
        index.workspaces,
    )
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

/// Whom closed sessions are sent to, what today cost, and what came of it.
fn model(health: &ModelHealth) -> String {
    let tokens = health.input_tokens + health.output_tokens + health.reserved_tokens;
    let mut parts = vec![
        format!(
            "{} at {}",
            one_line(&health.model),
            one_line(&health.endpoint)
        ),
        format!(
            "today {} calls, {tokens} of {} tokens",
            health.calls, health.daily_tokens
        ),
    ];
    match health.daily_cost_micros {
        Some(most) => parts.push(format!(
            "cost {} of {}",
            units(health.cost_micros),
            units(most)
        )),
        None if health.cost_micros > 0 => parts.push(format!("cost {}", units(health.cost_micros))),
        None => {}
    }
    if health.reserved_tokens > 0 {
        parts.push(format!("{} tokens of it set aside", health.reserved_tokens));
    }
    let sessions = [
        (health.sessions_waiting, "sessions wait"),
        (health.sessions_given_up, "sessions given up"),
    ];
    let counted = sessions.iter().filter(|(count, _)| *count > 0);
    parts.extend(counted.map(|(count, what)| format!("{count} {what}")));
    let refused = health.refused.iter();
    let refused: Vec<String> = refused
        .map(|(why, items)| format!("{items} {}", one_line(why)))
        .collect();
    if !refused.is_empty() {
        parts.push(format!("refused {}", refused.join(", ")));
    }
    if let Some(until) = &health.paused_until {
        parts.push(format!("paused until {until}"));
    }
    parts.extend(health.problem.as_deref().map(one_line));
    parts.join(" · ")
}

/// Where calls are counted, and what an outage of that has cost.
/// How programs are run with secrets, and what of the walls around them this machine has not.
fn exec(health: &ExecHealth) -> String {
    if let Some(problem) = &health.problem {
        return format!("no program can be run: {}", one_line(problem));
    }
    let (running, workers) = (health.running, health.workers);
    let mut told = format!("{running} of {workers} run, {} wait", health.waiting);
    for missing in health.missing.iter().flatten() {
        let (layer, reason) = (one_line(&missing.layer), one_line(&missing.reason));
        told.push_str(&format!("; without {layer} ({reason})"));
    }
    told
}

fn limits(health: &LimitsHealth) -> String {
    let Some(store) = &health.store else {
        return "counted here".into();
    };
    let mut parts = vec![format!(
        "counted at {} with {} nodes",
        one_line(store),
        health.nodes
    )];
    if !health.store_up {
        parts.push("away now".into());
    }
    let counts = [
        (health.outages, "outages"),
        (health.counted_alone, "calls counted here meanwhile"),
        (health.refused, "refused"),
    ];
    let counted = counts.iter().filter(|(count, _)| *count > 0);
    parts.extend(counted.map(|(count, what)| format!("{count} {what}")));
    parts.join(" · ")
}

/// Millionths as units, to the hundredth of a hundredth.
fn units(micros: u64) -> String {
    format!("{}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100)
}

fn spool(context: &Context<'_>) -> String {
    let spool = match context.spool() {
        Ok(spool) => spool,
        Err(failure) => return failure.told(),
    };
    match spool.len() {
        Ok(0) if spool.dropped() == 0 => "empty".into(),
        Ok(batches) => format!("{batches} batches wait, {} turns dropped", spool.dropped()),
        Err(error) => format!("cannot be read: {error}"),
    }
}
