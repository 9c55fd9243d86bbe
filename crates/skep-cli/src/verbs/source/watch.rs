//! `skep source watch`: reads sources again whenever they change, until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skep_api::source::Source;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::sync::{Brought, bring};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::one_line;
use crate::output::Output;
use crate::watching::{Look, Place, Quiet};

/// Sources watched at a time: the system gives each user so many watchers and no more.
const MOST: usize = 64;
/// How often we look whether a folder is still the one that is watched.
const LOOK: Duration = Duration::from_secs(1);
/// How often a folder is looked through of which the system does not tell.
const BLIND: Duration = Duration::from_secs(10);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(10);

/// A source that is watched.
struct Watched {
    source: Source,
    place: Place,
    quiet: Quiet,
    /// What was said of it last, so that it is not said again and again.
    trouble: Option<String>,
}

pub(super) async fn run(context: &Context<'_>, ids: &[String]) -> Result<ExitCode, Failure> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let bell = Arc::new(Notify::new());
    let mut watched = chosen(context, ids, &bell).await?;
    let watching = async {
        let begun = Instant::now();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !watched.is_empty() {
            let due = watched.iter().filter_map(|one| one.quiet.due()).min();
            tokio::select! {
                () = bell.notified() => {}
                _ = look.tick() => look_at_all(context.output, &mut watched, begun.elapsed())?,
                () = sleep_until(begun + due.unwrap_or_default()), if due.is_some() => {}
            }
            let now = begun.elapsed();
            for one in &mut watched {
                if one.place.take_changed() {
                    one.quiet.changed(now);
                }
            }
            read_what_is_due(context, &mut watched, begun).await?;
        }
        Err(Failure::new("NOT_FOUND", "no source is left to watch"))
    };
    // A sync that is cut off here is made good by the next one.
    tokio::select! {
        ended = watching => ended,
        _ = interrupt.recv() => stopped(context.output),
        _ = terminate.recv() => stopped(context.output),
    }
}

fn stopped(out: &Output) -> Result<ExitCode, Failure> {
    say(out, "stopped", None, "stopped", json!({}))?;
    Ok(ExitCode::SUCCESS)
}

/// The sources named, or all of the caller's own that have files.
async fn chosen(
    context: &Context<'_>,
    ids: &[String],
    bell: &Arc<Notify>,
) -> Result<Vec<Watched>, Failure> {
    let mut client = context.client().await?;
    let has_files = |source: &Source| matches!(source.kind.as_str(), "folder" | "file");
    let mut sources = Vec::new();
    if ids.is_empty() {
        let all = super::all(&mut client).await?;
        sources.extend(all.into_iter().filter(|one| one.own && has_files(one)));
    }
    for id in ids {
        let source = client.source(id).await?;
        if !source.own || !has_files(&source) {
            let message = format!("{id} is no folder or file of yours: only those are watched");
            return Err(Failure::usage(message));
        }
        sources.push(source);
    }
    if sources.is_empty() {
        return Err(Failure::usage("there is nothing to watch").hint("skep source add FOLDER"));
    }
    if sources.len() > MOST {
        let message = format!("{} sources are too many: name {MOST}", sources.len());
        return Err(Failure::usage(message));
    }
    let watched = sources.into_iter().map(|source| {
        let path = PathBuf::from(&source.location);
        let place = Place::new(path, source.kind == "folder", Arc::clone(bell));
        let mut quiet = Quiet::default();
        quiet.changed(Duration::ZERO);
        Watched {
            source,
            place,
            quiet,
            trouble: None,
        }
    });
    Ok(watched.collect())
}

fn look_at_all(out: &Output, watched: &mut [Watched], now: Duration) -> Result<(), Failure> {
    for one in watched {
        match one.place.look() {
            Look::Same => {}
            Look::Gone => {
                let text = "is not there any more; what is known of it stays";
                say(out, "missing", Some(&one.source), text, json!({}))?;
            }
            Look::Back => {
                one.quiet.changed(now);
                say(out, "watching", Some(&one.source), "watching", json!({}))?;
                if let Some(why) = one.place.blind() {
                    let text = format!("changes are noticed late: {why}");
                    let more = json!({ "why": why });
                    say(out, "blind", Some(&one.source), &text, more)?;
                }
            }
        }
        if one.place.blind().is_some() && one.quiet.due().is_none() {
            one.quiet.again(now, BLIND);
        }
    }
    Ok(())
}

async fn read_what_is_due(
    context: &Context<'_>,
    watched: &mut Vec<Watched>,
    begun: Instant,
) -> Result<(), Failure> {
    let mut at = 0;
    while let Some(one) = watched.get_mut(at) {
        at += 1;
        // What is not there is not read: the next look tells, and reads it when it is back.
        if !one.quiet.take(begun.elapsed()) || !one.place.is_there() {
            continue;
        }
        match read(context, &mut one.source).await {
            Ok(brought) => {
                one.trouble = None;
                if brought.is_news() {
                    let more = brought.as_json(&one.source);
                    let text = brought.summary();
                    say(context.output, "synced", Some(&one.source), &text, more)?;
                }
            }
            Err(failure) => {
                let text = failure.told();
                if one.trouble.as_ref() != Some(&text) {
                    let more = json!({ "code": failure.code(), "message": text });
                    say(context.output, "failed", Some(&one.source), &text, more)?;
                    one.trouble = Some(text);
                }
                match failure.code() {
                    // Purged, taken back, or no longer ours: it will not become better.
                    "NOT_FOUND" | "PERMISSION_DENIED" | "CONFLICT" => {
                        at -= 1;
                        watched.remove(at);
                    }
                    // Those become better by a change, which will be noticed.
                    "EMPTY" | "NOT_THERE" | "IO" => {}
                    _ => one.quiet.again(begun.elapsed(), PAUSE),
                }
            }
        }
    }
    Ok(())
}

/// With what the daemon knows of it now: it may have been emptied, or purged.
async fn read(context: &Context<'_>, source: &mut Source) -> Result<Brought, Failure> {
    let mut client = context.client().await?;
    *source = client.source(&source.id).await?;
    bring(&mut client, source, false).await
}

/// One line; as JSON, one object.
fn say(
    out: &Output,
    event: &str,
    source: Option<&Source>,
    text: &str,
    more: Value,
) -> Result<(), Failure> {
    if out.is_json() {
        let mut line = more;
        line["event"] = event.into();
        if let Some(source) = source {
            line["source"] = source.id.clone().into();
            line["location"] = source.location.clone().into();
        }
        out.json(&line)?;
        return Ok(());
    }
    let of = source.map(|source| format!("{}: ", one_line(&source.location)));
    out.line(&format!("{}{}", of.unwrap_or_default(), one_line(text)))?;
    Ok(())
}
