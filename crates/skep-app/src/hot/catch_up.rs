//! Feeding an index: changes since its `seq`, page by page, opened and analysed off the runtime.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use skep_authz::Survey;
use skep_domain::{DerivedBy, Id, MemoryId, MemoryState, OntologyAction, Principal};
use skep_index::{Embedder, Entry, NameRules, Quantised, Said, WorkspaceIndex};
use skep_store::row::ModelTag;
use skep_store::{Change, MemoryBody, Proposal, Tx};
use tokio::sync::OwnedRwLockWriteGuard;

use super::snapshot::due;
use super::{Held, Hot};
use crate::AppError;
use crate::upkeep::{Tenant, survey};

/// Changes fetched at a time: enough to amortise the statement, few enough to stay small.
const PAGE: u32 = 2_048;

/// An index that nobody else looks at meanwhile.
type Writing = OwnedRwLockWriteGuard<WorkspaceIndex>;

impl Hot {
    /// Applies every change since the index's `seq`. The next page is read and opened while the
    /// last one is analysed. What was applied stays if the caller gives up in between.
    pub(super) async fn catch_up(&self, tenant: Tenant, held: &Arc<Held>) -> Result<(), AppError> {
        // One at a time per workspace; whoever waited finds it done and reads no page.
        let mut index = Arc::clone(&held.index).write_owned().await;
        let fresh = index.seq() == 0;
        let mut tx = self.store.begin(survey(tenant)).await?;
        let target = tx.seq().await?;
        if fresh {
            index = self.restore(tenant, index, target).await?;
        }
        let moved = fresh || index.seq() < target;
        if index.seq() == 0 && target > 0 {
            index = self.load_all(tenant, &mut tx, index).await?;
            index.set_seq(target);
            held.read(index.len());
        }
        held.read(remove_erased(&mut tx, &mut index).await?);
        let mut after = (index.seq(), None);
        let mut page = if index.seq() < target {
            tx.list_changes(after, PAGE).await?
        } else {
            Vec::new()
        };
        while let Some(last) = page.last() {
            self.store.check_open(tenant.0).await?;
            after = (last.seq, Some(last.id));
            held.read(page.len());
            let is_last = page.len() < PAGE as usize;
            let embedder = Arc::clone(&self.embedder);
            let applying = apply_all(index, page, self.model, Some(embedder));
            let (applied, next) = if is_last {
                (applying.await, Ok(Vec::new()))
            } else {
                tokio::join!(applying, tx.list_changes(after, PAGE))
            };
            index = applied?;
            page = next?;
            // The last write of a page may go on in the next one, so it does not count as seen yet.
            let seen = index.seq().max(after.0.saturating_sub(1));
            index.set_seq(seen);
        }
        if moved {
            index.set_name_rules(name_rules(tx.list_name_rules().await?));
        }
        let reached = index.seq().max(target);
        index.set_seq(reached);
        held.bytes.store(index.bytes() as u64, Ordering::Relaxed);
        held.due.store(due(index.len()), Ordering::Relaxed);
        drop(index);
        if fresh {
            self.evict();
        }
        Ok(())
    }
}

/// What was erased has no row that says so in the feed of changes, only a tombstone. An erased id
/// never comes back, so it does not matter that later changes are applied after it. Says how many.
async fn remove_erased(tx: &mut Tx<Survey>, index: &mut Writing) -> Result<usize, AppError> {
    let (mut after, mut removed) = ((index.seq(), None), 0);
    loop {
        let erased = tx.list_erasures(after, PAGE).await?;
        let Some((seq, last)) = erased.last() else {
            return Ok(removed);
        };
        after = (*seq, Some(*last));
        removed += erased.len();
        for (_, id) in erased {
            index.remove(id);
        }
    }
}

/// What was accepted about names, in the form that the index follows.
fn name_rules(accepted: Vec<Proposal>) -> NameRules {
    let mut rules = NameRules::default();
    for Proposal { proposal, .. } in accepted {
        match (proposal.action, &proposal.other) {
            (OntologyAction::Merge | OntologyAction::Rename, Some(other)) => {
                rules.merge(&proposal.name, other);
            }
            (OntologyAction::Merge | OntologyAction::Rename, None) => {}
            (OntologyAction::Archive, _) => rules.archive(&proposal.name),
        }
    }
    rules
}

impl Hot {
    /// Makes the index from all rows: two walks in the order of the file, each part analysed while
    /// the next is read and opened. One that began before the organization closed its workspaces does not go on. Rows that the transaction does not see come as changes later.
    async fn load_all(
        &self,
        tenant: Tenant,
        tx: &mut Tx<Survey>,
        mut index: Writing,
    ) -> Result<Writing, AppError> {
        // What an attempt that was given up left behind may have been forgotten since.
        *index = self.empty();
        let mut part = tx.walk_memories(0, PAGE).await?;
        loop {
            let applying = apply_all(index, part.rows, self.model, None);
            let Some(next) = part.next else {
                index = applying.await?;
                break;
            };
            let (applied, read) = tokio::join!(applying, tx.walk_memories(next, PAGE));
            (index, part) = (applied?, read?);
            self.store.check_open(tenant.0).await?;
        }
        let mut part = tx.walk_vectors(self.model, 0, PAGE).await?;
        loop {
            let applying = put_vectors(index, part.rows);
            let Some(next) = part.next else {
                index = applying.await?;
                break;
            };
            let (applied, read) = tokio::join!(applying, tx.walk_vectors(self.model, next, PAGE));
            (index, part) = (applied?, read?);
            self.store.check_open(tenant.0).await?;
        }
        if index.missing_vectors() > 0 {
            index = self.draft_all(tx, index).await?;
        }
        index.settle();
        Ok(index)
    }

    /// Gives a draft to whatever has no vector yet: one more walk, which only a backlog costs.
    async fn draft_all(
        &self,
        tx: &mut Tx<Survey>,
        mut index: Writing,
    ) -> Result<Writing, AppError> {
        let mut from = Some(0);
        while let Some(next) = from {
            let part = tx.walk_memories(next, PAGE).await?;
            let embedder = Arc::clone(&self.embedder);
            index = apply_all(index, part.rows, self.model, Some(embedder)).await?;
            from = part.next;
        }
        Ok(index)
    }
}

async fn put_vectors(
    mut index: Writing,
    vectors: Vec<(MemoryId, Vec<u8>)>,
) -> Result<Writing, AppError> {
    let put_each = move || {
        for (id, bytes) in vectors {
            index.put_vector_bytes(id, &bytes);
        }
        index
    };
    tokio::task::spawn_blocking(put_each)
        .await
        .map_err(|_| AppError::Internal("indexing ended early"))
}

async fn apply_all(
    mut index: Writing,
    changes: Vec<Change>,
    model: ModelTag,
    drafts: Option<Arc<dyn Embedder>>,
) -> Result<Writing, AppError> {
    let apply_each = move || {
        for change in changes {
            apply(&mut index, change, model, drafts.as_deref());
        }
        index
    };
    tokio::task::spawn_blocking(apply_each)
        .await
        .map_err(|_| AppError::Internal("indexing ended early"))
}

/// One change; a vector of another model counts as none. A memory that has none gets a draft of it
/// for the time being, if there is something to draft with.
fn apply(
    index: &mut WorkspaceIndex,
    change: Change,
    model: ModelTag,
    drafts: Option<&dyn Embedder>,
) {
    let past = change.state == MemoryState::Superseded;
    if !change.state.is_recallable() && !past {
        index.remove(change.id);
        return;
    }
    let text = indexed_text(&change.body);
    index.put(&Entry {
        id: change.id,
        project: change.project,
        text: &text,
    });
    index.set_past(change.id, past);
    index.put_names(change.id, change.body.entities.iter().map(String::as_str));
    if let Some(said) = said(&change) {
        index.put_said(change.id, said);
    }
    if let Some((made_by, bytes)) = change.vector
        && made_by == model
    {
        index.put_vector_bytes(change.id, &bytes);
    }
    if let Some(embedder) = drafts
        && index.lacks_vector(change.id)
    {
        index.put_draft(change.id, &Quantised::of(&embedder.draft(&text)));
    }
}

/// Where a memory stands in its session, among those that the same readers may read: a memory lends
/// its words to its neighbours, so that whoever finds the one could have read the other. What
/// somebody said as it stands needs what was said around it; a distilled statement carries it.
fn said(change: &Change) -> Option<Said> {
    if change.body.derived_by != DerivedBy::Person {
        return None;
    }
    let (owner, visibility) = change.readers;
    let kind = u8::from(matches!(owner, Principal::Agent(_)));
    let parts = [
        change.session?.to_bytes().as_slice(),
        &owner.to_bytes(),
        &[kind, visibility.code()],
    ]
    .concat();
    let mut thread = [0; 16];
    thread.copy_from_slice(&skep_crypto::sha256(&parts)[..16]);
    Some(Said {
        thread,
        at: change.valid_from,
    })
}

/// What search sees of a memory. The key line is part of the text for most; where it is, it is
/// not indexed twice.
#[must_use]
pub fn indexed_text(body: &MemoryBody) -> String {
    let mut text = String::with_capacity(body.key.len() + body.text.len() + 64);
    if !body.text.starts_with(body.key.trim_end_matches('…')) {
        text.push_str(&body.key);
        text.push('\n');
    }
    text.push_str(&body.text);
    for entity in &body.entities {
        if !body.text.contains(entity.as_str()) {
            text.push('\n');
            text.push_str(entity);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use skep_domain::{
        AgentId, DerivedBy, Id as _, MemoryId, MemoryKind, MemoryState, Principal, SessionId,
        Timestamp, Visibility,
    };
    use skep_store::{Change, MemoryBody};

    use super::said;

    fn change(derived_by: DerivedBy, owner: u8, visibility: Visibility) -> Change {
        Change {
            seq: 1,
            id: MemoryId::from_bytes([1; 16]),
            kind: MemoryKind::Fact,
            state: MemoryState::Active,
            recorded_at: Timestamp::default(),
            valid_from: Timestamp::default(),
            session: Some(SessionId::from_bytes([2; 16])),
            readers: (
                Principal::Agent(AgentId::from_bytes([owner; 16])),
                visibility,
            ),
            project: None,
            body: MemoryBody {
                derived_by,
                ..MemoryBody::default()
            },
            vector: None,
        }
    }

    #[test]
    fn words_are_lent_among_what_the_same_readers_read_as_it_was_said() {
        let place = |by, owner, visibility| said(&change(by, owner, visibility));
        let here = place(DerivedBy::Person, 3, Visibility::Workspace);
        assert!(here.is_some() && here == place(DerivedBy::Person, 3, Visibility::Workspace));
        assert_ne!(here, place(DerivedBy::Person, 4, Visibility::Workspace));
        assert_ne!(here, place(DerivedBy::Person, 3, Visibility::Own));
        for distilled in [DerivedBy::Rules, DerivedBy::Recap, DerivedBy::Model] {
            assert_eq!(place(distilled, 3, Visibility::Workspace), None);
        }
    }
}
