//! What changes together: counted over a repository's whole history when an import of it ends.

use skep_authz::{Maintain, Survey};
use skep_domain::SessionId;
use skep_memory::{CoChange, Draft};
use skep_store::{DistilSession, Kept, Turn, Tx};

use super::apart;
use super::distil::{Distilled, commit, files_of};
use crate::{App, AppError};

/// Pairs of files counted at a time; beyond that the rarest give way.
const PAIRS: usize = 50_000;
/// Statements kept of one repository.
const STATEMENTS: usize = 200;
/// Commits read at a time.
const PAGE: u32 = 1_000;

impl App {
    pub(super) async fn keep_together(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
        drafts: Vec<Draft>,
    ) -> Result<Distilled, AppError> {
        let mut done = Distilled::default();
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
            let memory = self.memory_of(session, &cited, draft, normal);
            match tx.put_distilled(session, memory).await? {
                Kept::New(_) => done.new += 1,
                Kept::Known(_) => done.known += 1,
            }
        }
        Ok(done)
    }
}

/// Statements of what changes together in a repository's history.
pub(super) async fn count_together(
    tx: &mut Tx<Survey>,
    session: SessionId,
) -> Result<Vec<Draft>, AppError> {
    let mut together = CoChange::new(PAIRS);
    let mut from = 0;
    loop {
        let turns = tx.list_turns_to_distil(session, from, PAGE).await?;
        let Some(last) = turns.last() else {
            return Ok(together.drafts(STATEMENTS));
        };
        from = last.ordinal + 1;
        together = apart(move || {
            for turn in &turns {
                together.observe(&commit(turn.ordinal as usize, turn, &files_of(turn)));
            }
            together
        })
        .await?;
    }
}
