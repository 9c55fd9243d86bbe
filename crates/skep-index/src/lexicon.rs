//! Numbers for terms. Surfaces seen before skip folding and stemming.

use std::collections::HashMap;

use hashbrown::HashTable;
use rust_stemmers::{Algorithm, Stemmer};

use crate::analyze::{expand, label, label_term, surfaces};
use crate::hash::Keyed;

/// Surfaces remembered at a time; past that the memory starts afresh. It is only a shortcut.
const REMEMBERED: usize = 1 << 16;

/// Terms that one text may give; the rest of an endless text is not indexed.
const TERMS_PER_TEXT: usize = 1 << 14;

/// What a hash table takes beside its keys and values, and what an allocation takes beside its
/// bytes: both rounded up.
pub(crate) const ENTRY_OVERHEAD: usize = 24;

/// Every term of a workspace, numbered in order of first sight.
pub(crate) struct Lexicon {
    terms: Terms,
    remembered: HashMap<Box<str>, Box<[u32]>, Keyed>,
    stemmer: Stemmer,
    remembered_bytes: usize,
}

/// The terms one behind the other, and a table of their numbers.
#[derive(Default)]
struct Terms {
    text: String,
    /// Where each term ends.
    ends: Vec<u32>,
    numbers: HashTable<u32>,
    keyed: Keyed,
}

impl Default for Lexicon {
    fn default() -> Self {
        Self {
            terms: Terms::default(),
            remembered: HashMap::default(),
            stemmer: Stemmer::create(Algorithm::English),
            remembered_bytes: 0,
        }
    }
}

impl Terms {
    fn term(&self, number: u32) -> &str {
        term(&self.text, &self.ends, number)
    }

    fn get(&self, wanted: &str) -> Option<u32> {
        let hash = self.keyed.hash(wanted.as_bytes());
        let is_it = |&number: &u32| self.term(number) == wanted;
        self.numbers.find(hash, is_it).copied()
    }

    fn number(&mut self, new: &str) -> u32 {
        if let Some(known) = self.get(new) {
            return known;
        }
        let number = self.ends.len() as u32;
        self.text.push_str(new);
        self.ends.push(self.text.len() as u32);
        let (text, ends, keyed) = (&self.text, &self.ends, &self.keyed);
        let hash = |number: u32| keyed.hash(term(text, ends, number).as_bytes());
        self.numbers
            .insert_unique(hash(number), number, |&other| hash(other));
        number
    }
}

fn term<'a>(text: &'a str, ends: &[u32], number: u32) -> &'a str {
    let at = number as usize;
    let from = at.checked_sub(1).map_or(0, |before| ends[before]);
    &text[from as usize..ends[at] as usize]
}

impl Lexicon {
    /// Writes the numbers of a text's terms to `out`, numbering new ones.
    pub(crate) fn learn(&mut self, text: &str, out: &mut Vec<u32>) {
        if let Some(label) = label(text) {
            self.learn_label(label, out);
        }
        for surface in surfaces(text) {
            if out.len() >= TERMS_PER_TEXT {
                return;
            }
            if let Some(known) = self.remembered.get(surface) {
                out.extend_from_slice(known);
            } else {
                let from = out.len();
                self.learn_surface(surface, out);
                self.remember(surface, &out[from..]);
            }
        }
    }

    fn learn_label(&mut self, label: &str, out: &mut Vec<u32>) {
        let terms = &mut self.terms;
        expand(&self.stemmer, label, &mut |term| {
            out.push(terms.number(&label_term(term)));
        });
    }

    /// The number of a term, if any text had it.
    pub(crate) fn get(&self, term: &str) -> Option<u32> {
        self.terms.get(term)
    }

    /// How many terms are numbered.
    pub(crate) fn len(&self) -> usize {
        self.terms.ends.len()
    }

    /// All terms, the one numbered `i` at place `i`.
    pub(crate) fn terms(&self) -> Vec<&str> {
        let numbers = 0..self.len() as u32;
        numbers.map(|number| self.terms.term(number)).collect()
    }

    /// Numbers `terms` in their order; `None` if one occurs twice.
    pub(crate) fn from_terms<'a>(terms: impl ExactSizeIterator<Item = &'a str>) -> Option<Self> {
        let mut lexicon = Self::default();
        let (held, count) = (&mut lexicon.terms, terms.len());
        held.ends.reserve_exact(count);
        // Nothing is held yet that would be hashed again.
        held.numbers.reserve(count, |_| 0);
        for term in terms {
            let before = held.ends.len();
            held.number(term);
            if held.ends.len() == before {
                return None;
            }
        }
        Some(lexicon)
    }

    /// Forgets the shortcuts, which help while many texts come in.
    pub(crate) fn settle(&mut self) {
        self.remembered = HashMap::default();
        self.remembered_bytes = 0;
    }

    /// What the tables take in memory, estimated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let Terms {
            text,
            ends,
            numbers,
            ..
        } = &self.terms;
        // A table is a quarter to a half empty, and has one more byte for each place.
        let table = numbers.capacity() * 8 / 7 * 5;
        text.capacity() + ends.capacity() * 4 + table + self.remembered_bytes
    }

    fn learn_surface(&mut self, surface: &str, out: &mut Vec<u32>) {
        let terms = &mut self.terms;
        expand(&self.stemmer, surface, &mut |term| {
            out.push(terms.number(term));
        });
    }

    fn remember(&mut self, surface: &str, terms: &[u32]) {
        if self.remembered.len() >= REMEMBERED {
            self.remembered = HashMap::default();
            self.remembered_bytes = 0;
        }
        self.remembered_bytes += surface.len() + size_of_val(terms) + 2 * ENTRY_OVERHEAD + 32;
        self.remembered.insert(surface.into(), terms.into());
    }
}
