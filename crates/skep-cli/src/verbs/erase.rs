//! `skep erase`: says what would go, and with `--yes` deletes it.

use std::process::ExitCode;

use serde_json::json;
use skep_api::removal::{Erased, RewindRequest};

use super::memory_view::headline;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::one_line;

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
            "would erase {} turns and {} memories; {} stay, because they rest on something else too",
            session.turns, would.removed, would.kept
        ));
    } else {
        let memory = client.memory(id).await?;
        out.note(&format!("would erase: {}", one_line(&memory.key)));
        out.note(&format!("  {}", headline(out.style(), &memory)));
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
            "  {} memories erased with it, {} stay, because they rest on something else too",
            erased.memories, erased.kept
        ))?;
    }
    if !erased.scrubbed {
        out.note("somebody still reads; the last bytes go when they are done");
    }
    Ok(())
}
