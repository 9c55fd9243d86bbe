//! The lexical channel: BM25 over an inverted index.
//!
//! S. Robertson, H. Zaragoza: "The Probabilistic Relevance Framework: BM25 and Beyond",
//! Foundations and Trends in Information Retrieval 3(4), 2009, §3.5; the inverse document frequency
//! has one added inside the logarithm, as in Lucene, so that it is never negative.

use std::collections::HashSet;

use crate::analyze::{analyze, label_term};
use crate::lexicon::Lexicon;
use crate::postings::Postings;
use crate::threads::Threads;
use crate::top::Field;

/// How soon repetition stops counting.
const K1: f32 = 0.6;

/// How much a long text is held against its terms.
const B: f32 = 0.6;

/// What sums over neighbours are counted in.
const STEPS: f32 = (1u64 << 32) as f32;

/// The length of a text that was removed.
const REMOVED: u32 = u32::MAX;

/// A bit of the length of a text that no longer holds: lengths stay far below it.
const PAST: u32 = 1 << 31;

/// What a text is among: those that hold, or these and those that held once.
#[derive(Clone, Copy, Debug, Default)]
struct Among {
    texts: usize,
    terms: u64,
}

/// What a query comes to.
pub(crate) struct Asked {
    /// The number and the weight of each term that some text holds, in the order of the words.
    terms: Vec<(u32, f32)>,
    /// The score of every slot.
    pub(crate) scores: Vec<f32>,
    /// The numbers of the labels that its words may be.
    labels: Vec<u32>,
    /// Whether what no longer holds counts.
    past: bool,
}

/// Texts by slot. Slots are given in order and never reused until compaction.
#[derive(Default)]
pub(crate) struct Lexical {
    lexicon: Lexicon,
    postings: Vec<Postings>,
    /// Terms in each text, with [`PAST`] where it no longer holds; [`REMOVED`] where it is gone.
    lengths: Vec<u32>,
    live: Among,
    /// Those of them that hold.
    current: Among,
}

impl Lexical {
    /// Adds a text; the answer is its slot.
    pub(crate) fn add(&mut self, text: &str) -> u32 {
        let mut terms = Vec::with_capacity(text.len() / 4);
        self.lexicon.learn(text, &mut terms);
        self.postings
            .resize_with(self.lexicon.len(), Postings::default);
        let slot = self.lengths.len() as u32;
        let length = terms.len() as u32;
        terms.sort_unstable();
        for run in terms.chunk_by(|a, b| a == b) {
            self.postings[run[0] as usize].push(slot, run.len() as u32);
        }
        self.lengths.push(length);
        self.live.count(length);
        self.current.count(length);
        slot
    }

    /// Takes a text out of all later answers and statistics.
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(length) = self.lengths.get_mut(slot as usize)
            && *length != REMOVED
        {
            self.live.uncount(*length & !PAST);
            if *length < PAST {
                self.current.uncount(*length);
            }
            *length = REMOVED;
        }
    }

    /// Says whether a text no longer holds. It leaves the statistics of questions about now, so
    /// that no score tells what was known once, nor for how long.
    pub(crate) fn set_past(&mut self, slot: u32, past: bool) {
        if let Some(length) = self.lengths.get_mut(slot as usize)
            && *length != REMOVED
            && (*length >= PAST) != past
        {
            if past {
                self.current.uncount(*length);
            } else {
                self.current.count(*length & !PAST);
            }
            *length ^= PAST;
        }
    }

    /// Slots given so far, of removed texts too.
    pub(crate) fn slots(&self) -> usize {
        self.lengths.len()
    }

    /// Texts held.
    pub(crate) fn live(&self) -> usize {
        self.live.texts
    }

    /// Whether a slot's text is held.
    pub(crate) fn is_live(&self, slot: u32) -> bool {
        self.lengths
            .get(slot as usize)
            .is_some_and(|&length| length != REMOVED)
    }

    /// The score of every slot; zero where no term of the query occurs, and where the text no longer
    /// holds unless the question is about the `past`.
    pub(crate) fn ask(&self, query: &str, past: bool) -> Asked {
        let mut scores = vec![0.0; self.lengths.len()];
        let mut asked = Vec::new();
        let (flat, slope) = self.among(past).norm();
        let texts = self.among(past).texts;
        let mut terms = analyze(query);
        // Sums are taken in the order of the words, not of their numbers, so that the last bit of
        // a score does not depend on what was put in first.
        terms.sort_unstable();
        let mut labels = Vec::new();
        for run in terms.chunk_by(|a, b| a == b) {
            labels.extend(self.lexicon.get(&label_term(&run[0])));
            let Some(number) = self.lexicon.get(&run[0]) else {
                continue;
            };
            let list = &self.postings[number as usize];
            let occurrences = list.iter().filter(|(slot, _)| self.counts(*slot, past));
            // Counting takes a walk of its own only where something does not count.
            let holding = if texts == self.lengths.len() {
                list.len()
            } else {
                occurrences.clone().count()
            };
            let weight = run.len() as f32 * rarity(texts, holding);
            for (slot, count) in occurrences {
                let (count, norm) = (count as f32, flat + slope * self.length(slot) as f32);
                scores[slot as usize] += weight * (count * (K1 + 1.0) / (count + K1 * norm));
            }
            asked.push((number, weight));
        }
        Asked {
            terms: asked,
            scores,
            labels,
            past,
        }
    }

    /// Which of some slots, in order, have a label that the question names.
    pub(crate) fn labelled(&self, asked: &Asked, slots: &[u32]) -> Vec<bool> {
        let mut out = vec![false; slots.len()];
        for &number in &asked.labels {
            let mut rest = slots;
            for (slot, _) in self.postings[number as usize].iter() {
                let before = rest.partition_point(|&wanted| wanted < slot);
                rest = &rest[before..];
                if rest.first() == Some(&slot) {
                    out[slots.len() - rest.len()] = true;
                }
            }
        }
        out
    }

    /// How many terms a slot's text has.
    pub(crate) fn length(&self, slot: u32) -> u32 {
        self.lengths[slot as usize] & !PAST
    }

    /// The scores of some slots, in order, with the words of their neighbours: BM25F, the
    /// neighbours being fields of less weight (Robertson and Zaragoza, §3.6).
    pub(crate) fn in_context(
        &self,
        asked: &Asked,
        slots: &[u32],
        threads: &Threads,
        field: &dyn Field,
    ) -> Vec<f32> {
        let mut near = Vec::new();
        for (at, &slot) in slots.iter().enumerate() {
            let others = threads.neighbours(slot, field);
            near.extend(others.map(|(other, weight)| (other, weight, at)));
        }
        let mut scores: Vec<f32> = slots
            .iter()
            .map(|&slot| asked.scores[slot as usize])
            .collect();
        if near.is_empty() {
            return scores;
        }
        let together: HashSet<usize> = near.iter().map(|&(_, _, at)| at).collect();
        for &at in &together {
            near.push((slots[at], 1.0, at));
            scores[at] = 0.0;
        }
        near.sort_unstable_by_key(|&(slot, _, at)| (slot, at));
        let norm = self.among(asked.past).norm();
        let mut counts = vec![0; slots.len()];
        for &(number, weight) in &asked.terms {
            counts.fill(0);
            self.gather(number, norm, &near, &mut counts);
            for (score, &count) in scores.iter_mut().zip(&counts) {
                if count > 0 {
                    let count = count as f32 / STEPS;
                    *score += weight * (count * (K1 + 1.0) / (count + K1));
                }
            }
        }
        scores
    }

    /// Leaves out removed texts; slot `i` becomes `moved[i]`, where it is given.
    pub(crate) fn compact(&mut self, moved: &[Option<u32>]) {
        let mut kept = Vec::new();
        let mut lists = Vec::new();
        for (term, old) in self.lexicon.terms().into_iter().zip(&self.postings) {
            let mut list = Postings::default();
            for (slot, count) in old.iter() {
                if let Some(slot) = moved[slot as usize] {
                    list.push(slot, count);
                }
            }
            if !list.as_bytes().is_empty() {
                list.shrink();
                kept.push(term);
                lists.push(list);
            }
        }
        let lexicon = Lexicon::from_terms(kept.into_iter()).unwrap_or_default();
        self.lexicon = lexicon;
        self.postings = lists;
        self.lengths.retain(|&length| length != REMOVED);
    }

    /// Gives back what only helps while many texts come in.
    pub(crate) fn settle(&mut self) {
        self.lexicon.settle();
        for list in &mut self.postings {
            list.shrink();
        }
        self.postings.shrink_to_fit();
        self.lengths.shrink_to_fit();
    }

    /// What the channel takes in memory, estimated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let lists: usize = self.postings.iter().map(Postings::heap_bytes).sum();
        let headers = self.postings.capacity() * size_of::<Postings>();
        self.lexicon.heap_bytes() + lists + headers + self.lengths.capacity() * 4
    }

    /// The parts that a snapshot keeps: terms, their lists, lengths.
    pub(crate) fn parts(&self) -> (Vec<&str>, &[Postings], impl Iterator<Item = u32>) {
        let lengths = self.lengths.iter().map(|&length| match length {
            REMOVED => REMOVED,
            length => length & !PAST,
        });
        (self.lexicon.terms(), &self.postings, lengths)
    }

    /// Puts the parts together again, all texts as such that hold; `None` if a length is none.
    pub(crate) fn from_parts(
        lexicon: Lexicon,
        postings: Vec<Postings>,
        lengths: Vec<u32>,
    ) -> Option<Self> {
        let mut live = Among::default();
        for &length in lengths.iter().filter(|&&length| length != REMOVED) {
            if length >= PAST {
                return None;
            }
            live.count(length);
        }
        Some(Self {
            lexicon,
            postings,
            lengths,
            live,
            current: live,
        })
    }

    /// Adds up how often a term occurs in and near some slots: `near` has the slot to look in, what
    /// an occurrence there is worth and where to add it, in the order of the slots. The sums are
    /// whole numbers of [`STEPS`], because those of floats depend on the order.
    fn gather(
        &self,
        number: u32,
        (flat, slope): (f32, f32),
        near: &[(u32, f32, usize)],
        counts: &mut [i64],
    ) {
        let mut rest = near;
        for (slot, count) in self.postings[number as usize].iter() {
            while let Some((&(wanted, weight, at), after)) = rest.split_first()
                && wanted <= slot
            {
                if wanted == slot {
                    let norm = flat + slope * self.length(slot) as f32;
                    counts[at] += (STEPS * weight * count as f32 / norm) as i64;
                }
                rest = after;
            }
            if rest.is_empty() {
                return;
            }
        }
    }

    fn among(&self, past: bool) -> Among {
        if past { self.live } else { self.current }
    }

    /// Whether a slot's text counts for a question.
    pub(crate) fn counts(&self, slot: u32, past: bool) -> bool {
        let below = if past { REMOVED } else { PAST };
        self.lengths
            .get(slot as usize)
            .is_some_and(|&length| length < below)
    }
}

impl Among {
    fn count(&mut self, length: u32) {
        self.texts += 1;
        self.terms += u64::from(length);
    }

    fn uncount(&mut self, length: u32) {
        self.texts -= 1;
        self.terms -= u64::from(length);
    }

    /// What the count of a term is divided by: a number, and a number times the text's length.
    fn norm(self) -> (f32, f32) {
        let average = (self.terms as f32 / (self.texts as f32).max(1.0)).max(1.0);
        (1.0 - B, B / average)
    }
}

/// The inverse frequency of a term that so many of the texts hold.
fn rarity(texts: usize, holding: usize) -> f32 {
    let (texts, holding) = (texts as f32, holding as f32);
    (1.0 + (texts - holding + 0.5) / (holding + 0.5)).ln()
}
