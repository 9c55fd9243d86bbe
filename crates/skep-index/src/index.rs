//! The index of one workspace: puts, removals, and what one name leads to.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};
use std::sync::OnceLock;

use skep_domain::{MemoryId, ProjectId};

use crate::Quantised;
use crate::graph::{self, Graph, NameRules, seeds};
use crate::lexical::Lexical;
use crate::sample::Sample;
use crate::slots::Slots;
use crate::threads::{Said, Threads};
use crate::top::Field;
use crate::vector::Vectors;

/// Removed texts are cleared away when they are this many and a quarter of all.
const COMPACT_FROM: usize = 1_024;

/// One memory, as search sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Which memory.
    pub id: MemoryId,
    /// The project it belongs to, if to one.
    pub project: Option<ProjectId>,
    /// What it says: key line and text.
    pub text: &'a str,
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// In words.
    pub text: &'a str,
    /// As a vector of the index's model, if there is one.
    pub vector: Option<&'a [f32]>,
    /// Only memories of this project and those of none; all, if it is not given.
    pub project: Option<ProjectId>,
    /// How many candidates, at most.
    pub limit: usize,
}

/// The relevance of the best memory that is one name further.
const RELATED: f32 = 0.3;

/// Memories one name further, at most.
const RELATED_POOL: usize = 32;

/// What is known beside the question.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aids<'a> {
    /// Names of what the asker has in front of them: open files, symbols, error codes.
    pub hints: &'a [&'a str],
    /// Whether what no longer holds may answer: the question is about another time.
    pub past: bool,
}

/// A memory that may answer, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Which memory.
    pub id: MemoryId,
    /// BM25 of its own words; zero if none matches.
    pub lexical: f32,
    /// The cosine; zero if the memory or the query has no vector.
    pub vector: f32,
    /// How strongly names of the question or of its hints lead to it; zero if none does.
    pub graph: f32,
    /// All of them, in 0..=1: what candidates are sorted by.
    pub fused: f32,
    /// Whether its vector is still to be made: the cosine is a draft's, or none.
    pub waits: bool,
}

/// Search over the memories of one workspace. Holds terms and vectors, never text.
pub struct WorkspaceIndex {
    pub(crate) model_id: Box<str>,
    pub(crate) seq: u64,
    pub(crate) lexical: Lexical,
    pub(crate) vectors: Vectors,
    pub(crate) threads: Threads,
    pub(crate) graph: Graph,
    /// Slots whose vector is a draft.
    pub(crate) drafts: BTreeSet<u32>,
    pub(crate) places: Vec<Place>,
    pub(crate) slots: Slots,
    /// Memories that no longer hold and have no vector.
    pub(crate) bare: usize,
    /// A few that hold and have a vector.
    pub(crate) sample: Sample,
    /// The mean of the sample's vectors, until either changes.
    pub(crate) mean: OnceLock<Vec<f32>>,
}

/// What one question looks through.
pub(crate) struct Searched<'a> {
    index: &'a WorkspaceIndex,
    project: Option<ProjectId>,
    past: bool,
}

/// Whose slot it is.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) id: MemoryId,
    pub(crate) project: Option<ProjectId>,
    /// It no longer holds: a candidate for questions about the past alone.
    pub(crate) past: bool,
    /// The hash of the text, by which a text that has not changed is known.
    pub(crate) mark: u64,
}

impl WorkspaceIndex {
    /// An empty index for vectors of a model.
    #[must_use]
    pub fn new(model_id: &str, dim: usize) -> Self {
        Self {
            model_id: model_id.into(),
            seq: 0,
            lexical: Lexical::default(),
            vectors: Vectors::new(dim),
            threads: Threads::default(),
            graph: Graph::default(),
            drafts: BTreeSet::new(),
            places: Vec::new(),
            slots: Slots::default(),
            bare: 0,
            sample: Sample::default(),
            mean: OnceLock::new(),
        }
    }

    /// The sequence number that the index says it is at.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Says that everything up to `seq` has been put.
    pub fn set_seq(&mut self, seq: u64) {
        self.seq = seq;
    }

    /// The model whose vectors it takes.
    #[must_use]
    pub fn model_id(&self) -> &str {
        &self.model_id
    }

    /// How many memories it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lexical.live()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many memories that still hold are found by words only, or by words and a draft of their
    /// vector.
    #[must_use]
    pub fn missing_vectors(&self) -> usize {
        let held = |slot: &&u32| !self.places[**slot as usize].past;
        let drafts = self.drafts.iter().filter(held).count();
        self.len() - self.vectors.count() - self.bare + drafts
    }

    /// Says whether a memory no longer holds; false if it is not held here.
    pub fn set_past(&mut self, id: MemoryId, past: bool) -> bool {
        let Some(slot) = self.slot(id) else {
            return false;
        };
        if self.places[slot as usize].past == past {
            return true;
        }
        self.leave(slot);
        self.places[slot as usize].past = past;
        self.lexical.set_past(slot, past);
        self.graph.set_past(slot, past);
        self.enter(slot);
        self.fill_sample();
        true
    }

    /// Counts a slot where it counts as it is now. Around whatever changes that, it [leaves](Self::leave)
    /// and enters.
    pub(crate) fn enter(&mut self, slot: u32) {
        self.bare += usize::from(self.is_bare(slot));
        self.mean = OnceLock::new();
        if self.is_standing(slot) {
            self.sample.put(slot, self.places[slot as usize].mark);
        }
    }

    fn leave(&mut self, slot: u32) {
        self.bare -= usize::from(self.is_bare(slot));
        self.mean = OnceLock::new();
        if self.is_standing(slot) {
            self.sample.remove(slot, self.places[slot as usize].mark);
        }
    }

    /// Takes more into the sample, where half of all are gone.
    fn fill_sample(&mut self) {
        while self.sample.has_room() {
            let mut sample = std::mem::take(&mut self.sample);
            let standing = (0..).zip(&self.places);
            let standing = standing.filter(|(slot, _)| self.is_standing(*slot));
            sample.widen(standing.map(|(slot, place)| (slot, place.mark)));
            self.sample = sample;
        }
    }

    /// Whether a memory no longer holds and has no vector: it will not get one.
    fn is_bare(&self, slot: u32) -> bool {
        let past = self.places[slot as usize].past && self.lexical.is_live(slot);
        past && !self.vectors.has(slot)
    }

    /// Whether a memory holds and has a vector, so that it may stand for others.
    fn is_standing(&self, slot: u32) -> bool {
        let holds = !self.places[slot as usize].past && self.lexical.is_live(slot);
        holds && self.vectors.has(slot)
    }

    /// Puts a memory in the place of any that had its id. Its vector is put separately; a text that
    /// has not changed keeps it, and costs a hash.
    pub fn put(&mut self, entry: &Entry<'_>) {
        let mark = mark(entry.text);
        if let Some(slot) = self.slot(entry.id) {
            let place = &mut self.places[slot as usize];
            if place.mark == mark {
                place.project = entry.project;
                return;
            }
        }
        self.remove(entry.id);
        let slot = self.lexical.add(entry.text);
        self.places.push(Place {
            id: entry.id,
            project: entry.project,
            past: false,
            mark,
        });
        self.slots.put(slot, &self.places);
    }

    /// Gives a memory its vector; false if the memory is not held or the dimension is another.
    pub fn put_vector(&mut self, id: MemoryId, vector: &Quantised) -> bool {
        self.take_vector(id, |vectors, slot| vectors.put(slot, vector))
    }

    /// Gives a memory its vector as storage keeps it; false also if no quantiser wrote it.
    pub fn put_vector_bytes(&mut self, id: MemoryId, bytes: &[u8]) -> bool {
        let Some((scale, codes)) = Quantised::parts_of_bytes(bytes) else {
            return false;
        };
        self.take_vector(id, |vectors, slot| vectors.put_parts(slot, scale, codes))
    }

    fn take_vector(&mut self, id: MemoryId, put: impl FnOnce(&mut Vectors, u32) -> bool) -> bool {
        let Some(slot) = self.slot(id) else {
            return false;
        };
        self.leave(slot);
        let taken = put(&mut self.vectors, slot);
        self.enter(slot);
        if taken {
            self.drafts.remove(&slot);
        }
        taken
    }

    /// Whether a memory that is held has no vector, nor a draft of one.
    #[must_use]
    pub fn lacks_vector(&self, id: MemoryId) -> bool {
        self.slot(id).is_some_and(|slot| !self.vectors.has(slot))
    }

    /// Gives a memory something near to its vector until that is made; false, and nothing changed,
    /// if it is not held, has a vector or the dimension is another.
    pub fn put_draft(&mut self, id: MemoryId, vector: &Quantised) -> bool {
        let put = self.lacks_vector(id) && self.put_vector(id, vector);
        if put && let Some(slot) = self.slot(id) {
            self.drafts.insert(slot);
        }
        put
    }

    /// Says where a memory was said, so that its neighbours' words help to find it; false if it is
    /// not held. A text that changes has to be given its place again, like its vector.
    pub fn put_said(&mut self, id: MemoryId, said: Said) -> bool {
        let Some(slot) = self.slot(id) else {
            return false;
        };
        let mark = self.places[slot as usize].mark;
        self.threads.put(slot, said, mark);
        true
    }

    /// Says what a memory names, so that names lead to it; false if it is not held. A text that
    /// changes has to be given its names again, like its vector.
    pub fn put_names<'a>(&mut self, id: MemoryId, names: impl Iterator<Item = &'a str>) -> bool {
        let Some(slot) = self.slot(id) else {
            return false;
        };
        let keys = names.flat_map(graph::keys).map(|(key, _)| key);
        let past = self.places[slot as usize].past;
        self.graph.put(slot, past, keys);
        true
    }

    /// Takes a memory out; false if it was not held.
    pub fn remove(&mut self, id: MemoryId) -> bool {
        let Some(slot) = self.slots.remove(id, &self.places) else {
            return false;
        };
        self.leave(slot);
        self.lexical.remove(slot);
        self.vectors.remove(slot);
        self.drafts.remove(&slot);
        self.threads.remove(slot);
        self.graph.remove(slot, self.places[slot as usize].past);
        self.fill_sample();
        let removed = self.lexical.slots() - self.lexical.live();
        if removed >= COMPACT_FROM && removed > self.lexical.slots() / 4 {
            self.compact();
        }
        true
    }

    /// Gives back what only helps while many memories come in: call it when an index is made.
    pub fn settle(&mut self) {
        self.lexical.settle();
        self.vectors.settle();
        self.places.shrink_to_fit();
    }

    /// What the index takes in memory, estimated.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let places = self.places.capacity() * size_of::<Place>();
        let ids = self.slots.heap_bytes() + places;
        let channels = self.lexical.heap_bytes() + self.vectors.heap_bytes();
        channels + self.threads.heap_bytes() + self.graph.heap_bytes() + ids
    }

    /// Memories one name further: what the relays name beside the question's names, best first. The
    /// relays have to be memories that the asker may see, since the answer shows what they join.
    #[must_use]
    pub fn related(
        &self,
        query: &Query<'_>,
        aids: &Aids<'_>,
        relays: &[MemoryId],
    ) -> Vec<Candidate> {
        let seeds = seeds(query.text, aids.hints);
        let relays = relays.iter().filter_map(|&id| self.slot(id));
        let relays: Vec<u32> = relays.collect();
        let field = self.field(query.project, aids.past);
        let found = self.graph.onward(&seeds, &relays, RELATED_POOL, &field);
        let best = found.first().map_or(1.0, |&(weight, _)| weight);
        let candidate = |(weight, slot): (f32, u32)| Candidate {
            id: self.places[slot as usize].id,
            lexical: 0.0,
            vector: 0.0,
            graph: weight,
            fused: RELATED * weight / best,
            waits: false,
        };
        found.into_iter().map(candidate).collect()
    }

    /// Memories that name something, whatever else they say, the newest first.
    #[must_use]
    pub fn naming(&self, name: &str, limit: usize) -> Vec<MemoryId> {
        let own: Vec<_> = graph::keys(name).take(1).collect();
        let slots = self.graph.newest(&own, limit, &self.field(None, false));
        slots
            .into_iter()
            .map(|slot| self.places[slot as usize].id)
            .collect()
    }

    /// Follows what was decided about names.
    pub fn set_name_rules(&mut self, rules: NameRules) {
        self.graph.set_rules(rules);
    }

    /// What names of the question and of the hints lead to, best first.
    pub(crate) fn by_name(
        &self,
        query: &Query<'_>,
        aids: &Aids<'_>,
        pool: usize,
    ) -> Vec<(f32, u32)> {
        if self.graph.is_empty() {
            return Vec::new();
        }
        let field = self.field(query.project, aids.past);
        self.graph
            .reach(&seeds(query.text, aids.hints), pool, &field)
    }

    pub(crate) fn slot(&self, id: MemoryId) -> Option<u32> {
        self.slots.get(id, &self.places)
    }

    /// What a question looks through: memories of a project and of none, or all.
    pub(crate) fn field(&self, project: Option<ProjectId>, past: bool) -> Searched<'_> {
        Searched {
            index: self,
            project,
            past,
        }
    }

    /// Clears away what was removed.
    fn compact(&mut self) {
        let mut next = 0;
        let moved: Vec<Option<u32>> = (0..self.places.len() as u32)
            .map(|slot| {
                let live = self.lexical.is_live(slot);
                next += u32::from(live);
                live.then(|| next - 1)
            })
            .collect();
        self.lexical.compact(&moved);
        self.vectors.compact(&moved);
        let drafts = self.drafts.iter();
        self.drafts = drafts.filter_map(|&slot| moved[slot as usize]).collect();
        self.threads.compact(&moved);
        let places = &self.places;
        self.graph
            .compact(&moved, |slot| places[slot as usize].past);
        let mut kept = moved.iter();
        self.places
            .retain(|_| kept.next().is_some_and(Option::is_some));
        self.slots = Slots::default();
        (self.sample, self.bare) = (Sample::default(), 0);
        for slot in 0..self.places.len() as u32 {
            self.slots.put(slot, &self.places);
            self.enter(slot);
        }
    }
}

impl Field for Searched<'_> {
    fn accepts(&self, slot: u32) -> bool {
        let of_project = || {
            let project = self.index.places[slot as usize].project;
            project.is_none() || project == self.project
        };
        self.index.lexical.counts(slot, self.past) && (self.project.is_none() || of_project())
    }

    fn order(&self, slot: u32) -> u64 {
        self.index.places[slot as usize].mark
    }

    fn is_past(&self) -> bool {
        self.past
    }
}

/// Sixty-four bits: among all memories that one id ever has, two texts share them once in 10¹⁹.
fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}
