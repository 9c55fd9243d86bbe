//! `skep sessions`: the list, one of them, its turns.

use std::process::ExitCode;

use serde_json::json;
use skep_api::Limits;
use skep_api::page::{Page, PageQuery};
use skep_api::participant::RecentQuery;
use skep_api::session::{Session, Turn};
use skep_client::Client;

use super::memory_view::date;
use crate::args::Sessions;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line, shortened, wrapped};

pub(super) async fn run(context: &Context<'_>, arguments: Sessions) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    match arguments.id {
        None => list(context, &mut client, arguments.limit).await?,
        Some(id) if arguments.recent.is_some() => {
            recent(context, &mut client, &id, arguments.recent).await?;
        }
        Some(id) => {
            let limit = arguments.turns.then_some(arguments.limit);
            one(context, &mut client, &id, limit).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context<'_>, client: &mut Client, limit: u32) -> Result<(), Failure> {
    let mut sessions: Page<Session> = Page {
        items: Vec::new(),
        next: None,
    };
    loop {
        let page = client.sessions(&query(limit, &sessions)).await?;
        if !append(&mut sessions, page, limit) {
            break;
        }
    }
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&sessions)?);
    }
    let rows: Vec<_> = sessions.items.iter().map(row).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if sessions.items.is_empty() {
        out.line("No sessions yet. Read some with: skep import")?;
    } else if sessions.next.is_some() {
        out.note(&format!(
            "the newest {}; more with -n",
            sessions.items.len()
        ));
    }
    Ok(())
}

async fn one(
    context: &Context<'_>,
    client: &mut Client,
    id: &str,
    turns: Option<u32>,
) -> Result<(), Failure> {
    let session = client.session(id).await?;
    let out = context.output;
    let Some(limit) = turns else {
        if out.is_json() {
            out.json(&session)?;
        } else {
            out.line(&columns(&[row(&session)]).join(""))?;
        }
        return Ok(());
    };
    let mut turns: Page<Turn> = Page {
        items: Vec::new(),
        next: None,
    };
    loop {
        let page = client.session_turns(id, &query(limit, &turns)).await?;
        if !append(&mut turns, page, limit) {
            break;
        }
    }
    if out.is_json() {
        return Ok(out.json(&json!({
            "session": session, "turns": turns.items, "next": turns.next,
        }))?);
    }
    out.line(&columns(&[row(&session)]).join(""))?;
    for turn in &turns.items {
        out.line("")?;
        show_turn(context, turn)?;
    }
    if turns.next.is_some() {
        out.note(&format!(
            "the first {} of {} turns; more with -n",
            turns.items.len(),
            session.turns
        ));
    }
    Ok(())
}

/// What came of a session and its latest turns.
async fn recent(
    context: &Context<'_>,
    client: &mut Client,
    id: &str,
    tokens: Option<u32>,
) -> Result<(), Failure> {
    let recent = client.recent(id, &RecentQuery { tokens }).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&recent)?);
    }
    out.line(&columns(&[row(&recent.session)]).join(""))?;
    for line in &recent.summary {
        out.line(&wrapped(&format!("- {}", line.text), out.width(), 2))?;
    }
    for turn in &recent.turns {
        out.line("")?;
        show_turn(context, turn)?;
    }
    out.note(&format!(
        "about {} tokens; {} earlier turns left out",
        recent.tokens, recent.left_out
    ));
    Ok(())
}

fn query<T>(limit: u32, so_far: &Page<T>) -> PageQuery {
    let wanted = limit - u32::try_from(so_far.items.len()).unwrap_or(limit);
    PageQuery {
        limit: Some(wanted.min(Limits::PAGE_MAX)),
        cursor: so_far.next.clone(),
    }
}

/// Adds a page; `true` while more is wanted and there.
fn append<T>(so_far: &mut Page<T>, page: Page<T>, limit: u32) -> bool {
    so_far.items.extend(page.items);
    so_far.next = page.next;
    so_far.next.is_some() && so_far.items.len() < limit as usize
}

fn row(session: &Session) -> Vec<String> {
    vec![
        one_line(&session.id),
        date(session.last_at),
        one_line(&session.harness),
        shortened(session.project.as_deref().unwrap_or("-"), 24),
        format!("{} turns", session.turns),
        format!("{} memories", session.memories),
        shortened(session.title.as_deref().unwrap_or(&session.state), 60),
    ]
}

/// One turn: who, when, what.
pub(super) fn show_turn(context: &Context<'_>, turn: &Turn) -> Result<(), Failure> {
    let out = context.output;
    let tool = turn
        .tool
        .as_deref()
        .map_or_else(String::new, |tool| format!(" {}", one_line(tool)));
    let who = out.style().bold(&format!("{}{tool}", one_line(&turn.role)));
    let rest = format!("{} · {}", turn.at, shortened(&turn.client_event_id, 40));
    out.line(&format!("{who} {}", out.style().dim(&rest)))?;
    if !turn.paths.is_empty() {
        let paths = shortened(&turn.paths.join(", "), 200);
        out.line(&out.style().dim(&wrapped(&paths, out.width(), 2)))?;
    }
    Ok(out.line(&wrapped(&turn.text, out.width(), 2))?)
}
