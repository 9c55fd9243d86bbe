//! `skep inject` and `skep prime`: the exact text for a model, as a hook would get it.

use std::process::ExitCode;

use skep_api::Moment;
use skep_api::inject::InjectRequest;

use crate::args::{Inject, Prime, Recipient};
use crate::context::Context;
use crate::failure::Failure;

pub(super) async fn inject(context: &Context<'_>, arguments: Inject) -> Result<ExitCode, Failure> {
    let mut request = request(arguments.recipient, Moment::Prompt);
    request.prompt = arguments.prompt.join(" ");
    run(context, &request).await
}

pub(super) async fn prime(context: &Context<'_>, arguments: Prime) -> Result<ExitCode, Failure> {
    let moment = if arguments.compacted {
        Moment::Compacted
    } else {
        Moment::SessionStart
    };
    run(context, &request(arguments.recipient, moment)).await
}

fn request(into: Recipient, moment: Moment) -> InjectRequest {
    let here = std::env::current_dir();
    InjectRequest {
        harness: into.harness,
        external_id: into.session,
        moment: moment.as_str().into(),
        prompt: String::new(),
        project: into.project,
        cwd: here.ok().map(|path| path.display().to_string()),
        token_budget: into.budget,
        deadline_ms: None,
    }
}

async fn run(context: &Context<'_>, request: &InjectRequest) -> Result<ExitCode, Failure> {
    let answer = context.client().await?.inject(request).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    if answer.text.is_empty() {
        out.note("nothing to inject");
    } else {
        out.line(&answer.text)?;
    }
    for reason in &answer.degraded_reasons {
        out.note(&format!("degraded: {reason}"));
    }
    Ok(ExitCode::SUCCESS)
}
