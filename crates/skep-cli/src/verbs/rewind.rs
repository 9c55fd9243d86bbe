//! `skep rewind`: says what would be taken back, and with `--yes` takes it back.

use std::process::ExitCode;

use skep_api::removal::{RewindRequest, RewindResponse};

use super::memory_view::headline;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{counted, one_line, shortened};
use crate::style::Style;

/// What to take back: a session by its id, anything else is a source.
pub(super) fn request(
    what: String,
    (dry_run, erase): (bool, bool),
    reason: Option<String>,
) -> RewindRequest {
    let (session, source) = if what.starts_with("ses_") {
        (Some(what), None)
    } else {
        (None, Some(what))
    };
    RewindRequest {
        session,
        source,
        erase,
        dry_run,
        reason,
    }
}

/// `decided` is for who said `--yes`, or asked only what would go. Anybody else is told, as by
/// `skep erase`: exit 2, and nothing is changed.
pub(super) async fn run(
    context: &Context<'_>,
    request: &RewindRequest,
    decided: bool,
) -> Result<ExitCode, Failure> {
    let answer = context.client().await?.rewind(request).await?;
    let out = context.output;
    if decided {
        if out.is_json() {
            out.json(&answer)?;
        } else {
            for line in told(out.style(), request, &answer) {
                out.line(&line)?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    for line in told(out.style(), request, &answer) {
        out.note(&line);
    }
    let (message, flag) = if request.erase {
        ("erasing cannot be undone, so nothing was done", " --erase")
    } else {
        ("nothing was done", "")
    };
    let what = request.session.as_deref().or(request.source.as_deref());
    let what = one_line(what.unwrap_or_default());
    Err(Failure::usage(message).hint(format!("skep rewind {what}{flag} --yes")))
}

fn told(style: Style, request: &RewindRequest, answer: &RewindResponse) -> Vec<String> {
    let (verb, tense) = match (request.dry_run, request.erase) {
        (true, true) => ("would erase", "would stay"),
        (true, false) => ("would forget", "would stay"),
        (false, true) => ("erased", "stay"),
        (false, false) => ("forgot", "stay"),
    };
    let mut lines = vec![format!(
        "{verb} {} of {}; {} {tense}, because they rest on something else too",
        counted(answer.removed, "memory", "memories"),
        counted(answer.roots, "session or source", "sessions or sources"),
        answer.kept
    )];
    if answer.restored > 0 {
        lines.push(format!(
            "{} in recall again",
            counted(
                answer.restored,
                "memory that they had replaced is",
                "memories that they had replaced are"
            )
        ));
    }
    for memory in &answer.sample {
        lines.push(format!("  {}", shortened(&memory.key, 100)));
        lines.push(format!("    {}", headline(style, memory)));
    }
    lines
}
