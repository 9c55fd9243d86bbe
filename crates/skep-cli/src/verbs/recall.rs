//! `skep recall`.

use std::process::ExitCode;

use skep_api::Limits;
use skep_api::recall::{RecallItem, RecallRequest, RecallResponse, RecallTiming};

use super::memory_view::{headline, origin};
use crate::args::Recall;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{one_line, wrapped};

pub(super) async fn run(context: &Context<'_>, arguments: Recall) -> Result<ExitCode, Failure> {
    let query = arguments.query.join(" ");
    if query.len() > Limits::QUERY {
        let limit = Limits::QUERY >> 10;
        return Err(Failure::usage(format!(
            "a question has at most {limit} KiB"
        )));
    }
    let request = RecallRequest {
        query,
        k: Some(arguments.k),
        token_budget: arguments.budget,
        as_of: arguments.as_of,
        project: arguments.project,
        kinds: arguments.kind,
        hints: arguments.hint,
        deadline_ms: None,
    };
    let answer = context.client().await?.recall(&request).await?;
    if context.output.is_json() {
        context.output.json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (at, item) in answer.items.iter().enumerate() {
        show(context, at + 1, item, arguments.full)?;
    }
    if answer.items.is_empty() && answer.degraded_reasons.is_empty() {
        context
            .output
            .line("Nothing is remembered that answers this.")?;
    }
    for reason in &answer.degraded_reasons {
        let line = format!("degraded: {}", one_line(reason));
        context.output.line(&context.output.style().bad(&line))?;
    }
    context
        .output
        .line(&context.output.style().dim(&footer(&answer)))?;
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context<'_>, rank: usize, item: &RecallItem, full: bool) -> Result<(), Failure> {
    let out = context.output;
    let style = out.style();
    let memory = &item.memory;
    let key = wrapped(&one_line(&memory.key), out.width(), 4);
    out.line(&format!("{rank:>2}. {}", style.bold(key.trim_start())))?;
    if full && !memory.text.is_empty() {
        out.line(&wrapped(&memory.text, out.width(), 4))?;
    }
    out.line(&format!("    {}", headline(style, memory)))?;
    let scores = &item.scores;
    let line = format!(
        "    rank {:.3} · lexical {:.2} · vector {:.2} · names {:.2} · fused {:.2} · {}",
        scores.rank,
        scores.lexical,
        scores.vector,
        scores.graph,
        scores.fused,
        origin(&memory.provenance),
    );
    Ok(out.line(&style.dim(&line))?)
}

/// `5 of 37 visible · 2.1 ms (embed 0.1, search 0.9, …)`.
fn footer(answer: &RecallResponse) -> String {
    let RecallTiming {
        embed_us,
        catch_up_us,
        search_us,
        authorize_us,
        load_us,
        rank_us,
        total_us,
    } = answer.timing;
    let stages = [
        ("embed", embed_us),
        ("catch-up", catch_up_us),
        ("search", search_us),
        ("authorize", authorize_us),
        ("load", load_us),
        ("rank", rank_us),
    ];
    let stages: Vec<String> = stages
        .iter()
        .filter(|(name, micros)| *name != "catch-up" || *micros >= 100)
        .map(|(name, micros)| format!("{name} {:.1}", milliseconds(*micros)))
        .collect();
    let mut line = format!(
        "{} of {} visible · {:.1} ms ({})",
        answer.items.len(),
        answer.visible,
        milliseconds(total_us),
        stages.join(", ")
    );
    if answer.explain_id.is_some() {
        line.push_str(" · why: skep explain recall");
    }
    line
}

fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use skep_api::recall::{RecallResponse, RecallTiming};

    use super::footer;

    #[test]
    fn the_footer_says_how_much_and_how_long() {
        let answer = RecallResponse {
            explain_id: Some("rcl_0".into()),
            items: Vec::new(),
            degraded: false,
            degraded_reasons: Vec::new(),
            visible: 37,
            cut: 0,
            timing: RecallTiming {
                embed_us: 100,
                catch_up_us: 12,
                search_us: 900,
                authorize_us: 300,
                load_us: 400,
                rank_us: 100,
                total_us: 2_100,
            },
        };
        assert_eq!(
            footer(&answer),
            "0 of 37 visible · 2.1 ms (embed 0.1, search 0.9, authorize 0.3, load 0.4, rank 0.1) · why: skep explain recall"
        );
    }
}
