//! `skep access`: agents ask for templates, humans grant them for a time.

use std::process::ExitCode;

use skep_api::page::PageQuery;
use skep_api::template::{Access as Asked, AskAccessRequest, GiveAccessRequest};

use super::memory_view::date;
use crate::args::Access;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

pub(super) async fn run(context: &Context<'_>, verb: Access) -> Result<ExitCode, Failure> {
    match verb {
        Access::List => list(context).await?,
        Access::Ask {
            template,
            reason,
            lasting,
        } => {
            let request = AskAccessRequest {
                template,
                reason,
                seconds: lasting,
            };
            let asked = context.client().await?.ask_access(&request).await?;
            let what = "is asked for: a human decides, `skep access list` shows what came of it";
            tell(context, &asked, what)?;
        }
        Access::Grant {
            what,
            agent,
            every_agent,
            lasting,
            reason,
        } => {
            let whom = (agent, every_agent);
            let granted = grant(context, what, whom, (lasting, reason)).await?;
            let what = match granted.until {
                Some(until) => format!("is granted until {}", date(until)),
                None => "is granted, without an end".into(),
            };
            tell(context, &granted, &what)?;
        }
        Access::Refuse { id, reason } => {
            let done = context.client().await?.refuse_access(&id, reason).await?;
            tell(context, &done, "is refused")?;
        }
        Access::Revoke { id, reason } => {
            let done = context.client().await?.revoke_access(&id, reason).await?;
            tell(context, &done, "is revoked: it is gone at once")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Answers a request, or grants a template unasked.
async fn grant(
    context: &Context<'_>,
    what: String,
    (agent, every_agent): (Option<String>, bool),
    (lasting, reason): (Option<u64>, String),
) -> Result<Asked, Failure> {
    let mut client = context.client().await?;
    let is_request = what.starts_with("acc_");
    let for_somebody = agent.is_some() || every_agent;
    if is_request && for_somebody {
        return Err(Failure::usage(
            "a request says itself for whom it is: leave out --agent and --every-agent",
        ));
    }
    if is_request {
        return Ok(client.grant_access(&what, lasting).await?);
    }
    if !for_somebody {
        return Err(Failure::usage(
            "say for whom: --agent ID, or --every-agent; or name a request, acc_…",
        ));
    }
    let request = GiveAccessRequest {
        template: what,
        agent,
        seconds: lasting,
        reason,
    };
    Ok(client.give_access(&request).await?)
}

async fn list(context: &Context<'_>) -> Result<(), Failure> {
    let mut client = context.client().await?;
    let mut all: Vec<Asked> = Vec::new();
    let mut page = PageQuery {
        limit: Some(200),
        cursor: None,
    };
    loop {
        let found = client.access(&page).await?;
        all.extend(found.items);
        match found.next {
            Some(next) => page.cursor = Some(next),
            None => break,
        }
    }
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&all)?);
    }
    if all.is_empty() {
        out.line("Nothing was asked for or granted.")?;
    }
    let row = |one: &Asked| {
        let until = one.until.map(|until| format!(" until {}", date(until)));
        vec![
            one_line(&one.template),
            format!("{}{}", one.state, until.unwrap_or_default()),
            one.agent.clone().unwrap_or_else(|| "every agent".into()),
            one.id.clone(),
            one_line(one.answer.as_deref().unwrap_or(&one.reason)),
        ]
    };
    for line in columns(&all.iter().map(row).collect::<Vec<_>>()) {
        out.line(&line)?;
    }
    Ok(())
}

fn tell(context: &Context<'_>, one: &Asked, what: &str) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(one)?);
    }
    let whom = match &one.agent {
        Some(agent) => format!("for {agent}"),
        None => "for every agent".into(),
    };
    out.line(&format!("{} {what}", one_line(&one.template)))?;
    Ok(out.line(&out.style().dim(&format!("    {} {whom}", one.id)))?)
}
