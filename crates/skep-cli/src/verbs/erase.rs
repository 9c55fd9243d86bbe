//! `skep erase`: says what would go, and with `--yes` deletes it.

use std::process::ExitCode;

use serde_json::json;
use skep_api::removal::{Erased, RewindRequest};

use super::memory_view::headline;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{counted, one_line};

pub(super) async fn run(context: &Context<'_>, id: &str, yes: bool) -> Result<ExitCode, Failure> {
    if !yes {
        return ask(context, id).await;
    }
    let mut client = context.client().await?;
    let erased = if id.starts_with("ses_") {
        client.erase_session(id).await?
    } else {
        client.erase_memory(id).await?
    };
    show(context, &erased)?;
    Ok(ExitCode::SUCCESS)
}

/// Without `--yes`: exit 2, and nothing is changed.
async fn ask(context: &Context<'_>, id: &str) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    if id.starts_with("ses_") {
        let session = client.session(id).await?;
        let request = RewindRequest {
            session: Some(id.into()),
            dry_run: true,
            ..RewindRequest::default()
        };
        let would = client.rewind(&request).await?;
        out.note(&format!(
            "would erase {} and {}; {} stay, because they rest on something else too",
            counted(session.turns, "turn", "turns"),
            counted(would.removed, "memory", "memories"),
            would.kept
        ));
    } else {
        let memory = client.memory(id).await?;
        let edits = client.memory_history(id).await?.edits;
        out.note(&format!("would erase: {}", one_line(&memory.key)));
        out.note(&format!("  {}", headline(out.style(), &memory)));
        if edits > 1 {
            out.note(&format!(
                "  all {edits} versions of it, those before an edit and after it"
            ));
        }
    }
    Err(
        Failure::usage("erasing cannot be undone, so nothing was done")
            .hint(format!("skep erase {} --yes", one_line(id))),
    )
}

fn show(context: &Context<'_>, erased: &Erased) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&json!(erased))?);
    }
    out.line(&format!("erased: {}", one_line(&erased.id)))?;
    if erased.memories + erased.kept > 0 {
        out.line(&format!(
            "  {} erased with it, {} stay, because they rest on something else too",
            counted(erased.memories, "memory", "memories"),
            erased.kept
        ))?;
    }
    if erased.versions > 1 {
        out.line(&format!("  all {} versions of it", erased.versions))?;
    }
    if !erased.scrubbed {
        out.note("somebody still reads; the last bytes go when they are done");
    }
    Ok(())
}
