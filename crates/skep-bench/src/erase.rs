//! What others notice while a large workspace is erased on PostgreSQL: their recalls and writes before and
//! during, in one run.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use skep_authz::rights::{MemoryWrite, WorkspaceManage};
use skep_conformance::new_memory;
use skep_domain::{Id, JobState, WorkspaceId};
use skep_test_support::{TeamStore, Tenant};
use tokio::task::JoinSet;

use crate::fixture::Fixture;
use crate::measure::{Measure, per_second, percentile_ms};
use crate::recall::ask;
use crate::report::Report;

/// Memories of the large workspace that are kept one by one; the others are copies of their rows.
const KEPT: usize = 1_000;
/// Memories of whoever works meanwhile.
const WORKING: usize = 5_000;
/// Words of a question.
const WORDS: usize = 8;
/// What the worker is known by.
const NODE: [u8; 16] = [1; 16];

/// How long each call took.
#[derive(Default)]
struct Times {
    recalls: Vec<Duration>,
    writes: Vec<Duration>,
}

/// Recalls and writes of one tenant, one after the other.
struct Work<'a> {
    fixture: &'a Fixture,
    texts: &'a [String],
    done: usize,
}

pub(crate) async fn run(texts: &[String], (memories, calls): (usize, usize)) -> Result<Report> {
    let place = TeamStore::new().await;
    let fixture = Fixture::on(&place).await?;
    fixture.fill(&texts[..texts.len().min(WORKING)]).await?;
    let large = Tenant::create(&fixture.store, "large").await?;
    fill(&fixture, &place, &large, memories).await?;
    place.database().run("VACUUM ANALYZE");
    let mut work = Work {
        fixture: &fixture,
        texts,
        done: 0,
    };
    // Plans, pages and the index are warm before anything counts.
    work.run(calls / 4 + 1, &mut Times::default()).await?;
    let mut before = Times::default();
    work.run(calls, &mut before).await?;

    let caller = large.caller(&fixture.store, "owner").await;
    let right = caller.authorize::<WorkspaceManage>()?;
    let erasing = Measure::start();
    let job = fixture
        .store
        .retire_workspace(right, large.workspace)
        .await?;
    let job = job.context("a workspace to delete")?;
    let accepted = erasing.wall();
    let mut worker = JoinSet::new();
    let app = Arc::clone(&fixture.app);
    worker.spawn(async move {
        while app.do_next_job(NODE).await? {}
        anyhow::Ok(())
    });
    let mut during = Times::default();
    while worker.try_join_next().transpose()?.transpose()?.is_none() {
        work.run(2, &mut during).await?;
    }
    let took = erasing.wall();

    let receipt = receipt(&place, &large);
    ensure!(receipt.1 == "0", "rows are left: {}", receipt.1);
    let rows: usize = receipt.0.parse()?;
    let version = place.database().server().version();
    let mut report = Report::new(format!(
        "PostgreSQL {version} on a socket, no fsync: a workspace of {memories} memories erased while another \
         one works; job {:02x?}",
        &job.to_bytes()[..4]
    ));
    report.row(
        "accepted_ms",
        accepted.as_secs_f64() * 1e3,
        "until it is nowhere",
    );
    report.row("erased_s", took.as_secs_f64(), format!("{rows} rows"));
    report.row("rows_per_second", per_second(rows, took), "rests included");
    compare(
        "recall",
        &mut before.recalls,
        &mut during.recalls,
        &mut report,
    );
    compare("write", &mut before.writes, &mut during.writes, &mut report);
    Ok(report)
}

fn compare(name: &str, before: &mut [Duration], during: &mut [Duration], report: &mut Report) {
    let counts = format!("{} calls before, {} during", before.len(), during.len());
    let (p99, p50) = (
        [percentile_ms(before, 0.99), percentile_ms(during, 0.99)],
        [percentile_ms(before, 0.50), percentile_ms(during, 0.50)],
    );
    report.row(&format!("{name}_ms_p50_before"), p50[0], &counts);
    report.row(&format!("{name}_ms_p50_during"), p50[1], "");
    report.row(&format!("{name}_ms_p99_before"), p99[0], "");
    report.row(&format!("{name}_ms_p99_during"), p99[1], "");
    report.row(&format!("{name}_p99_ratio"), p99[1] / p99[0], "target 2.0");
}

impl Work<'_> {
    async fn run(&mut self, calls: usize, times: &mut Times) -> Result<()> {
        for _ in 0..calls {
            self.done += 1;
            let one = Measure::start();
            if self.done.is_multiple_of(2) {
                let text = &self.texts[self.done * 31 % self.texts.len()];
                let words: Vec<&str> = text.split_whitespace().take(WORDS).collect();
                ask(self.fixture, &words.join(" ")).await?;
                times.recalls.push(one.wall());
            } else {
                let store = &self.fixture.store;
                let new = new_memory(store, &format!("written meanwhile {}", self.done));
                let mut tx = store.begin(self.fixture.may::<MemoryWrite>()?).await?;
                tx.put_memory(new).await?;
                tx.commit().await?;
                times.writes.push(one.wall());
            }
        }
        Ok(())
    }
}

/// Some memories through the store, and their rows again and again under other ids: they do not open, and are
/// erased like any other.
async fn fill(fixture: &Fixture, place: &TeamStore, large: &Tenant, memories: usize) -> Result<()> {
    let caller = large.caller(&fixture.store, "owner").await;
    let kept = memories.min(KEPT);
    let mut tx = fixture
        .store
        .begin(caller.authorize::<MemoryWrite>()?)
        .await?;
    for number in 0..kept {
        let mut new = new_memory(&fixture.store, &format!("statement {number}"));
        new.body.text = format!("statement {number} ").repeat(20);
        new.reasons = vec!["measured".into()];
        tx.put_memory(new).await?;
    }
    tx.commit().await?;
    let copies = (memories / kept.max(1)).saturating_sub(1);
    let (workspace, id) = (uuid(large.workspace), "md5(id::text || k)::uuid");
    let of = "md5(memory::text || k)::uuid";
    let from = |table: &str, columns: &str| {
        format!(
            "INSERT INTO skep.{table} SELECT workspace_id, {columns}
             FROM skep.{table}, generate_series(1, {copies}) AS k WHERE workspace_id = '{workspace}';"
        )
    };
    let script = [
        from(
            "memory_facts",
            &format!(
                "{id}, seq, kind, trust, state, visibility, harness, owner_kind, owner, owner_group, valid_from,
                 valid_to, recorded_at, superseded_at, project, session,
                 decode(md5(fingerprint::text || k), 'hex'), vector_model"
            ),
        ),
        from("memory", &format!("{id}, turns, body")),
        from(
            "memory_history",
            &format!("{of}, entry, at, actor_kind, actor, state, reason"),
        ),
        from("memory_origin", &format!("{of}, kind, origin, trust")),
    ];
    place.database().run(&script.concat());
    Ok(())
}

/// What the receipt says was erased, and what is left of the workspace.
fn receipt(place: &TeamStore, large: &Tenant) -> (String, String) {
    let workspace = uuid(large.workspace);
    let query = |text: String| place.database().query(&text).trim().to_owned();
    (
        query(format!(
            "SELECT coalesce(sum(c.tally), 0) FROM skep.job AS j JOIN skep.job_count AS c ON c.job = j.id
             WHERE j.workspace = '{workspace}' AND j.state = {}",
            JobState::Done.code()
        )),
        query(format!(
            "SELECT (SELECT count(*) FROM skep.memory_facts WHERE workspace_id = '{workspace}')
                 + (SELECT count(*) FROM skep.memory WHERE workspace_id = '{workspace}')"
        )),
    )
}

fn uuid(id: WorkspaceId) -> String {
    format!("{:032x}", u128::from_be_bytes(id.to_bytes()))
}
