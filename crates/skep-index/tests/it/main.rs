//! What search promises, asked from outside: scores, changes, isolation, snapshots, vectors.

mod changes;
mod context;
mod drafts;
mod encoder;
#[cfg(test)]
mod homes;
mod isolation;
mod scores;
mod snapshots;
mod vectors;

use skep_domain::{Id, MemoryId};
use skep_index::{Candidate, Entry, Query, WorkspaceIndex};

const MODEL: &str = "test/1";
const DIM: usize = 24;

fn memory(number: u64) -> MemoryId {
    MemoryId::from_bytes(u128::from(number).to_be_bytes())
}

fn empty() -> WorkspaceIndex {
    WorkspaceIndex::new(MODEL, DIM)
}

fn put(index: &mut WorkspaceIndex, number: u64, text: &str) {
    let id = memory(number);
    let project = None;
    index.put(&Entry { id, project, text });
}

fn ask(index: &WorkspaceIndex, text: &str, vector: Option<&[f32]>) -> Vec<Candidate> {
    index.search(&Query {
        text,
        vector,
        project: None,
        limit: 200,
    })
}

fn ids(found: &[Candidate]) -> Vec<MemoryId> {
    found.iter().map(|candidate| candidate.id).collect()
}

/// A vector without a pattern, the same for the same seed.
fn direction(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..DIM).map(|_| next() + next() + next()).collect()
}
