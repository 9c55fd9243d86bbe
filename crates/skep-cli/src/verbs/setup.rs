//! `skep setup`: from nothing to a daemon that answers and harnesses that speak to it, and back.

mod item;

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use skep_api::capture::Binding;
use skep_client::daemon;

use self::item::{Item, to_put_in, to_take_out};
use crate::args::Setup;
use crate::context::Context;
use crate::failure::Failure;
use crate::import::project_name;
use crate::layout::{columns, one_line};
use crate::reach::Reach;
use crate::wiring::Receipt;

/// What was found and made on the way to the harnesses.
struct Begun {
    created: bool,
    started: bool,
    /// The daemon elsewhere that is spoken to.
    elsewhere: Option<String>,
}

pub(super) async fn run(context: &Context<'_>, arguments: Setup) -> Result<ExitCode, Failure> {
    if arguments.uninstall {
        return uninstall(context, &arguments);
    }
    let begun = begin(context, arguments.dry_run).await?;
    let mut receipt = Receipt::read(&context.home)?;
    let items = to_put_in(context, &arguments, &receipt)?;
    if !context.output.is_json() {
        tell_home(context, &begun)?;
        show(context, &items)?;
    }
    let is_agreed = agreed(context, &arguments, &items, Some(&begun))?;
    if is_agreed {
        for item in &items {
            item.put_in(context, &mut receipt)?;
        }
    }
    if !arguments.dry_run {
        bind(context, &arguments.bind).await?;
    }
    let says_where = !arguments.bind.is_empty();
    finish(context, Some((&begun, says_where)), &items, is_agreed)
}

fn uninstall(context: &Context<'_>, arguments: &Setup) -> Result<ExitCode, Failure> {
    let mut receipt = Receipt::read(&context.home)?;
    let items = to_take_out(context, &receipt);
    if !context.output.is_json() {
        show(context, &items)?;
    }
    let is_agreed = agreed(context, arguments, &items, None)?;
    if is_agreed {
        for item in &items {
            item.take_out(&context.home, &mut receipt)?;
        }
    }
    finish(context, None, &items, is_agreed)
}

/// Makes the home and starts the daemon, unless one elsewhere is spoken to.
async fn begin(context: &Context<'_>, is_dry: bool) -> Result<Begun, Failure> {
    let home = &context.home;
    let elsewhere = match context.reach()? {
        Reach::Socket => None,
        other => other.destination(),
    };
    if is_dry {
        return Ok(Begun {
            created: false,
            started: false,
            elsewhere,
        });
    }
    let created = home.create()?;
    home.check().map_err(|problem| {
        let path = home.path().display();
        Failure::new("HOME", format!("cannot keep data in {path}: {problem}"))
            .hint(format!("chmod 700 {path}, or name another with --home"))
    })?;
    let started = elsewhere.is_none() && !daemon::is_ready(home).await;
    if started {
        context.start().await?;
    }
    Ok(Begun {
        created,
        started,
        elsewhere,
    })
}

fn tell_home(context: &Context<'_>, begun: &Begun) -> Result<(), Failure> {
    let (out, home) = (context.output, &context.home);
    let style = out.style();
    out.line(&style.bold(&match &begun.elsewhere {
        None => "Skep is ready. Nothing leaves this machine; no account, no model key.".to_owned(),
        Some(issuer) => format!("Skep is ready, and speaks to {}.", one_line(issuer)),
    }))?;
    let made = if begun.created { " (new)" } else { "" };
    let rows = [
        vec!["  data".into(), format!("{}{made}", home.path().display())],
        vec!["  socket".into(), home.socket().display().to_string()],
        vec!["  log".into(), home.log().display().to_string()],
    ];
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(())
}

/// Each harness, and the exact change of its file.
fn show(context: &Context<'_>, items: &[Item]) -> Result<(), Failure> {
    let out = context.output;
    out.line("")?;
    if items.is_empty() {
        out.line("No harness was found here, and nothing of ours in one.")?;
    }
    for item in items {
        out.line(&item.line(out.style()))?;
    }
    for item in items {
        if let Ok(step) = &item.step
            && !step.change.is_none()
        {
            out.line("")?;
            out.line(step.change.diff().trim_end())?;
        }
    }
    Ok(())
}

/// Whether all this may be done. What is captured, where it goes and how to stop it is said first.
fn agreed(
    context: &Context<'_>,
    arguments: &Setup,
    items: &[Item],
    begun: Option<&Begun>,
) -> Result<bool, Failure> {
    if items.iter().all(|item| !item.changes()) {
        return Ok(false);
    }
    let out = context.output;
    if let Some(begun) = begun {
        let home = context.home.path().display().to_string();
        let place = begun.elsewhere.as_deref().unwrap_or(&home);
        out.note(&format!(
            "\nCaptured: prompts, answers and tool calls in directories that you bind (skep project bind), without the \
             secrets that are found; kept in {}. Stop: skep pause. Undo: skep setup --uninstall.",
            one_line(place)
        ));
    }
    if arguments.yes || arguments.dry_run {
        return Ok(arguments.yes);
    }
    if out.is_json() || !io::stdin().is_terminal() {
        out.note("nothing was written: run it again with --yes");
        return Ok(false);
    }
    out.complain("Write this? [y/N]");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Binds each directory to the project of its name.
async fn bind(context: &Context<'_>, directories: &[PathBuf]) -> Result<(), Failure> {
    for path in directories {
        let directory = std::fs::canonicalize(path)
            .map_err(|error| Failure::usage(format!("--bind {}: {error}", path.display())))?;
        let directory = directory.to_string_lossy().into_owned();
        let project = project_name(&directory)
            .ok_or_else(|| Failure::usage("bind a directory that has a name"))?;
        let bound = context.client().await?;
        let bound = { bound }.bind(&Binding { directory, project }).await?;
        context.output.note(&format!(
            "{} belongs to {}: what is done there is captured",
            one_line(&bound.directory),
            one_line(&bound.project)
        ));
    }
    Ok(())
}

/// What came of it, and what to do next; of what was begun, and whether it is said where to capture.
fn finish(
    context: &Context<'_>,
    begun: Option<(&Begun, bool)>,
    items: &[Item],
    is_agreed: bool,
) -> Result<ExitCode, Failure> {
    let (out, home) = (context.output, &context.home);
    let is_whole = items.iter().all(|item| item.step.is_ok());
    let code = ExitCode::from(u8::from(!is_whole));
    if out.is_json() {
        let harnesses: Vec<_> = items.iter().map(|item| item.json(is_agreed)).collect();
        let mut answer = json!({ "home": home.path(), "harnesses": harnesses });
        if let Some((begun, _)) = begun {
            answer["created"] = begun.created.into();
            answer["started"] = begun.started.into();
            answer["socket"] = home.socket().to_string_lossy().into();
            answer["log"] = home.log().to_string_lossy().into();
        }
        out.json(&answer)?;
        return Ok(code);
    }
    for item in items.iter().filter(|item| is_agreed && item.changes()) {
        out.line(&format!(
            "{} {}",
            out.style().good("✓"),
            item.path.display()
        ))?;
    }
    let Some((_, says_where)) = begun else {
        out.note(&format!(
            "your memories stay in {}: remove that directory if you want none of them",
            home.path().display()
        ));
        return Ok(code);
    };
    if is_agreed {
        for note in items.iter().filter_map(|item| item.note) {
            out.line(note)?;
        }
    }
    if says_where {
        out.line("\nNow read what is already there, and ask:")?;
    } else {
        out.line("\nNow say where, read what is already there, and ask:")?;
        out.line("  skep project bind")?;
    }
    out.line("  skep import git .")?;
    out.line("  skep recall \"why did we …\"")?;
    Ok(code)
}
