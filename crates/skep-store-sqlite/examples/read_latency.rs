//! What the storage steps of a recall cost, and how fast an index loads:
//! `cargo run --release -p skep-store-sqlite --example read_latency [MEMORIES]`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement for a terminal"
)]

mod measure;

use measure::{At, percentiles, since};
use skep_authz::rights::{MemoryRead, SessionCapture};
use skep_conformance::{Persona, World, new_memory};
use skep_crypto::{Random, SeededRandom};
use skep_domain::MemoryId;
use skep_store::{Kept, MemoryFilter, NewVector, Tx};

const BODY: usize = 300;
const VECTOR: usize = 256;
const CANDIDATES: usize = 200;
const ITEMS: usize = 10;
const ROUNDS: usize = 2_000;
const MODEL: [u8; 8] = [1; 8];

#[tokio::main]
async fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(100_000, |text| text.parse().unwrap());
    let world = World::create(At::scratch(), 1).await;
    let ids = fill(&world, count).await;
    println!("{count} memories");
    recalls(&world, &ids).await;
    load(&world).await;
}

async fn fill(world: &World<At>, count: usize) -> Vec<MemoryId> {
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
        let from = ids.len();
        for n in from..(from + 1_000).min(count) {
            let mut memory = new_memory(world.store(), &format!("statement {n}"));
            memory.body.text = "x".repeat(BODY);
            match tx.put_memory(memory).await.unwrap() {
                Kept::New(id) | Kept::Known(id) => ids.push(id),
            }
        }
        tx.commit().await.unwrap();
        let mut tx = world.maintain(&world.ours).await;
        let vectors = ids[from..].iter().map(|id| NewVector {
            id: *id,
            dim: VECTOR as u16,
            bytes: vec![1; VECTOR],
        });
        tx.put_vectors(MODEL, vectors.collect()).await.unwrap();
        tx.commit().await.unwrap();
    }
    ids
}

/// The store's part of a recall: one scoped statement over the candidates, then the content of the
/// best.
async fn recalls(world: &World<At>, ids: &[MemoryId]) {
    let seeded = SeededRandom::new(1);
    let random: &dyn Random = &seeded;
    let filter = MemoryFilter::default();
    let candidates: Vec<Vec<MemoryId>> = (0..ROUNDS)
        .map(|_| {
            let draw = |_| ids[u32::from_le_bytes(random.array()) as usize % ids.len()];
            (0..CANDIDATES).map(draw).collect()
        })
        .collect();
    for (what, authorizes, loads) in [
        ("seq", false, 0),
        ("seq, authorize 200", true, 0),
        ("seq, authorize 200, load and open 10", true, ITEMS),
    ] {
        let mut times = Vec::new();
        let before = measure::processor();
        for candidates in &candidates {
            let mut tx: Tx<MemoryRead> = world.begin(&world.ours, Persona::Human).await;
            let start = measure::now();
            tx.seq().await.unwrap();
            if authorizes {
                let visible = tx.authorize(candidates, &filter).await.unwrap();
                if loads > 0 {
                    tx.load(&visible[..loads]).await.unwrap();
                }
            }
            tx.commit().await.unwrap();
            times.push(since(start));
        }
        let cost = (measure::processor() - before) / ROUNDS as f64;
        println!(
            "{what}: {}; {cost:.3} ms of processor with finding out who asks",
            percentiles(&mut times)
        );
    }
}

/// Everything an index is built from, read in pages and opened.
async fn load(world: &World<At>) {
    const PAGE: u32 = 2_000;
    let (start, before) = (measure::now(), measure::processor());
    let mut tx = world.survey(&world.ours).await;
    let (mut after, mut rows) = ((0, None), 0);
    loop {
        let page = tx.list_changes(after, PAGE).await.unwrap();
        let Some(last) = page.last() else { break };
        after = (last.seq, Some(last.id));
        rows += page.len();
    }
    let rate = rows as f64 / since(start) * 1_000.0;
    let cost = (measure::processor() - before) / rows as f64 * 1_000.0;
    println!("change feed, read and opened: {rate:.0} memories/s; {cost:.1} us of processor each");
}
