//! What checking a credential costs, what a flood of bad ones does to good ones, and whether what
//! somebody may not know can be told by how long the answer takes.

mod flood;
mod timing;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use skep_domain::{Quota, RateClass, Role};
use skep_http::Limits;
use skep_limit::{Limiter, Quotas, Subject};
use skep_test_support::{Newcomer, Request, TestDaemon};

use self::flood::{Bad, under_flood};
use crate::measure::{Measure, percentile_ms};
use crate::report::Report;

/// What is asked of a run.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    /// Checks and requests to time
    #[arg(long, default_value_t = 5_000)]
    requests: usize,
    /// Samples of each kind in a comparison of times
    #[arg(long, default_value_t = 5_000)]
    samples: usize,
    /// Bad credentials a second
    #[arg(long, default_value_t = 500)]
    flood: u64,
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

    let mut counted = counts(&daemon, asked.requests).await?;
    let p50 = percentile_ms(&mut counted, 0.5) * 1e3;
    report.row(
        "limit_us_p50",
        p50,
        "counting a call for its organization and its credential",
    );

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
    timing::run(&daemon, asked, &mut report).await?;
    Ok(report)
}

/// Allowances that no benchmark uses up.
pub(crate) fn unlimited() -> Result<Limits> {
    let mut quotas = Quotas::default();
    for name in [
        "api_organization",
        "api_credential",
        "login_account",
        "login_address",
        "gateway_organization",
        "tokens_organization",
        "tokens_credential",
    ] {
        let quota = Quota::parse("1000000/s").context("a quota")?;
        ensure!(quotas.set(name, quota), "no class is called {name}");
    }
    Ok(Limits {
        limiter: Arc::new(Limiter::local()),
        quotas,
    })
}

/// What the limits cost a request, where one node counts for itself.
async fn counts(daemon: &TestDaemon, count: usize) -> Result<Vec<Duration>> {
    let limiter = Limiter::local();
    let quota = Quota::parse("1000000/s").context("a quota")?;
    let asked = [
        (Subject::Organization(daemon.a.organization), quota),
        (Subject::Credential(&[7; 16]), quota),
    ];
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        let (one, app) = (Measure::start(), &daemon.app);
        let taken = limiter.take(app.limit_key(), RateClass::Api, &asked, app.now());
        let taken = taken.await.map_err(|_| anyhow!("not counted"))?;
        samples.push(one.wall());
        ensure!(taken.is_some_and(|taken| taken.allowed), "refused");
    }
    Ok(samples)
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
