//! `skep sink`: where entries of the organization's logs are delivered to.

use std::process::ExitCode;

use skep_api::Instant;
use skep_api::sink::{SetSinkRequest, Sink as Shown, SinkRequest, SinkSet};

use crate::args::sink::{SetSink, Sink};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, counted, one_line};

pub(super) async fn run(context: &Context<'_>, verb: Sink) -> Result<ExitCode, Failure> {
    match verb {
        Sink::List => list(context).await,
        Sink::Set(asked) => set(context, asked).await,
        Sink::Remove { name } => remove(context, name).await,
        Sink::Test { name } => test(context, name).await,
        Sink::Resume { name } => resume(context, name).await,
        Sink::Key { name } => {
            let request = SinkRequest { name };
            let set = context.client().await?.renew_sink_key(&request).await?;
            key(context, &set)
        }
    }
}

async fn list(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let found = context.client().await?.sinks().await?;
    let out = context.output;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        out.line("There are no sinks: what is recorded stays here.")?;
        out.note("skep sink set NAME https://… --event 'alert.*'");
    }
    let rows: Vec<Vec<String>> = found.items.iter().map(row).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(context: &Context<'_>, asked: SetSink) -> Result<ExitCode, Failure> {
    let logs = asked.logs.iter().map(|log| log.as_str().to_owned());
    let request = SetSinkRequest {
        name: asked.name,
        url: asked.url,
        logs: logs.collect(),
        events: asked.events,
        from: Some(asked.from.as_str().to_owned()),
    };
    let set = context.client().await?.set_sink(&request).await?;
    key(context, &set)
}

/// What was set, and its key if it has a new one.
fn key(context: &Context<'_>, set: &SinkSet) -> Result<ExitCode, Failure> {
    let out = context.output;
    if out.is_json() {
        out.json(set)?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in columns(&[row(&set.sink)]) {
        out.line(&line)?;
    }
    if let Some(secret) = &set.secret {
        out.line(&one_line(secret))?;
        out.note("that is the key that messages are signed with: it is not shown again");
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(context: &Context<'_>, name: String) -> Result<ExitCode, Failure> {
    let request = SinkRequest { name };
    let done = context.client().await?.remove_sink(&request).await?;
    let is_removed = (&*request.name, done.removed);
    Ok(context.output.removed(&done, is_removed)?)
}

async fn test(context: &Context<'_>, name: String) -> Result<ExitCode, Failure> {
    let request = SinkRequest { name };
    let tested = context.client().await?.test_sink(&request).await?;
    let name = one_line(&request.name);
    let text = match (&tested.problem, tested.status) {
        (Some(problem), _) => format!("{name} did not take it: {}", one_line(problem)),
        (None, Some(status)) => format!("{name} took it and answered {status}"),
        (None, None) => format!("{name} took it"),
    };
    context.output.answer(&tested, &text)?;
    Ok(if tested.delivered {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn resume(context: &Context<'_>, name: String) -> Result<ExitCode, Failure> {
    let request = SinkRequest { name };
    let sink = context.client().await?.resume_sink(&request).await?;
    let text = columns(&[row(&sink)]).join("");
    context.output.answer(&sink, &text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(sink: &Shown) -> Vec<String> {
    let mut wanted = sink.logs.join(", ");
    if !sink.events.is_empty() {
        wanted = format!("{wanted}: {}", sink.events.join(", "));
    }
    let state = match (&sink.problem, sink.retry_at) {
        (None, _) => sink.state.replace('_', " "),
        (Some(problem), None) => format!("{}: {problem}", sink.state.replace('_', " ")),
        (Some(problem), Some(at)) => format!("{}: {problem}, again at {at}", sink.state),
    };
    let last = sink.delivered_at.map(|at: Instant| format!("last {at}"));
    vec![
        one_line(&sink.name),
        one_line(&sink.url),
        one_line(&wanted),
        one_line(&state),
        match sink.behind {
            0 => "nothing waits".to_owned(),
            some => format!("{} to go", counted(some, "entry", "entries")),
        },
        last.unwrap_or_default(),
    ]
}
