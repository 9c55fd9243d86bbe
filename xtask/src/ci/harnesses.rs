//! `harnesses`: coding agents of others, wired by `skep setup`, in front of scripted models and with a real
//! daemon. What one session is told, the model of the next one is shown.

mod play;
mod service;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::built::{Built, npm};
use super::count::Count;
use crate::tree;
use play::{Place, Played};
use table::{HARNESSES, Harness};

/// What somebody says in the first session. It goes for a decision by the rules of distilling.
const SAID: &str = "We decided that tide reports go out at six in the morning, because the harbour master asked for it.";
/// The part of it that has to come back, whatever becomes of the rest.
const FACT: &str = "tide reports go out at six in the morning";
/// What somebody asks in the second one.
const ASKED: &str = "When do the tide reports go out, and why?";
/// What the model says before it uses a tool, after that, and in the second session.
const FIRST: &str = "I look around in the folder.";
const NOTED: &str = "That is noted, and nothing had to be changed.";
const ANSWER: &str = "I have told you what I know of that.";
/// What the model has run.
const COMMAND: &str = "echo harbor-listing";

/// How lines end that say so.
const LATE: [&str; 2] = ["timed out", "did not answer in time"];
/// Until a session that has ended is distilled.
const DISTILLING: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(200);

/// Plays with one of them, or with all.
///
/// # Errors
/// When one does not do what it should.
pub(crate) fn run(only: Option<&str>) -> Result<()> {
    let root = tree::root()?;
    let known = HARNESSES.iter().map(|harness| harness.name);
    let chosen: Vec<&'static Harness> = HARNESSES
        .iter()
        .filter(|harness| only.is_none_or(|only| harness.name == only))
        .collect();
    ensure!(
        !chosen.is_empty(),
        "there is no such harness: {}",
        known.collect::<Vec<_>>().join(", ")
    );
    all(&Built::ready(&root)?, &chosen, &mut Count::default())
}

/// Those that take seconds, with the programs that the tests before have built.
///
/// # Errors
/// When one does not do what it should.
pub(super) fn run_built(root: &Path, count: &mut Count) -> Result<()> {
    let quick: Vec<&'static Harness> = HARNESSES.iter().filter(|one| one.is_quick).collect();
    all(&Built::beside(root)?, &quick, count)
}

fn all(built: &Built, chosen: &[&'static Harness], count: &mut Count) -> Result<()> {
    let mut red = Vec::new();
    let mut add = |name: &str, outcome: Result<String>| {
        count.add(Count {
            passed: usize::from(outcome.is_ok()),
            failed: usize::from(outcome.is_err()),
        });
        match outcome {
            Ok(said) => println!("harnesses: {said}"),
            Err(error) => red.push(format!("{name}: {error:#}")),
        }
    };
    for harness in chosen {
        add(harness.name, one(built, harness));
    }
    add("setup", service::port(built));
    add("service", service::systemd(built));
    ensure!(red.is_empty(), "{}", red.join("\n"));
    Ok(())
}

fn one(built: &Built, harness: &'static Harness) -> Result<String> {
    let installed = |name: &str| -> Result<PathBuf> {
        let place = built.kept("harnesses").join(name);
        npm(&built.root.join("xtask/harnesses").join(name), &place)?;
        Ok(place)
    };
    let place = Place::new(
        built,
        harness,
        [installed(harness.name)?, installed("models")?],
    )?;
    let outcome = sessions(&place, harness);
    place.leave(outcome.is_ok())?;
    let alone = if place.is_alone() {
        "no network"
    } else {
        "the machine's network"
    };
    outcome.map(|()| {
        let Harness { name, version, .. } = harness;
        format!("{name} {version} remembers from one session to the next ({alone})")
    })
}

fn sessions(place: &Place, harness: &Harness) -> Result<()> {
    place.set_up()?;
    let first = place.play(SAID)?;
    ensure!(first.stdout.contains(NOTED), "it did not go on: {first:?}");
    remembered(place)?;
    let second = place.play(ASKED)?;
    ensure!(
        second.stdout.contains(ANSWER),
        "it did not go on: {second:?}"
    );
    primed(&second)?;
    kept(place, harness)?;
    if harness.is_imported {
        imported(place, harness)?;
    }
    let log = fs::read_to_string(place.home().join("hook.log")).unwrap_or_default();
    // How fast it is, is measured elsewhere: what is late comes with a later event.
    let amiss = log
        .lines()
        .find(|line| !LATE.iter().any(|late| line.ends_with(late)));
    ensure!(amiss.is_none(), "hook.log says: {log}");
    place.take_out()
}

/// The first session is distilled, and recall finds what it said.
fn remembered(place: &Place) -> Result<()> {
    let mut waited = Duration::ZERO;
    loop {
        let found = place.ask(&["recall", ASKED])?;
        if found.to_string().contains(FACT) {
            return Ok(());
        }
        ensure!(waited < DISTILLING, "it is not recalled: {found:#}");
        std::thread::sleep(LOOK);
        waited += LOOK;
    }
}

/// The model of the second session was shown what the first one was told, as a memory and not as a prompt.
fn primed(second: &Played) -> Result<()> {
    let shown = second.requests.iter().find(|request| {
        let request = request.to_string();
        request.contains(FACT) && request.contains("skep-memory") && request.contains(ASKED)
    });
    ensure!(
        shown.is_some(),
        "the model was not shown what is remembered: {:#}",
        Value::from(second.requests.clone())
    );
    Ok(())
}

/// Each session is there, and what happened in it once.
fn kept(place: &Place, harness: &Harness) -> Result<()> {
    let sessions = place.sessions()?;
    ensure!(sessions.len() == 2, "sessions: {sessions:#?}");
    let wanted = [
        vec![
            ("user", SAID),
            ("tool_call", COMMAND),
            ("tool_result", "harbor-listing"),
            ("assistant", NOTED),
        ],
        vec![("user", ASKED), ("assistant", ANSWER)],
    ];
    for (wanted, (session, turns)) in wanted.iter().zip(&sessions) {
        ensure!(session["project"] == "harbor", "{session:#}");
        ensure!(
            !harness.ends || session["state"] == "ended",
            "it has not ended: {session:#}"
        );
        ensure!(turns.len() == wanted.len(), "turns: {turns:#?}");
        for ((role, text), turn) in wanted.iter().zip(turns) {
            let said = turn["text"].as_str().unwrap_or_default();
            let is_it = match *role {
                "user" | "assistant" => said.trim_matches(['"', '\n', ' ']) == *text,
                _ => said.contains(text),
            };
            ensure!(
                turn["role"] == *role && is_it,
                "no {role} {text:?}: {turns:#?}"
            );
        }
    }
    Ok(())
}

/// The harness's own transcripts tell the same turns, and what the model said in between.
fn imported(place: &Place, harness: &Harness) -> Result<()> {
    let Some(transcripts) = harness.transcripts else {
        bail!("no transcripts are named");
    };
    let folder = place.user_home().join(transcripts);
    let folder = folder.to_str().context("a path that is no text")?;
    let report = place.ask(&["import", harness.name, folder])?;
    ensure!(report["imported"] == 1, "an import doubles: {report:#}");
    let sessions = place.sessions()?;
    let texts = sessions.iter().flat_map(|(_, turns)| turns);
    let first = texts.filter(|turn| {
        turn["text"]
            .as_str()
            .is_some_and(|text| text.trim() == FIRST)
    });
    ensure!(first.count() == 1, "{sessions:#?}");
    Ok(())
}
