//! `skep import`: runs a reader and says what became of what it read.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use skep_api::Harness;
use skep_api::source::AddSourceRequest;

use crate::args::{Foreign, Import};
use crate::context::Context;
use crate::failure::Failure;
use crate::import::{
    CLAUDE, CLAUDE_MEM, CODEX, Export, Keeper, Kind, MEM0, Report, Sender, import_chatgpt,
    import_files, import_git, import_memories, import_notes, import_own,
};
use crate::layout::{columns, counted, one_line};
use crate::stopwatch::Stopwatch;

/// Failed lines that a person is shown.
const SHOWN: usize = 20;

pub(super) async fn run(context: &Context<'_>, arguments: Import) -> Result<ExitCode, Failure> {
    let watch = Stopwatch::start();
    let mut report = match arguments {
        Import::Git { path, max } => {
            let mut sender = begin(context, Harness::Git).await?;
            import_git(&mut sender, &path, max, context.output).await?;
            sender.finish().await?
        }
        Import::Claude { path } => {
            let folder = context.environment.claude_home.clone();
            let path = chosen(context, path, folder, ".claude", "projects")?;
            transcripts(context, &CLAUDE, path).await?
        }
        Import::Codex { path } => {
            let folder = context.environment.codex_home.clone();
            let path = chosen(context, path, folder, ".codex", "sessions")?;
            transcripts(context, &CODEX, path).await?
        }
        Import::Chatgpt { path, project } => {
            if path != Path::new("-") {
                there(&path)?;
            }
            let mut sender = begin(context, Harness::ChatGpt).await?;
            import_chatgpt(&mut sender, &path, project.as_deref(), context.output).await?;
            sender.finish().await?
        }
        Import::ClaudeMem { path, how } => exported(context, &CLAUDE_MEM, &path, how).await?,
        Import::Mem0 { path, how } => exported(context, &MEM0, &path, how).await?,
        Import::Markdown { path, how } => {
            let path = there(&path)?;
            let place = path.display().to_string();
            let mut keeper = keeper(context, "markdown", place, &how).await?;
            import_notes(&mut keeper, &path, how.project.as_deref(), context.output).await?;
            keeper.finish().await?
        }
        Import::Skep { path, trust } => {
            let path = there(&path)?;
            let how = Foreign {
                trust,
                visibility: "own".into(),
                project: None,
            };
            let mut keeper = keeper(context, "skep", "skep".into(), &how).await?;
            import_own(&mut keeper, &path, context.output).await?;
            keeper.finish().await?
        }
    };
    report.took(watch.elapsed());
    if context.output.is_json() {
        context.output.json(&report)?;
    } else {
        show(context, &report)?;
    }
    Ok(ExitCode::from(u8::from(!report.unreadable.is_empty())))
}

fn chosen(
    context: &Context<'_>,
    named: Option<PathBuf>,
    harness_home: Option<PathBuf>,
    default_home: &str,
    inside: &str,
) -> Result<PathBuf, Failure> {
    match (named, harness_home) {
        (Some(path), _) => Ok(path),
        (None, Some(home)) => Ok(home.join(inside)),
        (None, None) => Ok(context.under_user_home(default_home)?.join(inside)),
    }
}

/// Memories of another program's export.
async fn exported(
    context: &Context<'_>,
    export: &Export,
    path: &Path,
    how: Foreign,
) -> Result<Report, Failure> {
    let path = there(path)?;
    let mut keeper = keeper(context, export.name, export.name.into(), &how).await?;
    let project = how.project.as_deref();
    import_memories(&mut keeper, export, &path, project, context.output).await?;
    keeper.finish().await
}

async fn keeper(
    context: &Context<'_>,
    name: &'static str,
    location: String,
    how: &Foreign,
) -> Result<Keeper, Failure> {
    let request = AddSourceRequest {
        kind: "memories".into(),
        location,
        title: Some(format!("imported from {name}")),
        trust: Some(how.trust.clone()),
        visibility: Some(how.visibility.clone()),
        project: None,
    };
    Keeper::begin(context.client().await?, &request, Report::new(name)).await
}

/// A path where there is something.
fn there(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize()
        .map_err(|error| Failure::new("NOT_THERE", format!("{}: {error}", path.display())))
}

async fn transcripts(context: &Context<'_>, kind: &Kind, path: PathBuf) -> Result<Report, Failure> {
    if !path.exists() {
        let message = format!("there is nothing at {}", path.display());
        return Err(Failure::new("NOT_THERE", message).hint("name the folder, or one transcript"));
    }
    if !path.is_dir() && !path.is_file() {
        let message = format!("{} is neither a folder nor a file", path.display());
        return Err(Failure::usage(message).hint("name the folder, or one transcript"));
    }
    let mut sender = begin(context, kind.harness).await?;
    import_files(&mut sender, kind, &path, context.output).await?;
    sender.finish().await
}

async fn begin(context: &Context<'_>, harness: Harness) -> Result<Sender, Failure> {
    let report = Report::new(harness.as_str());
    Sender::begin(context.client().await?, report).await
}

fn show(context: &Context<'_>, report: &Report) -> Result<(), Failure> {
    let out = context.output;
    let style = out.style();
    out.line(&style.bold(&headline(report)))?;
    let rows: Vec<_> = facts(report)
        .into_iter()
        .map(|(name, value)| vec![format!("  {name}"), value])
        .collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    for line in report.failed_lines.iter().take(SHOWN) {
        out.line(&style.bad(&format!(
            "  {}:{}: {}",
            one_line(&line.file),
            line.line,
            one_line(&line.why)
        )))?;
    }
    if report.failed > SHOWN as u64 {
        out.line(&format!(
            "  … {} more; all of them with --json",
            report.failed - SHOWN as u64
        ))?;
    }
    if report.failed > 0 {
        out.line("  What could be read of these files is imported; the lines above are not.")?;
    }
    for source in &report.unreadable {
        let line = format!(
            "{} cannot be read: {}",
            one_line(&source.path),
            one_line(&source.why)
        );
        out.complain(&style.bad(&line));
    }
    Ok(())
}

/// What was imported, and from how much.
fn headline(report: &Report) -> String {
    let (name, imported) = (report.harness, report.imported);
    if report.source.is_some() {
        let memories = counted(report.memories, "memory", "memories");
        let files = counted(report.sources, "file", "files");
        return format!("{name}: {memories} imported from {files}");
    }
    let (all, of) = match (report.conversations, name) {
        (0, "git") => (report.sources, "histories"),
        (0, _) => (report.sources, "transcripts"),
        (conversations, _) => (conversations, "conversations"),
    };
    let unreadable = (report.unreadable.len() as u64).min(report.sources);
    let unreadable = if report.conversations == 0 {
        unreadable
    } else {
        0
    };
    let read = all - report.unchanged - unreadable;
    format!("{name}: {imported} turns imported from {read} of {all} {of}")
}

/// What there is to say; what did not happen is not mentioned, but for the two that matter most.
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let some = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let reasons: Vec<String> = report
        .skipped
        .iter()
        .map(|(why, count)| format!("{count} {}", one_line(why)))
        .collect();
    let skipped = (!reasons.is_empty())
        .then(|| format!("{} ({})", report.skipped_total(), reasons.join(", ")));
    let memories = match (report.memories, report.memories_known) {
        (made, 0) => format!("{made} new"),
        (made, known) => format!("{made} new, {known} known already"),
    };
    let seconds = report.elapsed_ms as f64 / 1_000.0;
    let per_second = (report.imported * 1_000)
        .checked_div(report.elapsed_ms)
        .unwrap_or_default();
    let took = match report.source {
        Some(_) => format!("{seconds:.1} s"),
        None => format!("{seconds:.1} s ({per_second} turns/s)"),
    };
    [
        ("memories", Some(memories)),
        ("unchanged", some(report.unchanged, "with nothing new")),
        (
            "reread",
            some(report.reread, "changed since, read from the start"),
        ),
        ("known", some(report.known, "turns were there already")),
        ("skipped", skipped),
        ("redacted", some(report.redacted, "secrets, before storing")),
        ("withheld", some(report.withheld, "turns, by rule")),
        ("cut", some(report.cut, "long texts")),
        (
            "not UTF-8",
            some(report.not_utf8, "lines, damaged bytes replaced"),
        ),
        (
            "unfinished",
            some(
                report.unfinished.len() as u64,
                "incomplete last line, will be read next time",
            ),
        ),
        ("failed", some(report.failed, "lines")),
        ("held", some(report.held, "wait for you: skep review")),
        (
            "gone",
            some(report.gone, "memories, no longer in their source"),
        ),
        ("took", Some(took)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
