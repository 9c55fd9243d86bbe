//! `skep participant`: who is there, under which name, and in which session.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use skep_api::page::Page;
use skep_api::participant::{
    AddParticipantRequest, Card, CardRequest, JoinRequest, LeaveRequest, Members, MergeRequest,
    NameSelfRequest, Observation, ObservationQuery, Participant, ParticipantQuery,
};
use skep_api::{ErrorCode, Limits};
use skep_client::Client;

use super::memory_view::date;
use crate::args::people::Participant as Verb;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line, shortened, wrapped};

pub(super) async fn run(context: &Context<'_>, verb: Verb) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    match verb {
        Verb::Add { name, kind, own } => add(context, &mut client, name, kind, own).await?,
        Verb::List { limit } => list(context, &mut client, limit).await?,
        Verb::Show {
            participant,
            observer,
        } => show(context, &mut client, &participant, observer).await?,
        Verb::Card {
            participant,
            facts,
            hide,
            clear,
        } => {
            let edit = (clear || !facts.is_empty() || !hide.is_empty()).then_some(CardRequest {
                facts,
                hidden: hide,
            });
            card(context, &mut client, &participant, edit).await?;
        }
        Verb::Merge {
            participant, into, ..
        } => merge(context, &mut client, &participant, into).await?,
        Verb::Delete { participant, yes } => {
            delete(context, &mut client, &participant, yes).await?;
        }
        Verb::Members { session } => {
            let members = client.members(&session).await?;
            show_members(context, &members)?;
        }
        Verb::Join {
            session,
            participant,
            turn,
            since,
        } => {
            let participant = find(&mut client, &participant).await?;
            let request = JoinRequest {
                participant,
                turn,
                since,
            };
            let members = client.join_session(&session, &request).await?;
            show_members(context, &members)?;
        }
        Verb::Leave {
            session,
            participant,
            turn,
        } => leave(context, &mut client, &session, participant, turn).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The id of a participant given by id, by name, or as `me`.
pub(super) async fn find(client: &mut Client, given: &str) -> Result<String, Failure> {
    if given.starts_with("prt_") {
        return Ok(given.to_owned());
    }
    let query = ParticipantQuery {
        own: given == "me",
        name: (given != "me").then(|| given.to_owned()),
        ..ParticipantQuery::default()
    };
    let mut found = client.participants(&query).await?.items;
    match found.pop() {
        Some(one) => Ok(one.id),
        None if given == "me" => Err(Failure::new(
            "NO_PARTICIPANT",
            "you are no participant yet: nothing was captured, observed or named by you",
        )
        .hint("skep participant add --self NAME")),
        None => Err(Failure::new(
            "NO_PARTICIPANT",
            format!("there is no participant called {given} that you reach"),
        )
        .hint("skep participant list shows whom you share a session with, added, or are")),
    }
}

async fn add(
    context: &Context<'_>,
    client: &mut Client,
    name: String,
    kind: String,
    own: bool,
) -> Result<(), Failure> {
    let added = if own {
        client.name_self(&NameSelfRequest { name }).await?
    } else {
        let kind = Some(kind);
        client
            .add_participant(&AddParticipantRequest { name, kind })
            .await?
    };
    show_one(context, &added)
}

async fn list(context: &Context<'_>, client: &mut Client, limit: u32) -> Result<(), Failure> {
    let mut all: Page<Participant> = Page {
        items: Vec::new(),
        next: None,
    };
    loop {
        let wanted = limit - u32::try_from(all.items.len()).unwrap_or(limit);
        let query = ParticipantQuery {
            limit: Some(wanted.min(Limits::PAGE_MAX)),
            cursor: all.next.take(),
            ..ParticipantQuery::default()
        };
        let page = client.participants(&query).await?;
        all.items.extend(page.items);
        all.next = page.next;
        if all.next.is_none() || all.items.len() >= limit as usize {
            break;
        }
    }
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&all)?);
    }
    let rows: Vec<_> = all.items.iter().map(row).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if all.items.is_empty() {
        out.line("No participants yet. Say your own name with: skep participant add --self NAME")?;
    } else if all.next.is_some() {
        out.note(&format!("the newest {}; more with -n", all.items.len()));
    }
    Ok(())
}

async fn show(
    context: &Context<'_>,
    client: &mut Client,
    participant: &str,
    observer: Option<String>,
) -> Result<(), Failure> {
    let id = find(client, participant).await?;
    let one = client.participant(&id).await?;
    let observer = match observer {
        Some(observer) => Some(find(client, &observer).await?),
        None => None,
    };
    let query = ObservationQuery {
        observer,
        ..ObservationQuery::default()
    };
    let out = context.output;
    // Without consent there is still somebody to show.
    let observations: Option<Page<Observation>> = match client.observations(&id, &query).await {
        Ok(page) => Some(page),
        Err(error) if error.code() == Some(ErrorCode::ConsentRequired) => None,
        Err(error) => return Err(error.into()),
    };
    if out.is_json() {
        let value = serde_json::json!({ "participant": one, "observations": observations });
        return Ok(out.json(&value)?);
    }
    show_one(context, &one)?;
    match observations {
        None => out.note("no consent: nothing may be observed about them, or shown"),
        Some(page) if page.items.is_empty() => out.note("nothing was observed about them"),
        Some(page) => {
            for observation in &page.items {
                out.line("")?;
                show_observation(context, observation)?;
            }
        }
    }
    Ok(())
}

async fn card(
    context: &Context<'_>,
    client: &mut Client,
    participant: &str,
    edit: Option<CardRequest>,
) -> Result<(), Failure> {
    let id = find(client, participant).await?;
    if let Some(edit) = edit {
        client.edit_card(&id, &edit).await?;
    }
    let card = client.card(&id).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&card)?);
    }
    show_one(context, &card.participant)?;
    show_facts(context, &card)
}

fn show_facts(context: &Context<'_>, card: &Card) -> Result<(), Failure> {
    let out = context.output;
    for fact in &card.facts {
        let origin = match (&fact.observer, &fact.memory) {
            (Some(observer), Some(memory)) => format!(
                "observed by {} · {} · {}",
                one_line(observer),
                one_line(memory),
                fact.at.map(date).unwrap_or_default()
            ),
            _ => "own words".to_owned(),
        };
        out.line(&wrapped(&fact.text, out.width(), 2))?;
        out.line(&out.style().dim(&format!("    {origin}")))?;
    }
    if card.facts.is_empty() {
        out.note("the card is empty");
    } else if card.cut > 0 {
        out.note(&format!("{} more observations did not fit", card.cut));
    }
    Ok(())
}

async fn merge(
    context: &Context<'_>,
    client: &mut Client,
    participant: &str,
    into: Option<String>,
) -> Result<(), Failure> {
    let id = find(client, participant).await?;
    let shown = if let Some(into) = into {
        let into = find(client, &into).await?;
        client
            .merge_participant(&id, &MergeRequest { into })
            .await?
    } else {
        let shown = client.unmerge_participant(&id).await;
        shown.map_err(|error| match error.code() {
            Some(ErrorCode::Conflict) if id != participant => Failure::from(error).hint(
                "the name of one that was merged leads to the other: give its id, such as prt_0e…",
            ),
            _ => error.into(),
        })?
    };
    if !context.output.is_json() {
        context
            .output
            .note(&format!("undo with: skep participant merge --undo {id}"));
    }
    show_one(context, &shown)
}

async fn delete(
    context: &Context<'_>,
    client: &mut Client,
    participant: &str,
    yes: bool,
) -> Result<(), Failure> {
    let id = find(client, participant).await?;
    let one = client.participant(&id).await?;
    if !yes && !confirmed(context, &one)? {
        return Err(
            Failure::usage("deleting a participant cannot be undone").hint("say it with --yes")
        );
    }
    let deleted = client.delete_participant(&id).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&deleted)?);
    }
    Ok(out.line(&format!(
        "deleted: {} participants, {} memories about them",
        deleted.participants, deleted.memories
    ))?)
}

fn confirmed(context: &Context<'_>, one: &Participant) -> Result<bool, Failure> {
    if context.output.is_json() || !io::stdin().is_terminal() {
        return Ok(false);
    }
    context.output.complain(&format!(
        "Delete {} ({}) with all that was observed about it? Type yes:",
        shortened(one.name.as_deref().unwrap_or("one without a name"), 60),
        one_line(&one.id)
    ));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

async fn leave(
    context: &Context<'_>,
    client: &mut Client,
    session: &str,
    participant: Option<String>,
    turn: Option<u64>,
) -> Result<(), Failure> {
    let participant = match participant {
        Some(given) => Some(find(client, &given).await?),
        None => None,
    };
    let request = LeaveRequest {
        participant,
        turn,
        until: None,
    };
    let members = client.leave_session(session, &request).await?;
    show_members(context, &members)
}

fn show_members(context: &Context<'_>, members: &Members) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(members)?);
    }
    let rows: Vec<_> = members
        .members
        .iter()
        .map(|member| {
            let to = member
                .to_turn
                .map_or_else(|| "now".to_owned(), |to| to.to_string());
            vec![
                one_line(&member.participant),
                format!("turns {} to {to}", member.from_turn),
                format!("since {}", date(member.joined_at)),
            ]
        })
        .collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if members.members.is_empty() {
        out.note("nobody was let in: the session is read by its visibility");
    }
    Ok(())
}

fn show_one(context: &Context<'_>, one: &Participant) -> Result<(), Failure> {
    if context.output.is_json() {
        return Ok(context.output.json(one)?);
    }
    Ok(context.output.line(&columns(&[row(one)]).join(""))?)
}

fn row(one: &Participant) -> Vec<String> {
    let mark = match (one.own, &one.merged_into) {
        (_, Some(into)) => format!("is {}", one_line(into)),
        (true, None) => "you".to_owned(),
        (false, None) => String::new(),
    };
    vec![
        one_line(&one.id),
        shortened(one.name.as_deref().unwrap_or("-"), 40),
        one_line(&one.kind),
        mark,
    ]
}

/// One observation: what it says, by whom, when.
pub(super) fn show_observation(
    context: &Context<'_>,
    observation: &Observation,
) -> Result<(), Failure> {
    let out = context.output;
    let kind = if observation.derived {
        "derived from what was observed by"
    } else {
        "observed by"
    };
    let line = format!(
        "{} · {kind} {} · {}",
        one_line(&observation.memory.id),
        one_line(&observation.observer),
        date(observation.memory.recorded_at)
    );
    out.line(&out.style().dim(&line))?;
    Ok(out.line(&wrapped(&observation.memory.text, out.width(), 2))?)
}
