//! `skep explain`: why a recall answered what it did.

use std::process::ExitCode;

use skep_api::explain::{ExplainRequest, ExplainedCandidate, Explanation, Replay};

use crate::args::Explain;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::one_line;

pub(super) async fn run(context: &Context<'_>, arguments: Explain) -> Result<ExitCode, Failure> {
    let Explain::Recall { id, subject, all } = arguments;
    let request = ExplainRequest {
        id: (id != "last").then_some(id),
        subject,
    };
    let told = context.client().await?.explain_recall(&request).await?;
    if context.output.is_json() {
        context.output.json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    head(context, &told)?;
    let shown = told
        .candidates
        .iter()
        .filter(|candidate| all || candidate.scores.rank > 0.0 || candidate.changed_since);
    for candidate in shown {
        show(context, candidate)?;
    }
    tail(context, &told, all)?;
    Ok(ExitCode::SUCCESS)
}

fn head(context: &Context<'_>, told: &Explanation) -> Result<(), Failure> {
    let out = context.output;
    out.line(&out.style().bold(&one_line(&told.query)))?;
    let mut line = format!("{} · asked {} by {}", told.id, told.at, told.asker);
    if told.subject != told.asker {
        line.push_str(&format!(" · explained for {}", told.subject));
    }
    out.line(&out.style().dim(&line))?;
    Ok(out.line("")?)
}

fn show(context: &Context<'_>, candidate: &ExplainedCandidate) -> Result<(), Failure> {
    let out = context.output;
    let style = out.style();
    let mark = if candidate.answered { "✓" } else { "·" };
    let key = one_line(&candidate.key);
    out.line(&format!("{mark} {:>3}. {key}", candidate.place))?;
    let scores = &candidate.scores;
    let mut line = format!(
        "       {} · lexical {:.2} · vector {:.2} · names {:.2} · fused {:.3}",
        candidate.decision, scores.lexical, scores.vector, scores.graph, scores.fused
    );
    if let (Some(recency), Some(trust)) = (candidate.recency, candidate.trust) {
        line.push_str(&format!(
            " · recency {recency:.2} · trust {trust:.2} · rank {:.3}",
            scores.rank
        ));
    }
    if candidate.changed_since {
        line.push_str(" · decided otherwise then");
    }
    line.push_str(&format!(" · {}", candidate.id));
    Ok(out.line(&style.dim(&line))?)
}

fn tail(context: &Context<'_>, told: &Explanation, all: bool) -> Result<(), Failure> {
    let out = context.output;
    out.line("")?;
    let unranked = told.candidates.iter().filter(|one| one.scores.rank <= 0.0);
    let unranked = unranked.count();
    if unranked > 0 && !all {
        out.line(&format!(
            "{unranked} more were not ranked: --all shows them"
        ))?;
    }
    if let Some(hidden) = told.hidden.filter(|hidden| *hidden > 0) {
        out.line(&format!("{hidden} more you may not see"))?;
    }
    if let Some(replay) = told.replay {
        out.line(&replayed(replay))?;
    }
    Ok(())
}

fn replayed(replay: Replay) -> String {
    let word = |same: bool| if same { "the same" } else { "not the same" };
    let search = match replay.search_is_the_same {
        Some(same) => word(same),
        None => "not comparable, the workspace was written to since",
    };
    format!(
        "replayed: search {search}; reading ring {}; decision {}",
        word(replay.ring_is_the_same),
        word(replay.decision_is_the_same)
    )
}
