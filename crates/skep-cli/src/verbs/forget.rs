//! `skep forget`.

use std::process::ExitCode;

use skep_api::memory::ForgetRequest;

use super::memory_view::headline;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::one_line;

pub(super) async fn run(
    context: &Context<'_>,
    id: &str,
    reason: String,
) -> Result<ExitCode, Failure> {
    let request = ForgetRequest { reason };
    let memory = context.client().await?.forget(id, &request).await?;
    if context.output.is_json() {
        context.output.json(&memory)?;
    } else {
        let style = context.output.style();
        context
            .output
            .line(&format!("forgotten: {}", one_line(&memory.key)))?;
        context
            .output
            .line(&format!("  {}", headline(style, &memory)))?;
    }
    Ok(ExitCode::SUCCESS)
}
