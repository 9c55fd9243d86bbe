//! `skep conflicts`: pairs of memories of which at most one can be true.

use std::process::ExitCode;

use skep_api::Limits;
use skep_api::memory::Memory;
use skep_api::page::PageQuery;
use skep_api::review::{Conflict, ResolveConflictRequest};

use super::memory_view::headline;
use crate::args::ConflictAction;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{one_line, wrapped};

pub(super) async fn run(
    context: &Context<'_>,
    action: Option<ConflictAction>,
) -> Result<ExitCode, Failure> {
    match action {
        None => list(context).await?,
        Some(ConflictAction::Resolve { id, keep }) => resolve(context, &id, &keep).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context<'_>) -> Result<(), Failure> {
    let page = PageQuery::new(Limits::PAGE_MAX, None);
    let page = context.client().await?.conflicts(&page).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&page)?);
    }
    for conflict in &page.items {
        show(context, conflict)?;
    }
    match (page.items.first(), &page.next) {
        (None, _) => out.line("No conflicts.")?,
        (Some(first), _) => out.note(&format!(
            "settle one with: skep conflicts resolve {} --keep older|newer|both|none",
            one_line(&first.id)
        )),
    }
    if page.next.is_some() {
        out.note("the newest 200");
    }
    Ok(())
}

fn show(context: &Context<'_>, conflict: &Conflict) -> Result<(), Failure> {
    let out = context.output;
    out.line(&out.style().bold(&one_line(&conflict.id)))?;
    for (name, memory) in [("older", &conflict.older), ("newer", &conflict.newer)] {
        out.line(&wrapped(&labelled(name, memory), out.width(), 2))?;
        let whose = format!(" · said by {}", one_line(&memory.trust));
        out.line(&format!(
            "         {}{}",
            headline(out.style(), memory),
            out.style().dim(&whose)
        ))?;
    }
    Ok(())
}

fn labelled(name: &str, memory: &Memory) -> String {
    format!("{name}  {}", memory.text)
}

async fn resolve(context: &Context<'_>, id: &str, keep: &str) -> Result<(), Failure> {
    let resolution = match keep {
        "older" => "keep-older",
        "newer" => "keep-newer",
        "both" => "keep-both",
        _ => "forget-both",
    };
    let request = ResolveConflictRequest {
        resolution: resolution.into(),
    };
    let settled = context
        .client()
        .await?
        .resolve_conflict(id, &request)
        .await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&settled)?);
    }
    out.line("settled:")?;
    show(context, &settled)
}
