//! What a transaction can record, and read, of what was put in front of models.

use std::collections::HashSet;

use skep_authz::{CanRead, rights::SessionCapture};
use skep_domain::{Id, InjectionId, MemoryId, SessionId};

use super::Tx;
use crate::StoreError;
use crate::backend::PageOf;
use crate::injection::{Injection, InjectionBody, NewInjection};
use crate::keys::column;
use crate::row::{InjectionRow, StoredInjectionRow};

/// Injections looked back on to tell what a model has in its context.
const LOOK_BACK: u32 = 5_000;

impl Tx<SessionCapture> {
    /// Records what is about to be put in front of a model; gives its place in the session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_injection(&mut self, new: &NewInjection) -> Result<u64, StoreError> {
        let row = InjectionRow {
            id: new.id,
            session: new.session,
            at: new.at,
            moment: new.moment,
            memories: new.items.iter().map(|item| item.memory).collect(),
            body: self.keys.seal(
                column::INJECTION_BODY,
                new.id.to_bytes(),
                &new.body.to_bytes(&new.items),
            ),
        };
        self.backend
            .put_injection(&self.scope, &self.ring, row)
            .await
    }

    /// Memories that the model of a session has in its context already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_injected(
        &mut self,
        session: SessionId,
    ) -> Result<HashSet<MemoryId>, StoreError> {
        let injected = self
            .backend
            .injected(&self.scope, &self.ring, session, LOOK_BACK)
            .await?;
        Ok(injected.into_iter().collect())
    }
}

impl<P: CanRead> Tx<P> {
    /// Injections into sessions that the caller may see, or into one of them, newest first.
    ///
    /// Read is only what holds no memory that is closed to the caller now, whoever injected it: a
    /// session may be shared while the memories in its context are not, and a consent that was
    /// withdrawn since hides what rested on it here too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_injections(
        &mut self,
        session: Option<SessionId>,
        page: PageOf<InjectionId>,
    ) -> Result<Vec<Injection>, StoreError> {
        let rows = self
            .backend
            .injections(&self.scope, &self.ring, session, page)
            .await?;
        let mut injections = Vec::with_capacity(rows.len());
        for row in rows {
            injections.push(self.open_injection(row).await?);
        }
        Ok(injections)
    }

    async fn open_injection(&mut self, row: StoredInjectionRow) -> Result<Injection, StoreError> {
        let StoredInjectionRow { injection, ordinal } = row;
        let content = if self.sees_all(&injection.memories).await? {
            let opened = self.keys.open(
                column::INJECTION_BODY,
                injection.id.to_bytes(),
                &injection.body,
            )?;
            Some(InjectionBody::from_bytes(
                opened.expose(),
                &injection.memories,
            )?)
        } else {
            None
        };
        Ok(Injection {
            id: injection.id,
            session: injection.session,
            ordinal,
            at: injection.at,
            moment: injection.moment,
            content,
        })
    }

    async fn sees_all(&mut self, memories: &[MemoryId]) -> Result<bool, StoreError> {
        let rows = self
            .backend
            .memories_by_id(&self.scope, &self.ring, memories)
            .await?;
        let seen: HashSet<MemoryId> = rows.iter().map(|row| row.memory.id).collect();
        Ok(memories.iter().all(|memory| seen.contains(memory)))
    }
}
