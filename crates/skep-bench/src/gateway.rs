//! What the gateway adds to a model call: beside a call straight to the provider, and beside nginx as a plain reverse
//! proxy in the same run. Keys, allowances, budgets and the ledger are as in use.

mod load;
mod memories;
mod rival;
mod upstream;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use skep_api::access::CreateKeyRequest;
use skep_api::budget::{SetBudgetRequest, SetRateCardRequest};
use skep_api::provider::SetProviderRequest;
use skep_test_support::Scratch;

use crate::crash::Daemon;
use crate::measure::{Measure, cpu_of, percentile_ms, resident_bytes_of};
use crate::report::Report;
use load::{Listening, Round, ask, listen};
use rival::{Nginx, free_address};
use upstream::{Pace, Upstream};

/// How often each is tried, and with what.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Rounds; a figure is the median of them
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Calls of one caller in a round; several callers together make four times as many
    #[arg(long, default_value_t = 2_000)]
    calls: usize,
    /// Streams that are open at the same time; 0 for none
    #[arg(long, default_value_t = 1_000)]
    streams: usize,
    /// Seconds that each of them takes
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Minutes under load to look at memory; 0 for none
    #[arg(long, default_value_t = 0)]
    soak: u64,
    /// Memories that others are found among, for calls that are given some; 0 for none
    #[arg(long, default_value_t = 100_000)]
    pub(crate) memories: usize,
    /// The daemon's program
    #[arg(long)]
    skepd: PathBuf,
}

/// Callers at a time.
const CALLERS: [usize; 3] = [1, 16, 64];
/// Calls of a round of the soak.
const SOAKED: usize = 5_000;

/// Whom a call goes to.
struct Way {
    name: &'static str,
    address: SocketAddr,
    /// What is called, with which key.
    message: Arc<[u8]>,
    found: [Found; CALLERS.len()],
}

/// What was found, a value for each round.
#[derive(Default)]
struct Found {
    p50: Vec<f64>,
    p99: Vec<f64>,
    rate: Vec<f64>,
    cpu: Vec<f64>,
}

/// The daemon that is measured.
struct Gateway {
    _home: Scratch,
    daemon: Daemon,
    address: SocketAddr,
    key: String,
}

/// Measures what was asked for.
pub(crate) async fn run(asked: &Asked, texts: &[String]) -> Result<Report> {
    let events = usize::try_from(asked.seconds * 2)?.max(2);
    let pause = Duration::from_millis(500);
    let upstream = Upstream::start(Pace { events, pause }).await?;
    let gateway = Gateway::start(asked, upstream.address).await?;
    let nginx = Nginx::start(upstream.address).await?;
    let mut report = Report::new(format!(
        "gateway: {} rounds, medians; the provider answers at once on loopback; allowances, a hard budget, a rate card \
         and the ledger are in force",
        asked.rounds
    ));
    let plain = |name, address| Way::new(name, address, "", "up/bench");
    let mut ways = vec![
        plain("direct", upstream.address),
        Way::new("skep", gateway.address, &gateway.key, "up/bench"),
    ];
    ways.extend(nginx.as_ref().map(|nginx| plain("nginx", nginx.address)));
    for way in &ways {
        ask(way.address, &way.message, (16, 500)).await?;
    }
    for _ in 0..asked.rounds {
        for (at, callers) in CALLERS.into_iter().enumerate() {
            for way in &mut ways {
                let times = if callers == 1 {
                    asked.calls
                } else {
                    asked.calls * 4
                };
                let cpu = cpu_of(gateway.daemon.id()?);
                let round = ask(way.address, &way.message, (callers, times)).await?;
                let cpu = cpu_of(gateway.daemon.id()?).saturating_sub(cpu);
                way.found[at].note(round, cpu);
            }
        }
    }
    tell(&mut report, &mut ways);
    report.row(
        "resident_mib",
        mib(resident_bytes_of(gateway.daemon.id()?)),
        "of the daemon, after these calls",
    );
    if asked.streams > 0 {
        gateway.streams(&mut report, asked.streams).await?;
    }
    if asked.soak > 0 {
        gateway.soak(&mut report, asked.soak).await?;
    }
    if let Some(nginx) = nginx {
        nginx.stop().await?;
    }
    if asked.memories > 0 {
        memories::run(&mut report, texts, (asked.rounds, upstream.address)).await?;
    }
    Ok(report)
}

impl Way {
    fn new(name: &'static str, address: SocketAddr, key: &str, model: &str) -> Self {
        Self {
            name,
            address,
            message: message(key, model, false).into(),
            found: Default::default(),
        }
    }
}

/// A call of a model of some kilobyte.
fn message(key: &str, model: &str, stream: bool) -> Vec<u8> {
    let text = "Which port does the harbour master listen on, and who may change it? ".repeat(14);
    posed((key, ""), (model, &text), stream)
}

/// A call that asks this, with further headers.
fn posed((key, headers): (&str, &str), (model, text): (&str, &str), stream: bool) -> Vec<u8> {
    let body = json!({
        "model": model, "max_tokens": 256,
        "messages": [{ "role": "system", "content": "Answer in a sentence." }, { "role": "user", "content": text }],
    });
    let mut body = body.to_string();
    if stream {
        body.pop();
        body += ",\"stream\":true}";
    }
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: \
         application/json\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

impl Found {
    fn note(&mut self, mut round: Round, cpu: Duration) {
        let calls = round.latencies.len() as f64;
        self.p50.push(percentile_ms(&mut round.latencies, 0.5));
        self.p99.push(percentile_ms(&mut round.latencies, 0.99));
        self.rate.push(calls / round.wall.as_secs_f64());
        self.cpu.push(cpu.as_secs_f64() * 1e6 / calls);
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The median of the rounds' differences, and how far they lie apart.
fn beside(own: &[f64], other: &[f64], of: impl Fn(f64, f64) -> f64) -> (f64, String) {
    let each: Vec<f64> = own
        .iter()
        .zip(other)
        .map(|(own, other)| of(*own, *other))
        .collect();
    let least = each.iter().copied().fold(f64::INFINITY, f64::min);
    let most = each.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (median(&each), format!("{least:.3} to {most:.3}"))
}

fn tell(report: &mut Report, ways: &mut [Way]) {
    report.line("  callers  way        p50 ms   p99 ms   calls/s".to_owned());
    for (at, callers) in CALLERS.into_iter().enumerate() {
        for way in ways.iter() {
            let found = &way.found[at];
            let (p50, p99, rate) = (median(&found.p50), median(&found.p99), median(&found.rate));
            report.line(format!(
                "  {callers:7}  {:8} {p50:8.3} {p99:8.3} {rate:9.0}",
                way.name
            ));
            for (figure, value) in [("p50_ms", p50), ("p99_ms", p99), ("rps", rate)] {
                report.figure(format!("{}_{figure}_at_{callers}", way.name), value);
            }
        }
    }
    let of = |name: &str| ways.iter().find(|way| way.name == name);
    let (Some(direct), Some(skep)) = (of("direct"), of("skep")) else {
        return;
    };
    let [one, sixteen, sixty_four] = &skep.found;
    let (added, spread) = beside(&one.p50, &direct.found[0].p50, |own, other| own - other);
    report.row(
        "added_p50_ms",
        added,
        format!("one caller, over a direct call ({spread}); aim 0.3"),
    );
    let (added, spread) = beside(&sixteen.p99, &direct.found[1].p99, |own, other| own - other);
    report.row(
        "added_p99_ms_at_16",
        added,
        format!("16 callers ({spread}); aim 2"),
    );
    report.row(
        "cpu_us",
        median(&sixteen.cpu),
        "of the daemon for each call, 16 callers",
    );
    report.row("rps", median(&sixty_four.rate), "64 callers; aim 8,000");
    if let Some(nginx) = of("nginx") {
        let (ratio, spread) = beside(&sixty_four.rate, &nginx.found[2].rate, |own, other| {
            own / other
        });
        report.row(
            "rps_ratio_to_nginx",
            ratio,
            format!("64 callers ({spread}); aim 0.4"),
        );
        let (added, spread) = beside(&nginx.found[0].p50, &direct.found[0].p50, |own, other| {
            own - other
        });
        report.row(
            "nginx_added_p50_ms",
            added,
            format!("one caller ({spread})"),
        );
    } else {
        report.line("  no nginx here: install it for the ratio to it".to_owned());
    }
}

impl Gateway {
    async fn start(asked: &Asked, upstream: SocketAddr) -> Result<Self> {
        let home = Scratch::new();
        let quotas = [
            "gateway_organization",
            "tokens_organization",
            "tokens_credential",
        ]
        .map(|name| format!("{name} = \"60000000/min\"\n"))
        .concat();
        let settings =
            format!("[limits]\n{quotas}[gateway]\nprivate_origins = [\"http://{upstream}\"]\n");
        std::fs::write(home.path().join("skep.toml"), settings)?;
        let address = free_address()?;
        let (daemon, _) = Daemon::start_on(&asked.skepd, home.path(), &address.to_string()).await?;
        let mut client = daemon.client().await?;
        client
            .set_provider(&SetProviderRequest {
                name: "up".into(),
                kind: "compatible".into(),
                base_url: Some(format!("http://{upstream}/v1")),
                secret: None,
                models: Vec::new(),
                fallback: Vec::new(),
                max_output: None,
            })
            .await?;
        client
            .set_rate_card(&SetRateCardRequest {
                models: "up/*".into(),
                input: "3".into(),
                output: "15".into(),
                cache_read: None,
                cache_write: None,
                reasoning: None,
            })
            .await?;
        client
            .set_budget(&SetBudgetRequest {
                scope: "organization".into(),
                of: None,
                period: "month".into(),
                kind: "hard".into(),
                limit: "100000000".into(),
            })
            .await?;
        let made = client
            .create_key(&CreateKeyRequest {
                label: "bench".into(),
                permissions: Some(vec!["gateway:use".into()]),
                ..CreateKeyRequest::default()
            })
            .await?;
        Ok(Self {
            _home: home,
            daemon,
            address,
            key: made.secret,
        })
    }

    /// Many streams at once: what each takes in memory, and whether that grows while they go on.
    async fn streams(&self, report: &mut Report, count: usize) -> Result<()> {
        let message = message(&self.key, "up/bench", true);
        let before = resident_bytes_of(self.daemon.id()?);
        let mut open: Vec<Listening> = Vec::with_capacity(count);
        for _ in 0..count {
            open.push(listen(self.address, &message).await?);
        }
        let all = resident_bytes_of(self.daemon.id()?);
        for stream in open {
            stream.end().await?;
        }
        let after = resident_bytes_of(self.daemon.id()?);
        let each = all.saturating_sub(before) as f64 / 1024.0 / count as f64;
        report.row("streams", count as f64, "open at the same time");
        report.row("stream_kib", each, "resident for each of them");
        report.row(
            "streams_growth_mib",
            mib(after) - mib(all),
            "from when all had begun until all had ended",
        );
        Ok(())
    }

    /// Calls without a pause; memory is looked at each minute.
    async fn soak(&self, report: &mut Report, minutes: u64) -> Result<()> {
        let message: Arc<[u8]> = message(&self.key, "up/bench", false).into();
        let begun = Measure::start();
        let (mut seen, mut calls) = (Vec::new(), 0);
        for minute in 1..=minutes {
            while begun.wall() < Duration::from_secs(60 * minute) {
                calls += ask(self.address, &message, (16, SOAKED))
                    .await?
                    .latencies
                    .len();
            }
            seen.push(mib(resident_bytes_of(self.daemon.id()?)));
            let _ = writeln!(
                std::io::stderr(),
                "minute {minute} of {minutes}: {calls} calls, {:.1} MiB",
                seen[seen.len() - 1]
            );
        }
        report.row("soak_calls", calls as f64, format!("in {minutes} minutes"));
        let (first, last) = (seen.first().copied(), seen.last().copied());
        report.row(
            "soak_first_mib",
            first.unwrap_or_default(),
            "resident after the first minute",
        );
        report.row(
            "soak_last_mib",
            last.unwrap_or_default(),
            "resident after the last",
        );
        Ok(())
    }
}
