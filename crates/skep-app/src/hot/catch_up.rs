//! Feeding an index: changes since its `seq`, page by page, opened and analysed off the runtime.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use skep_domain::{OrganizationId, WorkspaceId};
use skep_index::{Entry, Quantised, WorkspaceIndex};
use skep_store::{Change, MemoryBody};

use super::{Held, Hot};
use crate::AppError;
use crate::upkeep::survey;

/// Changes fetched at a time: enough to amortise the statement, few enough to stay small.
const PAGE: u32 = 2_048;

impl Hot {
    pub(super) async fn catch_up(
        &self,
        tenant: (OrganizationId, WorkspaceId),
        held: &Arc<Held>,
    ) -> Result<(), AppError> {
        // One at a time per workspace; whoever waited finds it done and reads no page.
        let mut index = Arc::clone(&held.index).write_owned().await;
        let mut tx = self.store.begin(survey(tenant)).await?;
        let target = tx.seq().await?;
        let mut after = (index.seq(), None);
        let fresh = after.0 == 0;
        while index.seq() < target {
            let changes = tx.list_changes(after, PAGE).await?;
            let last = changes.len() < PAGE as usize;
            if let Some(change) = changes.last() {
                after = (change.seq, Some(change.id));
            }
            let model = self.model;
            index = tokio::task::spawn_blocking(move || {
                for change in changes {
                    apply(&mut index, change, model);
                }
                index
            })
            .await
            .map_err(|_| AppError::Internal("indexing ended early"))?;
            if last {
                index.set_seq(target);
            }
        }
        held.bytes.store(index.bytes() as u64, Ordering::Relaxed);
        drop(index);
        if fresh {
            self.evict();
        }
        Ok(())
    }
}

/// One change; a vector of another model counts as none.
fn apply(index: &mut WorkspaceIndex, change: Change, model: skep_store::row::ModelTag) {
    if !change.state.is_recallable() {
        index.remove(change.id);
        return;
    }
    let text = indexed_text(&change.body);
    index.put(&Entry {
        id: change.id,
        project: change.project,
        text: &text,
    });
    if let Some((made_by, bytes)) = change.vector
        && made_by == model
        && let Some(vector) = Quantised::from_bytes(&bytes)
    {
        index.put_vector(change.id, &vector);
    }
}

/// What search sees of a memory. The key line is part of the text for most; where it is, it is
/// not indexed twice.
pub(crate) fn indexed_text(body: &MemoryBody) -> String {
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
