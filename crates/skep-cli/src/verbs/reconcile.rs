//! `skep usage reconcile`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use skep_api::Instant;
use skep_api::budget::UsageQuery;

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};
use crate::reconcile::{Row, Side, Unread, compare, read, span};

/// The longest file: a year of a large organization has a few MiB.
const MOST: u64 = 64 << 20;
const DAY: i64 = 86_400_000_000;

pub(super) async fn run(
    context: &Context<'_>,
    file: &Path,
    provider: &str,
) -> Result<ExitCode, Failure> {
    let mut text = String::new();
    let taken = File::open(file)?.take(MOST + 1).read_to_string(&mut text)?;
    if taken as u64 > MOST {
        return Err(Failure::usage("the file is longer than 64 MiB").hint("compare fewer days"));
    }
    let theirs = read(&text).map_err(said)?;
    let (first, last) = span(&theirs).ok_or_else(|| said(Unread::Form))?;
    let query = UsageQuery {
        since: Some(start(first)?),
        until: Some(Instant::from_micros(
            start(last)?.0.as_micros().saturating_add(DAY),
        )),
        ..UsageQuery::default()
    };
    let mut client = context.client().await?;
    let ours = client.usage(&query).await?;
    let rows = compare(&ours.items, provider, &theirs);
    let differ = rows.iter().filter(|row| !row.agrees).count();
    let out = context.output;
    if out.is_json() {
        out.json(&rows)?;
    } else {
        for line in columns(&rows.iter().map(shown).collect::<Vec<_>>()) {
            out.line(&line)?;
        }
        out.line(&format!(
            "{} of {} agree, {first} to {last}.",
            rows.len() - differ,
            rows.len()
        ))?;
        if differ > 0 {
            out.note("calls that ended with a daemon, or whose provider did not count, are counted with the most that they may have cost: skep audit export --log usage --to FILE");
        }
    }
    if ours.truncated {
        out.note("there is more here than one answer holds: compare fewer days");
        return Ok(ExitCode::FAILURE);
    }
    Ok(if differ == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn start(day: &str) -> Result<Instant, Failure> {
    format!("{day}T00:00:00Z")
        .parse()
        .map_err(|_| said(Unread::NoDay))
}

fn said(unread: Unread) -> Failure {
    let (problem, hint) = match unread {
        Unread::Form => (
            "the file is no page of a provider's usage",
            "skep usage reconcile --help says which pages",
        ),
        Unread::NoModel => (
            "the file adds up all models",
            "ask the provider for it by model: group_by=model",
        ),
        Unread::NoDay => (
            "the file does not say of which days it is",
            "ask the provider for it by day: bucket_width=1d",
        ),
    };
    Failure::usage(problem).hint(hint)
}

fn shown(row: &Row) -> Vec<String> {
    let side = |name: &str, side: &Side| {
        let calls = side.calls.map(|calls| format!("{calls} calls "));
        let calls = calls.unwrap_or_default();
        format!("{name} {calls}{} in {} out", side.input, side.output)
    };
    let estimated = match row.estimated {
        0 => String::new(),
        some => format!("{some} estimated"),
    };
    vec![
        one_line(&row.day),
        one_line(&row.model),
        if row.agrees { "agrees" } else { "differs" }.to_owned(),
        side("here", &row.ours),
        side("there", &row.theirs),
        estimated,
    ]
}
