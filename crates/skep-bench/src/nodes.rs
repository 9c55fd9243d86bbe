//! Two daemons on one database: whether what one acknowledged is recalled by the other in its next request,
//! and how soon the other one's watchers hear of a revocation.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use skep_api::access::CreateKeyRequest;
use skep_api::memory::RememberRequest;
use skep_api::recall::RecallRequest;
use skep_client::Client;
use skep_grpc::protocol::WatchRevocationsRequest;
use skep_grpc::protocol::auth_service_client::AuthServiceClient;
use skep_grpc::protocol::revocation::What;
use skep_grpc::{Destination, ask};
use skep_test_support::{Scratch, TeamStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::crash::Daemon;
use crate::measure::{Measure, percentile_ms};
use crate::report::Report;

/// How often each is tried, and with what.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Memories to write to one and to recall from the other
    #[arg(long, default_value_t = 10_000)]
    trials: usize,
    /// Keys to revoke on one and to show to the other
    #[arg(long, default_value_t = 200)]
    revocations: usize,
    /// The daemon's program
    #[arg(long)]
    skepd: PathBuf,
}

/// A node and its home.
struct Node {
    home: Scratch,
    daemon: Daemon,
}

/// What was found.
#[derive(Default)]
struct Found {
    missed: usize,
    remembered: Vec<Duration>,
    recalled: Vec<Duration>,
    let_in: usize,
    told: Vec<Duration>,
}

/// Writes to one and recalls from the other, by turns; then revokes keys.
pub(crate) async fn run(asked: &Asked) -> Result<Report> {
    let skepd = &asked.skepd;
    let place = TeamStore::new().await;
    let one = Node::start(skepd, &place, None).await?;
    let other = Node::start(skepd, &place, Some(&one)).await?;
    let mut found = Found::default();
    found.recall(&one, &other, asked.trials).await?;
    for trial in 0..asked.revocations {
        let (here, there) = if trial % 2 == 0 {
            (&one, &other)
        } else {
            (&other, &one)
        };
        found.revoke(here, there).await?;
    }
    Ok(found.tell(asked))
}

impl Node {
    async fn start(skepd: &Path, place: &TeamStore, first: Option<&Self>) -> Result<Self> {
        let home = Scratch::new();
        let (host, name) = (place.database().server().socket(), place.database().name());
        let host = host.display();
        let settings = format!(
            "[server]\nmode = \"local\"\n[store]\nbackend = \"postgres\"\nhost = \"{host}\"\ndatabase = \"{name}\"\n\
             [auth.grpc]\nlisten = \"unix:auth.sock\"\n[limits]\nenabled = false\n"
        );
        std::fs::write(home.path().join("skep.toml"), settings)?;
        if let Some(first) = first {
            let key = |home: &Scratch| home.path().join("root.key");
            std::fs::copy(key(&first.home), key(&home))?;
        }
        let (daemon, _) = Daemon::start(skepd, home.path()).await?;
        Ok(Self { home, daemon })
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The status of a request with this key.
    async fn whoami(&self, key: &str) -> Result<String> {
        let mut stream = UnixStream::connect(self.socket("skepd.sock")).await?;
        let request = format!(
            "GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let status = answer.split(' ').nth(1);
        status
            .map(str::to_owned)
            .context("an answer without status")
    }
}

impl Found {
    async fn recall(&mut self, one: &Node, other: &Node, trials: usize) -> Result<()> {
        let mut clients = [one.daemon.client().await?, other.daemon.client().await?];
        for trial in 0..trials {
            let [writes, reads] = &mut clients;
            let text = format!("Locker {trial} of the boathouse holds the oars of crew {trial}.");
            let request = RememberRequest {
                text: text.clone(),
                ..RememberRequest::default()
            };
            let begun = Measure::start();
            let id = writes.remember(&request).await?.memory.id;
            self.remembered.push(begun.wall());
            let begun = Measure::start();
            let found = recall(
                reads,
                format!("what does locker {trial} of the boathouse hold"),
            );
            let is_found = found.await?.contains(&id);
            self.recalled.push(begun.wall());
            self.missed += usize::from(!is_found);
            clients.swap(0, 1);
        }
        Ok(())
    }

    async fn revoke(&mut self, here: &Node, there: &Node) -> Result<()> {
        let mut client = here.daemon.client().await?;
        let request = CreateKeyRequest {
            label: "for a moment".into(),
            ..CreateKeyRequest::default()
        };
        let key = client.create_key(&request).await?;
        let channel = ask(&Destination::Unix(there.socket("auth.sock")))?;
        let mut watcher = AuthServiceClient::new(channel);
        let news = watcher
            .watch_revocations(WatchRevocationsRequest {})
            .await?;
        let mut news = news.into_inner();
        // From the first beat on nothing is missed.
        news.message().await?;
        ensure!(
            there.whoami(&key.secret).await? == "200",
            "a new key is let in"
        );
        client.revoke_key(&key.key.id).await?;
        let begun = Measure::start();
        let heard = async {
            while let Some(told) = news.message().await? {
                if told.what() != What::Beat {
                    return Ok::<_, anyhow::Error>(begun.wall());
                }
            }
            anyhow::bail!("the news ended")
        };
        let (status, heard) = tokio::join!(there.whoami(&key.secret), heard);
        self.let_in += usize::from(status? != "401");
        self.told.push(heard?);
        Ok(())
    }

    fn tell(mut self, asked: &Asked) -> Report {
        let mut report = Report::new("two daemons on one PostgreSQL, by turns");
        let count = |n: usize| n as f64;
        report.row(
            "trials",
            count(asked.trials),
            "written to one, recalled from the other next",
        );
        report.row("missed", count(self.missed), "not recalled: none may be");
        report.row(
            "remember_ms_p50",
            percentile_ms(&mut self.remembered, 0.5),
            "",
        );
        report.row(
            "recall_ms_p50",
            percentile_ms(&mut self.recalled, 0.5),
            "with what the other wrote",
        );
        report.row("recall_ms_p99", percentile_ms(&mut self.recalled, 0.99), "");
        report.row(
            "revocations",
            count(asked.revocations),
            "on one, asked for on the other",
        );
        report.row(
            "let_in",
            count(self.let_in),
            "after the revocation: none may be",
        );
        report.row(
            "told_ms_p50",
            percentile_ms(&mut self.told, 0.5),
            "until the other one's watchers heard",
        );
        report.row(
            "told_ms_p99",
            percentile_ms(&mut self.told, 0.99),
            "aim: 1,000",
        );
        report
    }
}

/// Ids of what is recalled.
async fn recall(client: &mut Client, query: String) -> Result<Vec<String>> {
    let request = RecallRequest {
        query,
        deadline_ms: Some(30_000),
        ..RecallRequest::default()
    };
    let found = client.recall(&request).await?;
    Ok(found.items.into_iter().map(|item| item.memory.id).collect())
}
