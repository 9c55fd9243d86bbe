//! What checking a credential costs, what a flood of bad ones does to good ones, and whether what
//! somebody may not know can be told by how long the answer takes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use skep_app::{App, NewToken};
use skep_domain::{MemoryId, Quota, Role, Timestamp};
use skep_http::Limits;
use skep_limit::{Limiter, Quotas};
use skep_test_support::timing::{Comparison, Plan, compare};
use skep_test_support::{Newcomer, Request, TestDaemon};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::measure::{Measure, percentile_ms};
use crate::report::Report;

/// What is asked of a run.
pub(crate) struct Asked {
    /// Checks and requests to time.
    pub(crate) requests: usize,
    /// Samples of each kind in a comparison of times.
    pub(crate) samples: usize,
    /// Bad credentials a second in the flood.
    pub(crate) flood: u64,
}

/// Requests in flight of a flood, at most.
const FLYING: usize = 64;

/// The shape of a flood's credential.
#[derive(Clone, Copy)]
enum Bad {
    /// A personal access token of the right form that we did not mint.
    Forged,
    /// One that we minted, and revoked since.
    Revoked,
}

pub(crate) async fn run(asked: &Asked) -> Result<Report> {
    let daemon = TestDaemon::start_limited(unlimited()?).await;
    daemon.own(&daemon.a).await;
    let own = (daemon.a.organization, daemon.a.workspace);
    let pass = daemon.admit(own, Newcomer::with(Role::Operator)).await;
    let mut report = Report::new("checking credentials");

    let header = format!("Bearer {}", pass.token);
    let mut checks = Vec::with_capacity(asked.requests);
    for _ in 0..asked.requests {
        let one = Measure::start();
        daemon
            .app
            .authenticate_header(Some(header.as_bytes()))
            .await?;
        checks.push(one.wall());
    }
    let p50 = percentile_ms(&mut checks, 0.5) * 1e3;
    report.row("check_us_p50", p50, "key to caller in process, target 150");
    report.row("check_us_p99", percentile_ms(&mut checks, 0.99) * 1e3, "");

    let mut quiet = requests(&daemon, &pass.token, asked.requests).await?;
    let mut probes = probes(&daemon, asked.requests).await?;
    report.row(
        "request_ms_p50",
        percentile_ms(&mut quiet, 0.5),
        "an authenticated request on a connection of its own",
    );
    report.row(
        "baseline_probe_ms_p50",
        percentile_ms(&mut probes, 0.5),
        "/healthz on a connection of its own",
    );
    let calm = percentile_ms(&mut quiet, 0.99);
    report.row("request_ms_p99", calm, "");
    for (name, bad) in [("forged", Bad::Forged), ("revoked", Bad::Revoked)] {
        let mut busy = under_flood(&daemon, &pass.token, asked, bad).await?;
        let p99 = percentile_ms(&mut busy, 0.99);
        report.row(
            &format!("flood_{name}_ratio"),
            p99 / calm,
            format!(
                "p99 {p99:.2} ms with {} of them a second, target 2",
                asked.flood
            ),
        );
    }
    timing(&daemon, asked, &mut report).await?;
    Ok(report)
}

/// Allowances that no benchmark uses up.
fn unlimited() -> Result<Limits> {
    let mut quotas = Quotas::default();
    for name in ["api_organization", "api_credential"] {
        let quota = Quota::parse("1000000/s").context("a quota")?;
        ensure!(quotas.set(name, quota), "no class is called {name}");
    }
    Ok(Limits {
        limiter: Arc::new(Limiter::local()),
        quotas,
    })
}

async fn timed(daemon: &TestDaemon, request: Request, expected: u16) -> Result<Duration> {
    let one = Measure::start();
    let reply = request.send(daemon.address).await?;
    let took = one.wall();
    ensure!(
        reply.status == expected,
        "{}: {}",
        reply.status,
        reply.code()
    );
    Ok(took)
}

async fn requests(daemon: &TestDaemon, token: &str, count: usize) -> Result<Vec<Duration>> {
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        let request = Request::new("GET", "/api/v1/memories?limit=1").bearer(token);
        samples.push(timed(daemon, request, 200).await?);
    }
    Ok(samples)
}

async fn probes(daemon: &TestDaemon, count: usize) -> Result<Vec<Duration>> {
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        samples.push(timed(daemon, Request::new("GET", "/healthz"), 200).await?);
    }
    Ok(samples)
}

/// Good requests while bad ones come in at their rate.
async fn under_flood(
    daemon: &TestDaemon,
    token: &str,
    asked: &Asked,
    bad: Bad,
) -> Result<Vec<Duration>> {
    let minted = token_of(&daemon.app, daemon).await?;
    let bad = match bad {
        Bad::Revoked => minted,
        Bad::Forged => {
            let mut bent = minted.into_bytes();
            bent[50] = if bent[50] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bent)?
        }
    };
    let address = daemon.address;
    let gap = Duration::from_micros(1_000_000 / asked.flood.max(1));
    let mut flood = JoinSet::new();
    flood.spawn(async move {
        let mut tick = interval(gap);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut flying = JoinSet::new();
        loop {
            tick.tick().await;
            if flying.len() >= FLYING {
                flying.join_next().await;
            }
            let request = Request::new("GET", "/api/v1/memories").bearer(&bad);
            flying.spawn(async move { request.send(address).await.map(|reply| reply.status) });
        }
    });
    let samples = requests(daemon, token, asked.requests).await;
    flood.shutdown().await;
    samples
}

/// A personal access token of the owner's that was revoked.
async fn token_of(app: &App, daemon: &TestDaemon) -> Result<String> {
    let owner = daemon.a.caller(&daemon.store, "owner").await;
    let new = NewToken {
        label: "of a flood".into(),
        permissions: None,
        expires_at: Timestamp::from_micros(app.now().as_micros() + 86_400_000_000),
    };
    let made = app.create_token(&owner, new).await?;
    app.revoke_token(&owner, made.credential.id).await?;
    Ok(made.secret.expose().clone())
}

/// Pairs of kinds of request that must not be told apart.
async fn timing(daemon: &TestDaemon, asked: &Asked, report: &mut Report) -> Result<()> {
    let token = daemon.a.token("owner");
    let theirs = ids(daemon, true).await?;
    let nobodys = ids(daemon, false).await?;
    let of_id = |id: &str| {
        let path = format!("/api/v1/memories/{id}");
        Request::new("GET", &path).bearer(&token)
    };
    let own = (daemon.a.organization, daemon.a.workspace);
    let pass = daemon.admit(own, Newcomer::with(Role::Operator)).await;
    // The same prefix and id as a key that counts, and one that nobody has.
    let near = format!("{}AAAAAAAAAA{}", &pass.token[..40], &pass.token[50..]);
    let far = near.replace(&pass.token[8..30], "AAAAAAAAAAAAAAAAAAAAAA");
    let of_token = |token: &str| Request::new("GET", "/api/v1/memories").bearer(token);
    let ids = [of_id(&theirs), of_id(&nobodys)];
    pair(
        daemon,
        asked,
        report,
        &Pair("foreign_or_invented_id", ids, 403),
    )
    .await;
    let keys = [of_token(&near), of_token(&far)];
    pair(
        daemon,
        asked,
        report,
        &Pair("known_or_unknown_key_id", keys, 401),
    )
    .await;
    Ok(())
}

/// Two kinds of request and the status that both get.
struct Pair(&'static str, [Request; 2], u16);

async fn pair(daemon: &TestDaemon, asked: &Asked, report: &mut Report, pair: &Pair) {
    let name = pair.0;
    for seed in 1..=3 {
        let found = compared(daemon, asked, pair, (seed, false)).await;
        report.figure(format!("{name}_{seed}_t"), found.t);
        report.figure(format!("{name}_{seed}_p"), found.p);
        report.figure(format!("{name}_{seed}_alike"), flag(found.alike()));
        report.line(format!(
            "{name}, seed {seed}: t {:.2}, p {:.4}, medians {:?} apart of {:?}: {}",
            found.t,
            found.p,
            found.gap,
            found.median,
            if found.alike() { "alike" } else { "NOT alike" }
        ));
    }
    let caught = !compared(daemon, asked, pair, (1, true)).await.alike();
    report.figure(format!("{name}_mutant_caught"), flag(caught));
    report.line(format!(
        "{name}, one of them 200 µs slower on purpose: {}",
        if caught { "caught" } else { "NOT CAUGHT" }
    ));
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

async fn compared(
    daemon: &TestDaemon,
    asked: &Asked,
    Pair(_, kinds, status): &Pair,
    (seed, mutant): (u64, bool),
) -> Comparison {
    let plan = Plan {
        samples: asked.samples,
        seed,
        ..Plan::default()
    };
    let samples = plan
        .measure(2, async |kind| {
            send(daemon, &kinds[kind], *status, mutant && kind == 1).await
        })
        .await;
    compare(&samples[0], &samples[1])
}

/// Sends one; a slower one is busy for 200 µs more.
async fn send(daemon: &TestDaemon, request: &Request, status: u16, slower: bool) -> Duration {
    let one = Measure::start();
    let reply = request.clone().send(daemon.address).await;
    let more = Measure::start();
    while slower && more.wall() < Duration::from_micros(200) {
        std::hint::spin_loop();
    }
    let took = one.wall();
    assert!(
        reply.is_ok_and(|reply| reply.status == status),
        "an answer of another kind"
    );
    took
}

/// Tags of a tenant in the shape that the text form of ids wants.
struct Tags<'a>(skep_app::IdTags<'a>);

impl skep_api::id::Tagger for Tags<'_> {
    fn tag(&self, kind: skep_domain::IdKind, uuid: &[u8; 16]) -> [u8; 4] {
        self.0.tag(kind, uuid)
    }
    fn verify(&self, kind: skep_domain::IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
        self.0.verify(kind, uuid, tag)
    }
}

/// The id of a memory of the other tenant's, or one that nobody was given.
async fn ids(daemon: &TestDaemon, exists: bool) -> Result<String> {
    let owner = daemon.b.caller(&daemon.store, "owner").await;
    let id: MemoryId = if exists {
        daemon.hold(&daemon.b, "The crane is green.", &[]).await
    } else {
        daemon.store.mint()
    };
    let tags = daemon.app.id_tags(&owner);
    Ok(skep_api::id::format(&Tags(tags), id))
}
