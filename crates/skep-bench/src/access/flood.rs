//! Good requests beside a flood of bad credentials.

use std::time::Duration;

use anyhow::Result;
use skep_app::{App, NewToken};
use skep_domain::Timestamp;
use skep_test_support::{Request, TestDaemon};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::{Asked, requests};

/// Requests in flight of a flood, at most.
const FLYING: usize = 64;

/// The shape of a flood's credential.
#[derive(Clone, Copy)]
pub(super) enum Bad {
    /// A personal access token of the right form that we did not mint.
    Forged,
    /// One that we minted, and revoked since.
    Revoked,
}

/// Good requests while bad ones come in at their rate.
pub(super) async fn under_flood(
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
