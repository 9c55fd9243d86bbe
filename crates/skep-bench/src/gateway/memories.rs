//! What it adds to a call that memories are put into it, found among many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use skep_authz::rights::MemoryWrite;
use skep_index::{Embedder, SentenceEmbedder};
use skep_memory::{Redactor, clean};
use skep_test_support::{Request, TestDaemon};

use super::load::Caller;
use super::{beside, posed};
use crate::access::unlimited;
use crate::fixture::memory;
use crate::measure::{Measure, percentile_ms};
use crate::recall::questions;
use crate::report::Report;

/// Calls of a round that are given memories; as many are given none, and as many go straight to the provider.
const CALLS: usize = 200;
/// What a call with memories waits for them at most.
const DEADLINE: Duration = Duration::from_millis(40);

/// The daemon's own vectors for what is asked. What is asked among has drafts, as it has until upkeep came round: a
/// hundred thousand in full would take most of an hour.
struct Drafting {
    model: SentenceEmbedder,
    is_filling: AtomicBool,
}

impl Embedder for Drafting {
    fn model_id(&self) -> &str {
        self.model.model_id()
    }

    fn dim(&self) -> usize {
        self.model.dim()
    }

    fn embed(&self, text: &str) -> Vec<f32> {
        if self.is_filling.load(Ordering::SeqCst) {
            self.model.draft(text)
        } else {
            self.model.embed(text)
        }
    }

    fn draft(&self, text: &str) -> Vec<f32> {
        self.model.draft(text)
    }
}

/// What the rounds came to, a value for each.
#[derive(Default)]
struct Ways {
    direct: Vec<f64>,
    without: Vec<f64>,
    with: Vec<f64>,
    all: Vec<Duration>,
    given: usize,
}

/// Fills a workspace and asks in turn: the provider itself, through the gateway, and through it with memories.
pub(super) async fn run(
    report: &mut Report,
    texts: &[String],
    (rounds, upstream): (usize, SocketAddr),
) -> Result<()> {
    let embedder = Arc::new(Drafting {
        model: SentenceEmbedder::built_in(),
        is_filling: AtomicBool::new(true),
    });
    let own = Arc::clone(&embedder) as Arc<dyn Embedder>;
    let daemon = TestDaemon::start_gateway_embedding(&[upstream], unlimited()?, own).await;
    fill(&daemon, texts).await?;
    embedder.is_filling.store(false, Ordering::SeqCst);
    let token = daemon.a.token("owner");
    let provider = serde_json::json!({
        "name": "up", "kind": "compatible", "base_url": format!("http://{upstream}/v1"),
    });
    let set = Request::new("POST", "/api/v1/providers").bearer(&token);
    let reply = set.json(&provider).send(daemon.address).await?;
    ensure!(reply.status == 200, "{}", reply.json());

    let asked = questions(texts, rounds * CALLS + 1);
    ensure!(asked.len() > CALLS, "too few memories to ask for");
    let mut callers = [
        Caller::connect(upstream).await?,
        Caller::connect(daemon.address).await?,
    ];
    // The first one makes the index.
    let mut ways = Ways::default();
    ways.round(&mut callers, &token, &asked[..1]).await?;
    let mut ways = Ways::default();
    let (mut cpu, mut calls) = (Duration::ZERO, 0);
    for round in asked[1..].chunks_exact(CALLS) {
        let measure = Measure::start();
        ways.round(&mut callers, &token, round).await?;
        cpu += measure.cpu();
        calls += round.len();
    }
    ways.tell(report, (texts.len(), calls));
    let note = "of this process for one call of each kind, the provider and the caller included";
    report.row(
        "memory_cpu_us",
        cpu.as_secs_f64() * 1e6 / calls as f64,
        note,
    );
    Ok(())
}

async fn fill(daemon: &TestDaemon, texts: &[String]) -> Result<()> {
    let redactor = Redactor::new();
    let owner = daemon.a.caller(&daemon.store, "owner").await;
    for batch in texts.chunks(1_000) {
        let mut tx = daemon
            .store
            .begin(owner.authorize::<MemoryWrite>()?)
            .await?;
        for text in batch {
            let clean = clean(text);
            let text = redactor.redact(&clean).text.into_owned();
            tx.put_memory(memory(&daemon.store, text)).await?;
        }
        tx.commit().await?;
    }
    daemon.tend(&daemon.a).await;
    Ok(())
}

impl Ways {
    /// One of each kind after the other, so that whatever else the machine does meets all of them.
    async fn round(
        &mut self,
        [direct, gateway]: &mut [Caller; 2],
        token: &str,
        asked: &[(String, usize)],
    ) -> Result<()> {
        let (mut straight, mut without, mut with) = (Vec::new(), Vec::new(), Vec::new());
        for (question, _) in asked {
            let plain = posed((token, ""), ("up/bench", question), false);
            straight.push(direct.call(&plain).await?.0);
            without.push(gateway.call(&plain).await?.0);
            let on = posed(
                (token, "X-Skep-Memory: on\r\n"),
                ("up/bench", question),
                false,
            );
            let (took, answer) = gateway.call(&on).await?;
            with.push(took);
            let told =
                memchr::memmem::find(answer, b"x-skep-context: ").map(|at| &answer[at + 16..]);
            let is_given = told.is_some_and(|told| matches!(told[0], b'1'..=b'9'));
            self.given += usize::from(is_given);
        }
        self.all.extend_from_slice(&with);
        self.direct.push(percentile_ms(&mut straight, 0.5));
        self.without.push(percentile_ms(&mut without, 0.5));
        self.with.push(percentile_ms(&mut with, 0.5));
        Ok(())
    }

    fn tell(mut self, report: &mut Report, (memories, calls): (usize, usize)) {
        report.row("memories", memories as f64, "that calls are given some of");
        let (added, spread) = beside(&self.with, &self.direct, |own, other| own - other);
        let note = format!("with memories, one caller, over a direct call ({spread}); aim 5");
        report.row("memory_added_p50_ms", added, note);
        let (added, spread) = beside(&self.with, &self.without, |own, other| own - other);
        let note = format!("over the same call without ({spread})");
        report.row("memory_alone_p50_ms", added, note);
        let p99 = percentile_ms(&mut self.all, 0.99);
        report.row(
            "memory_p99_ms",
            p99,
            "a call with memories, the provider included",
        );
        let late = self.all.iter().filter(|took| **took > DEADLINE).count();
        let late = late as f64 / calls as f64;
        report.row("memory_late_ratio", late, "took more than 40 ms");
        let given = self.given as f64 / calls as f64;
        report.row("memory_given_ratio", given, "were given any");
    }
}
