//! `skep status --posture`.

use std::process::ExitCode;

use skep_api::posture::Posture;

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

pub(super) async fn run(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let posture = client.posture().await?;
    if context.output.is_json() {
        context.output.json(&posture)?;
        return Ok(ExitCode::SUCCESS);
    }
    facts(context, &posture)?;
    lines(context, "When a part is away", &fails(context, &posture))?;
    let unaudited: Vec<String> = posture
        .unaudited
        .iter()
        .map(|path| one_line(path))
        .collect();
    lines(
        context,
        "Changes without an audit action",
        &or_none(unaudited),
    )?;
    let weak: Vec<String> = posture
        .weaknesses
        .iter()
        .flat_map(|weakness| {
            [
                format!(
                    "{} {}",
                    context.output.style().bad("!"),
                    one_line(&weakness.what)
                ),
                format!("  {}", one_line(&weakness.do_this)),
            ]
        })
        .collect();
    lines(context, "What is weak", &or_none(weak))?;
    Ok(ExitCode::SUCCESS)
}

fn facts(context: &Context<'_>, posture: &Posture) -> Result<(), Failure> {
    let style = context.output.style();
    let row = |name: &str, value: &str| vec![style.dim(name), one_line(value)];
    let rows = [
        row("mode", &posture.mode),
        row("listens", &posture.listeners.join(", ")),
        row("reached at", posture.public_url.as_deref().unwrap_or("–")),
        row("root key", &posture.key_provider),
        row("store", &posture.store),
        row("credentials", &posture.credentials),
        row("limits", &posture.limits),
        row("public", &posture.public.join(", ")),
    ];
    for line in columns(&rows) {
        context.output.line(&line)?;
    }
    Ok(())
}

fn fails(context: &Context<'_>, posture: &Posture) -> Vec<String> {
    let style = context.output.style();
    let rows: Vec<Vec<String>> = posture
        .fails
        .iter()
        .map(|row| {
            vec![
                style.dim(&one_line(&row.fails)),
                one_line(&row.condition),
                one_line(&row.answer),
                String::from(if row.tested { "" } else { "not held by a test" }),
            ]
        })
        .collect();
    columns(&rows)
}

fn or_none(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        vec!["none".into()]
    } else {
        lines
    }
}

fn lines(context: &Context<'_>, title: &str, lines: &[String]) -> Result<(), Failure> {
    context.output.line("")?;
    context.output.line(title)?;
    for line in lines {
        context.output.line(&format!("  {line}"))?;
    }
    Ok(())
}
