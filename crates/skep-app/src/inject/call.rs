//! Memories for a model call on its way through the gateway: chosen, written and recorded as for a harness.
//!
//! A call brings its whole conversation along, without what was put into it before. What was given behind an earlier
//! text is therefore put there again, byte for byte, so that the provider meets the beginning it has in its cache;
//! only the last text is searched for.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use skep_authz::rights::{MemoryRead, SessionCapture};
use skep_authz::{Authorized, Caller, CanRead};
use skep_crypto::MacKey;
use skep_domain::{
    Bindings, Harness, Id, Limits, MemoryId, Moment, Principal, Timestamp, WorkspaceId,
};
use skep_memory::cut_middle;
use skep_store::{Directive, Injection, Memory, MemoryFilter, PageOf, Piece, Tx, Visible};

use super::{DEADLINE_MAX, IdText, Inject, Known};
use crate::access::Decision;
use crate::gateway::Asked;
use crate::upkeep::Tenant;
use crate::{App, AppError};

/// How long a call may wait for memories.
const DEADLINE: Duration = Duration::from_millis(40);
/// Texts of a conversation, from its end, behind which something that was given is looked for.
const LOOKED_AT: usize = 64;
/// How long what was given behind the last text stands for a search: a call is tried again, and a model calls tools,
/// within that time; who asks the same tomorrow is told what is known then.
const STANDS_MICROS: i64 = 3_600_000_000;
/// Bytes of one text that are told apart, and of the last one that are searched for.
const TOLD_APART: usize = 64 << 10;
const SEARCHED: usize = 8 << 10;
/// Bytes of what was said last that wait to be kept. Half of them are, from both ends, so that no secret is cut in two
/// before it is looked for.
const KEPT: usize = 2 * Limits::TURN_BODY;

/// Says when time is over. An argument, so that a test does not wait.
pub trait Timer: Send + Sync {
    /// Done after this long.
    fn after(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The end of the time that one call has: once it has come, it stays.
pub(crate) struct Late(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Future for Late {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_over = match &mut self.0 {
            Some(timer) => timer.as_mut().poll(context).is_ready(),
            None => true,
        };
        if !is_over {
            return Poll::Pending;
        }
        self.0 = None;
        Poll::Ready(())
    }
}

/// By the wall's time.
pub struct WallTimer;

impl Timer for WallTimer {
    fn after(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The caller's own rights that memories in a call take: what they may not read is not in it.
#[derive(Debug)]
pub struct CallRights {
    /// To look what was given before.
    pub looking: Authorized<SessionCapture>,
    /// To recall.
    pub reading: Authorized<MemoryRead>,
    /// To record what is given.
    pub recording: Authorized<SessionCapture>,
    /// To look whether what an answer of before was made with may still be read.
    pub seeing: Option<Authorized<MemoryRead>>,
}

/// Who is shown what goes into a call, and by what.
pub(crate) struct Reader<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) why: Decision,
}

/// What a conversation was given before.
struct Given {
    /// Newest first.
    injections: Vec<Injection>,
    /// Whose the memories in it are.
    owners: HashMap<MemoryId, Principal>,
}

/// What a person said in a conversation, and what tells each place of it from every other.
pub(crate) struct Conversation {
    /// What the session is called.
    session: String,
    /// One for each text, in order.
    anchors: Vec<String>,
    last: String,
}

/// What goes into a call.
#[derive(Default)]
pub(crate) struct Placed {
    /// Behind which text, and what.
    pub(crate) texts: Vec<(usize, String)>,
    /// Memories in it.
    pub(crate) blocks: usize,
    /// Those, and whose they are.
    pub(crate) given: Vec<(Principal, MemoryId)>,
    /// Whether less than there may be, since it could not be found or recorded in time.
    pub(crate) is_degraded: bool,
}

impl Conversation {
    /// What tells it from others by how it begins.
    pub(crate) fn beginning(&self) -> &str {
        self.anchors.first().map_or("", String::as_str)
    }

    /// What was said last, as it is kept.
    pub(crate) fn asked(&self, texts: &[&str]) -> Asked {
        Asked {
            session: self.session.clone(),
            anchor: self.anchors.last().cloned().unwrap_or_default(),
            text: cut_middle(texts.last().copied().unwrap_or_default(), KEPT).into_owned(),
        }
    }

    /// Of these texts, by the session's name or else by what was said first; none if nobody said anything.
    pub(crate) fn of(
        key: &MacKey,
        workspace: WorkspaceId,
        texts: &[&str],
        session: Option<String>,
    ) -> Option<Self> {
        let mut before = key.tag16(&[b"conversation", &workspace.to_bytes()]);
        let anchors: Vec<String> = texts
            .iter()
            .map(|text| {
                let shown = cut_middle(text, TOLD_APART);
                let length = (text.len() as u64).to_be_bytes();
                before = key.tag16(&[b"said", &before, &length, shown.as_bytes()]);
                crate::skills::hex(&before)
            })
            .collect();
        let last = cut_middle(texts.last()?, SEARCHED).into_owned();
        let session = session.unwrap_or(format!("call-{}", &anchors.first()?[..16]));
        Some(Self {
            session,
            anchors,
            last,
        })
    }

    fn request(&self) -> Inject {
        Inject {
            harness: Harness::Gateway,
            external_id: self.session.clone(),
            moment: Moment::Prompt,
            prompt: self.last.clone(),
            project: None,
            cwd: None,
            tokens: None,
            // The call's own timer says when it is late.
            deadline_ms: DEADLINE_MAX,
        }
    }
}

/// The end of a call's time, from now.
pub(crate) fn deadline(timer: &dyn Timer) -> Late {
    Late(Some(timer.after(DEADLINE)))
}

impl Placed {
    /// Less than there may be, or nothing, and said to be.
    fn degraded(self) -> Self {
        Self {
            is_degraded: true,
            ..self
        }
    }
}

impl App {
    /// The standing texts for a call, and whether that is all there is to say: what was known before stands for what
    /// cannot be read in time.
    pub(crate) async fn directives_in_time(
        &self,
        tenant: Tenant,
        late: &mut Late,
    ) -> (Arc<[Directive]>, bool) {
        let read = tokio::select! {
            biased;
            read = self.directives_of(tenant) => Some(read),
            () = late => None,
        };
        match read {
            Some(Ok(directives)) => (directives, true),
            read => {
                if let Some(Err(error)) = read {
                    tracing::warn!(%error, "directives cannot be read");
                }
                (self.standings.last_known(tenant).unwrap_or_default(), false)
            }
        }
    }

    /// What goes into a call, in time: what is late or fails is left out, and said to be. What of others' it shows its
    /// caller is in the record's line before the call leaves.
    pub(crate) async fn inject_into_call(
        &self,
        (rights, reader): (CallRights, &Reader<'_>),
        conversation: &Conversation,
        (late, id_text): (&mut Late, IdText<'_>),
    ) -> Placed {
        let mut placed = Placed::default();
        let tenant = (rights.reading.organization(), rights.reading.workspace());
        let outcome = tokio::select! {
            biased;
            outcome = self.place(rights, conversation, id_text, &mut placed) => Some(outcome),
            () = &mut *late => None,
        };
        match outcome {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::warn!(%error, "a model call goes without memories");
                placed = placed.degraded();
            }
            None => {
                // Whoever loads an index must not depend on anybody waiting.
                self.dirty.mark(tenant);
                tracing::warn!(
                    "a model call goes without memories: they were not found and recorded in time"
                );
                placed = placed.degraded();
            }
        }
        self.recorded(placed, reader, late).await
    }

    /// The same once it is recorded whose memories its caller is shown. What cannot be recorded is not given.
    async fn recorded(&self, placed: Placed, reader: &Reader<'_>, late: &mut Late) -> Placed {
        let shown = others(reader.caller.principal(), &placed.given);
        let kept = tokio::select! {
            biased;
            kept = self.record_shown(reader.why.clone(), reader.caller, &shown) => kept.is_ok(),
            () = late => false,
        };
        if kept {
            return placed;
        }
        tracing::warn!("a model call goes without memories: that they are read cannot be recorded");
        Placed::default().degraded()
    }

    /// Whether somebody may be given what was made with these memories: they may still read all of them, and what is
    /// others' is in the record's line.
    ///
    /// # Errors
    /// [`AppError::AuditUnavailable`], [`AppError::Store`]: it is not known, so nothing is given.
    pub(crate) async fn may_be_shown(
        &self,
        seeing: Authorized<MemoryRead>,
        reader: &Reader<'_>,
        given: &[(Principal, MemoryId)],
    ) -> Result<bool, AppError> {
        if !is_for_calls(seeing.bindings()) {
            return Ok(false);
        }
        let ids: Vec<MemoryId> = given.iter().map(|(_, memory)| *memory).collect();
        let mut tx = self.store.begin(seeing).await?;
        let visible = visible_now(&mut tx, &ids).await?;
        drop(tx);
        if !ids.iter().all(|id| visible.contains(id)) {
            return Ok(false);
        }
        let shown = others(reader.caller.principal(), given);
        let why = reader.why.clone();
        self.record_shown(why, reader.caller, &shown).await?;
        Ok(true)
    }

    async fn place(
        &self,
        rights: CallRights,
        conversation: &Conversation,
        id_text: IdText<'_>,
        placed: &mut Placed,
    ) -> Result<(), AppError> {
        if !is_for_calls(rights.recording.bindings()) {
            return Err(AppError::Forbidden("the key is bound to another harness"));
        }
        let request = conversation.request();
        let given = self.given(rights.looking, (&request, conversation)).await?;
        let has = put_again(conversation, given, self.store.now(), placed);
        let Some(has) = has else { return Ok(()) };
        let last = conversation.anchors.len() - 1;
        let found = self.find(rights.reading, &request).await?;
        if found.offers.is_empty() {
            placed.is_degraded = !found.degraded.is_empty();
            return Ok(());
        }
        let known = Known::OfCall {
            has,
            anchor: conversation.anchors[last].clone(),
        };
        let injected = self.record(rights.recording, &request, found, (&known, id_text));
        let injected = injected.await?;
        if !injected.text.is_empty() {
            placed.blocks += injected.items.len();
            placed.texts.push((last, injected.text));
            let items = injected.items.iter();
            let given = items.map(|(memory, _)| (memory.owner, memory.id));
            placed.given.extend(given);
        }
        Ok(())
    }

    /// What a conversation was given before, newest first. What holds a memory that a recall would not give now is
    /// left out: forgotten, superseded, closed to the caller.
    async fn given(
        &self,
        looking: Authorized<SessionCapture>,
        (request, conversation): (&Inject, &Conversation),
    ) -> Result<Given, AppError> {
        let mut tx = self.store.begin(looking).await?;
        // Not committed: a conversation that nothing is given to leaves no session behind.
        let session = self.session_of(&mut tx, request).await?;
        let page = PageOf {
            limit: LOOKED_AT as u32,
            before: None,
        };
        let mut given = tx.list_injections(Some(session), page).await?;
        given.retain(|injection| {
            let content = injection.content.as_ref();
            content.is_some_and(|(body, _)| conversation.anchors.contains(&body.anchor))
        });
        let items = given
            .iter()
            .filter_map(|injection| injection.content.as_ref());
        let ids: Vec<MemoryId> = items
            .flat_map(|(_, items)| items.iter().map(|item| item.memory))
            .collect();
        let visible = visible_now(&mut tx, &ids).await?;
        given.retain(|injection| {
            let content = injection.content.as_ref();
            content
                .is_some_and(|(_, items)| items.iter().all(|item| visible.contains(&item.memory)))
        });
        let visible: Vec<MemoryId> = visible.into_iter().collect();
        let owners = tx.get_memories(&visible).await?;
        let owner = |memory: Memory| (memory.id, memory.owner);
        Ok(Given {
            injections: given,
            owners: owners.into_iter().map(owner).collect(),
        })
    }
}

/// Which of these may be read now.
async fn visible_now<P: CanRead>(
    tx: &mut Tx<P>,
    ids: &[MemoryId],
) -> Result<HashSet<MemoryId>, AppError> {
    let filter = MemoryFilter {
        project: None,
        kinds: Vec::new(),
        as_of: None,
    };
    let visible = tx.authorize(ids, &filter).await?;
    Ok(visible.iter().map(Visible::id).collect())
}

/// Whether a key may be given memories in a call: it is bound to no other harness.
fn is_for_calls(bindings: &Bindings) -> bool {
    let bound = bindings.harness;
    bound.is_none_or(|bound| bound == Harness::Gateway)
}

/// What of it is not the reader's own.
fn others(reader: Principal, given: &[(Principal, MemoryId)]) -> Vec<Piece> {
    let others = given.iter().filter(|(owner, _)| *owner != reader);
    let others: BTreeSet<Piece> = others.map(|(_, memory)| Piece::Memory(*memory)).collect();
    others.into_iter().collect()
}

/// Puts what was given where it was. What the conversation has then; `None` if the last text has something behind it
/// already, so that nothing is to be searched for.
fn put_again(
    conversation: &Conversation,
    given: Given,
    now: Timestamp,
    placed: &mut Placed,
) -> Option<HashSet<MemoryId>> {
    let last = conversation.anchors.len() - 1;
    let (mut is_told, mut has) = (false, HashSet::new());
    for injection in given.injections {
        let Some((body, items)) = injection.content else {
            continue;
        };
        let place = conversation
            .anchors
            .iter()
            .rposition(|anchor| *anchor == body.anchor);
        let Some(place) = place else { continue };
        // The newest counts.
        if placed.texts.iter().any(|(at, _)| *at == place) {
            continue;
        }
        let owners: Option<Vec<_>> = items
            .iter()
            .map(|item| Some((*given.owners.get(&item.memory)?, item.memory)))
            .collect();
        // Whose it is has to be known, for the record.
        let Some(owners) = owners else { continue };
        if place == last {
            let age = now.as_micros() - injection.at.as_micros();
            if !(0..STANDS_MICROS).contains(&age) {
                continue;
            }
            is_told = true;
        }
        placed.blocks += items.len();
        for (owner, memory) in owners {
            placed.given.push((owner, memory));
            has.insert(memory);
        }
        placed.texts.push((place, body.text));
    }
    (!is_told).then_some(has)
}
