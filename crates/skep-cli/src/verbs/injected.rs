//! `skep context` and `skep why`: what a model was given, and why these memories.

use std::process::ExitCode;

use serde_json::json;
use skep_api::inject::{InjectedItem, Injection};
use skep_api::page::{Page, PageQuery};
use skep_client::{Client, ClientError};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{one_line, shortened, wrapped};

/// Everything that was put in front of one session's model, oldest first.
pub(super) async fn context(
    context: &Context<'_>,
    arguments: args::Given,
) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let mut all: Page<Injection> = Page {
        items: Vec::new(),
        next: None,
    };
    loop {
        let query = PageQuery {
            limit: Some((arguments.limit - all.items.len() as u32).min(PAGE)),
            cursor: all.next.take(),
        };
        let page = client.session_context(&arguments.session, &query).await?;
        all.items.extend(page.items);
        all.next = page.next;
        if all.next.is_none() || all.items.len() >= arguments.limit as usize {
            break;
        }
    }
    all.items.reverse();
    let out = context.output;
    if out.is_json() {
        out.json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    for injection in &all.items {
        let head = format!("{} · {} · {}", injection.moment, injection.at, injection.id);
        out.line(&out.style().dim(&head))?;
        out.line(text(injection))?;
    }
    if all.items.is_empty() {
        out.line("Nothing was put in front of this session's model.")?;
    } else if all.next.is_some() {
        out.note("there is more: raise --limit");
    }
    Ok(ExitCode::SUCCESS)
}

/// Pages of the API hold at most as many.
const PAGE: u32 = 200;

const WITHHELD: &str = "[withheld: it holds a memory that is closed to you, or gone]";

fn text(injection: &Injection) -> &str {
    if injection.withheld {
        WITHHELD
    } else {
        &injection.text
    }
}

/// The newest injection: which memories, how each scored, and what was asked.
pub(super) async fn why(context: &Context<'_>, of: &str) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let query = PageQuery {
        limit: Some(1),
        cursor: None,
    };
    let page = if of == "last" {
        client.injections(&query).await?
    } else {
        client.session_context(of, &query).await?
    };
    let out = context.output;
    let Some(injection) = page.items.first() else {
        if out.is_json() {
            out.json(&json!(null))?;
        } else {
            out.line("Nothing was put in front of a model yet.")?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    if out.is_json() {
        out.json(injection)?;
        return Ok(ExitCode::SUCCESS);
    }
    let head = format!(
        "{} · {} · {}",
        injection.moment, injection.at, injection.session
    );
    out.line(&out.style().bold(&head))?;
    if injection.withheld {
        out.line(WITHHELD)?;
    }
    if !injection.query.is_empty() {
        let asked = shortened(&one_line(&injection.query), 400);
        out.line(&format!("asked: {asked}"))?;
        out.line(&format!("floor: confidence {:.2}", injection.floor))?;
    }
    for (at, item) in injection.items.iter().enumerate() {
        show(context, &mut client, at + 1, item).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(
    context: &Context<'_>,
    client: &mut Client,
    rank: usize,
    item: &InjectedItem,
) -> Result<(), Failure> {
    let key = match client.memory(&item.memory).await {
        Ok(memory) => format!(
            "{} [{}, {}]",
            one_line(&memory.key),
            memory.kind,
            memory.state
        ),
        Err(ClientError::Refused(_)) => "no longer to be seen".into(),
        Err(error) => return Err(error.into()),
    };
    let out = context.output;
    out.line(&format!(
        "{rank:>2}. {}",
        wrapped(&key, out.width(), 4).trim_start()
    ))?;
    let scores: Vec<String> = item
        .scores
        .iter()
        .map(|(name, value)| format!("{name} {value:.3}"))
        .collect();
    let line = format!("    {} · {}", item.memory, scores.join(" · "));
    Ok(out.line(&out.style().dim(&line))?)
}
