//! What an entry of the ledger costs within a transaction: `cargo xtask bench ledger`.

use std::time::{Duration, Instant};

use skep_conformance::World;
use skep_domain::{Id, Timestamp, UsageId};
use skep_store::row::TicketKind;
use skep_store::{DoorTx, Mode, NewTicket, NewUsage};

use crate::Sqlite;

const ROUNDS: u64 = 3_000;

fn event(number: u64) -> NewUsage {
    let mut id = [7; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    NewUsage {
        id: UsageId::from_bytes(id),
        at: Timestamp::from_micros(7),
        workspace: None,
        principal: None,
        credential: None,
        facts: r#"{"provider":"openai","model":"gpt-5","input":1812,"cache_read":1024,"output":311,"cost_nano":41211}"#
            .into(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement stands in the door, and looks at the clock"
)]
async fn door(world: &World<Sqlite>) -> DoorTx {
    world.store().begin_door(Mode::Write).await.unwrap()
}

/// A transaction that does something, and one that records it too: the call alone, and the whole.
#[expect(clippy::disallowed_methods, reason = "measuring is what it does")]
async fn timed(world: &World<Sqlite>, round: u64, records: bool) -> (Duration, Duration) {
    let begun = Instant::now();
    let mut tx = door(world).await;
    let ticket = NewTicket {
        kind: TicketKind::Setup,
        organization: None,
        user: None,
        maker: None,
        expires_at: Timestamp::from_micros(i64::MAX),
        uses: 1,
        body: b"as much as there is of a reservation".to_vec(),
    };
    let secret = [&round.to_le_bytes()[..], &[u8::from(records)]].concat();
    tx.put_ticket(&secret, None, ticket).await.unwrap();
    let call = Instant::now();
    if records {
        let organization = world.ours.organization;
        tx.append_usage(organization, &[event(round)])
            .await
            .unwrap();
    }
    let call = call.elapsed();
    tx.commit().await.unwrap();
    (call, begun.elapsed())
}

fn median(mut samples: Vec<Duration>) -> f64 {
    samples.sort_unstable();
    samples[samples.len() / 2].as_secs_f64() * 1e6
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo xtask bench ledger"]
async fn appending() {
    let world = World::<Sqlite>::new().await;
    let (mut calls, mut with, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (_, whole) = timed(&world, round, false).await;
        without.push(whole);
        let (call, whole) = timed(&world, round, true).await;
        calls.push(call);
        with.push(whole);
    }
    let (with, without) = (median(with), median(without));
    println!(
        "  append_p50_us     {:>10.1}  the call within the transaction",
        median(calls)
    );
    println!(
        "  append_added_us   {:>10.1}  what the whole transaction takes longer, {with:.0} over {without:.0}",
        with - without
    );
}
