//! Settling: what a call cost and what came of it, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use skep_authz::Maintain;
use skep_domain::DerivedBy;
use skep_memory::{
    Draft, NotKept, Proposal, Redactor, TurnView, judge_proposal, normal_form, takes_back,
};
use skep_store::row::{ModelBudgetRow, ModelSpentRow};
use skep_store::{DistilSession, Memory, NewMemory, Root, Turn, Tx};

use super::prompt::Item;
use super::read::{Outcome, Part};
use crate::guard::guarded_all;
use crate::upkeep::{TAKEN_BACK, Tenant, apart, maintain, view};
use crate::{App, AppError};

/// Reasons, and how often each.
type Refusals = BTreeMap<&'static str, u64>;

/// What an answer was judged to be.
#[derive(Default)]
struct Judged {
    drafts: Vec<Draft>,
    refused: Refusals,
}

/// Memories of one session that are looked at when it goes on.
const MEMORIES_MAX: u32 = 200;

impl App {
    /// Whatever came of it, what it cost is written down; what came of it is kept only if the
    /// session is where it was.
    pub(super) async fn settle_reading(
        &self,
        tenant: Tenant,
        part: Part,
        day: i64,
        (reserved, spent): (ModelBudgetRow, ModelSpentRow),
        outcome: Outcome,
    ) -> Result<(), AppError> {
        let read = part.read();
        let by_its_fault = match &outcome {
            Outcome::Items(..) => None,
            Outcome::NoItems(_) => Some(true),
            Outcome::Failed(_, by_its_fault) => Some(*by_its_fault),
        };
        let (pass, session) = (part.pass, part.session);
        let (refused, memories) = self.judge(part, outcome).await?;
        let mut tx = self.store.begin(maintain(tenant)).await?;
        tx.settle_model(day, reserved, spent).await?;
        let refused = refused
            .into_iter()
            .map(|(reason, items)| (reason.to_owned(), items));
        tx.count_model_refusals(day, refused.collect()).await?;
        let is_same = tx.get_distil_session(session.id).await? == Some(session);
        let stands = tx.get_model_pass(session.id).await?;
        let stands = stands.filter(|stands| is_same && Part::begins(pass, *stands));
        if let Some(stands) = stands {
            if !tx.is_taken_back(Root::Session(session.id)).await? {
                self.keep_read(&mut tx, &session, memories).await?;
            }
            let failed = |by_its_fault| Part::failed(stands, by_its_fault);
            tx.put_model_pass(by_its_fault.map_or(read, failed)).await?;
        }
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(())
    }

    async fn keep_read(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
        memories: Vec<NewMemory>,
    ) -> Result<(), AppError> {
        let writer = tx.writer_for(session);
        for memory in memories {
            self.keep_statement(tx, &writer, memory).await?;
        }
        Ok(())
    }

    /// What an answer comes to, before any of it is kept.
    async fn judge(
        &self,
        part: Part,
        outcome: Outcome,
    ) -> Result<(Refusals, Vec<NewMemory>), AppError> {
        let redactor = Arc::clone(&self.redactor);
        let (part, judged) = apart(move || {
            let judged = judge(&part, &outcome, &redactor);
            (part, judged)
        })
        .await?;
        let memories: Vec<NewMemory> = (judged.drafts.into_iter())
            .map(|draft| self.read_memory(&part, draft))
            .collect();
        let memories = apart(move || guarded_all(memories)).await?;
        Ok((judged.refused, memories))
    }

    fn read_memory(&self, part: &Part, draft: Draft) -> NewMemory {
        let turns = draft.turns.iter().filter_map(|at| part.turns.get(*at));
        let cited: Vec<&Turn> = turns.collect();
        let normal = normal_form(&draft.text);
        let mut memory = self.memory_of(&part.session, &cited, draft, normal);
        memory.body.derived_by = DerivedBy::Model;
        memory
    }

    /// Takes out of recall what a model made of a session that, going on, takes it back.
    pub(crate) async fn withdraw_read(
        &self,
        tx: &mut Tx<Maintain>,
        session: &DistilSession,
        turns: &[Turn],
        from: u64,
    ) -> Result<(), AppError> {
        let pass = tx.get_model_pass(session.id).await?;
        if pass.is_none_or(|pass| pass.next == 0) {
            return Ok(());
        }
        let first = turns.partition_point(|turn| turn.ordinal < from);
        let views: Vec<TurnView<'_>> = turns.iter().enumerate().filter_map(view).collect();
        let new = views.partition_point(|view| view.index < first);
        for memory in tx.list_distilled(session, MEMORIES_MAX).await? {
            if memory.body.derived_by != DerivedBy::Model {
                continue;
            }
            let last = (turns.iter()).rposition(|turn| memory.turns.contains(&turn.turn.id));
            let between = last.map_or(&views[..0], |last| {
                let after = views.partition_point(|view| view.index <= last);
                &views[after.min(new)..new]
            });
            if takes_back(&claim_of(&memory), last.map(|_| between), &views[new..]) {
                let normal = normal_form(&memory.body.text);
                tx.withdraw_distilled(session, &normal, TAKEN_BACK, self.store.now())
                    .await?;
            }
        }
        Ok(())
    }
}

/// A memory as the claim that it was.
fn claim_of(memory: &Memory) -> Draft {
    Draft {
        kind: memory.kind,
        key: String::new(),
        text: memory.body.text.clone(),
        trust: memory.trust,
        valid_from: memory.validity.from,
        turns: Vec::new(),
        entities: Vec::new(),
        score: Draft::ADMISSION,
    }
}

fn judge(part: &Part, outcome: &Outcome, redactor: &Redactor) -> Judged {
    let mut judged = Judged::default();
    match outcome {
        Outcome::Failed(..) => {}
        Outcome::NoItems(none) => judged.count(none.as_str(), 1),
        Outcome::Items(items, odd) => {
            judged.count("shape", *odd);
            let views: Vec<TurnView<'_>> = part.turns.iter().enumerate().filter_map(view).collect();
            for item in items {
                match judge_item(part, item, &views, redactor) {
                    Ok(draft) => judged.drafts.push(draft),
                    Err(reason) => judged.count(reason.as_str(), 1),
                }
            }
        }
    }
    judged
}

fn judge_item(
    part: &Part,
    item: &Item,
    views: &[TurnView<'_>],
    redactor: &Redactor,
) -> Result<Draft, NotKept> {
    let proposal = Proposal {
        kind: &item.kind,
        statement: &item.statement,
        turns: &item.turns,
    };
    let window = &part.window;
    let draft = judge_proposal(&proposal, &window.shown, window.trust(), redactor)?;
    let last = draft.turns.last().copied().unwrap_or_default();
    let later = views.partition_point(|view| view.index <= last);
    if takes_back(&draft, Some(&[]), &views[later..]) {
        return Err(NotKept::TakenBack);
    }
    Ok(draft)
}

impl Judged {
    fn count(&mut self, reason: &'static str, items: u64) {
        if items > 0 {
            *self.refused.entry(reason).or_default() += items;
        }
    }
}
