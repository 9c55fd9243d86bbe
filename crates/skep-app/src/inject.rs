//! Putting memories in front of a model: which, in what form, never twice, and recorded byte for
//! byte before they leave.

mod call;
mod choose;
mod fresh;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use skep_authz::{
    Authorized,
    rights::{MemoryRead, SessionCapture},
};
use skep_domain::{CaptureOrigin, Harness, InjectionId, Limits, MemoryId, Moment, SessionId};
use skep_memory::{Assembled, Block, INJECTION_BYTES, Room, assemble_with};
use skep_store::{
    Directive, InjectedItem, Injection, InjectionBody, Memory, NewInjection, NewSession, PageOf,
    Piece, Project, Tx,
};

use crate::access::{show, show_memory};
use crate::capture::{CameFrom, Gate, default_visibility};
use crate::error::Invalid;
use crate::{App, AppError};

pub use call::{CallRights, Timer, WallTimer};
pub(crate) use call::{Conversation, Reader, deadline};
pub use choose::FLOOR;

/// A moment at which a model may be given memories.
#[derive(Clone, Debug)]
pub struct Inject {
    /// Which harness.
    pub harness: Harness,
    /// What the harness calls the session.
    pub external_id: String,
    /// Which moment.
    pub moment: Moment,
    /// What the human wrote, for [`Moment::Prompt`].
    pub prompt: String,
    /// The project; the last part of `cwd` if absent.
    pub project: Option<String>,
    /// The working directory.
    pub cwd: Option<String>,
    /// Tokens it may take; never more than the moment allows.
    pub tokens: Option<u32>,
    /// Milliseconds after which nothing is injected.
    pub deadline_ms: u32,
}

/// What to put in front of the model.
#[derive(Debug, Default)]
pub struct Injected {
    /// Under which it is recorded; none when there is nothing to inject.
    pub record: Option<(InjectionId, SessionId, u64)>,
    /// The exact bytes; empty when there is nothing to inject.
    pub text: String,
    /// The memories in it, in order, with their scores.
    pub items: Vec<(Memory, Vec<(String, f32)>)>,
    /// Why nothing that is said in the session is captured, and what to do about it.
    pub uncaptured: Option<String>,
    /// What was not at hand.
    pub degraded: Vec<String>,
}

/// A page of injections.
#[derive(Debug)]
pub struct InjectionPage {
    /// Newest first.
    pub items: Vec<Injection>,
    /// Whether there may be more.
    pub more: bool,
}

/// A memory that may be injected, and what it scored.
struct Offer {
    memory: Memory,
    scores: Vec<(String, f32)>,
    /// Its statement, or its key line.
    text: String,
}

/// What was found for a moment.
#[derive(Default)]
struct Offers {
    offers: Vec<Offer>,
    degraded: Vec<String>,
}

/// What the model has already, and where what it is given now goes.
enum Known {
    /// Whatever the session was given: its harness keeps it. It is given these standing texts.
    OfHarness(Arc<[Directive]>),
    /// What the call itself holds.
    OfCall {
        has: HashSet<MemoryId>,
        anchor: String,
    },
}

/// Writes the text form of a memory's id, which only the edge can.
pub type IdText<'a> = &'a (dyn Fn(MemoryId) -> String + Send + Sync);

/// Items per prompt.
const PROMPT_ITEMS: usize = 5;
/// Tokens per prompt, directive included.
const PROMPT_TOKENS: u32 = 1_200;
/// Key lines at a session's start.
const START_ITEMS: usize = 24;
/// Tokens at a session's start, directive included.
const START_TOKENS: u32 = 800;
/// Tenths of the deadline that finding may take; the rest is for recording.
const FINDING_TENTHS: u32 = 8;
/// Milliseconds that anybody may ask to wait.
const DEADLINE_MAX: u32 = 60_000;

impl App {
    /// Finds what a model should be given at this moment, and records it. What cannot be found or
    /// recorded before the deadline is not injected.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Store`].
    pub async fn inject(
        &self,
        (capturing, reading): (Authorized<SessionCapture>, Authorized<MemoryRead>),
        request: Inject,
        id_text: IdText<'_>,
    ) -> Result<Injected, AppError> {
        check(&request)?;
        let bound = capturing.bindings().harness;
        if bound.is_some_and(|bound| bound != request.harness) {
            return Err(AppError::Forbidden("the key is bound to another harness"));
        }
        let deadline = Duration::from_millis(request.deadline_ms.min(DEADLINE_MAX).into());
        let tenant = (reading.organization(), reading.workspace());
        let work = async {
            let finding = async {
                let standing = match request.moment {
                    // It stands in the session's context already.
                    Moment::Prompt => Arc::default(),
                    Moment::SessionStart | Moment::Compacted => self.directives_of(tenant).await?,
                };
                Ok::<_, AppError>((self.find(reading, &request).await?, standing))
            };
            let found = tokio::time::timeout(deadline * FINDING_TENTHS / 10, finding);
            let Ok(found) = found.await else {
                return Ok(late("finding memories"));
            };
            let (offers, standing) = found?;
            let known = Known::OfHarness(standing);
            self.record(capturing, &request, offers, (&known, id_text))
                .await
        };
        let Ok(injected) = tokio::time::timeout(deadline, work).await else {
            return Ok(late("recording what was found"));
        };
        let injected = injected?;
        for (memory, _) in &injected.items {
            show_memory(memory);
        }
        Ok(injected)
    }

    /// What was put in front of models, in one session or in all that the caller may see.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn list_injections(
        &self,
        authorized: Authorized<MemoryRead>,
        session: Option<SessionId>,
        page: PageOf<InjectionId>,
    ) -> Result<InjectionPage, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        if let Some(session) = session {
            tx.get_session(session)
                .await?
                .ok_or(AppError::NotFound("session"))?;
        }
        let items = tx.list_injections(session, page).await?;
        let more = items.len() == page.limit as usize;
        show_injected(&mut tx, &items).await?;
        Ok(InjectionPage { items, more })
    }

    async fn find(
        &self,
        reading: Authorized<MemoryRead>,
        request: &Inject,
    ) -> Result<Offers, AppError> {
        let project = request.project_name().map(|name| self.take_in_line(name));
        match request.moment {
            Moment::Prompt => self.relevant(reading, request, project).await,
            Moment::SessionStart | Moment::Compacted => self.durable(reading, project).await,
        }
    }

    /// In one transaction: what the model has already, what it is given now, and the note of it. So
    /// two prompts at once are not given the same memory.
    async fn record(
        &self,
        capturing: Authorized<SessionCapture>,
        request: &Inject,
        found: Offers,
        (known, id_text): (&Known, IdText<'_>),
    ) -> Result<Injected, AppError> {
        let Offers {
            mut offers,
            degraded,
        } = found;
        let has_standing = !known.standing().is_empty();
        if offers.is_empty() && request.moment == Moment::Prompt {
            return Ok(nothing(degraded, None));
        }
        let mut tx = self.store.begin(capturing).await?;
        let uncaptured = match known {
            Known::OfHarness(_) => self.uncaptured(&mut tx, request).await?,
            Known::OfCall { .. } => None,
        };
        if offers.is_empty() && !has_standing {
            return Ok(nothing(degraded, uncaptured));
        }
        let session = self.session_of(&mut tx, request).await?;
        let has = match known {
            Known::OfCall { has, .. } => has.clone(),
            Known::OfHarness(_) if request.moment == Moment::Compacted => HashSet::new(),
            Known::OfHarness(_) => tx.list_injected(session).await?,
        };
        offers.retain(|offer| {
            !has.contains(&offer.memory.id) && offer.memory.session != Some(session)
        });
        offers.truncate(request.items());
        let assembled = self.assemble(request, (known.standing(), &offers), id_text);
        if assembled.text.is_empty() || assembled.kept.is_empty() && !has_standing {
            return Ok(nothing(degraded, uncaptured));
        }
        let mut slots: Vec<Option<Offer>> = offers.into_iter().map(Some).collect();
        let kept = assembled.kept.iter().filter_map(|at| slots[*at].take());
        let items: Vec<_> = kept.map(|offer| (offer.memory, offer.scores)).collect();
        let new = NewInjection {
            id: self.store.mint(),
            session,
            at: self.store.now(),
            moment: request.moment,
            body: self.body_of(request, known, (assembled.text, uncaptured.is_none())),
            items: items.iter().map(injected_item).collect(),
        };
        let ordinal = tx.put_injection(&new).await?;
        tx.commit().await?;
        Ok(Injected {
            record: Some((new.id, session, ordinal)),
            text: new.body.text,
            items,
            uncaptured,
            degraded,
        })
    }

    /// What is sealed of an injection.
    fn body_of(
        &self,
        request: &Inject,
        known: &Known,
        (text, is_captured): (String, bool),
    ) -> InjectionBody {
        let query = match known {
            // What is not captured is not kept as a question either.
            Known::OfHarness(_) if is_captured => self.take_in(&request.prompt, Limits::QUERY).text,
            _ => String::new(),
        };
        InjectionBody {
            text,
            query,
            floor: request.floor(),
            anchor: known.anchor().to_owned(),
        }
    }

    /// Why the session's turns would be refused.
    async fn uncaptured(
        &self,
        tx: &mut Tx<SessionCapture>,
        request: &Inject,
    ) -> Result<Option<String>, AppError> {
        let from = CameFrom {
            harness: request.harness,
            external_id: &request.external_id,
            cwd: request.cwd.as_deref(),
            origin: CaptureOrigin::Live,
        };
        Ok(match self.gate(tx, &from).await? {
            Gate::Open(_) => None,
            Gate::Shut(_, note) => Some(note),
        })
    }

    fn assemble(
        &self,
        request: &Inject,
        (standing, offers): (&[Directive], &[Offer]),
        id_text: IdText<'_>,
    ) -> Assembled {
        let named: Vec<(String, String)> = offers
            .iter()
            .map(|offer| (id_text(offer.memory.id), source(&offer.memory)))
            .collect();
        let blocks: Vec<Block<'_>> = offers
            .iter()
            .zip(&named)
            .map(|(offer, (id, source))| Block {
                id,
                kind: offer.memory.kind,
                trust: offer.memory.trust,
                source,
                text: &offer.text,
            })
            .collect();
        let room = Room {
            bytes: INJECTION_BYTES,
            tokens: request.room(),
        };
        let standing = crate::directives::standing(standing);
        let beside = [request.prompt.as_str()];
        assemble_with(&standing, &blocks, (&beside, room), &mut || {
            self.store.nonce()
        })
    }

    async fn session_of(
        &self,
        tx: &mut Tx<SessionCapture>,
        request: &Inject,
    ) -> Result<SessionId, AppError> {
        let project = match request.project_name() {
            Some(name) => {
                let project = Project {
                    id: self.store.mint(),
                    name: self.take_in_line(name),
                };
                Some(tx.put_project(&project).await?)
            }
            None => None,
        };
        let now = self.store.now();
        // A call's session has the name that its caller gave it.
        let of_call = request.harness == Harness::Gateway;
        let session = NewSession {
            id: self.store.mint(),
            harness: request.harness,
            external_id: request.external_id.clone(),
            title: of_call.then(|| self.take_in_line(&request.external_id)),
            cwd: request.cwd.as_deref().map(|cwd| self.take_in_line(cwd)),
            project,
            visibility: default_visibility(request.harness),
            span: (now, now),
            recorded_at: now,
        };
        Ok(tx.put_session(&session).await?)
    }
}

impl Known {
    fn standing(&self) -> &[Directive] {
        match self {
            Self::OfHarness(standing) => standing,
            Self::OfCall { .. } => &[],
        }
    }

    fn anchor(&self) -> &str {
        match self {
            Self::OfHarness(_) => "",
            Self::OfCall { anchor, .. } => anchor,
        }
    }
}

impl Inject {
    fn items(&self) -> usize {
        match self.moment {
            Moment::Prompt => PROMPT_ITEMS,
            Moment::SessionStart | Moment::Compacted => START_ITEMS,
        }
    }

    fn room(&self) -> u32 {
        let most = match self.moment {
            Moment::Prompt => PROMPT_TOKENS,
            Moment::SessionStart | Moment::Compacted => START_TOKENS,
        };
        self.tokens.unwrap_or(most).min(most)
    }

    fn floor(&self) -> f32 {
        match self.moment {
            Moment::Prompt => FLOOR,
            Moment::SessionStart | Moment::Compacted => 0.0,
        }
    }

    /// The importers name a project by the last part of its directory.
    fn project_name(&self) -> Option<&str> {
        let of_cwd = self.cwd.as_deref().and_then(|cwd| {
            cwd.trim_end_matches(['/', '\\'])
                .rsplit(['/', '\\'])
                .next()
                .filter(|name| !name.is_empty())
        });
        self.project.as_deref().or(of_cwd)
    }
}

/// What was put in front of models is shown once more: the memories in it, and what was asked in whose session.
async fn show_injected(tx: &mut Tx<MemoryRead>, items: &[Injection]) -> Result<(), AppError> {
    let shown = items
        .iter()
        .filter_map(|one| Some((one.session, one.content.as_ref()?)));
    let (mut sessions, mut memories) = (BTreeSet::new(), BTreeSet::new());
    for (session, (_, items)) in shown {
        sessions.insert(session);
        memories.extend(items.iter().map(|item| item.memory));
    }
    let memories: Vec<MemoryId> = memories.into_iter().collect();
    tx.get_memories(&memories)
        .await?
        .iter()
        .for_each(show_memory);
    for id in sessions {
        if let Some(session) = tx.get_session(id).await? {
            show(session.owner, Piece::Session(id));
        }
    }
    Ok(())
}

fn injected_item((memory, scores): &(Memory, Vec<(String, f32)>)) -> InjectedItem {
    InjectedItem {
        memory: memory.id,
        scores: scores.clone(),
    }
}

/// `git 5f1c0d9a7b2e`, `claude-code`.
fn source(memory: &Memory) -> String {
    let harness = memory.harness.as_str();
    match (memory.harness, memory.body.references.first()) {
        (Harness::Git, Some(commit)) => {
            let short: String = commit.chars().take(12).collect();
            format!("{harness} {short}")
        }
        _ => harness.into(),
    }
}

fn nothing(degraded: Vec<String>, uncaptured: Option<String>) -> Injected {
    Injected {
        uncaptured,
        degraded,
        ..Injected::default()
    }
}

fn late(what: &str) -> Injected {
    tracing::warn!(what, "nothing was injected: the deadline passed");
    Injected {
        degraded: vec![format!(
            "{what} took longer than the deadline: nothing was injected"
        )],
        ..Injected::default()
    }
}

fn check(request: &Inject) -> Result<(), AppError> {
    if request.external_id.is_empty() {
        return Err(Invalid::required("external_id"));
    }
    if request.moment == Moment::Prompt && request.prompt.trim().is_empty() {
        return Err(Invalid::required("prompt"));
    }
    Invalid::check_length("external_id", &request.external_id, Limits::CLIENT_KEY)?;
    for (field, text) in [("project", &request.project), ("cwd", &request.cwd)] {
        Invalid::check_length(field, text.as_deref().unwrap_or_default(), Limits::QUERY)?;
    }
    Ok(())
}
