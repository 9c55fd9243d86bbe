//! Recall.

use axum::response::Response;
use skep_api::recall::{RecallItem, RecallRequest, RecallResponse, RecallTiming, Scores};
use skep_app::{Answer, Timing};
use skep_authz::{Authorized, rights};

use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn recall(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: RecallRequest = call.body()?;
    let recalled = call
        .app()
        .recall(authorized, convert::question(request)?)
        .await?;
    ok(&RecallResponse {
        explain_id: recalled.id.map(|id| call.text(id)),
        items: recalled
            .items
            .into_iter()
            .map(|answer| item(&call, answer))
            .collect(),
        degraded: !recalled.degraded.is_empty(),
        degraded_reasons: recalled.degraded,
        visible: recalled.visible as u32,
        cut: recalled.cut as u32,
        timing: timing(recalled.timing),
    })
}

fn item(call: &Call, answer: Answer) -> RecallItem {
    let scores = Scores {
        lexical: answer.candidate.lexical,
        vector: answer.candidate.vector,
        graph: answer.candidate.graph,
        fused: answer.candidate.fused,
        rank: answer.rank,
    };
    RecallItem {
        memory: convert::memory(call, answer.memory),
        scores,
        tokens: answer.tokens,
    }
}

fn timing(timing: Timing) -> RecallTiming {
    RecallTiming {
        embed_us: timing.embed,
        catch_up_us: timing.catch_up,
        search_us: timing.search,
        authorize_us: timing.authorize,
        load_us: timing.load,
        rank_us: timing.rank,
        total_us: timing.total,
    }
}
