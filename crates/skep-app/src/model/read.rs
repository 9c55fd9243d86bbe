//! Reading: the next window of a session, what it may cost, the call, and how it ended.

use std::sync::Arc;

use skep_domain::Harness;
use skep_llm::{Failure, Prompt, Reply, Usage};
use skep_memory::{TurnView, Window, read_window};
use skep_store::row::{ModelBudgetRow, ModelPassRow, ModelPassState, ModelSpentRow};
use skep_store::{DistilSession, Root, Turn};

use super::desk::{Desk, Problem};
use super::prompt::{self, Item, NoItems};
use super::{ModelState, NoAnswer};
use crate::upkeep::{CONTEXT, Tenant, apart, maintain, survey, view};
use crate::{App, AppError};

/// Windows of one workspace before it is the next one's turn.
const WINDOWS: u32 = 8;
/// Turns that a window may reach over; most of them are a tool's and not shown.
const TURNS: u32 = 512;
/// How often a model is asked about one window.
const TRIES: u32 = 3;
const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

/// What is to be read next.
pub(super) struct Part {
    pub(super) session: DistilSession,
    /// The state that it was read in.
    pub(super) pass: ModelPassRow,
    /// The window's, and some of those that follow.
    pub(super) turns: Vec<Turn>,
    pub(super) window: Window,
    /// The first ordinal after the window.
    pub(super) to: u64,
    /// Whether the session ends there.
    pub(super) is_last: bool,
}

/// What became of one look at a session.
enum Step {
    /// It came further.
    Moved,
    /// No call may be made for some seconds.
    Parked(u64),
}

/// Whether a call may be made.
enum Reserved {
    /// It may, and is paid for at its greatest cost until it is settled.
    Granted,
    /// The day's cap does not allow it.
    Capped,
    /// The session was taken back.
    TakenBack,
    /// Somebody else has read it meanwhile.
    Elsewhere,
}

/// How a call ended.
pub(super) enum Outcome {
    /// There are statements to judge, and parts of the answer that were none.
    Items(Vec<Item>, u64),
    /// There was an answer that is none.
    NoItems(NoItems),
    /// The endpoint failed.
    Failed(Problem, bool),
}

impl App {
    pub(super) async fn read_windows(&self, desk: &Desk, tenant: Tenant) -> Result<(), AppError> {
        for _ in 0..WINDOWS {
            let now = self.store.now();
            if let Some(until) = desk.paused_until(now) {
                desk.park(tenant, now, until.seconds_since(now).max(1));
                return Ok(());
            }
            let mut tx = self.store.begin(survey(tenant)).await?;
            let Some(pass) = tx.list_model_due(1).await?.first().copied() else {
                return Ok(());
            };
            drop(tx);
            if let Step::Parked(seconds) = self.read_next(desk, tenant, pass).await? {
                desk.park(tenant, now, seconds);
                return Ok(());
            }
        }
        desk.mark(tenant);
        Ok(())
    }

    async fn read_next(
        &self,
        desk: &Desk,
        tenant: Tenant,
        pass: ModelPassRow,
    ) -> Result<Step, AppError> {
        if pass.tries >= TRIES {
            // The last of them was killed.
            self.close(tenant, pass, ModelPassState::GivenUp).await?;
            return Ok(Step::Moved);
        }
        let Some(part) = self.read_part(tenant, pass).await? else {
            self.close(tenant, pass, ModelPassState::Done).await?;
            return Ok(Step::Moved);
        };
        let prompt = if part.window.is_worth_a_call() {
            prompt::prompt(&part.window.shown, &mut || self.store.nonce())
        } else {
            None
        };
        let Some(prompt) = prompt else {
            self.pass_over(tenant, &part).await?;
            return Ok(Step::Moved);
        };
        let need = need(desk, &prompt);
        let day = self.today();
        match self.reserve(desk, tenant, &part, day, need).await? {
            Reserved::Granted => {}
            Reserved::Elsewhere => return Ok(Step::Moved),
            Reserved::TakenBack => {
                self.close(tenant, pass, ModelPassState::Done).await?;
                return Ok(Step::Moved);
            }
            Reserved::Capped => return Ok(Step::Parked(self.seconds_left(day))),
        }
        let request = desk.settings.target.request(&prompt);
        let answer = desk.port.send(request).await;
        let (spent, outcome) = read_answer(desk, &prompt, need, answer);
        let now = self.store.now();
        match &outcome {
            Outcome::Failed(problem, _) => desk.failed(problem, now),
            Outcome::Items(..) | Outcome::NoItems(_) => desk.succeeded(),
        }
        self.settle_reading(tenant, part, day, (need, spent), outcome)
            .await?;
        Ok(match desk.paused_until(now) {
            Some(until) => Step::Parked(until.seconds_since(now).max(1)),
            None => Step::Moved,
        })
    }

    /// The next window of a session; `None` when there is nothing to read, or nothing that may be.
    async fn read_part(
        &self,
        tenant: Tenant,
        pass: ModelPassRow,
    ) -> Result<Option<Part>, AppError> {
        let mut tx = self.store.begin(survey(tenant)).await?;
        let Some(session) = tx.get_distil_session(pass.session).await? else {
            return Ok(None);
        };
        if session.harness == Harness::Git {
            return Ok(None);
        }
        let wanted = TURNS + CONTEXT as u32;
        let Some(state) = tx.get_distil_state(session.id).await? else {
            return Ok(None);
        };
        let mut turns = tx
            .list_turns_to_distil(session.id, pass.next, wanted)
            .await?;
        drop(tx);
        // What came after it was closed may be half an exchange.
        turns.retain(|turn| turn.ordinal < state.from);
        if turns.is_empty() {
            return Ok(None);
        }
        let redactor = Arc::clone(&self.redactor);
        apart(move || Some(part(session, pass, turns, &redactor))).await
    }

    /// Sets aside what a call may cost, and counts the try: a kill from here on costs both.
    async fn reserve(
        &self,
        desk: &Desk,
        tenant: Tenant,
        part: &Part,
        day: i64,
        need: ModelBudgetRow,
    ) -> Result<Reserved, AppError> {
        let most = ModelBudgetRow {
            tokens: desk.settings.daily_tokens,
            cost: desk.settings.daily_cost.map_or(u64::MAX, |cost| cost.0),
        };
        let mut tx = self.store.begin(maintain(tenant)).await?;
        if tx.is_taken_back(Root::Session(part.session.id)).await? {
            return Ok(Reserved::TakenBack);
        }
        if tx.get_model_pass(part.session.id).await? != Some(part.pass) {
            return Ok(Reserved::Elsewhere);
        }
        if !tx.reserve_model(day, need, most).await? {
            return Ok(Reserved::Capped);
        }
        tx.put_model_pass(ModelPassRow {
            tries: part.pass.tries + 1,
            ..part.pass
        })
        .await?;
        tx.commit().await?;
        Ok(Reserved::Granted)
    }

    /// Nothing here is worth a call.
    async fn pass_over(&self, tenant: Tenant, part: &Part) -> Result<(), AppError> {
        let mut tx = self.store.begin(maintain(tenant)).await?;
        if tx.get_model_pass(part.session.id).await? == Some(part.pass) {
            tx.put_model_pass(part.read()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// There is nothing to do; a session that goes on is due again when it is closed.
    async fn close(
        &self,
        tenant: Tenant,
        pass: ModelPassRow,
        state: ModelPassState,
    ) -> Result<(), AppError> {
        let mut tx = self.store.begin(maintain(tenant)).await?;
        if tx.get_model_pass(pass.session).await? == Some(pass) {
            tx.put_model_pass(ModelPassRow { state, ..pass }).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Days since 1970, by the daemon's clock.
    fn today(&self) -> i64 {
        let seconds = self.store.now().as_micros().div_euclid(1_000_000);
        seconds.div_euclid(SECONDS_OF_A_DAY)
    }

    /// Until a day is over; a second at least.
    fn seconds_left(&self, day: i64) -> u64 {
        let now = self.store.now().as_micros().div_euclid(1_000_000);
        let left = (day + 1) * SECONDS_OF_A_DAY - now;
        left.clamp(1, SECONDS_OF_A_DAY).unsigned_abs()
    }

    /// How the pass stands, where there is one.
    pub(crate) async fn model_state<P: skep_authz::CanRead>(
        &self,
        tx: &mut skep_store::Tx<P>,
    ) -> Result<Option<ModelState>, AppError> {
        let Some(desk) = &self.model_pass else {
            return Ok(None);
        };
        Ok(Some(ModelState {
            settings: desk.settings.clone(),
            today: tx.get_model_day(self.today()).await?,
            queue: tx.get_model_queue().await?,
            paused_until: desk.paused_until(self.store.now()),
            problem: desk.problem(),
        }))
    }
}

impl Part {
    /// The session with this part read.
    pub(super) fn read(&self) -> ModelPassRow {
        ModelPassRow {
            state: if self.is_last {
                ModelPassState::Done
            } else {
                ModelPassState::Due
            },
            next: self.to,
            tries: 0,
            is_tainted: self.window.is_tainted,
            ..self.pass
        }
    }

    /// Whether the session is still where this part begins, however often it was tried meanwhile: another
    /// daemon may be reading the same, and whoever is first keeps what it was told.
    pub(super) fn begins(pass: ModelPassRow, stands: ModelPassRow) -> bool {
        let as_it_was = ModelPassRow {
            state: pass.state,
            tries: pass.tries,
            ..stands
        };
        as_it_was == pass && stands.state != ModelPassState::Done
    }

    /// The session after a try that came to nothing; the try was counted when it began.
    pub(super) fn failed(stands: ModelPassRow, by_its_fault: bool) -> ModelPassRow {
        let tries = (stands.tries).saturating_sub(u32::from(!by_its_fault));
        let state = match tries {
            TRIES.. => ModelPassState::GivenUp,
            _ => ModelPassState::Due,
        };
        ModelPassRow {
            state,
            tries,
            ..stands
        }
    }
}

fn part(
    session: DistilSession,
    pass: ModelPassRow,
    turns: Vec<Turn>,
    redactor: &skep_memory::Redactor,
) -> Part {
    let views: Vec<TurnView<'_>> = turns.iter().enumerate().filter_map(view).collect();
    let within = views.partition_point(|view| view.index < TURNS as usize);
    let mut window = read_window(session.harness, &views[..within], pass.is_tainted, redactor);
    if is_of_several(&turns[..turns.len().min(TURNS as usize)]) {
        // Others' words are not this owner's to send away.
        window.shown.clear();
    }
    let after = views.get(window.taken).map(|view| view.index);
    let to = match after.and_then(|index| turns.get(index)) {
        Some(turn) => turn.ordinal,
        None => turns.last().map_or(pass.next, |turn| turn.ordinal + 1),
    };
    let is_last = after.is_none() && turns.len() < (TURNS + CONTEXT as u32) as usize;
    Part {
        session,
        pass,
        turns,
        window,
        to,
        is_last,
    }
}

/// Whether more than one participant speaks here.
fn is_of_several(turns: &[Turn]) -> bool {
    let mut authors = turns.iter().filter_map(|turn| turn.turn.author);
    let first = authors.next();
    authors.any(|author| Some(author) != first)
}

/// The greatest cost of a call.
fn need(desk: &Desk, prompt: &Prompt) -> ModelBudgetRow {
    let most = Usage {
        input: prompt.most_input(),
        output: u64::from(prompt.max_output),
        ..Usage::default()
    };
    ModelBudgetRow {
        tokens: most.total(),
        cost: desk.settings.price.of(most).0,
    }
}

/// Tokens of one call that are believed at most: no model reads as many.
const BELIEVED: u64 = 100_000_000;

/// What a call cost, and what came of it.
fn read_answer(
    desk: &Desk,
    prompt: &Prompt,
    need: ModelBudgetRow,
    answer: Result<skep_llm::Response, NoAnswer>,
) -> (ModelSpentRow, Outcome) {
    let nothing = ModelSpentRow::default();
    let all = ModelSpentRow {
        input: prompt.most_input(),
        output: u64::from(prompt.max_output),
        cost: need.cost,
    };
    let response = match answer {
        Ok(response) => response,
        Err(error) => {
            let was_sent = matches!(error, NoAnswer::Lost(_));
            let problem = Problem {
                text: error.to_string(),
                retry_after: None,
                needs_mending: false,
            };
            let spent = if was_sent { all } else { nothing };
            return (spent, Outcome::Failed(problem, was_sent));
        }
    };
    match desk.settings.target.read(&response) {
        Ok(reply) => {
            let spent = reply.usage.map_or(all, |usage| spent(desk, prompt, usage));
            (spent, read_reply(&reply))
        }
        Err(failure) => {
            let was_answered = failure == Failure::Unreadable;
            let spent = if was_answered { all } else { nothing };
            (
                spent,
                Outcome::Failed(problem(failure), failure.is_of_the_prompt()),
            )
        }
    }
}

fn read_reply(reply: &Reply) -> Outcome {
    match prompt::items(&reply.text, reply.is_whole) {
        Ok((items, odd)) => Outcome::Items(items, odd),
        Err(none) => Outcome::NoItems(none),
    }
}

/// What the endpoint says a call cost; an endpoint that counts next to nothing is not believed, or a
/// day's cap would be no cap.
fn spent(desk: &Desk, prompt: &Prompt, usage: Usage) -> ModelSpentRow {
    let usage = Usage {
        input: usage.input.clamp(prompt.least_input(), BELIEVED),
        output: usage.output.min(BELIEVED),
        ..Usage::default()
    };
    ModelSpentRow {
        input: usage.input,
        output: usage.output,
        cost: desk.settings.price.of(usage).0.min(i64::MAX as u64 / 1_024),
    }
}

fn problem(failure: Failure) -> Problem {
    let is_passing = matches!(
        failure,
        Failure::RateLimited { .. } | Failure::Unavailable { .. }
    );
    Problem {
        text: failure.to_string(),
        retry_after: failure.retry_after(),
        needs_mending: !is_passing,
    }
}
