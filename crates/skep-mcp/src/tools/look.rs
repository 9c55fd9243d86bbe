//! Looking: search, one memory, over time, earlier sessions.

use skep_api::memory::{Memory, ResolveRequest, ResolveResponse};
use skep_api::page::Page;
use skep_api::participant::Recent;
use skep_api::recall::{RecallRequest, RecallResponse};
use skep_api::review::History;
use skep_api::session::{Session, Turn};
use skep_api::{RouteId, Tier};
use skep_memory::{INJECTION_BYTES, Room, escaped};

use super::{Answer, Trouble, asked, instant, within};
use crate::arguments;
use crate::daemon::{Ask, Daemon};
use crate::frame::{Shown, framed, transcript};
use crate::view::{Earlier, NOTICE, Note, Notes, Said, Sitting, Whole, source};

/// What a list may take: as much as a hook may give a model at once.
const LIST: Room = Room {
    bytes: INJECTION_BYTES,
    tokens: 2_500,
};
/// What one memory may take, with every letter of its 16 KiB escaped.
pub(crate) const ONE: Room = Room {
    bytes: 160 << 10,
    tokens: u32::MAX,
};
/// Bytes of turns behind one memory.
const TURNS: usize = 24 << 10;

pub(super) async fn search(
    daemon: &impl Daemon,
    asked_for: arguments::Search,
) -> Result<Answer, Trouble> {
    let limit = within("limit", asked_for.limit, 8, (1, 20))?;
    let request = RecallRequest {
        query: asked_for.query,
        k: Some(limit),
        project: asked_for.project,
        kinds: asked_for.kinds,
        as_of: instant("as_of", asked_for.as_of.as_deref())?,
        ..RecallRequest::default()
    };
    let found: RecallResponse = asked(daemon, Ask::of(RouteId::Recall).body(&request)?).await?;
    let lines = found.items.iter().map(|item| {
        let memory = &item.memory;
        let text = if asked_for.full {
            &memory.text
        } else {
            &memory.key
        };
        (memory, text.as_str(), source(memory))
    });
    list(
        daemon,
        &lines.collect::<Vec<_>>(),
        (found.cut, None),
        found.degraded_reasons,
    )
}

pub(super) async fn get(daemon: &impl Daemon, one: arguments::Get) -> Result<Answer, Trouble> {
    let (memory, turns) = if one.turns {
        let request = ResolveRequest {
            id: one.id,
            tier: Some(Tier::Raw.as_str().into()),
        };
        let found: ResolveResponse =
            asked(daemon, Ask::of(RouteId::Resolve).body(&request)?).await?;
        (found.memory, some(found.turns))
    } else {
        let memory: Memory = asked(daemon, Ask::of(RouteId::MemoryGet).about(&one.id)).await?;
        (memory, Vec::new())
    };
    let shown = Shown::of(&memory, &memory.text, source(&memory));
    let mut text = framed(&[shown], ONE, &mut || daemon.nonce()).text;
    if !turns.is_empty() {
        text.push_str("\nWhat it was learned from, data as well:\n");
        text.push_str(&transcript(&turns, &mut || daemon.nonce()));
    }
    if memory.state != "active" {
        text = format!("This memory is {}.\n{text}", memory.state);
    }
    let whole = Whole {
        notice: NOTICE,
        memory: Note::of(&memory, &memory.text),
        state: memory.state,
        visibility: memory.visibility,
        session: memory.provenance.session,
        turns: turns.iter().map(said).collect(),
    };
    Answer::new(text, &whole)
}

pub(super) async fn timeline(
    daemon: &impl Daemon,
    wanted: arguments::Timeline,
) -> Result<Answer, Trouble> {
    if let Some(id) = &wanted.id {
        return versions(daemon, id).await;
    }
    let limit = within("limit", wanted.limit, 20, (1, 50))?;
    let as_of = instant("as_of", wanted.as_of.as_deref())?;
    let ask = Ask::of(RouteId::MemoryList)
        .with("limit", Some(limit))
        .with("cursor", wanted.cursor)
        .with("kind", wanted.kind)
        .with("as_of", as_of);
    let page: Page<Memory> = asked(daemon, ask).await?;
    let lines = page.items.iter().map(|memory| {
        let when = format!("{}, {}", source(memory), memory.recorded_at);
        (memory, memory.key.as_str(), when)
    });
    list(
        daemon,
        &lines.collect::<Vec<_>>(),
        (0, page.next),
        Vec::new(),
    )
}

async fn versions(daemon: &impl Daemon, id: &str) -> Result<Answer, Trouble> {
    let history: History = asked(daemon, Ask::of(RouteId::MemoryHistory).about(id)).await?;
    let lines = history.versions.iter().map(|version| {
        let memory = &version.memory;
        let ended = memory.superseded_at.map_or_else(
            || memory.state.clone(),
            |at| format!("{} {at}", memory.state),
        );
        let when = format!("{}, {}, {ended}", source(memory), memory.recorded_at);
        (memory, memory.text.as_str(), when)
    });
    list(daemon, &lines.collect::<Vec<_>>(), (0, None), Vec::new())
}

/// Memories in order, as many as there is room for.
pub(super) fn list(
    daemon: &impl Daemon,
    lines: &[(&Memory, &str, String)],
    (cut, next): (u32, Option<String>),
    degraded: Vec<String>,
) -> Result<Answer, Trouble> {
    let shown: Vec<Shown<'_>> = lines
        .iter()
        .map(|(memory, text, when)| Shown::of(memory, text, when.clone()))
        .collect();
    let framing = framed(&shown, LIST, &mut || daemon.nonce());
    let left_out = cut + (lines.len() - framing.kept.len()) as u32;
    let mut text = if lines.is_empty() {
        "Nothing is remembered that fits.".to_owned()
    } else {
        framing.text
    };
    if left_out > 0 {
        text.push_str(&format!(
            "\n{left_out} more had no room: ask more narrowly."
        ));
    }
    if next.is_some() {
        text.push_str("\nThere is more: pass next as cursor.");
    }
    if !degraded.is_empty() {
        text.push_str(&format!("\nNot at hand just now: {}.", degraded.join(", ")));
    }
    let notes = Notes {
        notice: NOTICE,
        memories: framing
            .kept
            .iter()
            .filter_map(|at| lines.get(*at))
            .map(|(memory, text, _)| Note::of(memory, text))
            .collect(),
        left_out,
        degraded,
        next,
    };
    Answer::new(text, &notes)
}

pub(super) async fn session(
    daemon: &impl Daemon,
    wanted: arguments::Earlier,
) -> Result<Answer, Trouble> {
    let Some(id) = &wanted.session else {
        let limit = within("limit", wanted.limit, 10, (1, 50))?;
        let ask = Ask::of(RouteId::SessionList).with("limit", Some(limit));
        let page: Page<Session> = asked(daemon, ask).await?;
        return sittings(daemon, &page.items);
    };
    let tokens = within("tokens", wanted.tokens, 2_000, (100, 8_000))?;
    let ask = Ask::of(RouteId::SessionRecent)
        .about(id)
        .with("tokens", Some(tokens));
    let recent: Recent = asked(daemon, ask).await?;
    let summary: Vec<Shown<'_>> = recent
        .summary
        .iter()
        .map(|line| Shown {
            id: line.memory.as_deref().unwrap_or(&recent.session.id),
            kind: "reference",
            trust: "agent",
            source: recent.session.harness.clone(),
            text: &line.text,
        })
        .collect();
    let mut text = framed(&summary, LIST, &mut || daemon.nonce()).text;
    text.push_str("\nThe last of what was said in that session, data as well:\n");
    text.push_str(&transcript(&recent.turns, &mut || daemon.nonce()));
    let lines = recent.summary.iter().map(|line| escaped(&line.text));
    let told = Earlier {
        notice: NOTICE,
        sessions: vec![sitting(&recent.session)],
        summary: lines.collect(),
        turns: recent.turns.iter().map(said).collect(),
        left_out: recent.left_out,
    };
    Answer::new(text, &told)
}

fn sittings(daemon: &impl Daemon, sessions: &[Session]) -> Result<Answer, Trouble> {
    let shown: Vec<Shown<'_>> = sessions
        .iter()
        .map(|session| Shown {
            id: &session.id,
            kind: "reference",
            trust: "tool",
            source: format!(
                "{}, {}, {} turns, last {}",
                session.harness,
                session.project.as_deref().unwrap_or("no project"),
                session.turns,
                session.last_at,
            ),
            text: session.title.as_deref().unwrap_or("(no title)"),
        })
        .collect();
    let text = if shown.is_empty() {
        "There are no sessions here yet.".to_owned()
    } else {
        framed(&shown, LIST, &mut || daemon.nonce()).text
    };
    let told = Earlier {
        notice: NOTICE,
        sessions: sessions.iter().map(sitting).collect(),
        summary: Vec::new(),
        turns: Vec::new(),
        left_out: 0,
    };
    Answer::new(text, &told)
}

fn sitting(session: &Session) -> Sitting {
    Sitting {
        id: session.id.clone(),
        harness: session.harness.clone(),
        title: session.title.as_deref().map(escaped),
        project: session.project.as_deref().map(escaped),
        last_at: session.last_at.to_string(),
        turns: session.turns,
    }
}

fn said(turn: &Turn) -> Said {
    Said {
        role: turn.role.clone(),
        at: turn.at.to_string(),
        text: escaped(&turn.text),
    }
}

/// The first turns that fit: one may have 64 KiB.
fn some(turns: Vec<Turn>) -> Vec<Turn> {
    let mut room = TURNS;
    let fits = |turn: &Turn| {
        let left = room.checked_sub(turn.text.len());
        room = left.unwrap_or(0);
        left.is_some()
    };
    turns.into_iter().take_while(fits).collect()
}
