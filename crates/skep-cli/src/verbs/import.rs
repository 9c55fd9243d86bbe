//! `skep import`: runs a reader and says what became of what it read.

use std::path::PathBuf;
use std::process::ExitCode;

use skep_api::Harness;

use crate::args::Import;
use crate::context::Context;
use crate::failure::Failure;
use crate::import::{CLAUDE, CODEX, Kind, Report, Sender, import_files, import_git};
use crate::layout::{columns, one_line};
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
    let sources = if report.harness == "git" {
        "histories"
    } else {
        "transcripts"
    };
    out.line(&style.bold(&format!(
        "{}: {} turns imported from {} of {} {sources}",
        report.harness,
        report.imported,
        report.sources - report.unchanged - (report.unreadable.len() as u64).min(report.sources),
        report.sources,
    )))?;
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

/// What there is to say; what did not happen is not mentioned, but for the two that matter most.
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let counted = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
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
    [
        ("memories", Some(memories)),
        ("unchanged", counted(report.unchanged, "with nothing new")),
        (
            "reread",
            counted(report.reread, "changed since, read from the start"),
        ),
        ("known", counted(report.known, "turns were there already")),
        ("skipped", skipped),
        (
            "redacted",
            counted(report.redacted, "secrets, before storing"),
        ),
        ("withheld", counted(report.withheld, "turns, by rule")),
        ("cut", counted(report.cut, "long texts")),
        (
            "not UTF-8",
            counted(report.not_utf8, "lines, damaged bytes replaced"),
        ),
        (
            "unfinished",
            counted(
                report.unfinished.len() as u64,
                "incomplete last line, will be read next time",
            ),
        ),
        ("failed", counted(report.failed, "lines")),
        (
            "took",
            Some(format!("{seconds:.1} s ({per_second} turns/s)")),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
