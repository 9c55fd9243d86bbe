//! What an entry of the ledger costs within a transaction: `cargo xtask bench ledger`.

use std::sync::Arc;
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

/// The median of the call alone; and what the whole transaction takes longer, by which of which.
async fn told(world: &Arc<World<Sqlite>>, at_once: bool, first: u64) -> (f64, f64, f64) {
    let (mut calls, mut with, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for round in first..first + ROUNDS {
        for records in [false, true] {
            let own = Arc::clone(world);
            let work = async move { timed(&own, round, records).await };
            let (call, whole) = if at_once {
                world.store().at_once(work).await.unwrap()
            } else {
                work.await
            };
            if records {
                calls.push(call);
                with.push(whole);
            } else {
                without.push(whole);
            }
        }
    }
    (median(calls), median(with), median(without))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo xtask bench ledger"]
async fn appending() {
    let world = Arc::new(World::<Sqlite>::new().await);
    for (way, at_once, first) in [("", true, 0), ("handed_", false, ROUNDS)] {
        let (call, with, without) = told(&world, at_once, first).await;
        println!("  append_{way}p50_us {call:>10.1}  the call within the transaction");
        println!(
            "  append_{way}added_us {:>8.1}  what the whole transaction takes longer, {with:.0} over {without:.0}",
            with - without
        );
    }
}
