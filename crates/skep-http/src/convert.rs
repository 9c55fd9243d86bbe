//! Wire types to the application's and back, by hand.

pub(crate) mod people;
pub(crate) mod template;

use skep_api::Instant;
use skep_api::capture::{
    Branch as WireBranch, CaptureRequest, NamedSession, Origin, PauseState, TurnInput,
};
use skep_api::inject::InjectRequest;
use skep_api::memory::{EditRequest, Memory as WireMemory, Provenance, RememberRequest};
use skep_api::recall::RecallRequest;
use skep_api::session::{Session as WireSession, Turn as WireTurn};
use skep_api::source::MemoryInput;
use skep_app::{
    Branch, Capture, Cursor, Edit, Inject, Memory, Pause, PausedSession, Piece, Question, Remember,
    Session, SpoolReport, Statement, Turn, TurnIn, show, show_memory,
};
use skep_domain::{
    CaptureOrigin, DerivedBy, FilePath, Harness, MemoryKind, Moment, Resolution, SourceKind, Tier,
    Trust, TurnRole, Visibility,
};

use crate::call::Call;
use crate::error::ApiError;

/// Items of a recall that does not say how many.
const ITEMS: u32 = 10;
/// Tokens of a recall that does not say how many.
const TOKENS: u32 = 4_000;
/// Milliseconds that a recall waits for its index if it does not say.
const DEADLINE_MS: u32 = 1_000;

/// One of a fixed set of words, or a refusal that lists them.
pub(crate) fn word<T: Copy>(
    field: &str,
    text: &str,
    parse: fn(&str) -> Option<T>,
    known: &[&str],
) -> Result<T, ApiError> {
    parse(text).ok_or_else(|| {
        ApiError::field(
            field,
            "INVALID",
            format!("{field} must be one of {}", known.join(", ")),
        )
    })
}

pub(crate) fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| name(*value)).collect()
}

pub(crate) fn memory_kind(text: &str) -> Result<MemoryKind, ApiError> {
    word(
        "kind",
        text,
        MemoryKind::parse,
        &names(MemoryKind::ALL, MemoryKind::as_str),
    )
}

/// The kind of a statement; a file is none, and is said to be one by where it stands.
pub(crate) fn statement_kind(text: &str) -> Result<MemoryKind, ApiError> {
    let parse =
        |text: &str| MemoryKind::parse(text).filter(|kind| MemoryKind::STATEMENTS.contains(kind));
    let known = names(MemoryKind::STATEMENTS, MemoryKind::as_str);
    word("kind", text, parse, &known)
}

/// Where a file is to stand.
fn file_path(text: &str) -> Result<FilePath, ApiError> {
    FilePath::parse(text).map_err(|error| ApiError::field("path", "INVALID", error.as_str()))
}

pub(crate) fn visibility(text: &str) -> Result<Visibility, ApiError> {
    word(
        "visibility",
        text,
        Visibility::parse,
        &names(Visibility::ALL, Visibility::as_str),
    )
}

pub(crate) fn source_kind(text: &str) -> Result<SourceKind, ApiError> {
    word(
        "kind",
        text,
        SourceKind::parse,
        &names(SourceKind::ALL, SourceKind::as_str),
    )
}

/// A source is external unless somebody vouches for it; only memories are vouched for as a human's own word.
pub(crate) fn source_trust(kind: SourceKind, text: Option<&str>) -> Result<Trust, ApiError> {
    let mut known = vec![Trust::External, Trust::Agent];
    if kind == SourceKind::Memories {
        known.push(Trust::User);
    }
    let text = text.unwrap_or(Trust::External.as_str());
    let trust = word("trust", text, Trust::parse, &names(&known, Trust::as_str))?;
    if known.contains(&trust) {
        return Ok(trust);
    }
    let message = format!(
        "trust must be one of {}",
        names(&known, Trust::as_str).join(", ")
    );
    Err(ApiError::field("trust", "INVALID", message))
}

pub(crate) fn statement(memory: MemoryInput) -> Result<Statement, ApiError> {
    let trust = |text: &str| {
        word(
            "trust",
            text,
            Trust::parse,
            &names(Trust::ALL, Trust::as_str),
        )
    };
    let derived_by = |text: &str| {
        let known = names(DerivedBy::ALL, DerivedBy::as_str);
        word("derived_by", text, DerivedBy::parse, &known)
    };
    Ok(Statement {
        kind: memory.kind.as_deref().map(memory_kind).transpose()?,
        key: memory.key,
        trust: memory.trust.as_deref().map(trust).transpose()?,
        visibility: memory.visibility.as_deref().map(visibility).transpose()?,
        project: memory.project,
        valid_from: memory.valid_from.map(|at| at.0),
        valid_to: memory.valid_to.map(|at| at.0),
        harness: memory.harness.as_deref().map(came_through).transpose()?,
        derived_by: memory.derived_by.as_deref().map(derived_by).transpose()?,
        references: memory.references,
    })
}

fn harness(text: &str) -> Result<Harness, ApiError> {
    harness_of("session.harness", text)
}

fn came_through(text: &str) -> Result<Harness, ApiError> {
    harness_of("memory.harness", text)
}

fn harness_of(field: &'static str, text: &str) -> Result<Harness, ApiError> {
    let known = names(Harness::ALL, Harness::as_str);
    word(field, text, Harness::parse, &known)
}

pub(crate) fn named_session(
    session: Option<NamedSession>,
) -> Result<Option<PausedSession>, ApiError> {
    let session = session.map(|session| {
        Ok(PausedSession {
            harness: harness(&session.harness)?,
            external_id: session.external_id,
        })
    });
    session.transpose()
}

pub(crate) fn pauses(pauses: &[Pause]) -> Vec<PauseState> {
    let states = pauses.iter().map(|pause| PauseState {
        everyone: pause.holder.is_none(),
        session: pause.session,
        until: pause.until.map(Instant),
    });
    states.collect()
}

pub(crate) fn tier(text: Option<&str>) -> Result<Tier, ApiError> {
    text.map_or(Ok(Tier::Summary), |text| {
        word("tier", text, Tier::parse, &names(Tier::ALL, Tier::as_str))
    })
}

pub(crate) fn capture(call: &Call, request: CaptureRequest) -> Result<Capture, ApiError> {
    let session = request.session;
    Ok(Capture {
        harness: harness(&session.harness)?,
        external_id: session.external_id,
        title: session.title,
        project: session.project,
        cwd: session.cwd,
        turns: request
            .turns
            .into_iter()
            .enumerate()
            .map(|turn| turn_in(call, turn))
            .collect::<Result<_, _>>()?,
        cursor: request.cursor.map(|cursor| Cursor {
            source: cursor.source,
            position: cursor.position,
        }),
        origin: match request.origin {
            Origin::Live => CaptureOrigin::Live,
            Origin::Import => CaptureOrigin::Import,
        },
        spool: request.spool.map(|spool| SpoolReport {
            id: spool.id,
            dropped: spool.dropped,
        }),
        ended: request.ended,
    })
}

fn turn_in(call: &Call, (at, turn): (usize, TurnInput)) -> Result<TurnIn, ApiError> {
    let field = format!("turns[{at}].role");
    Ok(TurnIn {
        client_event_id: turn.client_event_id,
        role: word(
            &field,
            &turn.role,
            TurnRole::parse,
            &names(TurnRole::ALL, TurnRole::as_str),
        )?,
        at: turn.at.0,
        text: turn.text,
        tool: turn.tool,
        is_error: turn.is_error,
        paths: turn.paths,
        branch: match turn.branch {
            WireBranch::Main => Branch::Main,
            WireBranch::Abandoned => Branch::Abandoned,
            WireBranch::Sidechain => Branch::Sidechain,
        },
        author: turn
            .author
            .as_deref()
            .map(|author| call.id(author))
            .transpose()?,
    })
}

pub(crate) fn remember(request: RememberRequest, by_agent: bool) -> Result<Remember, ApiError> {
    let path = request.path.as_deref().map(file_path).transpose()?;
    let usual = match (&path, by_agent) {
        (None, _) => Visibility::Workspace,
        // A file is for whoever keeps it; what an agent keeps, people of the workspace may look at.
        (Some(_), true) => Visibility::Own,
        (Some(_), false) => Visibility::Private,
    };
    let kind = match (&path, request.kind.as_deref()) {
        (None, kind) => kind.map_or(Ok(MemoryKind::Fact), statement_kind)?,
        (Some(_), None | Some("note")) => MemoryKind::Note,
        (Some(_), Some(_)) => {
            return Err(ApiError::field("kind", "INVALID", "a file is a note"));
        }
    };
    if path.is_some() && request.project.is_some() {
        let message = "a file belongs to whoever keeps it, and to no project";
        return Err(ApiError::field("project", "INVALID", message));
    }
    let visibility = request.visibility.as_deref().map(self::visibility);
    Ok(Remember {
        text: request.text,
        kind,
        project: request.project,
        visibility: visibility.transpose()?.unwrap_or(usual),
        by_agent: said_by(request.said_by.as_deref())?,
        path,
    })
}

/// Whether an agent says it, beside what the credential proves. Nothing can be said to raise it.
fn said_by(text: Option<&str>) -> Result<bool, ApiError> {
    let parse = |text: &str| (text == Trust::Agent.as_str()).then_some(true);
    text.map_or(Ok(false), |text| {
        word("said_by", text, parse, &[Trust::Agent.as_str()])
    })
}

pub(crate) fn edit(request: EditRequest) -> Result<Edit, ApiError> {
    let visibility = request.visibility.as_deref().map(visibility);
    Ok(Edit {
        text: request.text,
        kind: request.kind.as_deref().map(memory_kind).transpose()?,
        visibility: visibility.transpose()?,
        reason: request.reason,
        by_agent: said_by(request.said_by.as_deref())?,
        path: request.path.as_deref().map(file_path).transpose()?,
    })
}

pub(crate) fn resolution(text: &str) -> Result<Resolution, ApiError> {
    word(
        "resolution",
        text,
        Resolution::parse,
        &names(Resolution::ALL, Resolution::as_str),
    )
}

pub(crate) fn question(request: RecallRequest) -> Result<Question, ApiError> {
    let items = request.k.unwrap_or(ITEMS);
    if items == 0 {
        return Err(ApiError::field("k", "INVALID", "k must be at least 1"));
    }
    Ok(Question {
        query: request.query,
        items: items as usize,
        tokens: request.token_budget.unwrap_or(TOKENS),
        as_of: request.as_of.map(|instant| instant.0),
        project: request.project,
        kinds: request
            .kinds
            .iter()
            .map(|kind| memory_kind(kind))
            .collect::<Result<_, _>>()?,
        hints: request.hints,
        deadline_ms: request.deadline_ms.unwrap_or(DEADLINE_MS),
    })
}

pub(crate) fn inject(request: InjectRequest) -> Result<Inject, ApiError> {
    Ok(Inject {
        harness: word(
            "harness",
            &request.harness,
            Harness::parse,
            &names(Harness::ALL, Harness::as_str),
        )?,
        external_id: request.external_id,
        moment: word(
            "moment",
            &request.moment,
            Moment::parse,
            &names(Moment::ALL, Moment::as_str),
        )?,
        prompt: request.prompt,
        project: request.project,
        cwd: request.cwd,
        tokens: request.token_budget,
        deadline_ms: request.deadline_ms.unwrap_or(DEADLINE_MS),
    })
}

pub(crate) fn session(call: &Call, session: Session) -> WireSession {
    show(session.owner, Piece::Session(session.id));
    WireSession {
        id: call.text(session.id),
        harness: session.harness.as_str().into(),
        title: session.title,
        project: session.project,
        state: session.state.as_str().into(),
        turns: session.turns,
        memories: session.memories,
        started_at: Instant(session.span.0),
        last_at: Instant(session.span.1),
    }
}

pub(crate) fn turn(call: &Call, turn: Turn) -> WireTurn {
    let turn = turn.turn;
    WireTurn {
        id: call.text(turn.id),
        role: turn.role.as_str().into(),
        author: turn.author.map(|author| call.text(author)),
        at: Instant(turn.at),
        recorded_at: Instant(turn.recorded_at),
        client_event_id: turn.client_event_id,
        text: turn.text,
        tool: turn.tool,
        paths: turn.paths,
    }
}

pub(crate) fn memory(call: &Call, memory: Memory) -> WireMemory {
    show_memory(&memory);
    WireMemory {
        id: call.text(memory.id),
        kind: memory.kind.as_str().into(),
        key: memory.body.key,
        text: memory.body.text,
        trust: memory.trust.as_str().into(),
        state: memory.state.as_str().into(),
        visibility: memory.visibility.as_str().into(),
        project: memory.project,
        valid_from: Instant(memory.validity.from),
        valid_to: memory.validity.to.map(Instant),
        superseded_at: memory.validity.superseded.map(Instant),
        recorded_at: Instant(memory.validity.recorded),
        path: memory.body.path.map(|path| path.to_string()),
        provenance: Provenance {
            derived_by: memory.body.derived_by.as_str().into(),
            harness: memory.harness.as_str().into(),
            session: memory.session.map(|session| call.text(session)),
            turns: memory.turns.iter().map(|turn| call.text(*turn)).collect(),
            references: memory.body.references,
        },
    }
}
