//! `skep resolve`: from a memory's line to the statement to the turns.

use std::process::ExitCode;

use skep_api::memory::ResolveRequest;

use super::memory_view::{headline, origin};
use super::sessions::show_turn;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{one_line, wrapped};

pub(super) async fn run(
    context: &Context<'_>,
    id: String,
    tier: String,
) -> Result<ExitCode, Failure> {
    let request = ResolveRequest {
        id,
        tier: Some(tier),
    };
    let answer = context.client().await?.resolve(&request).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let memory = &answer.memory;
    out.line(&out.style().bold(&one_line(&memory.key)))?;
    out.line(&headline(out.style(), memory))?;
    out.line(&out.style().dim(&format!(
        "{} · trust {} · {} · learned {}",
        origin(&memory.provenance),
        one_line(&memory.trust),
        one_line(&memory.visibility),
        memory.recorded_at,
    )))?;
    if !memory.text.is_empty() {
        out.line("")?;
        out.line(&wrapped(&memory.text, out.width(), 0))?;
    }
    for turn in &answer.turns {
        out.line("")?;
        show_turn(context, turn)?;
    }
    Ok(ExitCode::SUCCESS)
}
