//! What was sent, what was acknowledged, and what must therefore be found.

use anyhow::{Context, Result, ensure};
use skep_api::Instant;
use skep_api::capture::{
    Branch, CaptureRequest, CursorRequest, ImportCursor, Origin, SessionRef, TurnInput,
};
use skep_api::memory::RememberRequest;
use skep_api::page::PageQuery;
use skep_client::Client;

use super::deeds::{Deeds, Held};
use skep_domain::Timestamp;

/// Turns in one batch.
const BATCH: u64 = 20;
const SOURCE: &str = "crash test";

/// The history of one run.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Session ids of acknowledged batches, by batch number; `None` while it was in flight at a kill.
    batches: Vec<Option<String>>,
    memories: Vec<String>,
    sent_memories: u64,
    deeds: Deeds,
}

/// What a full check found.
pub(crate) struct Checked {
    pub(crate) turns: u64,
    pub(crate) memories: u64,
    pub(crate) whole: u64,
    pub(crate) held: Held,
}

impl Ledger {
    /// Writes for ever: batches with their cursor, single memories, ends of sessions.
    pub(crate) async fn write(&mut self, client: &mut Client) -> Result<()> {
        loop {
            let number = self.batches.len() as u64;
            self.batches.push(None);
            let answer = self.deeds.send(client, &batch(number)).await?;
            let session = answer.session.context("an import was refused")?;
            self.acknowledge(number, session.clone());
            self.sent_memories += 1;
            let text = format!(
                "Mooring {} holds {} tonnes.",
                self.sent_memories,
                self.sent_memories * 7
            );
            let kept = client
                .remember(&RememberRequest {
                    text,
                    ..RememberRequest::default()
                })
                .await?;
            self.memories.push(kept.memory.id);
            if number.is_multiple_of(5) {
                client.end_session(&session).await?;
            }
            self.deeds.act(client).await?;
        }
    }

    fn acknowledge(&mut self, number: u64, session: String) {
        if let Some(slot) = self.batches.get_mut(number as usize) {
            *slot = Some(session);
        }
    }

    /// The batch in flight at the kill is there whole or not at all, and the cursor agrees.
    pub(crate) async fn check_last(&mut self, client: &mut Client) -> Result<()> {
        self.deeds.check(client).await?;
        let Some(last) = self.batches.len().checked_sub(1) else {
            return Ok(());
        };
        let cursor = client
            .import_cursor(&CursorRequest {
                source: SOURCE.into(),
            })
            .await?;
        let reached: Option<usize> = cursor.position.map(|text| text.parse()).transpose()?;
        if self.batches[last].is_some() {
            ensure!(
                reached == Some(last),
                "batch {last} was acknowledged, the cursor stands at {reached:?}"
            );
        } else if reached == Some(last) {
            // Not acknowledged but there: then it must be whole; sending it again finds all of it.
            let again = self.deeds.send(client, &batch(last as u64)).await?;
            ensure!(
                u64::from(again.duplicates) == BATCH,
                "batch {last} is half there: {} of {BATCH} turns",
                again.duplicates
            );
        } else {
            let again = self.deeds.send(client, &batch(last as u64)).await?;
            ensure!(
                again.duplicates == 0,
                "batch {last} left {} turns without its cursor",
                again.duplicates
            );
            self.batches[last] = again.session;
        }
        if let Some(memory) = self.memories.last() {
            client
                .memory(memory)
                .await
                .context("the last acknowledged memory")?;
        }
        Ok(())
    }

    /// Everything that was ever acknowledged is there.
    pub(crate) async fn check_all(&self, client: &mut Client) -> Result<Checked> {
        let mut checked = Checked {
            turns: 0,
            memories: 0,
            whole: 0,
            held: self.deeds.check_all(client).await?,
        };
        for (number, session) in self.batches.iter().enumerate() {
            let Some(session) = session else {
                checked.whole += 1;
                continue;
            };
            let page = PageQuery {
                limit: Some(200),
                cursor: None,
            };
            let turns = client
                .session_turns(session, &page)
                .await
                .with_context(|| format!("batch {number}"))?;
            ensure!(
                turns.items.len() as u64 == BATCH,
                "batch {number} has {} turns",
                turns.items.len()
            );
            checked.turns += BATCH;
        }
        for memory in &self.memories {
            client
                .memory(memory)
                .await
                .with_context(|| format!("memory {memory}"))?;
            checked.memories += 1;
        }
        Ok(checked)
    }
}

fn batch(number: u64) -> CaptureRequest {
    let turns = (0..BATCH)
        .map(|at| TurnInput {
            author: None,
            client_event_id: format!("{number}-{at}"),
            role: if at % 2 == 0 { "user" } else { "assistant" }.into(),
            at: Instant(Timestamp::from_millis(
                1_767_225_600_000 + (number * BATCH + at).cast_signed(),
            )),
            text: format!(
                "We decided to moor ship {number}-{at} at berth {at} because the tide is low."
            ),
            tool: None,
            is_error: false,
            paths: Vec::new(),
            branch: Branch::Main,
        })
        .collect();
    CaptureRequest {
        session: SessionRef {
            harness: "other".into(),
            external_id: format!("batch-{number}"),
            title: None,
            project: None,
            cwd: None,
        },
        turns,
        cursor: Some(ImportCursor {
            source: SOURCE.into(),
            position: number.to_string(),
        }),
        origin: Origin::Import,
        spool: None,
        ended: false,
    }
}
