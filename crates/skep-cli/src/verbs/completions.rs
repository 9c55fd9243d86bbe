//! `skep completions`.

use std::process::ExitCode;

use crate::context::Context;
use crate::failure::Failure;

pub(super) fn run(context: &Context<'_>, shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "skep", &mut script);
    context.output.bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
