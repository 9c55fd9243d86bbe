//! `skep doctor`: everything that can be wrong on this machine, each with its fix.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde::Serialize;
use serde_json::json;
use skep_client::{Active, Client, Endpoint, daemon};

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::one_line;
use crate::reach::Reach;
use crate::stopwatch::wall_clock;
use crate::wiring::Receipt;
use crate::wiring::place::{self, Kind, Place};
use crate::wiring::plan;

/// Less room than this and writes may soon fail.
const ROOM: u64 = 256 << 20;
/// 2025-01-01 and 2100-01-01, as seconds since the epoch.
const PLAUSIBLE: std::ops::Range<i64> = 1_735_689_600..4_102_444_800;
/// A daemon's clock and ours are the same clock.
const SKEW_SECONDS: u64 = 5;

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Check {
    fn new(name: &'static str, result: Result<String, (String, String)>) -> Self {
        match result {
            Ok(found) => Self {
                name,
                ok: true,
                found,
                fix: None,
            },
            Err((found, fix)) => Self {
                name,
                ok: false,
                found,
                fix: Some(fix),
            },
        }
    }
}

pub(super) async fn run(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let mut checks = vec![home(context)];
    for file in ["root.key", "install-token"] {
        checks.extend(private_file(context, file));
    }
    checks.push(room(context));
    checks.push(clock());
    checks.push(program());
    checks.extend(daemon_checks(context).await);
    checks.extend(login_check(context).await);
    checks.extend(harnesses(context));
    checks.push(git());
    let sound = checks.iter().all(|check| check.ok);
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "ok": sound, "checks": checks }))?;
    } else {
        show(context, &checks)?;
    }
    Ok(ExitCode::from(u8::from(!sound)))
}

fn show(context: &Context<'_>, checks: &[Check]) -> Result<(), Failure> {
    let out = context.output;
    let width = checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or_default();
    for check in checks {
        let sign = if check.ok {
            out.style().good("✓")
        } else {
            out.style().bad("✗")
        };
        out.line(&format!(
            "{sign} {:width$}  {}",
            check.name,
            one_line(&check.found)
        ))?;
        if let Some(fix) = &check.fix {
            out.line(&format!("  {:width$}  → {}", "", one_line(fix)))?;
        }
    }
    Ok(())
}

fn home(context: &Context<'_>) -> Check {
    let path = context.home.path().display();
    let result = match context.home.check() {
        Ok(()) => Ok(format!("{path}, yours alone")),
        Err(skep_client::HomeProblem::Missing) => {
            Err((format!("{path} does not exist"), "skep setup".into()))
        }
        Err(problem) => Err((
            format!("{path}: {problem}"),
            format!("chown it to yourself; chmod 700 {path}"),
        )),
    };
    Check::new("data directory", result)
}

/// A file that is there and that others can read. One that is not there is no problem of its own.
fn private_file(context: &Context<'_>, name: &'static str) -> Option<Check> {
    use std::os::unix::fs::MetadataExt;
    let path = context.home.path().join(name);
    let facts = path.symlink_metadata().ok()?;
    let shown = path.display();
    let fix = format!("chmod 600 {shown}");
    let ours = facts.uid() == rustix::process::geteuid().as_raw();
    let result = if !facts.is_file() {
        Err((
            format!("{shown} is not a regular file"),
            "put the real file there".into(),
        ))
    } else if !ours {
        Err((
            format!("{shown} belongs to user {}", facts.uid()),
            format!("chown it to yourself; {fix}"),
        ))
    } else if facts.mode() & 0o077 != 0 {
        Err((
            format!(
                "{shown} has mode {:04o}: others can read it",
                facts.mode() & 0o777
            ),
            fix,
        ))
    } else {
        Ok(format!("{shown}, yours alone"))
    };
    Some(Check::new(
        if name == "root.key" {
            "root key"
        } else {
            "install token"
        },
        result,
    ))
}

fn room(context: &Context<'_>) -> Check {
    let place = context
        .home
        .path()
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("/"));
    let result = match rustix::fs::statvfs(place) {
        Ok(facts) => {
            let free = facts.f_bavail.saturating_mul(facts.f_frsize);
            let shown = format!("{} free", indicatif::BinaryBytes(free));
            if free >= ROOM {
                Ok(shown)
            } else {
                Err((
                    shown,
                    "make room: below 256 MiB writes may soon fail".into(),
                ))
            }
        }
        Err(error) => Err((error.to_string(), format!("look at {}", place.display()))),
    };
    Check::new("disk", result)
}

fn clock() -> Check {
    let now = wall_clock();
    let shown = skep_api::Instant(now).to_string();
    let result = if PLAUSIBLE.contains(&(now.as_micros() / 1_000_000)) {
        Ok(shown)
    } else {
        Err((shown, "set the clock: memories are dated by it".into()))
    };
    Check::new("clock", result)
}

fn program() -> Check {
    let program = daemon::program();
    let shown = program.display().to_string();
    let fix = "put skepd beside skep, or on the PATH".to_owned();
    Check::new(
        "program",
        answer_of(Command::new(&program).arg("--version"))
            .map_err(|why| (format!("{shown}: {why}"), fix)),
    )
}

/// Whether each harness that is here calls us for all that it should, by a program that is there.
fn harnesses(context: &Context<'_>) -> Vec<Check> {
    let found = place::all(&context.environment).into_iter();
    let found = found.filter(|place| place.is_here);
    found.map(|place| harness(context, &place)).collect()
}

fn harness(context: &Context<'_>, place: &Place) -> Check {
    let shown = place.file.display();
    let setup = || format!("skep setup --harness {}", place.row.name);
    let refused = |why: String| {
        (
            format!("{shown}: {why}"),
            format!("mend {shown}, then {}", setup()),
        )
    };
    let result = plan::wired(place).map_err(refused).and_then(|events| {
        let step = std::env::current_exe()
            .map_err(|error| error.to_string())
            .and_then(|own| {
                plan::put_in(
                    place,
                    &own,
                    &Receipt::read(&context.home).unwrap_or_default(),
                )
            })
            .map_err(refused)?;
        let starts = matches!(place.kind, Kind::Servers(_));
        match (events, step.change.is_none()) {
            (0, _) if starts => Err((format!("{shown} does not start skep mcp"), setup())),
            (1, true) if starts => Ok("starts skep mcp".into()),
            (0, _) => Err((format!("{shown} does not call skep"), setup())),
            (_, false) => Err((
                format!("{shown} calls another skep, or not for every event"),
                setup(),
            )),
            (events, true) => Ok(format!("{events} events call skep")),
        }
    });
    Check::new(place.row.title, result)
}

/// Only one verb needs it, so its absence is no fault.
fn git() -> Check {
    let found = answer_of(Command::new("git").arg("--version"))
        .unwrap_or_else(|why| format!("none ({why}); only `skep import git` needs it"));
    Check::new("git", Ok(found))
}

fn answer_of(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().next().unwrap_or_default().to_owned();
    if output.status.success() {
        Ok(line)
    } else {
        Err(output.status.to_string())
    }
}

/// Whether the login that is active is still good; nothing when this machine's own daemon is.
async fn login_check(context: &Context<'_>) -> Option<Check> {
    let active = match Active::read(&context.home) {
        Ok(active) => active?,
        Err(error) => {
            let fix = "skep org switch --local".into();
            return Some(Check::new("login", Err((error.to_string(), fix))));
        }
    };
    let who = async {
        let mut client = Reach::Login(active.clone()).connect(&context.home).await?;
        Ok::<_, Failure>(client.whoami().await?)
    };
    let state = match who.await {
        Ok(_) => Ok(format!("good at {}", one_line(&active.issuer))),
        Err(failure) => {
            let fix = format!("skep login {}; skep org switch --local", active.issuer);
            Err((failure.told(), fix))
        }
    };
    Some(Check::new("login", state))
}

async fn daemon_checks(context: &Context<'_>) -> Vec<Check> {
    let running = daemon::is_running(&context.home);
    let ready = daemon::is_ready(&context.home).await;
    let socket = context.home.socket();
    let state = match (running, ready) {
        (_, true) => Ok(format!("ready at {}", socket.display())),
        (Ok(true), false) => Err((
            "it runs but does not answer".into(),
            "skep logs; skep restart".into(),
        )),
        (Ok(false), false) => Err(("it is not running".into(), "skep start".into())),
        (Err(error), false) => Err((error.to_string(), "skep logs".into())),
    };
    let mut checks = vec![Check::new("daemon", state)];
    if !ready {
        return checks;
    }
    let health = match Client::connect(&Endpoint::socket(&context.home)).await {
        Ok(mut client) => client.health().await,
        Err(error) => Err(error),
    };
    let health = match health {
        Ok(health) => health,
        Err(error) => {
            checks.push(Check::new(
                "health",
                Err((error.to_string(), "skep logs".into())),
            ));
            return checks;
        }
    };
    let own = env!("CARGO_PKG_VERSION");
    checks.push(Check::new(
        "version",
        if health.version == own {
            Ok(format!("{own}, both"))
        } else {
            Err((
                format!("skep {own}, skepd {}", health.version),
                "skep restart, or install both anew".into(),
            ))
        },
    ));
    let ahead = health.started_at.0.seconds_since(wall_clock());
    if ahead > SKEW_SECONDS {
        let found = format!("the daemon started {ahead} s in the future");
        checks.push(Check::new(
            "clock",
            Err((found, "the clock was set back: skep restart".into())),
        ));
    }
    for problem in health.problems {
        checks.push(Check::new("health", Err((problem, "skep logs".into()))));
    }
    checks
}
