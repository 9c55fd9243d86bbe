//! What the last recalls of a workspace were decided from, so that each can be explained and
//! replayed. Ids, scores and digests of wordings; of texts, the question alone. In memory, beside
//! the index, and gone with it: a recall costs no write.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use skep_domain::{MemoryId, Principal, ProjectId, ReadingRing, RecallId, Timestamp};
use skep_index::Candidate;
use skep_memory::{Choice, Decision};

use super::Question;

/// Recalls remembered per workspace.
const KEPT: usize = 64;

/// One recall.
#[derive(Debug)]
pub struct Trace {
    /// Its id.
    pub id: RecallId,
    /// When it was answered.
    pub at: Timestamp,
    /// Who asked.
    pub asker: Principal,
    /// What they could read then.
    pub ring: ReadingRing,
    /// What they asked.
    pub question: Question,
    /// The project of the question, if it has one.
    pub project: Option<ProjectId>,
    /// The workspace's `seq` that the index was at.
    pub seq: u64,
    /// How many of the candidates search proposed; the rest are one name further.
    pub searched: usize,
    /// What search proposed, best first, and what is one name further.
    pub candidates: Vec<Candidate>,
    /// Which of those the store let through, in that order.
    pub visible: Vec<MemoryId>,
    /// What was loaded of those, and what was decided about each.
    pub loaded: Vec<MemoryId>,
    /// What the decision looked at.
    pub choices: Vec<Choice>,
    /// The decision.
    pub decision: Decision,
}

/// The last recalls of one workspace, oldest first.
#[derive(Default)]
pub(crate) struct Traces(Mutex<VecDeque<Arc<Trace>>>);

impl Traces {
    pub(crate) fn put(&self, trace: Trace) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(Arc::new(trace));
    }

    /// The newest that fits.
    pub(crate) fn find(&self, fits: impl Fn(&Trace) -> bool) -> Option<Arc<Trace>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().find(|trace| fits(trace)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::{Id, Reader, UserId};

    use super::*;

    fn trace(n: u8) -> Trace {
        Trace {
            id: RecallId::from_bytes([n; 16]),
            at: Timestamp::from_micros(0),
            asker: Principal::User(UserId::from_bytes([1; 16])),
            ring: ReadingRing::new(Reader::Nobody),
            question: Question {
                query: String::new(),
                items: 1,
                tokens: 1,
                as_of: None,
                project: None,
                kinds: Vec::new(),
                hints: Vec::new(),
                deadline_ms: 1,
            },
            project: None,
            seq: 0,
            searched: 0,
            candidates: Vec::new(),
            visible: Vec::new(),
            loaded: Vec::new(),
            choices: Vec::new(),
            decision: Decision::default(),
        }
    }

    #[test]
    fn only_the_last_ones_are_kept() {
        let traces = Traces::default();
        for n in 0..70 {
            traces.put(trace(n));
        }
        let has = |n: u8| traces.find(|trace| trace.id == RecallId::from_bytes([n; 16]));
        assert!(has(5).is_none() && has(6).is_some() && has(69).is_some());
        let newest = traces.find(|_| true).unwrap();
        assert_eq!(newest.id, RecallId::from_bytes([69; 16]));
    }
}
