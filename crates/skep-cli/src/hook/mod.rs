//! `skep hook <harness> <event>`: what a harness says of a session goes to the daemon, what its model
//! should know comes back.
//!
//! A harness waits for this program, so it ends in time whatever happens, with 0, and writes to stdout
//! what the harness takes or nothing. What went wrong is in `hook.log` of the data directory.

mod claude;
mod codex;
mod courier;
mod cursor;
mod deadline;
mod gemini;
mod heard;
mod log;
pub mod opencode;
mod printed;
pub mod table;
mod tail;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use skep_api::Instant;

use self::courier::Courier;
use self::deadline::{Deadline, Voice};
use self::heard::Heard;
use self::log::Log;
use self::table::Row;
use crate::args::Global;
use crate::context::Context;
use crate::environment::Environment;
use crate::output::Output;
use crate::stopwatch::wall_clock;

/// Bytes of an event that are read; what is longer is counted as dropped.
const EVENT: u64 = 16 << 20;

/// What the harness is to be told.
#[derive(Debug, Default)]
struct Reply {
    /// For the model.
    context: Option<String>,
    /// For the user.
    notice: Option<String>,
}

type Hear = fn(&str, &Value, Instant) -> Option<Heard>;
type Answer = fn(&str, &Reply) -> String;

/// How one harness speaks.
struct Dialect {
    hear: Hear,
    answer: Answer,
}

/// What the command line asks for.
struct Asked {
    row: &'static Row,
    event: &'static str,
    /// Other than the usual one of the event.
    deadline: Option<Duration>,
}

/// Does what `skep hook …` asks for, before the command line is parsed as a whole: it is the form that
/// harnesses run, many times a minute, and a word that we do not know must not make it fail.
pub(crate) fn called(arguments: &[OsString], environment: &Environment) -> Option<ExitCode> {
    let rest = arguments.get(2..)?;
    let asks_for_help = rest.iter().any(|word| word == "--help" || word == "-h");
    if arguments.get(1)? != "hook" || asks_for_help {
        return None;
    }
    let output = Output::new(false, true, environment);
    // Where nothing can be kept, nothing can be done: not even be logged.
    if let Ok(context) = Context::new(Global::default(), environment.clone(), &output) {
        // A harness takes any other code for its own hook's failure, or as a refusal.
        let _panicked = std::panic::catch_unwind(|| alone(&context, rest));
    }
    Some(ExitCode::SUCCESS)
}

fn alone(context: &Context<'_>, words: &[OsString]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(context, words)),
        Err(error) => Log::of(&context.home, words).line(&error.to_string()),
    }
}

/// Hears one event and answers it.
pub(crate) async fn run(context: &Context<'_>, words: &[OsString]) {
    let log = Log::of(&context.home, words);
    let Some(asked) = Asked::parse(words) else {
        log.line("no such harness or event");
        drain_stdin();
        return;
    };
    let dialect = asked.row.dialect();
    let nothing = (dialect.answer)(asked.event, &Reply::default());
    let deadline = Deadline::of(&asked, context);
    let voice = Voice::with_limit(deadline.outer(), nothing, log.clone());
    let reply = match hear(&asked, &dialect, &log) {
        Ok(heard) => {
            let courier = Courier {
                context,
                log: &log,
                deadline,
            };
            Box::pin(courier.carry(&heard)).await
        }
        Err(Unheard::NotOurs) => Reply::default(),
        Err(Unheard::TooLong) => {
            courier::count_dropped(context);
            log.line("an event longer than 16 MiB: dropped");
            Reply::default()
        }
        Err(Unheard::Unreadable(why)) => {
            log.line(&why);
            Reply::default()
        }
    };
    voice.say(&(dialect.answer)(asked.event, &reply));
}

impl Asked {
    fn parse(words: &[OsString]) -> Option<Self> {
        let mut words = words.iter().map(|word| word.to_str());
        let row = Row::named(words.next()??)?;
        let event = row.event(words.next()??)?.name;
        let deadline = match (words.next().flatten(), words.next().flatten()) {
            (Some("--deadline"), Some(ms)) => ms.parse().ok().map(Duration::from_millis),
            _ => None,
        };
        Some(Self {
            row,
            event,
            deadline,
        })
    }
}

impl Row {
    fn dialect(&self) -> Dialect {
        let (hear, answer): (Hear, Answer) = match self.name {
            "claude" => (claude::hear, claude::answer),
            "codex" => (codex::hear, codex::answer),
            "cursor" => (cursor::hear, cursor::answer),
            "gemini" => (gemini::hear, gemini::answer),
            _ => (opencode::hear, opencode::answer),
        };
        Dialect { hear, answer }
    }
}

/// Why there is nothing to carry.
enum Unheard {
    NotOurs,
    TooLong,
    Unreadable(String),
}

fn hear(asked: &Asked, dialect: &Dialect, log: &Log) -> Result<Heard, Unheard> {
    let said = read_stdin()?;
    let said: Value = serde_json::from_slice(&said)
        .map_err(|error| Unheard::Unreadable(format!("no event: {} bytes, {error}", said.len())))?;
    let now = Instant(wall_clock());
    (dialect.hear)(asked.event, &said, now).ok_or_else(|| {
        if said.get("cursor_version").is_none() {
            log.line("an event without a session");
        }
        Unheard::NotOurs
    })
}

fn read_stdin() -> Result<Vec<u8>, Unheard> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(Unheard::Unreadable("stdin is a terminal".into()));
    }
    let mut said = Vec::new();
    let read = stdin.lock().take(EVENT + 1).read_to_end(&mut said);
    read.map_err(|error| Unheard::Unreadable(error.to_string()))?;
    if said.len() as u64 > EVENT {
        drain_stdin();
        return Err(Unheard::TooLong);
    }
    Ok(said)
}

/// Some harnesses take it ill when nobody reads what they write.
fn drain_stdin() {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let _gone = io::copy(&mut stdin.lock().take(64 * EVENT), &mut io::sink());
    }
}
