//! `skep provider`: who is asked for models.

use std::process::ExitCode;

use skep_api::provider::{Provider as Shown, RemoveProviderRequest, SetProviderRequest};

use crate::args::{AddProvider, Provider};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

pub(super) async fn run(context: &Context<'_>, verb: Provider) -> Result<ExitCode, Failure> {
    match verb {
        Provider::List => list(context).await,
        Provider::Add(asked) => add(context, asked).await,
        Provider::Remove { name } => remove(context, name).await,
    }
}

async fn list(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let found = context.client().await?.providers().await?;
    if context.output.is_json() {
        context.output.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        let text = "there are no providers: try one without a key with skep provider add mock";
        context.output.line(text)?;
    }
    let rows: Vec<Vec<String>> = found.items.iter().map(row).collect();
    for line in columns(&rows) {
        context.output.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(context: &Context<'_>, asked: AddProvider) -> Result<ExitCode, Failure> {
    let request = SetProviderRequest {
        kind: asked.kind.unwrap_or_else(|| asked.name.clone()),
        name: asked.name,
        base_url: asked.base_url,
        secret: asked.key,
        models: asked.models,
        fallback: asked.fallback,
        max_output: asked.max_output,
    };
    let set = context.client().await?.set_provider(&request).await?;
    let name = one_line(&set.name);
    let example = match set.models.first() {
        Some(model) if !model.ends_with('*') => one_line(model),
        _ if set.kind == "mock" => "echo".to_owned(),
        _ => "MODEL".to_owned(),
    };
    let text = format!(
        "{name} is set: ask for {name}/{example} at /v1, with a key of yours that has gateway:use"
    );
    context.output.answer(&set, &text)?;
    Ok(ExitCode::SUCCESS)
}

async fn remove(context: &Context<'_>, name: String) -> Result<ExitCode, Failure> {
    let request = RemoveProviderRequest { name };
    let done = context.client().await?.remove_provider(&request).await?;
    let is_removed = (&*request.name, done.removed);
    Ok(context.output.removed(&done, is_removed)?)
}

fn row(provider: &Shown) -> Vec<String> {
    let key = provider
        .secret
        .as_deref()
        .map(|name| format!("key {}", one_line(name)));
    let models = if provider.models.is_empty() {
        "every model".to_owned()
    } else {
        one_line(&provider.models.join(", "))
    };
    vec![
        one_line(&provider.name),
        one_line(&provider.kind),
        provider
            .base_url
            .as_deref()
            .map(one_line)
            .unwrap_or_default(),
        key.unwrap_or_else(|| "no key".to_owned()),
        models,
    ]
}
