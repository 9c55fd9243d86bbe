//! `skep rewind`.

use std::process::ExitCode;

use skep_api::removal::RewindRequest;

use super::memory_view::headline;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::shortened;

pub(super) async fn run(
    context: &Context<'_>,
    what: String,
    (dry_run, erase): (bool, bool),
    reason: Option<String>,
) -> Result<ExitCode, Failure> {
    let mut request = RewindRequest {
        erase,
        dry_run,
        reason,
        ..RewindRequest::default()
    };
    if what.starts_with("ses_") {
        request.session = Some(what);
    } else {
        request.source = Some(what);
    }
    let answer = context.client().await?.rewind(&request).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (verb, tense) = match (dry_run, erase) {
        (true, true) => ("would erase", "would stay"),
        (true, false) => ("would forget", "would stay"),
        (false, true) => ("erased", "stay"),
        (false, false) => ("forgot", "stay"),
    };
    out.line(&format!(
        "{verb} {} memories of {} sessions or sources; {} {tense}, because they rest on something else too",
        answer.removed, answer.roots, answer.kept
    ))?;
    if answer.restored > 0 {
        out.line(&format!(
            "{} memories that they had replaced are in recall again",
            answer.restored
        ))?;
    }
    for memory in &answer.sample {
        out.line(&format!("  {}", shortened(&memory.key, 100)))?;
        out.line(&format!("    {}", headline(out.style(), memory)))?;
    }
    Ok(ExitCode::SUCCESS)
}
