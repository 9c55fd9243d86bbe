//! Pairs of kinds of request that must not be told apart by how long the answer takes (`attacks` S01).

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use skep_crypto::{PasswordCost, hash_password_at};
use skep_domain::{MemoryId, Role};
use skep_store::{Mode, UserBody};
use skep_test_support::timing::{Comparison, Plan, compare};
use skep_test_support::{Newcomer, Request, Tenant, TestDaemon};

use super::Asked;
use crate::measure::Measure;
use crate::report::Report;

/// Attempts at one account, fewer than shut it.
const ATTEMPTS: usize = 4;
/// Longer than an account is shut.
const SECONDS_APART: i64 = 20 * 60;

/// What one kind asks.
enum Kind {
    /// The same again and again.
    Same(Request),
    /// A login with a wrong password, at the accounts whose addresses begin like this.
    LogIn(&'static str),
}

/// Two kinds, and the status that both get.
struct Pair {
    name: &'static str,
    kinds: [Kind; 2],
    status: u16,
}

pub(super) async fn run(daemon: &TestDaemon, asked: &Asked, report: &mut Report) -> Result<()> {
    for pair in [
        ids(daemon).await?,
        mistyped(daemon).await?,
        erased(daemon).await?,
        keys(daemon).await,
    ] {
        compare_all(daemon, asked, report, &pair).await;
    }
    let rounds = asked.samples + Plan::default().warm_up;
    make_accounts(daemon, rounds.div_ceil(ATTEMPTS)).await?;
    let logins = Pair {
        name: "known_or_unknown_account",
        kinds: [Kind::LogIn("known"), Kind::LogIn("unknown")],
        status: 401,
    };
    compare_all(daemon, asked, report, &logins).await;
    Ok(())
}

impl Kind {
    fn request(&self, round: usize) -> Request {
        match self {
            Self::Same(request) => request.clone(),
            Self::LogIn(prefix) => {
                let address = address(prefix, round / ATTEMPTS);
                let body = json!({ "address": address, "password": "not the right one" });
                Request::new("POST", "/api/v1/auth/login").json(&body)
            }
        }
    }
}

fn address(prefix: &str, number: usize) -> String {
    format!("{prefix}-{number}@example.org")
}

async fn ids(daemon: &TestDaemon) -> Result<Pair> {
    let ids = [
        id_of(daemon, &daemon.b, true).await?,
        id_of(daemon, &daemon.b, false).await?,
    ];
    Ok(Pair {
        name: "foreign_or_invented_id",
        kinds: ids.map(|id| of_id(daemon, &id)),
        status: 403,
    })
}

/// An id of somebody else's memory, and one of one's own with a letter mistyped.
async fn mistyped(daemon: &TestDaemon) -> Result<Pair> {
    let foreign = id_of(daemon, &daemon.b, true).await?;
    let own = id_of(daemon, &daemon.a, true).await?;
    let (rest, last) = own.split_at(own.len() - 1);
    let bent = format!("{rest}{}", if last == "0" { "1" } else { "0" });
    Ok(Pair {
        name: "foreign_or_mistyped_id",
        kinds: [foreign, bent].map(|id| of_id(daemon, &id)),
        status: 403,
    })
}

/// A memory of one's own that was erased, and one that never was.
async fn erased(daemon: &TestDaemon) -> Result<Pair> {
    let gone = id_of(daemon, &daemon.a, true).await?;
    let erase = Request::new("POST", &format!("/api/v1/memories/{gone}/erase"));
    let reply = erase
        .bearer(&daemon.a.token("owner"))
        .send(daemon.address)
        .await?;
    ensure!(reply.status == 200, "{}", reply.code());
    let never = id_of(daemon, &daemon.a, false).await?;
    Ok(Pair {
        name: "erased_or_invented_id",
        kinds: [gone, never].map(|id| of_id(daemon, &id)),
        status: 404,
    })
}

fn of_id(daemon: &TestDaemon, id: &str) -> Kind {
    let path = format!("/api/v1/memories/{id}");
    let token = daemon.a.token("owner");
    Kind::Same(Request::new("GET", &path).bearer(&token))
}

/// The same prefix and id as a key that counts, and one that nobody has.
async fn keys(daemon: &TestDaemon) -> Pair {
    let own = (daemon.a.organization, daemon.a.workspace);
    let pass = daemon.admit(own, Newcomer::with(Role::Operator)).await;
    let near = format!("{}AAAAAAAAAA{}", &pass.token[..40], &pass.token[50..]);
    let far = near.replace(&pass.token[8..30], "AAAAAAAAAAAAAAAAAAAAAA");
    let kind = |token: &str| Kind::Same(Request::new("GET", "/api/v1/memories").bearer(token));
    Pair {
        name: "known_or_unknown_key_id",
        kinds: [kind(&near), kind(&far)],
        status: 401,
    }
}

/// Accounts with a password at the least cost: what is done beside the hash shows the more.
#[expect(
    clippy::disallowed_methods,
    reason = "a thousand accounts without a thousand invitations"
)]
async fn make_accounts(daemon: &TestDaemon, count: usize) -> Result<()> {
    let hash = hash_password_at(PasswordCost::LEAST, b"correct horse battery", [7; 16])?;
    let mut door = daemon.store.begin_door(Mode::Write).await?;
    for number in 0..count {
        let user = door.mint();
        let body = UserBody {
            name: "somebody".into(),
            address: Some(address("known", number)),
            password: Some(hash.as_str().to_owned()),
            vouched: None,
        };
        door.put_user(user, &body).await?;
    }
    door.commit().await.context("accounts")
}

async fn compare_all(daemon: &TestDaemon, asked: &Asked, report: &mut Report, pair: &Pair) {
    let name = pair.name;
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
    pair: &Pair,
    (seed, mutant): (u64, bool),
) -> Comparison {
    // What was booked against an account before counts no more.
    daemon.clock.advance_seconds(SECONDS_APART);
    let plan = Plan {
        samples: asked.samples,
        seed,
        ..Plan::default()
    };
    let mut rounds = [0; 2];
    let samples = plan
        .measure(2, async |kind| {
            let request = pair.kinds[kind].request(rounds[kind]);
            rounds[kind] += 1;
            send(daemon, request, pair.status, mutant && kind == 1).await
        })
        .await;
    compare(&samples[0], &samples[1])
}

/// Sends one; a slower one is busy for 200 µs more.
async fn send(daemon: &TestDaemon, request: Request, status: u16, slower: bool) -> Duration {
    let one = Measure::start();
    let reply = request.send(daemon.address).await;
    let more = Measure::start();
    while slower && more.wall() < Duration::from_micros(200) {
        std::hint::spin_loop();
    }
    let took = one.wall();
    let got = reply.map_or(0, |reply| reply.status);
    assert_eq!(got, status, "an answer of another kind");
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

/// The id of a memory of a tenant, or one of theirs that nobody was given.
async fn id_of(daemon: &TestDaemon, tenant: &Tenant, exists: bool) -> Result<String> {
    let owner = tenant.caller(&daemon.store, "owner").await;
    let id: MemoryId = if exists {
        daemon.hold(tenant, "The crane is green.", &[]).await
    } else {
        daemon.store.mint()
    };
    let tags = daemon.app.id_tags(&owner);
    Ok(skep_api::id::format(&Tags(tags), id))
}
