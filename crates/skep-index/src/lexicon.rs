//! Numbers for terms. Surfaces seen before skip folding and stemming.

use std::collections::HashMap;

use rust_stemmers::{Algorithm, Stemmer};

use crate::analyze::{expand, surfaces};

/// Surfaces remembered at a time; past that the memory starts afresh. It is only a shortcut.
const REMEMBERED: usize = 1 << 16;

/// Terms that one text may give; the rest of an endless text is not indexed.
const TERMS_PER_TEXT: usize = 1 << 14;

/// What a hash table takes beside its keys and values, and what an allocation takes beside its
/// bytes: both rounded up.
pub(crate) const ENTRY_OVERHEAD: usize = 24;

/// Every term of a workspace, numbered in order of first sight.
pub(crate) struct Lexicon {
    numbers: HashMap<Box<str>, u32>,
    remembered: HashMap<Box<str>, Box<[u32]>>,
    stemmer: Stemmer,
    text_bytes: usize,
    remembered_bytes: usize,
}

impl Default for Lexicon {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            remembered: HashMap::new(),
            stemmer: Stemmer::create(Algorithm::English),
            text_bytes: 0,
            remembered_bytes: 0,
        }
    }
}

impl Lexicon {
    /// Writes the numbers of a text's terms to `out`, numbering new ones.
    pub(crate) fn learn(&mut self, text: &str, out: &mut Vec<u32>) {
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

    /// The number of a term, if any text had it.
    pub(crate) fn get(&self, term: &str) -> Option<u32> {
        self.numbers.get(term).copied()
    }

    /// How many terms are numbered.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// All terms, the one numbered `i` at place `i`.
    pub(crate) fn terms(&self) -> Vec<&str> {
        let mut terms = vec![""; self.numbers.len()];
        for (term, &number) in &self.numbers {
            terms[number as usize] = term;
        }
        terms
    }

    /// Numbers `terms` in their order; `None` if one occurs twice.
    pub(crate) fn from_terms<'a>(terms: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut lexicon = Self::default();
        for term in terms {
            let before = lexicon.numbers.len();
            number(&mut lexicon.numbers, &mut lexicon.text_bytes, term);
            if lexicon.numbers.len() == before {
                return None;
            }
        }
        Some(lexicon)
    }

    /// What the tables take in memory, estimated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let slot = size_of::<(Box<str>, u32)>() + ENTRY_OVERHEAD;
        self.numbers.capacity() * slot + self.text_bytes + self.remembered_bytes
    }

    fn learn_surface(&mut self, surface: &str, out: &mut Vec<u32>) {
        let (numbers, text_bytes) = (&mut self.numbers, &mut self.text_bytes);
        expand(&self.stemmer, surface, &mut |term| {
            out.push(number(numbers, text_bytes, term));
        });
    }

    fn remember(&mut self, surface: &str, terms: &[u32]) {
        if self.remembered.len() >= REMEMBERED {
            self.remembered = HashMap::new();
            self.remembered_bytes = 0;
        }
        self.remembered_bytes += surface.len() + size_of_val(terms) + 2 * ENTRY_OVERHEAD + 32;
        self.remembered.insert(surface.into(), terms.into());
    }
}

fn number(numbers: &mut HashMap<Box<str>, u32>, text_bytes: &mut usize, term: &str) -> u32 {
    if let Some(&known) = numbers.get(term) {
        return known;
    }
    let new = numbers.len() as u32;
    *text_bytes += term.len();
    numbers.insert(term.into(), new);
    new
}
