//! Quality of recall: how much of what answers a question is found, by each way of searching and by
//! the whole, with the same settings for every set; and what a prompt gets that needs nothing.

mod channels;
mod coding;
mod cosqa;
mod dataset;
mod injection;
mod locomo;
mod metrics;
mod misses;
mod pipeline;
mod remembering;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use skep_app::FLOOR;
use skep_index::Embedder;

use crate::fixture;
use crate::report::Report;
use channels::Run;
use coding::Half;
use dataset::Dataset;
use injection::{CURVE, Injection};
use metrics::{Estimate, NAMES};
pub(crate) use remembering::Remembering;

/// Where the sets that are not part of the project lie.
const DATA: &str = "SKEP_BENCH_DATA";

/// All of it, or only what one set misses; `vectors` is a file for what was embedded.
pub(crate) async fn run(misses: Option<String>, vectors: Option<PathBuf>) -> Result<Report> {
    let remembering = Arc::new(match &vectors {
        Some(file) => Remembering::read(fixture::embedder(), file)?,
        None => Remembering::new(fixture::embedder()),
    });
    let embedder: Arc<dyn Embedder> = Arc::clone(&remembering) as _;
    let report = measure(misses, &embedder).await?;
    if let Some(file) = &vectors {
        remembering.keep(file)?;
    }
    Ok(report)
}

async fn measure(misses: Option<String>, embedder: &Arc<dyn Embedder>) -> Result<Report> {
    let mut report = Report::new("quality of recall, the same settings for every set");
    let sets = sets(&mut report)?;
    if let Some(name) = misses {
        let chosen = sets.iter().filter(|set| set.name == name);
        for set in chosen {
            misses::list(set, embedder, &mut report).await?;
        }
        return Ok(report);
    }
    for set in &sets {
        let mut runs = channels::run(&set.corpora, embedder.as_ref());
        let scores = pipeline::run(&set.corpora, embedder).await?;
        runs.push(Run {
            name: "full",
            scores,
        });
        tell(&mut report, set, &runs);
    }
    tell_injection(&mut report, &injection::run(embedder).await?);
    Ok(report)
}

/// Every set that is at hand; the report says which are not.
fn sets(report: &mut Report) -> Result<Vec<Dataset>> {
    let mut sets = Vec::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "a bench is told where its data is"
    )]
    let data = std::env::var(DATA).map(PathBuf::from);
    match data {
        Ok(data) => sets.extend([locomo::load(&data)?, cosqa::load(&data)?]),
        Err(_) => report.line(format!(
            "skipped locomo_dev and cosqa_dev: {DATA} is not set"
        )),
    }
    sets.extend([coding::load(Half::Tune)?, coding::load(Half::HeldOut)?]);
    Ok(sets)
}

fn tell(report: &mut Report, set: &Dataset, runs: &[Run]) {
    let (questions, memories) = (set.questions(), set.memories());
    report.figure(format!("{}.questions", set.name), questions as f64);
    report.figure(format!("{}.memories", set.name), memories as f64);
    report.line(String::new());
    report.line(format!(
        "{}: {questions} questions, {memories} memories",
        set.name
    ));
    report.line(format!(
        "  {:8} {:>6} {:>6} {:>6} {:>6} {:>8}   R@10, 95 of 100 resamples",
        "", "R@5", "R@10", "R@20", "MRR", "nDCG@10"
    ));
    for run in runs {
        let all = metrics::estimates(&run.scores);
        for (estimate, name) in all.iter().zip(NAMES) {
            tell_estimate(
                report,
                &format!("{}.{}.{name}", set.name, run.name),
                estimate,
            );
        }
        let [r5, r10, r20, mrr, ndcg] = all.map(|estimate| estimate.mean);
        report.line(format!(
            "  {:8} {r5:6.3} {r10:6.3} {r20:6.3} {mrr:6.3} {ndcg:8.3}   {:.3} to {:.3}",
            run.name, all[1].low, all[1].high
        ));
    }
}

fn tell_injection(report: &mut Report, found: &Injection) {
    let Injection {
        tune,
        held_out,
        chosen,
    } = found;
    report.line(String::new());
    report.line(format!(
        "injection, floor {FLOOR:.3} as in use (the tune half would choose {chosen:.3})"
    ));
    report.figure("injection.floor".into(), f64::from(FLOOR));
    report.figure("injection.tune.floor".into(), f64::from(*chosen));
    let both = tune.injected_of_both(held_out, FLOOR);
    let rows = [
        ("injection.both.no_need.inject_ratio", both),
        ("injection.no_need.inject_ratio", held_out.injected(FLOOR)),
        ("injection.need.found_ratio", held_out.found(FLOOR)),
        ("injection.tune.no_need.inject_ratio", tune.injected(FLOOR)),
        ("injection.tune.need.found_ratio", tune.found(FLOOR)),
        ("injection.need.offered_ratio", held_out.found(0.0)),
    ];
    for (key, estimate) in rows {
        tell_estimate(report, key, &estimate);
        let Estimate { mean, low, high } = estimate;
        report.line(format!("  {key:36} {mean:6.3}   {low:.3} to {high:.3}"));
    }
    for (half, offers) in [("tune", tune), ("heldout", held_out)] {
        let area = offers.area();
        report.figure(format!("injection.{half}.area"), area);
        let curve = CURVE.map(|share| (share, offers.found(offers.floor(share)).mean));
        let points = curve.map(|(share, found)| format!("{found:.2} at {:.0} %", share * 100.0));
        report.line(format!(
            "  {half}: area {area:.3}; found with so many needless: {}",
            points.join(", ")
        ));
        for (share, found) in curve {
            let key = format!("injection.{half}.found_at_{:.0}_percent", share * 100.0);
            report.figure(key, found);
        }
    }
}

fn tell_estimate(report: &mut Report, key: &str, estimate: &Estimate) {
    report.figure(key.to_owned(), estimate.mean);
    report.figure(format!("{key}_low"), estimate.low);
    report.figure(format!("{key}_high"), estimate.high);
}
