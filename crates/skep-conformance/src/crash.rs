//! Sudden death: a loop that writes and acknowledges, and the check of what it left.
//!
//! A backend's test runs [`write_batches`] in a child process that it kills at any instant, and
//! then [`check`] on the same place: every acknowledged batch must be there, and none in part.

use skep_authz::rights::{SessionCapture, SessionRead};
use skep_store::{PageOf, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session, new_turns};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;

/// Turns in a batch. Beside them a batch holds a session, a memory and a cursor.
const TURNS: usize = 7;

/// Writes batch after batch, from `first` on, in both workspaces by turns; calls `acknowledge` with
/// the number of each when its commit has returned. Ends after `batches`.
pub async fn write_batches<H: Harness>(
    world: &World<H>,
    first: u64,
    batches: u64,
    mut acknowledge: impl FnMut(u64),
) {
    for number in first..first + batches {
        let tenant = if number % 2 == 0 {
            &world.ours
        } else {
            &world.theirs
        };
        let store = world.store();
        let name = format!("{number:08}");
        let mut tx: Tx<SessionCapture> = world.begin(tenant, HUMAN).await;
        let session = tx.put_session(&new_session(store, &name)).await.unwrap();
        let turns = new_turns(store, &name, TURNS);
        tx.append_turns(session, &turns).await.unwrap();
        let mut memory = new_memory(store, &name);
        memory.session = Some(session);
        fresh(tx.put_memory(memory).await.unwrap());
        tx.put_cursor("source", &name).await.unwrap();
        tx.commit().await.unwrap();
        acknowledge(number);
    }
}

/// Checks that the batches up to `acknowledged` (exclusive) are there whole, and at most one more.
/// Returns the number of the next batch.
pub async fn check<H: Harness>(world: &World<H>, acknowledged: u64) -> u64 {
    let mut found = Vec::new();
    for tenant in [&world.ours, &world.theirs] {
        let mut tx: Tx<SessionRead> = world.begin(tenant, HUMAN).await;
        let mut numbers = Vec::new();
        let mut before = None;
        loop {
            let page = PageOf { limit: 200, before };
            let page = tx.list_sessions(page).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            for session in page {
                let name = &session.external_id;
                let whole = (session.turns, session.memories);
                assert_eq!(whole, (TURNS as u64, 1), "batch {name} is there in part");
                let turns = tx.list_turns(session.id, 0, 200).await.unwrap();
                assert_eq!(turns.len(), TURNS, "batch {name}");
                numbers.push(name.parse::<u64>().unwrap());
            }
        }
        numbers.sort_unstable();
        let cursor = tx.get_cursor("source").await.unwrap();
        let last = numbers.last().map(|last| format!("{last:08}"));
        assert_eq!(cursor, last, "the cursor moves with its batch");
        assert_eq!(tx.seq().await.unwrap(), numbers.len() as u64);
        found.extend(numbers);
    }
    found.sort_unstable();
    let expected: Vec<u64> = (0..found.len() as u64).collect();
    assert_eq!(found, expected, "a batch is missing between others");
    let next = found.len() as u64;
    assert!(next >= acknowledged, "batch {next} was acknowledged");
    assert!(next <= acknowledged + 1, "more than was begun");
    next
}
