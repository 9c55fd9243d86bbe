//! Distilling: turns to memories, exchange by exchange, each step in one transaction with the note
//! of how far it came, so that a kill neither loses nor repeats one.

use skep_authz::{Maintain, Survey};
use skep_domain::{
    DerivedBy, Harness, MemoryKind, MemoryState, SessionId, Timestamp, Trust, Validity,
};
use skep_memory::{
    CommitAuthor, CommitView, Draft, FileChange, FileStatus, distil_commit, normal_form,
};
use skep_store::row::DistilRow;
use skep_store::{DistilSession, Kept, MemoryBody, NewMemory, Root, Turn, Tx};

use super::exchanges::{CONTEXT, Read, cited};
use super::finish::{Whole, held_back, read_whole};
use super::together::count_together;
use super::{BATCH, Tenant, apart, maintain, survey};
use crate::guard::guarded_all;
use crate::{App, AppError};

/// What distilling brought.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Distilled {
    pub(crate) new: u32,
    pub(crate) known: u32,
    /// Candidates that were not worth keeping.
    pub(crate) refused: u32,
    /// Steps taken.
    pub(crate) steps: u32,
}

impl std::ops::AddAssign for Distilled {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.known += other.known;
        self.refused += other.refused;
    }
}

/// What one step works on.
pub(super) struct Step {
    /// Those that drafts cite; some of them may be done already.
    pub(super) turns: Vec<Turn>,
    /// The first ordinal that was not distilled before.
    pub(super) from: u64,
    /// One past the last ordinal that this step finishes.
    pub(super) to: u64,
    pub(super) drafts: Vec<Draft>,
    /// What the session said before and takes back now.
    pub(super) withdrawn: Vec<Draft>,
    pub(super) refused: u32,
    /// Whether the session is done with it.
    pub(super) finishes: bool,
}

/// What a session leaves as a whole.
enum End {
    /// A conversation: a recap, and candidates for procedures.
    Talk(Whole),
    /// The history of a repository: what changes together.
    History(Vec<Draft>),
}

/// A step that only has to be kept.
struct Prepared {
    session: DistilSession,
    /// The state that it was read in.
    state: DistilRow,
    /// Its drafts are memories by now.
    step: Step,
    memories: Vec<NewMemory>,
    /// What the session leaves as a whole, if the step finishes it.
    end: Option<End>,
}

/// In the history of a claim that did not stand.
pub(crate) const TAKEN_BACK: &str = "the session itself takes it back";

/// Commits of one step. Each yields memories that are compared with what is known, under the
/// workspace's one write lock: an import that goes on meanwhile must not wait long for it.
const COMMITS: u32 = 24;

/// How long a session may stand still before its last exchange counts as complete: an importer or a
/// harness that died never says that it has ended. What follows after all is distilled with what
/// it goes on from.
const IDLE_SECONDS: u64 = 15 * 60;

impl App {
    /// Distils what is complete. Says whether sessions are left that may become complete by
    /// standing still.
    pub(super) async fn distil_pending(&self, tenant: Tenant) -> Result<bool, AppError> {
        loop {
            let mut tx = self.store.begin(survey(tenant)).await?;
            let pending = tx.list_undistilled(BATCH).await?;
            drop(tx);
            let mut moved = false;
            let mut waits = false;
            for row in &pending {
                moved |= self.distil_session(tenant, row.session).await?.steps > 0;
                waits |= !row.ended;
            }
            // A full page of sessions that wait must not hide the ones behind it.
            if !moved || pending.len() < BATCH as usize {
                return Ok(waits);
            }
        }
    }

    /// Distils a session as far as its exchanges are complete. Each step is read and thought out
    /// first, and kept in a transaction after that: whoever writes meanwhile waits for the keeping
    /// alone.
    pub(crate) async fn distil_session(
        &self,
        tenant: Tenant,
        session: SessionId,
    ) -> Result<Distilled, AppError> {
        let mut total = Distilled::default();
        while let Some(prepared) = self.prepare(tenant, session).await? {
            if let Some(done) = self.keep(tenant, prepared).await? {
                total += done;
                total.steps += 1;
            }
        }
        Ok(total)
    }

    /// Reads the next step of a session and makes memories of it, all but keeping them.
    async fn prepare(
        &self,
        tenant: Tenant,
        session: SessionId,
    ) -> Result<Option<Prepared>, AppError> {
        let mut tx = self.store.begin(survey(tenant)).await?;
        let Some(session) = tx.get_distil_session(session).await? else {
            return Ok(None);
        };
        let Some(state) = tx.get_distil_state(session.id).await? else {
            return Ok(None);
        };
        let Some(mut step) = self.next_step(&mut tx, &session, &state).await? else {
            return Ok(None);
        };
        let end = match (step.finishes, session.harness) {
            (false, _) => None,
            (true, Harness::Git) => Some(End::History(count_together(&mut tx, session.id).await?)),
            (true, _) => Some(End::Talk(read_whole(&mut tx, &session).await?)),
        };
        drop(tx);
        let drafts = std::mem::take(&mut step.drafts);
        let memories = self.memories_of(&session, &step.turns, drafts);
        Ok(Some(Prepared {
            session,
            state,
            step,
            memories: apart(move || guarded_all(memories)).await?,
            end,
        }))
    }

    async fn next_step(
        &self,
        tx: &mut Tx<Survey>,
        session: &DistilSession,
        state: &DistilRow,
    ) -> Result<Option<Step>, AppError> {
        if state.from >= state.to {
            return Ok(None);
        }
        let is_git = session.harness == Harness::Git;
        let context = if is_git { 0 } else { state.from.min(CONTEXT) };
        let wanted = if is_git {
            COMMITS
        } else {
            BATCH + context as u32
        };
        let turns = tx
            .list_turns_to_distil(session.id, state.from - context, wanted)
            .await?;
        let is_all = turns
            .last()
            .is_some_and(|turn| turn.ordinal + 1 >= state.to);
        let is_closed = is_closed(state, &turns, self.store.now());
        if is_git {
            return apart(move || commits(turns, is_all, is_closed)).await;
        }
        let read = Read {
            harness: session.harness,
            is_all,
            is_closed,
            from: state.from,
            turns,
        };
        apart(move || read.step()).await
    }

    fn memories_of(
        &self,
        session: &DistilSession,
        turns: &[Turn],
        drafts: Vec<Draft>,
    ) -> Vec<NewMemory> {
        let mut memories = Vec::with_capacity(drafts.len());
        for draft in drafts {
            if draft.kind == MemoryKind::Procedure && draft.trust == Trust::External {
                // The store would refuse it, and with it the whole step.
                continue;
            }
            let cited = cited(turns, &draft);
            let normal = normal_form(&draft.text);
            memories.push(self.memory_of(session, &cited, draft, normal));
        }
        memories
    }

    /// Keeps a step, unless the session is not as it was read: then nothing is done, and the step
    /// has to be read anew.
    async fn keep(
        &self,
        tenant: Tenant,
        prepared: Prepared,
    ) -> Result<Option<Distilled>, AppError> {
        let Prepared {
            session,
            state,
            step,
            memories,
            end,
        } = prepared;
        let mut tx = self.store.begin(maintain(tenant)).await?;
        let is_same = tx.get_distil_session(session.id).await? == Some(session);
        let now = tx.get_distil_state(session.id).await?;
        let Some(now) = now.filter(|now| is_same && is_where_it_was(&state, now, step.finishes))
        else {
            return Ok(None);
        };
        if tx.is_taken_back(Root::Session(session.id)).await? {
            // What comes after is of the same making.
            tx.set_distilled(session.id, now.to).await?;
            tx.commit().await?;
            return Ok(Some(Distilled::default()));
        }
        let mut done = self.keep_step(&mut tx, &session, step, memories).await?;
        match end {
            Some(End::Talk(whole)) => {
                done += self.finish(&mut tx, &session, whole).await?;
                tx.set_model_due(session.id).await?;
            }
            Some(End::History(drafts)) => {
                done += self.keep_together(&mut tx, &session, drafts).await?;
            }
            None => {}
        }
        tx.commit().await?;
        self.mark_for_model(tenant);
        Ok(Some(done))
    }

    async fn keep_step(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
        step: Step,
        memories: Vec<NewMemory>,
    ) -> Result<Distilled, AppError> {
        let mut done = Distilled {
            refused: step.refused,
            ..Distilled::default()
        };
        for draft in &step.withdrawn {
            let normal = normal_form(&draft.text);
            tx.withdraw_distilled(session, &normal, TAKEN_BACK, self.store.now())
                .await?;
        }
        self.withdraw_read(tx, session, &step.turns, step.from)
            .await?;
        let writer = tx.writer_for(session);
        for memory in memories {
            match self.keep_statement(tx, &writer, memory).await?.kept {
                Kept::New(_) => done.new += 1,
                Kept::Known(_) => done.known += 1,
            }
        }
        tx.set_distilled(session.id, step.to).await?;
        Ok(done)
    }

    /// A draft as a memory of its session; `normal` is what counts for being the same statement.
    pub(crate) fn memory_of(
        &self,
        session: &DistilSession,
        cited: &[&Turn],
        draft: Draft,
        normal: String,
    ) -> NewMemory {
        let held_back = held_back(draft.kind);
        NewMemory {
            id: self.store.mint(),
            kind: draft.kind,
            trust: draft.trust,
            state: if held_back.is_some() {
                MemoryState::Quarantined
            } else {
                MemoryState::Active
            },
            validity: Validity::open(draft.valid_from, self.store.now()),
            visibility: session.visibility,
            project: session.project,
            harness: session.harness,
            session: Some(session.id),
            turns: cited.iter().map(|turn| turn.turn.id).collect(),
            normal_form: normal,
            body: MemoryBody {
                key: draft.key,
                text: draft.text,
                entities: draft.entities,
                references: cited
                    .iter()
                    .map(|turn| turn.turn.client_event_id.clone())
                    .collect(),
                derived_by: DerivedBy::Rules,
                path: None,
            },
            origins: Vec::new(),
            topics: Vec::new(),
            reasons: held_back.map(str::to_owned).into_iter().collect(),
        }
    }
}

/// Whether a step that was read in one state fits the other: nobody else distilled meanwhile, and
/// what the step takes for the end still is.
fn is_where_it_was(read: &DistilRow, now: &DistilRow, finishes: bool) -> bool {
    read.from == now.from && (!finishes || read.to == now.to)
}

/// Whether nothing is expected to follow the last of these turns. Our own clock decides: a
/// transcript of last year comes in now.
fn is_closed(state: &DistilRow, turns: &[Turn], now: Timestamp) -> bool {
    let stands_still = |turn: &Turn| now.seconds_since(turn.turn.recorded_at) >= IDLE_SECONDS;
    state.ended || turns.last().is_some_and(stands_still)
}

/// A step over commits: each stands alone. The last one is left for the end of the session, so that
/// what the whole history leaves is not forgotten when an import breaks off.
fn commits(mut turns: Vec<Turn>, is_all: bool, is_closed: bool) -> Option<Step> {
    if is_all && !is_closed {
        turns.pop();
    }
    let drafts = turns
        .iter()
        .enumerate()
        .flat_map(|(index, turn)| {
            let files = files_of(turn);
            distil_commit(&commit(index, turn, &files))
        })
        .collect();
    let to = turns.last()?.ordinal + 1;
    Some(Step {
        from: turns.first().map_or(0, |turn| turn.ordinal),
        turns,
        to,
        drafts,
        withdrawn: Vec::new(),
        refused: 0,
        finishes: is_all && is_closed,
    })
}

/// The commit that a turn of a repository's history is.
pub(super) fn commit<'a>(index: usize, turn: &'a Turn, files: &'a [FileChange]) -> CommitView<'a> {
    let turn = &turn.turn;
    let (subject, body) = turn.text.split_once('\n').unwrap_or((&turn.text, ""));
    CommitView {
        index,
        id: &turn.client_event_id,
        at: turn.at,
        // Whose commit it was stays with the repository: names of people are not captured.
        author: CommitAuthor::Other,
        subject,
        body: body.trim_start_matches('\n'),
        parents: 1,
        files,
    }
}

/// The files of a commit; what happened to them is not captured, and counts as a change.
pub(super) fn files_of(turn: &Turn) -> Vec<FileChange> {
    let change = |path: &String| FileChange {
        status: FileStatus::Modified,
        path: path.clone(),
    };
    turn.turn.paths.iter().map(change).collect()
}
