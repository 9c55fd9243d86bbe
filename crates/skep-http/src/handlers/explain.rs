//! Explanations.

use axum::response::Response;
use skep_api::Instant;
use skep_api::explain::{ExplainRequest, ExplainedCandidate, Explanation, Replay};
use skep_api::recall::Scores;
use skep_app::{CutReason, Explain, Explained, Fate, Form, Outcome, Refusal, Scope};
use skep_authz::{Authorized, rights};
use skep_domain::{AgentId, MemoryState, Principal, UserId};

use crate::call::{Call, ok};
use crate::error::ApiError;

pub(crate) async fn recall(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ExplainRequest = call.body()?;
    let wanted = Explain {
        recall: request.id.as_deref().map(|id| call.id(id)).transpose()?,
        subject: request
            .subject
            .as_deref()
            .map(|id| principal(&call, id))
            .transpose()?,
    };
    let scope = call
        .caller
        .authorize()
        .map_or(Scope::Own, |right| Scope::Everyone(Box::new(right)));
    let told = call.app().explain_recall(authorized, scope, wanted).await?;
    let trace = &told.trace;
    ok(&Explanation {
        id: call.text(trace.id),
        at: Instant(trace.at),
        asker: name(&call, trace.asker),
        subject: name(&call, told.subject),
        query: trace.question.query.clone(),
        as_of: trace.question.as_of.map(Instant),
        project: trace.question.project.clone(),
        k: trace.question.items as u32,
        token_budget: trace.question.tokens,
        seq: trace.seq,
        candidates: told
            .candidates
            .into_iter()
            .map(|explained| candidate(&call, explained))
            .collect(),
        hidden: told.hidden.map(|hidden| hidden as u32),
        replay: told.replay.map(|replay| Replay {
            search_is_the_same: replay.search,
            ring_is_the_same: replay.ring,
            decision_is_the_same: replay.decision,
        }),
    })
}

fn principal(call: &Call, text: &str) -> Result<Principal, ApiError> {
    if text.starts_with("agt_") {
        Ok(Principal::Agent(call.id::<AgentId>(text)?))
    } else {
        Ok(Principal::User(call.id::<UserId>(text)?))
    }
}

pub(super) fn name(call: &Call, principal: Principal) -> String {
    match principal {
        Principal::User(user) => call.text(user),
        Principal::Agent(agent) => call.text(agent),
    }
}

fn candidate(call: &Call, explained: Explained) -> ExplainedCandidate {
    let decided = match explained.fate {
        Fate::Decided(decided) => Some(decided),
        Fate::Refused(_) | Fate::NotLoaded => None,
    };
    ExplainedCandidate {
        place: explained.place as u32,
        id: call.text(explained.memory.id),
        key: explained.memory.body.key,
        scores: Scores {
            lexical: explained.candidate.lexical,
            vector: explained.candidate.vector,
            graph: explained.candidate.graph,
            fused: explained.candidate.fused,
            rank: decided.map_or(0.0, |decided| decided.rank),
        },
        recency: decided.map(|decided| decided.recency),
        trust: decided.map(|decided| decided.trust),
        decision: decision(explained.fate).into(),
        answered: explained.fate.is_answered(),
        changed_since: explained.changed,
    }
}

fn decision(fate: Fate) -> &'static str {
    match fate {
        Fate::NotLoaded => "not among the best that were loaded",
        Fate::Refused(refusal) => match refusal {
            Refusal::Ring => "hidden by the reading ring",
            Refusal::State(MemoryState::Quarantined) => "quarantined",
            Refusal::State(MemoryState::Superseded) => "superseded",
            Refusal::State(MemoryState::Forgotten) => "forgotten",
            Refusal::State(MemoryState::Active) | Refusal::Time => "not valid then",
            Refusal::Kind => "of another kind",
            Refusal::Project => "of another project",
        },
        Fate::Decided(decided) => match decided.outcome {
            Outcome::Kept(Form::Statement) => "answered",
            Outcome::Kept(Form::Key) => "answered by its key line",
            Outcome::Repetition => "a repetition of a better one",
            Outcome::Cut(CutReason::BelowFloor) => "below the floor",
            Outcome::Cut(CutReason::OverBudget) => "over the token budget",
            Outcome::Cut(CutReason::OverCount) => "over the count",
        },
    }
}
