//! `skep key`, `skep token`, `skep agent`: who else may enter, and what proves them.

use std::process::ExitCode;

use skep_api::access::{
    Agent as Listed, CreateAgentRequest, CreateKeyRequest, CreateTokenRequest, CreatedKey,
    EditAgentRequest, Key as Shown,
};
use skep_api::context::{AgentContext, SetAgentContextRequest};
use skep_api::page::{Page, PageQuery};
use skep_api::system::Rotation;
use skep_api::{Instant, Timestamp};
use skep_client::Client;

use super::memory_view::date;
use crate::args::access::{Agent, Key, Narrow, Reads, Token};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};
use crate::stopwatch::wall_clock;

/// Seconds that a token lives if nobody says otherwise.
const TOKEN_SECONDS: u64 = 90 * 86_400;

/// As many as one page may hold.
const ALL: PageQuery = PageQuery {
    limit: Some(200),
    cursor: None,
};

/// The keys of the installation, and when those that were replaced are done with.
fn rotation(context: &Context<'_>, found: &Rotation) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(found)?);
    }
    let peppers = found.peppers.iter().map(|one| {
        let state = match (one.in_force, one.retires_at) {
            (true, _) => "in force".to_owned(),
            (false, Some(end)) => format!("done with on {}", date(end)),
            (false, None) => "until the last key under it is revoked".to_owned(),
        };
        let guards = format!("{} credentials", one.credentials);
        vec!["pepper".to_owned(), one.number.to_string(), state, guards]
    });
    let signing = found.signing.iter().map(|key| {
        let state = match (key.signs, key.retires_at) {
            (true, _) => "signs".to_owned(),
            (false, Some(end)) => format!("done with at {end}"),
            (false, None) => format!("signs from {}", date(key.signs_from)),
        };
        vec![
            "signing".to_owned(),
            one_line(&key.id),
            state,
            String::new(),
        ]
    });
    let vault = found.vault.as_ref().map(|vault| {
        let state = if vault.under_way {
            "in force; the one before counts until nothing is sealed with it"
        } else {
            "in force"
        };
        let number = vault.number.to_string();
        vec!["vault".to_owned(), number, state.to_owned(), String::new()]
    });
    for line in columns(&peppers.chain(signing).chain(vault).collect::<Vec<_>>()) {
        out.line(&line)?;
    }
    Ok(())
}

pub(super) async fn key(context: &Context<'_>, verb: Key) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    match verb {
        Key::Create {
            label,
            agent,
            runner,
            connector,
            harness,
            projects,
            narrow,
        } => {
            let agent = match agent {
                Some(agent) => Some(find(&mut client, &agent).await?),
                None => None,
            };
            let (permissions, expires_at) = narrowed(narrow);
            let request = CreateKeyRequest {
                label,
                kind: runner.then(|| "runner".to_owned()),
                agent,
                connector,
                harness,
                projects,
                permissions,
                expires_at,
            };
            let created = client.create_key(&request).await?;
            show_once(context, &created)?;
        }
        Key::Rotation => rotation(context, &client.rotation().await?)?,
        Key::RotatePepper => rotation(context, &client.rotate_pepper().await?)?,
        Key::RotateVault => rotation(context, &client.rotate_vault().await?)?,
        Key::RotateSigning => rotation(context, &client.rotate_signing().await?)?,
        Key::List => show(context, &client.keys(&ALL).await?)?,
        Key::Revoke { id } => {
            let revoked = client.revoke_key(&id).await?;
            say_revoked(context, &revoked)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn token(context: &Context<'_>, verb: Token) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    match verb {
        Token::Create { label, mut narrow } => {
            narrow.expires.get_or_insert(TOKEN_SECONDS);
            let (permissions, expires_at) = narrowed(narrow);
            let request = CreateTokenRequest {
                label,
                permissions,
                expires_at: expires_at.unwrap_or(Instant(Timestamp::from_micros(0))),
            };
            let created = client.create_token(&request).await?;
            show_once(context, &created)?;
        }
        Token::List => show(context, &client.tokens(&ALL).await?)?,
        Token::Revoke { id } => {
            let revoked = client.revoke_token(&id).await?;
            say_revoked(context, &revoked)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn narrowed(narrow: Narrow) -> (Option<Vec<String>>, Option<Instant>) {
    let permissions = (!narrow.permissions.is_empty()).then_some(narrow.permissions);
    let end = narrow.expires.map(|seconds| {
        let micros = i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000);
        let now = wall_clock().as_micros();
        Instant(Timestamp::from_micros(now.saturating_add(micros)))
    });
    (permissions, end)
}

/// The secret goes to stdout alone, so that it can be piped to where it belongs.
fn show_once(context: &Context<'_>, created: &CreatedKey) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(created)?);
    }
    out.line(&created.secret)?;
    let end = created.key.expires_at.map_or_else(
        || "does not end".to_owned(),
        |end| format!("ends {}", date(end)),
    );
    out.note(&format!(
        "{} {}, {end}. This is the only time it is shown: keep it now.",
        one_line(&created.key.label),
        created.key.id
    ));
    Ok(())
}

fn show(context: &Context<'_>, page: &Page<Shown>) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(page)?);
    }
    if page.items.is_empty() {
        return Ok(out.line("There are none.")?);
    }
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if page.next.is_some() {
        out.note("there are more than these 200");
    }
    Ok(())
}

fn row(key: &Shown) -> Vec<String> {
    let standing = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", date(at)),
        (None, Some(end)) => format!("ends {}", date(end)),
        (None, None) => "does not end".into(),
    };
    let used = key
        .used_at
        .map_or_else(|| "never used".into(), |at| format!("used {}", date(at)));
    vec![
        key.id.clone(),
        key.kind.clone(),
        one_line(&key.label),
        key.principal.clone().unwrap_or_default(),
        standing,
        used,
    ]
}

fn say_revoked(context: &Context<'_>, revoked: &skep_api::access::Revoked) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(revoked)?);
    }
    Ok(out.line(&format!("revoked: {} is refused from now on", revoked.id))?)
}

pub(super) async fn agent(context: &Context<'_>, verb: Agent) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let changed = match verb {
        Agent::List => {
            list_agents(context, &mut client).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Agent::Context {
            agent,
            memory,
            capture,
        } => {
            let set = agent.zip(memory);
            let set =
                set.map(|(agent, memory)| (agent, SetAgentContextRequest { memory, capture }));
            contexts(context, &mut client, set).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Agent::Create { name, reads } => {
            let (policy, group) = policy(reads);
            let request = CreateAgentRequest {
                name,
                policy,
                group,
            };
            client.create_agent(&request).await?
        }
        Agent::Set { agent, reads } => {
            let (policy, group) = policy(reads);
            if policy.is_none() {
                return Err(Failure::usage("say --reads or --group"));
            }
            let request = EditAgentRequest {
                policy,
                group,
                standing: None,
            };
            let id = find(&mut client, &agent).await?;
            client.edit_agent(&id, &request).await?
        }
        Agent::Suspend { agent } => stand(&mut client, &agent, "suspended").await?,
        Agent::Resume { agent } => stand(&mut client, &agent, "active").await?,
    };
    let out = context.output;
    if out.is_json() {
        out.json(&changed)?;
    } else {
        out.line(&agent_row(&changed).join("  "))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn policy(reads: Reads) -> (Option<String>, Option<String>) {
    match reads.group {
        Some(group) => (Some("group".into()), Some(group)),
        None => (reads.reads, None),
    }
}

async fn stand(client: &mut Client, agent: &str, standing: &str) -> Result<Listed, Failure> {
    let id = find(client, agent).await?;
    let request = EditAgentRequest {
        standing: Some(standing.into()),
        ..EditAgentRequest::default()
    };
    Ok(client.edit_agent(&id, &request).await?)
}

async fn list_agents(context: &Context<'_>, client: &mut Client) -> Result<(), Failure> {
    let found = client.agents(&ALL).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    if found.items.is_empty() {
        return Ok(out.line("There are none: skep agent create NAME")?);
    }
    let rows: Vec<Vec<String>> = found.items.iter().map(agent_row).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(())
}

/// Sets what is put into the calls of an agent, or shows what is set.
async fn contexts(
    context: &Context<'_>,
    client: &mut Client,
    set: Option<(String, SetAgentContextRequest)>,
) -> Result<(), Failure> {
    let out = context.output;
    if let Some((agent, request)) = set {
        let id = find(client, &agent).await?;
        let set = client.set_agent_context(&id, &request).await?;
        if out.is_json() {
            return Ok(out.json(&set)?);
        }
        let text = format!("{}: {}", one_line(&agent), given(&set));
        return Ok(out.line(&text)?);
    }
    let found = client.agent_contexts().await?;
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    if found.items.is_empty() {
        let text = "nothing is put into the calls of agents: skep agent context NAME --memory on";
        return Ok(out.line(text)?);
    }
    for set in &found.items {
        out.line(&format!("{}  {}", set.agent, given(set)))?;
    }
    Ok(())
}

fn given(set: &AgentContext) -> String {
    let kept = if set.capture {
        ", what is said is kept"
    } else {
        ""
    };
    format!("memory {}{kept}", set.memory)
}

fn agent_row(agent: &Listed) -> Vec<String> {
    let reads = agent.group.as_deref().map_or_else(
        || agent.policy.clone(),
        |group| format!("group {}", one_line(group)),
    );
    vec![
        agent.id.clone(),
        one_line(&agent.name),
        reads,
        agent.standing.clone(),
    ]
}

/// The id of an agent given by id or by name.
async fn find(client: &mut Client, given: &str) -> Result<String, Failure> {
    if given.starts_with("agt_") {
        return Ok(given.to_owned());
    }
    let mut page = ALL;
    loop {
        let found = client.agents(&page).await?;
        if let Some(agent) = found.items.into_iter().find(|agent| agent.name == given) {
            return Ok(agent.id);
        }
        page.cursor = Some(found.next.ok_or_else(|| {
            Failure::new("NO_AGENT", format!("there is no agent {}", one_line(given)))
                .hint("skep agent list shows those there are")
        })?);
    }
}
