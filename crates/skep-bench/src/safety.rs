//! Injection safety: the form holds for a million hostile texts, and how much the scorer finds, how
//! often it is wrong, each with its interval.

mod data;
mod form;
mod interval;
mod redaction;
mod train;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use skep_domain::Trust;
use skep_memory::guard::{Model, assess, assess_with};

use self::data::{Sample, Set};
use self::interval::Share;
use crate::report::Report;

/// Folds of the cross-validation.
const FOLDS: usize = 5;

/// What a run is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    /// Hostile texts to assemble and read back
    #[arg(long, default_value_t = 1_000_000)]
    texts: u64,
    /// Write weights trained on all labelled texts to this file
    #[arg(long)]
    train: Option<PathBuf>,
    /// The project's own repository, whose documents and history must not be held back
    #[arg(long, default_value = ".")]
    project: PathBuf,
}

pub(crate) fn run(asked: &Asked) -> Result<Report> {
    let mut report = Report::new("Injection safety; ranges are 95 % Wilson intervals");
    form::run(asked.texts, &mut report)?;
    redaction::run(&mut report);
    let own = data::project(&asked.project)?;
    // The share of this project's own texts that would be held back if a tool had printed them.
    let held = own
        .samples
        .iter()
        .filter(|sample| held(&sample.text))
        .count();
    let share = Share::of(held, own.samples.len());
    report.row(
        "own_texts",
        own.samples.len() as f64,
        "documents, comments and commits of this project",
    );
    row(&mut report, "own_false_positive_ratio", share);
    let Some(sets) = data::labelled()? else {
        report.line("  detection and false positives: skipped, SKEP_BENCH_DATA is not set".into());
        return Ok(report);
    };
    cross_validate(&sets, &own, &mut report);
    if let Some(path) = &asked.train {
        let all: Vec<&Sample> = sets
            .iter()
            .flat_map(|set| &set.samples)
            .chain(&own.samples)
            .collect();
        write(path, &train::train(&all))?;
    }
    Ok(report)
}

fn held(text: &str) -> bool {
    assess(text, Trust::External).held
}

/// Every sample is judged by a model that was trained without its fold. A fold holds whole kinds of
/// attack, so that no wording of a kind helps to find another of it.
fn cross_validate(sets: &[Set], own: &Set, report: &mut Report) {
    let models: Vec<Model> = (0..FOLDS)
        .map(|fold| {
            let others = sets.iter().chain([own]).flat_map(|set| &set.samples);
            train::train(
                &others
                    .filter(|sample| sample.group % FOLDS != fold)
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    let judge = |sample: &Sample| {
        assess_with(&models[sample.group % FOLDS], &sample.text, Trust::External).held
    };
    let (mut attacks, mut benign) = (Share::default(), Share::default());
    for set in sets {
        let held = set.samples.iter().filter(|sample| judge(sample)).count();
        let share = Share::of(held, set.samples.len());
        if set.hostile {
            attacks += share;
            row(report, &format!("detected_{}_ratio", set.name), share);
        } else {
            benign += share;
            row(report, &format!("false_{}_ratio", set.name), share);
        }
    }
    row(report, "detected_ratio", attacks);
    row(report, "false_positive_ratio", benign);
    let own = Share::of(
        own.samples.iter().filter(|sample| judge(sample)).count(),
        own.samples.len(),
    );
    row(report, "own_cross_validated_ratio", own);
}

fn row(report: &mut Report, key: &str, share: Share) {
    report.row(key, share.ratio(), share.shown());
    let (low, high) = share.interval();
    report.figure(format!("{key}_low"), low);
    report.figure(format!("{key}_high"), high);
}

fn write(path: &Path, model: &Model) -> Result<()> {
    std::fs::write(path, model.to_bytes()).with_context(|| format!("writing {}", path.display()))
}
