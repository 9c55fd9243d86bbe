//! What distilling does beside keeping memories: looking at what a session left, taking claims
//! back, counting what sessions have in common.

use skep_authz::Maintain;
use skep_domain::{Id, MemoryState, Timestamp};

use super::Tx;
use super::read::open_memory;
use super::upkeep::DistilSession;
use crate::StoreError;
use crate::keys::Purpose;
use crate::row::{Fingerprint, HistoryRow};
use crate::value::Memory;

impl Tx<Maintain> {
    /// Recallable memories that were distilled from a session, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_distilled(
        &mut self,
        session: &DistilSession,
        limit: u32,
    ) -> Result<Vec<Memory>, StoreError> {
        let rows = self
            .backend
            .distilled(&self.scope, session.id, limit)
            .await?;
        rows.into_iter()
            .map(|row| open_memory(&self.keys, row))
            .collect()
    }

    /// Takes a memory of this session out of recall, because the session itself takes it back. It
    /// stays with its history. `false` when the session has no such memory: then it was known from
    /// elsewhere, and is not this session's to take back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_distilled(
        &mut self,
        session: &DistilSession,
        normal_form: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let fingerprint = self.memory_fingerprint(session.owner, session.visibility, normal_form);
        let found = self
            .backend
            .distilled_as(&self.scope, session.id, fingerprint)
            .await?;
        let Some(id) = found else { return Ok(false) };
        let entry = HistoryRow {
            at,
            actor: None,
            state: MemoryState::Superseded,
            reason: self.seal_reasons(id, &[reason]),
        };
        self.backend
            .set_state_for_upkeep(&self.scope, id, entry)
            .await
    }

    /// Notes sequences of commands that succeeded in a session; says for each in how many sessions
    /// of the same owner and project it is known now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_command_runs(
        &mut self,
        session: &DistilSession,
        sequences: &[String],
    ) -> Result<Vec<u64>, StoreError> {
        let project = session.project.map_or([0; 16], Id::to_bytes);
        let runs: Vec<Fingerprint> = sequences
            .iter()
            .map(|sequence| {
                let parts: [&[u8]; 3] = [&session.owner.to_bytes(), &project, sequence.as_bytes()];
                self.keys.fingerprint(Purpose::CommandRun, &parts)
            })
            .collect();
        self.backend
            .put_command_runs(&self.scope, session.id, runs)
            .await
    }
}
