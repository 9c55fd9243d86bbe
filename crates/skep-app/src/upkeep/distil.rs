//! Distilling: turns to memories, exchange by exchange, each step in one transaction with the note
//! of how far it came, so that a kill neither loses nor repeats one.

use skep_authz::Maintain;
use skep_domain::{Harness, MemoryKind, MemoryState, SessionId, Trust, Validity};
use skep_memory::{
    CommitAuthor, CommitView, Draft, FileChange, FileStatus, TurnView, distil_commit,
    distil_exchange, normal_form, split_exchanges,
};
use skep_store::{Branch, DistilSession, Kept, MemoryBody, NewMemory, Root, Turn, Tx};

use super::{BATCH, Tenant, maintain};
use crate::guard::guarded_all;
use crate::{App, AppError};

/// What distilling brought.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Distilled {
    pub(crate) new: u32,
    pub(crate) known: u32,
}

impl std::ops::AddAssign for Distilled {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.known += other.known;
    }
}

/// What one step works on.
struct Step {
    turns: Vec<Turn>,
    /// One past the last ordinal that this step finishes.
    to: u64,
    drafts: Vec<Draft>,
}

impl App {
    pub(super) async fn distil_pending(&self, tenant: Tenant) -> Result<(), AppError> {
        let mut tx = self.store.begin(maintain(tenant)).await?;
        let pending = tx.list_undistilled(BATCH).await?;
        drop(tx);
        for row in pending {
            self.distil_session(tenant, row.session).await?;
        }
        Ok(())
    }

    /// Distils a session as far as its exchanges are complete.
    pub(crate) async fn distil_session(
        &self,
        tenant: Tenant,
        session: SessionId,
    ) -> Result<Distilled, AppError> {
        let mut total = Distilled::default();
        loop {
            let mut tx = self.store.begin(maintain(tenant)).await?;
            let Some(session) = tx.get_distil_session(session).await? else {
                return Ok(total);
            };
            let Some(step) = self.next_step(&mut tx, &session).await? else {
                return Ok(total);
            };
            let done = self.keep(&mut tx, &session, step).await?;
            tx.commit().await?;
            total += done;
        }
    }

    async fn next_step(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
    ) -> Result<Option<Step>, AppError> {
        let Some(state) = tx.get_distil_state(session.id).await? else {
            return Ok(None);
        };
        if state.from >= state.to {
            return Ok(None);
        }
        if tx.is_taken_back(Root::Session(session.id)).await? {
            // What comes after is of the same making.
            return Ok(Some(Step {
                turns: Vec::new(),
                to: state.to,
                drafts: Vec::new(),
            }));
        }
        let turns = tx
            .list_turns_to_distil(session.id, state.from, BATCH)
            .await?;
        let all = turns
            .last()
            .is_some_and(|turn| turn.ordinal + 1 >= state.to);
        if session.harness == Harness::Git {
            return Ok(Some(commits(turns)));
        }
        Ok(exchanges(session.harness, turns, all, state.ended))
    }

    async fn keep(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
        step: Step,
    ) -> Result<Distilled, AppError> {
        let mut done = Distilled::default();
        let mut memories = Vec::with_capacity(step.drafts.len());
        let writer = tx.writer_for(session);
        for draft in step.drafts {
            let cited: Vec<&Turn> = draft
                .turns
                .iter()
                .filter_map(|index| step.turns.get(*index))
                .collect();
            if draft.kind == MemoryKind::Procedure && draft.trust == Trust::External {
                // The store would refuse it, and with it the whole step.
                continue;
            }
            let normal = normal_form(&draft.text);
            memories.push(self.memory_of(session, &cited, draft, normal));
        }
        for memory in guarded_all(memories) {
            match self.keep_statement(tx, &writer, memory).await?.kept {
                Kept::New(_) => done.new += 1,
                Kept::Known(_) => done.known += 1,
            }
        }
        tx.set_distilled(session.id, step.to).await?;
        Ok(done)
    }

    /// A draft as a memory of its session; `normal` is what counts for being the same statement.
    pub(super) fn memory_of(
        &self,
        session: &DistilSession,
        cited: &[&Turn],
        draft: Draft,
        normal: String,
    ) -> NewMemory {
        NewMemory {
            id: self.store.mint(),
            kind: draft.kind,
            trust: draft.trust,
            state: MemoryState::Active,
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
            },
            origins: Vec::new(),
            topics: Vec::new(),
            reasons: Vec::new(),
        }
    }
}

/// A step over commits: each stands alone.
fn commits(turns: Vec<Turn>) -> Step {
    let drafts = turns
        .iter()
        .enumerate()
        .flat_map(|(index, turn)| {
            let files = files_of(turn);
            distil_commit(&commit(index, turn, &files))
        })
        .collect();
    let to = turns.last().map_or(0, |turn| turn.ordinal + 1);
    Step { turns, to, drafts }
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

/// A step over the exchanges that are complete: followed by another, or the session has ended, or
/// one alone fills the whole batch and is taken in pieces.
fn exchanges(harness: Harness, turns: Vec<Turn>, all: bool, ended: bool) -> Option<Step> {
    let views: Vec<TurnView<'_>> = turns.iter().enumerate().filter_map(view).collect();
    let mut ranges = split_exchanges(&views);
    let keeps_open = !((all && ended) || (ranges.len() <= 1 && !all));
    let open = if keeps_open { ranges.pop() } else { None };
    let to = match open {
        Some(range) => turns.get(views.get(range.start)?.index)?.ordinal,
        None => turns.last()?.ordinal + 1,
    };
    if to == turns.first()?.ordinal {
        return None;
    }
    let drafts = ranges
        .into_iter()
        .flat_map(|range| distil_exchange(harness, &views[range]))
        .collect();
    Some(Step { turns, to, drafts })
}

fn view((index, turn): (usize, &Turn)) -> Option<TurnView<'_>> {
    let turn = &turn.turn;
    (turn.branch != Branch::Abandoned).then_some(TurnView {
        index,
        role: turn.role,
        at: turn.at,
        text: &turn.text,
        tool: turn.tool.as_deref(),
        is_error: turn.is_error,
        paths: &turn.paths,
    })
}
