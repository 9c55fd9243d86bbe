//! Reading the past: both times, against the reference model.

use skep_authz::rights::{MemoryRead, MemoryWrite};
use skep_domain::{MemoryId, MemoryKind, MemoryState, Timestamp, Validity};
use skep_store::{MemoryFilter, PageOf, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;

struct Row {
    id: MemoryId,
    state: MemoryState,
    validity: Validity,
    kind: MemoryKind,
}

fn validities() -> Vec<Validity> {
    let at = Timestamp::from_micros;
    let mut all = Vec::new();
    for from in [0, 20] {
        for to in [None, Some(at(30))] {
            for recorded in [10, 20] {
                for superseded in [None, Some(at(25))] {
                    all.push(Validity {
                        from: at(from),
                        to,
                        recorded: at(recorded),
                        superseded,
                    });
                }
            }
        }
    }
    all
}

/// The reference: what a filter lets through beside kinds.
fn passes(row: &Row, as_of: Option<Timestamp>) -> bool {
    match as_of {
        None => row.state.is_recallable(),
        Some(at) => {
            matches!(row.state, MemoryState::Active | MemoryState::Superseded)
                && row.validity.holds_at(at)
        }
    }
}

pub(crate) async fn as_of_reads_both_times<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let mut rows = Vec::new();
    for state in MemoryState::ALL {
        for (n, validity) in validities().into_iter().enumerate() {
            let mut memory = new_memory(world.store(), &format!("{state:?} {n}"));
            memory.state = *state;
            memory.validity = validity;
            memory.kind = MemoryKind::ALL[n % 2];
            let (state, kind) = (memory.state, memory.kind);
            rows.push(Row {
                id: fresh(tx.put_memory(memory).await.unwrap()),
                state,
                validity,
                kind,
            });
        }
    }
    tx.commit().await.unwrap();

    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let instants = (0..35).step_by(5).map(|t| Some(Timestamp::from_micros(t)));
    for as_of in instants.chain([None]) {
        for kinds in [vec![], vec![MemoryKind::Decision], MemoryKind::ALL.to_vec()] {
            let mut expected: Vec<MemoryId> = rows
                .iter()
                .filter(|row| passes(row, as_of))
                .filter(|row| kinds.is_empty() || kinds.contains(&row.kind))
                .map(|row| row.id)
                .collect();
            let filter = MemoryFilter {
                project: None,
                kinds,
                as_of,
            };
            let candidates: Vec<MemoryId> = rows.iter().map(|row| row.id).collect();
            let visible = tx.authorize(&candidates, &filter).await.unwrap();
            let visible: Vec<MemoryId> = visible.iter().map(skep_store::Visible::id).collect();
            assert_eq!(visible, expected, "authorize, {filter:?}");
            let page = PageOf {
                limit: 200,
                before: None,
            };
            let listed = tx.list_memories(&filter, page).await.unwrap();
            let listed: Vec<MemoryId> = listed.iter().map(|memory| memory.id).collect();
            expected.reverse();
            assert_eq!(listed, expected, "list, {filter:?}");
        }
    }
}
