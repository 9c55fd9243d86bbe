//! `skep whoami`, `skep org`, `skep workspace`, `skep audit list`.

use std::process::ExitCode;

use skep_api::access::{AuditEntry, NameRequest, StandingRequest};
use skep_api::page::{Page, PageQuery};
use skep_api::people::FactorRuleRequest;
use skep_client::Client;

use super::{jobs, sso};
use crate::args::access::{Org, Workspace};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};
use crate::output::Output;

pub(super) async fn whoami(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let who = context.client().await?.whoami().await?;
    let out = context.output;
    if out.is_json() {
        out.json(&who)?;
        return Ok(ExitCode::SUCCESS);
    }
    let organization = who.organization_name.as_deref().map_or_else(
        || who.organization.clone(),
        |name| format!("{} ({})", one_line(name), who.organization),
    );
    let rows = [
        ("you", who.principal.clone()),
        ("role", who.role.clone()),
        ("organization", organization),
        ("workspace", who.workspace.clone()),
        (
            "credential",
            format!("{} ({})", who.credential_kind, who.credential),
        ),
        ("may", who.permissions.join(", ")),
    ];
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn org(context: &Context<'_>, verb: Org) -> Result<ExitCode, Failure> {
    // The logins of this home are switched here; all else is asked of the daemon.
    if let Org::Switch { organization } = &verb {
        return super::login::switch(context, organization.as_deref()).await;
    }
    let mut client = context.client().await?;
    let out = context.output;
    let changed = match verb {
        Org::Switch { .. } | Org::List => return list_organizations(&mut client, out).await,
        Org::Name { name } => client.name_organization(&NameRequest { name }).await?,
        Org::Suspend { name } => {
            let request = standing(name, "suspended");
            client.set_organization_standing(&request).await?
        }
        Org::Resume { name } => {
            let request = standing(name, "active");
            client.set_organization_standing(&request).await?
        }
        Org::SecondFactor { what } => return second_factor(context, &mut client, &what).await,
        Org::Key { what } => return own_key(context, &mut client, &what).await,
        Org::Sso(verb) => return sso::run(context, &mut client, verb).await,
    };
    if out.is_json() {
        out.json(&changed)?;
    } else {
        out.line(&organization(&changed).join("  "))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn second_factor(
    context: &Context<'_>,
    client: &mut Client,
    what: &str,
) -> Result<ExitCode, Failure> {
    let rule = if what == "show" {
        client.factor_rule().await?
    } else {
        let required = what == "require";
        client
            .set_factor_rule(&FactorRuleRequest { required })
            .await?
    };
    if context.output.is_json() {
        context.output.json(&rule)?;
    } else {
        let asked = if rule.required {
            "asked of every member"
        } else {
            "not asked for"
        };
        let text = format!(
            "A second factor is {asked}; members without one: {}.",
            rule.without
        );
        context.output.line(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn own_key(
    context: &Context<'_>,
    client: &mut Client,
    what: &str,
) -> Result<ExitCode, Failure> {
    let key = match what {
        "withdraw" => client.withdraw_key().await?,
        "restore" => client.restore_key().await?,
        _ => client.own_key().await?,
    };
    let out = context.output;
    if out.is_json() {
        out.json(&key)?;
        return Ok(ExitCode::SUCCESS);
    }
    let stands = match key.state.as_str() {
        "open" => "is given: its workspaces are open",
        "withdrawn" => {
            "is withdrawn: nothing of its workspaces can be read until somebody runs skep org key restore"
        }
        "refused" => {
            "is not given by whoever keeps it: nothing of its workspaces can be read until they give it"
        }
        "away" => {
            "cannot be had, since whoever keeps it does not answer: nothing of its workspaces can be read until they do"
        }
        "released" => "was given up: its workspaces open without it",
        _ => "is kept where this daemon was not told: nothing of its workspaces can be read",
    };
    out.line(&format!("The organization's own key {stands}."))?;
    out.line(&format!(
        "{} of {} workspaces are under it; it is asked for every {} seconds at the latest.",
        key.enclosed, key.workspaces, key.ask_every_seconds
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn list_organizations(client: &mut Client, out: &Output) -> Result<ExitCode, Failure> {
    let found = client.organizations().await?;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = found.items.iter().map(organization).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn standing(organization: String, standing: &str) -> StandingRequest {
    StandingRequest {
        organization,
        standing: standing.into(),
    }
}

fn organization(one: &skep_api::access::Organization) -> Vec<String> {
    let name = one.name.as_deref().map_or("(no name yet)".into(), one_line);
    vec![
        if one.current { "*" } else { " " }.to_owned(),
        name,
        one.role.clone().unwrap_or_default(),
        one.standing.clone(),
    ]
}

pub(super) async fn workspace(context: &Context<'_>, verb: Workspace) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    match verb {
        Workspace::Delete { name, yes, wait } => {
            return jobs::delete_workspace(context, &mut client, &name, (yes, wait)).await;
        }
        Workspace::Inventory => return jobs::inventory(context, &mut client).await,
        Workspace::List => {
            let found = client.workspaces().await?;
            if out.is_json() {
                out.json(&found)?;
                return Ok(ExitCode::SUCCESS);
            }
            for one in &found.items {
                let mark = if one.current { "*" } else { " " };
                out.line(&format!("{mark} {}  {}", one_line(&one.name), one.id))?;
            }
        }
        Workspace::Create { name } => {
            let made = client.create_workspace(&NameRequest { name }).await?;
            if out.is_json() {
                out.json(&made)?;
            } else {
                out.line(&format!("made: {}  {}", one_line(&made.name), made.id))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn audit(
    context: &Context<'_>,
    limit: u32,
    cursor: Option<String>,
) -> Result<ExitCode, Failure> {
    let page = PageQuery::new(limit, cursor);
    let found = context.client().await?.audit(&page).await?;
    listed(context, &found, ("list", "Nothing is recorded yet."))
}

pub(super) async fn alerts(
    context: &Context<'_>,
    limit: u32,
    cursor: Option<String>,
) -> Result<ExitCode, Failure> {
    let page = PageQuery::new(limit, cursor);
    let found = context.client().await?.audit_alerts(&page).await?;
    let nothing = "Nobody was refused so often that it would be told.";
    listed(context, &found, ("alerts", nothing))
}

fn listed(
    context: &Context<'_>,
    found: &Page<AuditEntry>,
    (verb, nothing): (&str, &str),
) -> Result<ExitCode, Failure> {
    let out = context.output;
    if out.is_json() {
        out.json(found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        out.line(nothing)?;
    }
    let rows: Vec<Vec<String>> = found.items.iter().map(entry).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if let Some(next) = &found.next {
        out.note(&format!("older entries: skep audit {verb} --cursor {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn who_saw(
    context: &Context<'_>,
    id: &str,
    (limit, cursor): (u32, Option<String>),
) -> Result<ExitCode, Failure> {
    let page = PageQuery::new(limit, cursor);
    let found = context.client().await?.who_saw(id, &page).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        out.line("Nobody but its owner was shown it, since reads are recorded.")?;
    }
    let rows = found.items.iter().map(|entry| {
        let at: String = entry.at.to_string().chars().take(19).collect();
        let who = entry.principal.clone().unwrap_or_else(|| "–".into());
        vec![entry.seq.to_string(), at, who, one_line(&entry.reason)]
    });
    for line in columns(&rows.collect::<Vec<_>>()) {
        out.line(&line)?;
    }
    if let Some(next) = &found.next {
        out.note(&format!(
            "older entries: skep audit who-saw {id} --cursor {next}"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn entry(entry: &AuditEntry) -> Vec<String> {
    let times = if entry.times > 1 {
        format!("{} times", entry.times)
    } else {
        String::new()
    };
    let erased = if entry.erased { "erased" } else { "" };
    let at: String = entry.at.to_string().chars().take(19).collect();
    vec![
        entry.seq.to_string(),
        at,
        entry.outcome.clone(),
        one_line(&entry.action),
        entry.target.as_deref().map(one_line).unwrap_or_default(),
        entry.principal.clone().unwrap_or_else(|| "–".into()),
        [entry.reason.as_str(), times.as_str(), erased]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
    ]
}
