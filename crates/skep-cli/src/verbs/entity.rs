//! `skep entity` and `skep ontology`: the names that memories speak of.

use std::process::ExitCode;

use skep_api::ontology::{Entity as Listed, EntityQuery, Proposal, ProposalQuery, ProposalRequest};

use crate::args::{Entity, Ontology};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::one_line;

pub(super) async fn run(context: &Context<'_>, verb: Entity) -> Result<ExitCode, Failure> {
    match verb {
        Entity::List { limit } => list(context, limit).await,
        Entity::Show { name } => show(context, name).await,
    }
}

async fn list(context: &Context<'_>, limit: u32) -> Result<ExitCode, Failure> {
    let query = EntityQuery { limit: Some(limit) };
    let found = context.client().await?.entities(&query).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        out.line("No memory names anything yet.")?;
    }
    for Listed {
        name,
        kind,
        memories,
        ..
    } in &found.items
    {
        out.line(&format!("{memories:>5}  {kind:8} {}", one_line(name)))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(context: &Context<'_>, name: String) -> Result<ExitCode, Failure> {
    let told = context.client().await?.relations(name).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let style = out.style();
    out.line(&style.bold(&format!("{} ({})", one_line(&told.name), told.kind)))?;
    if told.memories.is_empty() {
        out.line("No memory that you may see names it.")?;
        return Ok(ExitCode::SUCCESS);
    }
    for relation in told.relations.iter().take(20) {
        let name = one_line(&relation.name);
        let line = format!("  {:12} {name} ({})", relation.relation, relation.memories);
        out.line(&line)?;
    }
    out.line("")?;
    for memory in told.memories.iter().take(20) {
        out.line(&format!("  {}", one_line(&memory.key)))?;
        out.line(&style.dim(&format!("    {}", memory.id)))?;
    }
    let more = told.memories.len().saturating_sub(20);
    if more > 0 {
        out.line(&format!("  and {more} more: --json shows them"))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn ontology(context: &Context<'_>, verb: Ontology) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    match verb {
        Ontology::Propose {
            action,
            name,
            other,
            reason,
        } => {
            let request = ProposalRequest {
                action,
                name,
                other,
                reason,
            };
            let made = client.propose(&request).await?;
            if out.is_json() {
                out.json(&made)?;
            } else {
                line(context, &made)?;
            }
        }
        Ontology::List { state } => {
            let query = ProposalQuery {
                state: Some(state),
                ..ProposalQuery::default()
            };
            let found = client.proposals(&query).await?;
            if out.is_json() {
                out.json(&found)?;
                return Ok(ExitCode::SUCCESS);
            }
            if found.items.is_empty() {
                out.line("None.")?;
            }
            for one in &found.items {
                line(context, one)?;
            }
        }
        Ontology::Accept { id } => {
            let decided = client.decide_proposal(&id, true).await?;
            if out.is_json() {
                out.json(&decided)?;
            } else {
                out.line("Accepted: it holds from the next recall on.")?;
            }
        }
        Ontology::Reject { id } => {
            let decided = client.decide_proposal(&id, false).await?;
            if out.is_json() {
                out.json(&decided)?;
            } else {
                out.line("Rejected.")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(context: &Context<'_>, one: &Proposal) -> Result<(), Failure> {
    let out = context.output;
    let other = one.other.as_deref().map(one_line);
    let names = match other {
        Some(other) => format!("{} → {other}", one_line(&one.name)),
        None => one_line(&one.name),
    };
    out.line(&format!("{} {names} · {}", one.action, one.state))?;
    let reason = one_line(&one.reason);
    Ok(out.line(&out.style().dim(&format!("    {reason} · {}", one.id)))?)
}
