//! What changes together: counted over a repository's whole history when an import of it ends.

use skep_domain::SessionId;
use skep_memory::{CoChange, Draft};
use skep_store::{Kept, Root, Turn};

use super::distil::{Distilled, commit, files_of};
use super::{Tenant, maintain, survey};
use crate::{App, AppError};

/// Pairs of files counted at a time; beyond that the rarest give way.
const PAIRS: usize = 50_000;
/// Statements kept of one repository.
const STATEMENTS: usize = 200;
/// Commits read at a time.
const PAGE: u32 = 1_000;

impl App {
    pub(crate) async fn distil_together(
        &self,
        tenant: Tenant,
        session: SessionId,
    ) -> Result<Distilled, AppError> {
        let mut done = Distilled::default();
        let drafts = self.count_together(tenant, session).await?;
        let mut tx = self.store.begin(maintain(tenant)).await?;
        let Some(session) = tx.get_distil_session(session).await? else {
            return Ok(done);
        };
        if tx.is_taken_back(Root::Session(session.id)).await? {
            return Ok(done);
        }
        for draft in drafts {
            let mut cited: Vec<Turn> = Vec::new();
            for ordinal in &draft.turns {
                cited.extend(
                    tx.list_turns_to_distil(session.id, *ordinal as u64, 1)
                        .await?,
                );
            }
            let cited: Vec<&Turn> = cited.iter().collect();
            // The counts grow with every import; the statement that these belong together does not.
            let normal = format!("change together: {}", draft.entities.join(" | "));
            let memory = self.memory_of(&session, &cited, draft, normal);
            match tx.put_distilled(&session, memory).await? {
                Kept::New(_) => done.new += 1,
                Kept::Known(_) => done.known += 1,
            }
        }
        tx.commit().await?;
        Ok(done)
    }

    async fn count_together(
        &self,
        tenant: Tenant,
        session: SessionId,
    ) -> Result<Vec<Draft>, AppError> {
        let mut together = CoChange::new(PAIRS);
        let mut tx = self.store.begin(survey(tenant)).await?;
        let mut from = 0;
        loop {
            let turns = tx.list_turns_to_distil(session, from, PAGE).await?;
            let Some(last) = turns.last() else {
                return Ok(together.drafts(STATEMENTS));
            };
            from = last.ordinal + 1;
            for turn in &turns {
                together.observe(&commit(turn.ordinal as usize, turn, &files_of(turn)));
            }
        }
    }
}
