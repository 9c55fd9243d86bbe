//! How many turns and memories a second one workspace takes, each batch durable before the next:
//! `cargo run --release -p skep-store-sqlite --example write_rate [BATCHES]`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement for a terminal"
)]

mod measure;

use measure::{At, percentiles, since};
use skep_authz::rights::SessionCapture;
use skep_conformance::{Persona, World, new_memory, new_session, new_turn};
use skep_store::Tx;

const BATCH: usize = 500;
const BODY: usize = 400;

#[tokio::main]
async fn main() {
    let batches = std::env::args()
        .nth(1)
        .map_or(100, |text| text.parse().unwrap());
    let world = World::create(At::scratch(), 1).await;
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let session = tx.put_session(&new_session(store, "a")).await.unwrap();
    tx.commit().await.unwrap();

    let (mut times, mut processor) = (Vec::new(), 0.0);
    for batch in 0..batches {
        let turns: Vec<_> = (0..BATCH)
            .map(|n| {
                let mut turn = new_turn(store, &format!("{batch}-{n}"));
                turn.text = "x".repeat(BODY);
                turn
            })
            .collect();
        let (start, before) = (measure::now(), measure::processor());
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
        tx.append_turns(session, &turns).await.unwrap();
        tx.commit().await.unwrap();
        times.push(since(start));
        processor += measure::processor() - before;
    }
    report("turns", &mut times, processor);

    let (mut times, mut processor) = (Vec::new(), 0.0);
    for batch in 0..batches {
        let memories: Vec<_> = (0..BATCH)
            .map(|n| {
                let mut memory = new_memory(store, &format!("{batch}-{n}"));
                memory.body.text = "x".repeat(BODY);
                memory
            })
            .collect();
        let (start, before) = (measure::now(), measure::processor());
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
        for memory in memories {
            tx.put_memory(memory).await.unwrap();
        }
        tx.commit().await.unwrap();
        times.push(since(start));
        processor += measure::processor() - before;
    }
    report("memories", &mut times, processor);

    let mut times = Vec::new();
    for n in 0..200 {
        let turn = new_turn(store, &format!("single-{n}"));
        let start = measure::now();
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
        tx.append_turns(session, &[turn]).await.unwrap();
        tx.commit().await.unwrap();
        times.push(since(start));
    }
    println!("one turn, durable: {}", percentiles(&mut times));
}

fn report(what: &str, times: &mut [f64], processor: f64) {
    let total: f64 = times.iter().sum();
    let rows = (times.len() * BATCH) as f64;
    let rate = rows / total * 1_000.0;
    let cost = processor / rows * 1_000.0;
    println!(
        "{what}: {rate:.0}/s in durable batches of {BATCH} with {BODY} bytes each; a batch {}; \
         {cost:.1} us of processor each",
        percentiles(times)
    );
}
