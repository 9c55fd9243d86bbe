//! What a session leaves as a whole, once it is closed: a recap, and candidates for procedures.

use std::collections::BTreeSet;

use skep_authz::{Maintain, Survey};
use skep_domain::{DerivedBy, MemoryKind, TurnId};
use skep_memory::{CommandRuns, KeptStatement, Recap, TurnView, normal_form, split_exchanges};
use skep_store::{DistilSession, Kept, Memory, Turn, Tx};

use super::apart;
use super::distil::Distilled;
use super::exchanges::view;
use crate::{App, AppError};

/// Turns read at a time, and of one session.
const PAGE: u32 = 512;
const TURNS_MAX: u64 = 20_000;
/// Memories of one session that a recap looks at.
const MEMORIES_MAX: u32 = 200;
/// Turns that a recap cites.
const CITED_MAX: usize = 32;

/// A session read from end to end.
pub(super) struct Whole {
    recap: Recap,
    runs: CommandRuns,
    /// Ids of the turns that were read, by their place in the session.
    turns: Vec<(TurnId, String)>,
}

impl App {
    /// Keeps what a closed session leaves as a whole. A session that goes on and is closed again
    /// has its recap replaced.
    pub(super) async fn finish(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
        whole: Whole,
    ) -> Result<Distilled, AppError> {
        let mut done = self.keep_procedures(tx, session, &whole).await?;
        done += self.keep_recap(tx, session, whole).await?;
        Ok(done)
    }

    async fn keep_recap(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
        whole: Whole,
    ) -> Result<Distilled, AppError> {
        let kept = tx.list_distilled(session, MEMORIES_MAX).await?;
        let (old, mut kept): (Vec<Memory>, Vec<Memory>) = kept
            .into_iter()
            .partition(|memory| memory.body.derived_by == DerivedBy::Recap);
        // What a model said of the session is no part of what the session says of itself.
        kept.retain(|memory| memory.body.derived_by != DerivedBy::Model);
        // Ids made in one millisecond have no order; the same session must give the same recap.
        kept.sort_by(|a, b| {
            let place = |memory: &Memory| (memory.validity.from, memory.kind);
            (place(a).cmp(&place(b))).then_with(|| a.body.text.cmp(&b.body.text))
        });
        let statements: Vec<KeptStatement<'_>> = kept
            .iter()
            .map(|memory| KeptStatement {
                kind: memory.kind,
                trust: memory.trust,
                text: &memory.body.text,
            })
            .collect();
        let draft = whole.recap.finish(&statements);
        let is_same =
            |draft: &skep_memory::Draft| old.iter().any(|memory| memory.body.text == draft.text);
        if draft.as_ref().is_some_and(is_same) {
            return Ok(Distilled::default());
        }
        let normal = recap_name(session);
        let reason = "the session went on, and was summed up anew";
        tx.withdraw_distilled(session, &normal, reason, self.store.now())
            .await?;
        let Some(draft) = draft else {
            return Ok(Distilled::default());
        };
        let cited = cited(&whole.turns, &draft.turns, &kept);
        let mut memory = self.memory_of(session, &[], draft, normal);
        (memory.turns, memory.body.references) = cited.into_iter().unzip();
        memory.body.derived_by = DerivedBy::Recap;
        Ok(count(&tx.put_distilled(session, memory).await?))
    }

    async fn keep_procedures(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
        whole: &Whole,
    ) -> Result<Distilled, AppError> {
        let sequences = whole.runs.sequences();
        let names: Vec<String> = sequences
            .iter()
            .map(|sequence| sequence.normal.clone())
            .collect();
        let sessions = tx.put_command_runs(session, &names).await?;
        let mut done = Distilled::default();
        for (draft, times) in whole.runs.candidates(&sequences, &sessions) {
            let cited = cited(&whole.turns, &draft.turns, &[]);
            let normal = normal_form(&draft.text);
            let mut memory = self.memory_of(session, &[], draft, normal);
            memory
                .reasons
                .push(format!("the same commands succeeded in {times} sessions"));
            (memory.turns, memory.body.references) = cited.into_iter().unzip();
            done += count(&tx.put_distilled(session, memory).await?);
        }
        Ok(done)
    }
}

/// What counts for being the recap of the same session.
fn recap_name(session: &DistilSession) -> String {
    use skep_domain::Id;
    let id = u128::from_be_bytes(session.id.to_bytes());
    format!("recap of session {id:032x}")
}

fn count(kept: &Kept) -> Distilled {
    match kept {
        Kept::New(_) => Distilled {
            new: 1,
            ..Distilled::default()
        },
        Kept::Known(_) => Distilled {
            known: 1,
            ..Distilled::default()
        },
    }
}

/// The turns by their place, then those of the memories that were summed up.
fn cited(all: &[(TurnId, String)], places: &[usize], memories: &[Memory]) -> Vec<(TurnId, String)> {
    let own = places.iter().filter_map(|place| all.get(*place)).cloned();
    let theirs = memories.iter().flat_map(|memory| {
        let ids = memory.turns.iter().copied();
        ids.zip(memory.body.references.iter().cloned())
    });
    let mut seen = BTreeSet::new();
    own.chain(theirs)
        .filter(|(_, reference)| seen.insert(reference.clone()))
        .take(CITED_MAX)
        .collect()
}

/// Reads a session from end to end. It takes a transaction that writes nothing: a long session must
/// not hold up who writes.
pub(super) async fn read_whole(
    tx: &mut Tx<Survey>,
    session: &DistilSession,
) -> Result<Whole, AppError> {
    let mut whole = Whole {
        recap: Recap::new(session.harness),
        runs: CommandRuns::default(),
        turns: Vec::new(),
    };
    let mut from = 0;
    while from < TURNS_MAX {
        let turns = tx.list_turns_to_distil(session.id, from, PAGE).await?;
        let Some(last) = turns.last() else { break };
        from = last.ordinal + 1;
        whole = apart(move || {
            observe(&mut whole, &turns);
            whole
        })
        .await?;
    }
    Ok(whole)
}

fn observe(whole: &mut Whole, turns: &[Turn]) {
    let start = whole.turns.len();
    let views: Vec<TurnView<'_>> = turns
        .iter()
        .enumerate()
        .filter_map(view)
        .map(|view| TurnView {
            index: start + view.index,
            ..view
        })
        .collect();
    for range in split_exchanges(&views) {
        whole.recap.observe(&views[range]);
    }
    whole.runs.observe(&views);
    let ids = turns
        .iter()
        .map(|turn| (turn.turn.id, turn.turn.client_event_id.clone()));
    whole.turns.extend(ids);
}

/// Why a memory of this kind waits for a human, if it does: steps are followed, so nobody but a
/// human makes them a rule.
pub(super) fn held_back(kind: MemoryKind) -> Option<&'static str> {
    (kind == MemoryKind::Procedure).then_some("steps are followed: a human has to accept them")
}
