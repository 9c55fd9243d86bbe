//! `skep capture`: turns from stdin to the daemon, by way of the spool. It never fails a harness.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use serde_json::json;
use skep_api::Limits;
use skep_api::capture::{CaptureRequest, Origin, SessionRef, TurnInput};
use skep_client::{Drained, Spool};
use tokio::time::{Instant, timeout_at};

use super::capture_control;
use crate::args::{Capture, CaptureVerb};
use crate::context::Context;
use crate::failure::Failure;
use crate::import::{Batcher, Pieces, fit};
use crate::layout::{counted, one_line};

/// Bytes of one line, as for an import; the turn of a longer one is dropped, and counted.
const LINE: usize = 32 << 20;
/// Lines that are read ahead.
const AHEAD: usize = 2;

/// What stdin gave.
#[derive(Debug, Default)]
struct Taken {
    turns: u64,
    spooled: u64,
    dropped: u64,
    unreadable: u64,
    /// Turns whose middle was cut out.
    cut: u64,
    /// Lines longer than any turn may be.
    too_long: u64,
    /// Stdin was still open when the time was over.
    unfinished: bool,
}

pub(super) async fn run(context: &Context<'_>, arguments: Capture) -> Result<ExitCode, Failure> {
    if let Some(CaptureVerb::Rules) = arguments.verb {
        return capture_control::rules(context).await;
    }
    let deadline = Instant::now() + Duration::from_millis(arguments.deadline);
    if context.environment.capture_off {
        return say_off(context);
    }
    let spool = context.spool()?;
    let taken = match arguments.session.clone() {
        Some(session) => take(context, arguments, session, &spool, deadline)?,
        None => Taken::default(),
    };
    let drained = drain(context, &spool, deadline).await;
    report(context, &taken, &drained, &spool)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the session is: as it is told, or here.
fn absolute(cwd: Option<PathBuf>) -> io::Result<PathBuf> {
    match cwd {
        Some(cwd) => std::path::absolute(cwd),
        None => std::env::current_dir(),
    }
}

/// Spools what stdin gives: then it is kept, whatever becomes of this process.
fn take(
    context: &Context<'_>,
    arguments: Capture,
    session: String,
    spool: &Spool,
    deadline: Instant,
) -> Result<Taken, Failure> {
    context.home.create()?;
    let cwd = absolute(arguments.cwd)?;
    let session = SessionRef {
        harness: arguments.harness,
        external_id: session,
        title: None,
        project: arguments.project,
        cwd: Some(cwd.to_string_lossy().into_owned()),
    };
    let mut taken = Taken::default();
    let mut batcher: Batcher<u64> = Batcher::new(None);
    let keep = |turns: Vec<(u64, TurnInput)>, taken: &mut Taken| -> io::Result<()> {
        let batch = CaptureRequest {
            session: session.clone(),
            turns: turns.into_iter().map(|(_, turn)| turn).collect(),
            cursor: None,
            origin: Origin::Live,
            spool: None,
            ended: false,
        };
        let kept = spool.put(&batch)?;
        *(if kept {
            &mut taken.spooled
        } else {
            &mut taken.dropped
        }) += batch.turns.len() as u64;
        Ok(())
    };
    let lines = read_ahead();
    loop {
        let line = match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                taken.unfinished = true;
                break;
            }
        };
        let Some(text) = line else {
            taken.too_long += 1;
            continue;
        };
        match serde_json::from_slice::<TurnInput>(&text).ok() {
            Some(turn) => {
                taken.turns += 1;
                taken.cut += u64::from(turn.text.len() > Limits::TURN_BODY);
                for full in batcher.add(taken.turns, vec![fit(turn)], taken.turns) {
                    keep(full.turns, &mut taken)?;
                }
            }
            None => taken.unreadable += 1,
        }
    }
    if let Some(last) = batcher.finish() {
        keep(last.turns, &mut taken)?;
    }
    if taken.too_long > 0 {
        spool.count_dropped(taken.too_long)?;
    }
    Ok(taken)
}

/// Lines of stdin on a thread of their own: a harness that keeps the pipe open must not hold us.
/// `None` stands for a line that is too long.
fn read_ahead() -> Receiver<Option<Vec<u8>>> {
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        let mut pieces = Pieces::new(io::stdin().lock(), b'\n', LINE);
        while let Ok(Some(piece)) = pieces.next() {
            if piece.bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line = (!piece.is_cut()).then(|| piece.bytes.to_vec());
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Whatever goes wrong here leaves the batches where they are.
async fn drain(context: &Context<'_>, spool: &Spool, deadline: Instant) -> Result<Drained, String> {
    let reach = context.reach().map_err(|failure| failure.told())?;
    let mut client = timeout_at(deadline, reach.connect(&context.home))
        .await
        .map_err(|_| "the daemon did not answer in time".to_owned())?
        .map_err(|failure| failure.told())?;
    let drained = spool.drain(&mut client, deadline).await;
    drained.map_err(|error| error.to_string())
}

fn say_off(context: &Context<'_>) -> Result<ExitCode, Failure> {
    if context.output.is_json() {
        context.output.json(&json!({ "off": true }))?;
    } else {
        context
            .output
            .note("capture is off (SKEP_CAPTURE): nothing is sent or kept");
    }
    Ok(ExitCode::SUCCESS)
}

fn report(
    context: &Context<'_>,
    taken: &Taken,
    drained: &Result<Drained, String>,
    spool: &Spool,
) -> Result<(), Failure> {
    let (answers, why) = match drained {
        Ok(drained) => {
            let why = drained.stopped.as_ref().map(ToString::to_string);
            (drained.answers.as_slice(), why)
        }
        Err(why) => (&[][..], Some(why.clone())),
    };
    let waiting = spool.len().unwrap_or_default();
    if context.output.is_json() {
        let answer = json!({
            "turns": taken.turns, "unreadable": taken.unreadable, "spooled": taken.spooled,
            "dropped": taken.dropped + taken.too_long, "cut": taken.cut, "unfinished": taken.unfinished, "answers": answers,
            "waiting_batches": waiting, "dropped_ever": spool.dropped(), "stopped": why,
        });
        return Ok(context.output.json(&answer)?);
    }
    let sum = |count: fn(&skep_api::capture::CaptureResponse) -> u32| -> u64 {
        answers.iter().map(|answer| u64::from(count(answer))).sum()
    };
    context.output.note(&format!(
        "{} taken, {} stored, {} known, {} refused, {}",
        counted(taken.turns, "turn", "turns"),
        sum(|answer| answer.stored),
        sum(|answer| answer.duplicates),
        sum(|answer| answer.refused),
        counted(waiting as u64, "batch waits", "batches wait"),
    ));
    let mut notes: Vec<&str> = answers
        .iter()
        .filter_map(|answer| answer.note.as_deref())
        .collect();
    notes.dedup();
    for note in notes.into_iter().chain(why.as_deref()) {
        context.output.note(&one_line(note));
    }
    for lost in lost(taken) {
        context.output.note(&lost);
    }
    Ok(())
}

/// What is not, or not wholly, kept of what stdin gave.
fn lost(taken: &Taken) -> Vec<String> {
    let mut lost = Vec::new();
    let mut say = |count: u64, one: &str, many: &str| {
        if count > 0 {
            lost.push(counted(count, one, many));
        }
    };
    say(taken.cut, "long turn was cut", "long turns were cut");
    say(taken.unreadable, "line is no turn", "lines are no turns");
    say(
        taken.too_long,
        "turn dropped: its line is longer than 32 MiB",
        "turns dropped: their lines are longer than 32 MiB",
    );
    say(
        taken.dropped,
        "turn dropped: the spool is full",
        "turns dropped: the spool is full",
    );
    lost
}
