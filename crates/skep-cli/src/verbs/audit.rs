//! `skep audit export|verify|checkpoint|erase`: a log taken, checked without the daemon, and entries erased.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use skep_api::ledger::{CheckpointQuery, EraseEntriesRequest, LogQuery};
use skep_ledger::{VerifierKey, VerifyError, verify};

use super::access;
use super::backup::{Fresh, is_there};
use crate::args::audit::{Audit, Which};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::counted;

/// Bytes between two lines of progress.
const SAID: u64 = 16 << 20;

pub(super) async fn run(context: &Context<'_>, verb: Audit) -> Result<ExitCode, Failure> {
    match verb {
        Audit::List { limit, cursor } => access::audit(context, limit, cursor).await,
        Audit::Alerts { limit, cursor } => access::alerts(context, limit, cursor).await,
        Audit::WhoSaw { id, limit, cursor } => access::who_saw(context, &id, (limit, cursor)).await,
        Audit::Export { log, to, force } => export(context, log, &to, force).await,
        Audit::Erase {
            log,
            places,
            reason,
            yes,
        } => erase(context, (log, places), reason, yes).await,
        Audit::Checkpoint { log } => checkpoint(context, log).await,
        Audit::Verify { file, witness, key } => {
            let key = key.as_deref().map(parse).transpose()?;
            check(context, &file, witness.as_deref(), key.as_ref())
        }
    }
}

fn parse(key: &str) -> Result<VerifierKey, Failure> {
    VerifierKey::parse(key).ok_or_else(|| {
        Failure::usage("--key is no key of a log")
            .hint("skep audit checkpoint shows it: NAME+ID+KEY")
    })
}

async fn export(
    context: &Context<'_>,
    log: Which,
    to: &Path,
    force: bool,
) -> Result<ExitCode, Failure> {
    let to = std::path::absolute(to)?;
    if to.exists() && !force {
        return Err(is_there(&to));
    }
    let query = LogQuery {
        log: Some(log.as_str().to_owned()),
    };
    let mut client = context.client().await?;
    let mut fresh = Fresh::new(&to)?;
    let (mut said, mut unwritten) = (0, None);
    let sent = client
        .export_log(&query, |bytes| {
            if let Err(error) = fresh.write(bytes) {
                let kind = error.kind();
                unwritten = Some(fresh.unwritten(&error));
                return Err(kind.into());
            }
            if fresh.written() - said >= SAID {
                said = fresh.written();
                context.output.note(&format!("{} MiB", said >> 20));
            }
            Ok(())
        })
        .await;
    if let Some(failure) = unwritten {
        return Err(failure);
    }
    sent?;
    let bytes = fresh.written();
    fresh.publish(force)?;
    let out = context.output;
    if out.is_json() {
        out.json(&json!({ "file": to, "bytes": bytes }))?;
    } else {
        out.line(&format!("{}: {bytes} bytes", to.display()))?;
        out.note("whether it holds: skep audit verify FILE");
    }
    Ok(ExitCode::SUCCESS)
}

async fn checkpoint(context: &Context<'_>, log: Which) -> Result<ExitCode, Failure> {
    let query = CheckpointQuery {
        log: Some(log.as_str().to_owned()),
        limit: Some(1),
        before: None,
    };
    let found = context.client().await?.checkpoints(&query).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    match found.items.first() {
        None => out.line("Nothing is signed yet: heads are signed twice a minute.")?,
        Some(last) => {
            out.bytes(last.note.as_bytes())?;
            let since = found.size.saturating_sub(last.size);
            out.note(&format!("signed {}, {since} entries since", last.at));
        }
    }
    out.note(&format!("key: {}", found.key));
    Ok(ExitCode::SUCCESS)
}

async fn erase(
    context: &Context<'_>,
    (log, places): (Which, Vec<u64>),
    reason: String,
    yes: bool,
) -> Result<ExitCode, Failure> {
    let log = log.as_str();
    if !yes && !confirmed(context, log, &places)? {
        let said = "erasing an entry cannot be undone, so nothing was done";
        let hint = format!(
            "skep audit erase --log {log} {} --reason … --yes",
            list(&places)
        );
        return Err(Failure::usage(said).hint(hint));
    }
    let request = EraseEntriesRequest {
        log: Some(log.to_owned()),
        places,
        reason,
    };
    let done = context.client().await?.erase_entries(&request).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&done)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !done.erased.is_empty() {
        out.line(&format!("erased: {}", list(&done.erased)))?;
    }
    if !done.already.is_empty() {
        out.line(&format!("erased before: {}", list(&done.already)))?;
    }
    out.note(&format!(
        "entry {} of the record says so; backups, exports and what was sent to sinks have them still",
        done.entry
    ));
    if !done.scrubbed {
        out.note("somebody still reads; the last bytes go when they are done");
    }
    Ok(ExitCode::SUCCESS)
}

fn confirmed(context: &Context<'_>, log: &str, places: &[u64]) -> Result<bool, Failure> {
    if context.output.is_json() || !io::stdin().is_terminal() {
        return Ok(false);
    }
    context.output.complain(&format!(
        "Erase {} of the log {log} for good, for everybody: {}? Type yes:",
        counted(places.len() as u64, "entry", "entries"),
        list(places)
    ));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn list(places: &[u64]) -> String {
    let places = places.iter().map(ToString::to_string);
    places.collect::<Vec<_>>().join(" ")
}

fn check(
    context: &Context<'_>,
    file: &Path,
    witness: Option<&Path>,
    key: Option<&VerifierKey>,
) -> Result<ExitCode, Failure> {
    let mut export = open(file)?;
    let mut witness = witness.map(open).transpose()?;
    let witness = witness.as_mut().map(|file| file as &mut dyn BufRead);
    let out = context.output;
    match verify(&mut export, witness, key) {
        Ok(held) => {
            if out.is_json() {
                out.json(&json!({
                    "holds": true, "log": held.header.log, "organization": held.header.organization,
                    "origin": held.header.origin, "key": held.header.key, "first": held.header.first,
                    "entries": held.header.size, "erased": held.erased, "unnamed": held.unnamed,
                    "checkpoints": held.checkpoints, "witnessed": held.witnessed,
                }))?;
            } else {
                for line in held.to_string().lines() {
                    out.line(line)?;
                }
                if key.is_none() {
                    out.note(
                        "the key is the one that the export names: --key holds it to one you know",
                    );
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(VerifyError::Bad(found)) => {
            if out.is_json() {
                out.json(&json!({
                    "holds": false, "entry": found.entry, "line": found.line,
                    "problem": found.problem.to_string(),
                }))?;
                return Ok(ExitCode::FAILURE);
            }
            let shown = file.display();
            Err(Failure::new(
                "LOG_DOES_NOT_HOLD",
                format!("{shown}: {found}"),
            ))
        }
        Err(error) => Err(unreadable(file, &error)),
    }
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let shown = path.display();
    Failure::new("CANNOT_READ", format!("{shown} cannot be read: {error}"))
}
