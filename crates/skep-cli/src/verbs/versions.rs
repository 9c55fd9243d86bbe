//! `skep edit`, `skep history`, `skep memories`.

use std::process::ExitCode;

use skep_api::memory::{EditRequest, MemoryQuery};

use super::memory_view::headline;
use crate::args::{Edit, Memories};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{one_line, shortened, wrapped};

pub(super) async fn edit(context: &Context<'_>, arguments: Edit) -> Result<ExitCode, Failure> {
    let text = (!arguments.text.is_empty()).then(|| arguments.text.join(" "));
    if text.is_none() && arguments.kind.is_none() && arguments.visibility.is_none() {
        return Err(Failure::usage("there is nothing to change")
            .hint("give a text, --kind or --visibility"));
    }
    let request = EditRequest {
        text,
        kind: arguments.kind,
        visibility: arguments.visibility,
        reason: arguments.reason,
        said_by: None,
        path: None,
    };
    let answer = context
        .client()
        .await?
        .edit(&arguments.id, &request)
        .await?;
    let out = context.output;
    if out.is_json() {
        out.json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line(&format!(
        "changed: {}",
        headline(out.style(), &answer.memory)
    ))?;
    out.line(&wrapped(&answer.memory.text, out.width(), 2))?;
    if answer.redacted > 0 {
        let taken = answer.redacted;
        out.note(&format!("{taken} secrets were taken out before storing"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn history(context: &Context<'_>, id: &str) -> Result<ExitCode, Failure> {
    let history = context.client().await?.memory_history(id).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&history)?;
        return Ok(ExitCode::SUCCESS);
    }
    for version in &history.versions {
        let memory = &version.memory;
        let until = memory
            .valid_to
            .map_or_else(|| "now".into(), |end| end.to_string());
        out.line(&format!(
            "{} {}",
            out.style().bold(&memory.valid_from.to_string()),
            out.style().dim(&format!("to {until}"))
        ))?;
        out.line(&wrapped(&memory.text, out.width(), 2))?;
        out.line(&format!("  {}", headline(out.style(), memory)))?;
        for entry in &version.entries {
            let who = entry.actor.as_deref().map_or("skep", |actor| actor);
            let why = entry.reasons.join("; ");
            out.line(&format!(
                "  {} {} by {}: {}",
                entry.at,
                one_line(&entry.state),
                one_line(who),
                shortened(&why, 200)
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn list(context: &Context<'_>, arguments: Memories) -> Result<ExitCode, Failure> {
    let query = MemoryQuery {
        limit: Some(arguments.limit),
        kind: arguments.kind,
        as_of: arguments.as_of,
        cursor: None,
    };
    let page = context.client().await?.memories(&query).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    for memory in &page.items {
        out.line(&shortened(&memory.key, 100))?;
        out.line(&format!("  {}", headline(out.style(), memory)))?;
    }
    if page.items.is_empty() {
        out.line("No memories.")?;
    } else if page.next.is_some() {
        out.note(&format!("the newest {}; more with -n", page.items.len()));
    }
    Ok(ExitCode::SUCCESS)
}
