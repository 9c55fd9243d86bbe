//! `skep exec`: an approved program, run by the daemon with secrets that nobody here sees.

use std::io::{self, Write as _};
use std::process::ExitCode;

use base64ct::{Base64, Encoding as _};
use skep_api::exec::{Exec as Seen, ExecRequest, ExecStream};
use skep_api::page::PageQuery;
use skep_client::Client;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::exec::{Exec, Run, What};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line, visible};

/// Seconds of one question for the end of a run.
const WAIT: u32 = 20;
/// As shells say that a program was ended by a signal.
const BY_SIGNAL: i32 = 128;
/// As `timeout` says it.
const BY_TIME: u8 = 124;

pub(super) async fn run(context: &Context<'_>, verb: Exec) -> Result<ExitCode, Failure> {
    match (verb.what, verb.run) {
        (Some(What::Run(run)), _) | (None, Some(run)) => ask(context, run).await,
        (Some(What::List { limit, cursor }), _) => list(context, limit, cursor).await,
        (Some(What::Show { id, wait }), _) => {
            let mut client = context.client().await?;
            let seen = client.exec(&id, 0).await?;
            let seen = if wait && !is_over(&seen) {
                to_the_end(context, client, seen, false).await?
            } else {
                seen
            };
            show(context, &seen)
        }
        (Some(What::Cancel { id }), _) => {
            let seen = context.client().await?.cancel_exec(&id).await?;
            let out = context.output;
            if out.is_json() {
                out.json(&seen)?;
            } else {
                out.line(&format!("{} {}", seen.id, how_far(&seen)))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        (None, None) => Err(Failure::usage("name a template").hint("skep exec --help")),
    }
}

async fn ask(context: &Context<'_>, run: Run) -> Result<ExitCode, Failure> {
    let mut request = ExecRequest {
        template: run.name,
        ..ExecRequest::default()
    };
    for (name, value) in run.set {
        if request.arguments.insert(name.clone(), value).is_some() {
            return Err(Failure::usage(format!("{} is set twice", one_line(&name))));
        }
    }
    let mut client = context.client().await?;
    let asked = client.ask_exec(&request).await?;
    let out = context.output;
    if run.no_wait {
        if out.is_json() {
            out.json(&asked)?;
        } else {
            out.line(&asked.id)?;
            out.note(&format!("skep exec show {} --wait", asked.id));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let seen = to_the_end(context, client, asked, true).await?;
    let code = show(context, &seen)?;
    Ok(code)
}

/// Waits for its end. Interrupted, it ends the run if it is the caller's own to end, and waits for that.
async fn to_the_end(
    context: &Context<'_>,
    mut client: Client,
    mut seen: Seen,
    is_ours: bool,
) -> Result<Seen, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut said = String::new();
    let mut cancelled = false;
    while !is_over(&seen) {
        if seen.state != said && context.output.may_animate() {
            said.clone_from(&seen.state);
            context
                .output
                .note(&format!("{}: {}", seen.id, how_far(&seen)));
        }
        let id = seen.id.clone();
        let stop = tokio::select! {
            looked = client.exec(&id, WAIT) => {
                seen = looked?;
                false
            }
            _ = interrupt.recv() => true,
        };
        if stop && (cancelled || !is_ours) {
            return Err(Failure::new("INTERRUPTED", "not waited for any longer")
                .hint(format!("skep exec show {id} --wait")));
        }
        if stop {
            context.output.note("ending it …");
            cancelled = true;
            // The other connection still waits for an answer.
            client = context.client().await?;
            seen = client.cancel_exec(&id).await?;
        }
    }
    Ok(seen)
}

async fn list(
    context: &Context<'_>,
    limit: u32,
    cursor: Option<String>,
) -> Result<ExitCode, Failure> {
    let page = PageQuery::new(limit, cursor);
    let found = context.client().await?.execs(&page).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        out.line("Nothing was run. `skep template list` shows what may be.")?;
    }
    let row = |seen: &Seen| {
        let at: String = seen.asked_at.to_string().chars().take(19).collect();
        vec![
            seen.id.clone(),
            at,
            one_line(&seen.template),
            how_far(seen),
            seen.asker.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = found.items.iter().map(row).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if let Some(next) = &found.next {
        out.note(&format!("older runs: skep exec list --cursor {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn is_over(seen: &Seen) -> bool {
    !matches!(seen.state.as_str(), "queued" | "running")
}

fn how_far(seen: &Seen) -> String {
    match &seen.exit {
        _ if seen.cancelling => "is being ended".into(),
        Some(exit) if exit.how == "code" => format!("ended with {}", exit.number),
        Some(exit) if exit.how == "signal" => format!("ended by signal {}", exit.number),
        Some(exit) => one_line(&exit.how.replace('_', " ")),
        None => one_line(&seen.state),
    }
}

/// What it printed goes where it printed it; what is to be said of it goes to stderr. Its exit code is ours.
fn show(context: &Context<'_>, seen: &Seen) -> Result<ExitCode, Failure> {
    let out = context.output;
    if out.is_json() {
        out.json(seen)?;
        return Ok(code(seen));
    }
    let Some(output) = &seen.output else {
        if !is_over(seen) {
            out.line(&format!("{} {}", seen.id, how_far(seen)))?;
            return Ok(ExitCode::SUCCESS);
        }
        let why = seen.reason.clone().unwrap_or_else(|| how_far(seen));
        return Err(Failure::new(
            "NOT_RUN",
            format!("{}: {}", seen.state, one_line(&why)),
        ));
    };
    let stdout = bytes(&output.stdout)?;
    // To the byte for a file or a program; a terminal is given nothing that it obeys.
    if out.is_terminal() {
        out.bytes(visible(&String::from_utf8_lossy(&stdout)).as_bytes())?;
    } else {
        out.bytes(&stdout)?;
    }
    let stderr = bytes(&output.stderr)?;
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    io::stderr().lock().write_all(visible(&stderr).as_bytes())?;
    for found in &output.redacted {
        let (name, places) = (one_line(&found.secret), found.places);
        out.note(&format!(
            "{name} was hidden in {places} places; hiding is {}, and no boundary",
            one_line(&output.redaction)
        ));
    }
    if output.cut {
        out.note("output was cut off at the template's bound");
    }
    let ended = seen.exit.as_ref().filter(|exit| exit.how != "code");
    if ended.is_some() {
        out.complain(&format!("{}: {}", seen.id, how_far(seen)));
    }
    Ok(code(seen))
}

/// The program's own exit code; as shells have it, where it did not end by itself.
fn code(seen: &Seen) -> ExitCode {
    let Some(exit) = &seen.exit else {
        return if is_over(seen) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        };
    };
    match exit.how.as_str() {
        "code" => ExitCode::from(u8::try_from(exit.number).unwrap_or(1)),
        "signal" => ExitCode::from(u8::try_from(BY_SIGNAL + exit.number).unwrap_or(1)),
        "timed_out" => ExitCode::from(BY_TIME),
        _ => ExitCode::FAILURE,
    }
}

fn bytes(stream: &ExecStream) -> Result<Vec<u8>, Failure> {
    match (&stream.text, &stream.base64) {
        (Some(text), _) => Ok(text.clone().into_bytes()),
        (None, Some(text)) => Base64::decode_vec(text)
            .map_err(|_| Failure::new("PROTOCOL", "the daemon's answer holds no base64")),
        (None, None) => Ok(Vec::new()),
    }
}
