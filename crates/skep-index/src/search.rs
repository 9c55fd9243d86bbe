//! A question and its candidates: the channels propose, neighbours are drawn in, scores are fused.

use std::collections::HashMap;

use crate::fuse::{Evidence, Scale};
use crate::index::{Aids, Candidate, Query, WorkspaceIndex};
use crate::lexical::Asked;
use crate::meaning::Meaning;
use crate::top::{Field, Top};

/// Each channel proposes as many candidates as are asked for, and at least so many.
const POOL_MIN: usize = 100;

/// What the words of a memory without a vector say about the meaning it would have.
const BY_WORDS_ALONE: f32 = 0.75;

/// From this many memories on, both channels are asked at once.
const AT_ONCE_FROM: usize = 50_000;

/// What the words come to, and the best of both channels.
type Proposals = (Asked, Vec<(f32, u32)>, Vec<(f32, u32)>);

impl WorkspaceIndex {
    /// The candidates for a query, best first. What is equal stands in an order that follows from the
    /// texts, and of equal texts the one put first comes first.
    #[must_use]
    pub fn search(&self, query: &Query<'_>) -> Vec<Candidate> {
        self.search_with(query, &Aids::default())
    }

    /// The same, where more is known than the question.
    #[must_use]
    pub fn search_with(&self, query: &Query<'_>, aids: &Aids<'_>) -> Vec<Candidate> {
        let field = self.field(query.project, aids.past);
        let pool = query.limit.max(POOL_MIN);
        let sample = self.sample.slots();
        let mean = self.mean.get_or_init(|| self.vectors.mean(&sample));
        let meaning = query
            .vector
            .and_then(|vector| Meaning::of(&self.vectors, (&sample, mean), vector));
        let (asked, by_words, by_vector) =
            self.ask_channels(query.text, meaning.as_ref(), pool, &field);
        let by_name = self.by_name(query, aids, pool);
        let proposed = by_words.iter().chain(&by_vector).chain(&by_name);
        let mut slots: Vec<u32> = proposed.map(|&(_, slot)| slot).collect();
        slots.sort_unstable();
        slots.dedup();
        self.threads.widen(&mut slots, &field);
        let best = by_vector.first().map(|&(score, _)| score);
        let peak = meaning.as_ref().zip(best);
        let peak = peak.and_then(|(meaning, best)| meaning.peak(best));
        let evidence = self.evidence(query, (&asked, meaning.as_ref()), &slots, &field);
        let scale = Scale::of(query.text, peak, &evidence, &by_name);
        let named: HashMap<u32, f32> = by_name
            .iter()
            .map(|&(weight, slot)| (slot, weight))
            .collect();
        let found = slots.into_iter().zip(&evidence).map(|(slot, evidence)| {
            let graph = named.get(&slot).copied().unwrap_or_default();
            let candidate = Candidate {
                id: self.places[slot as usize].id,
                lexical: asked.scores[slot as usize],
                vector: evidence.cosine,
                graph,
                fused: scale.fuse(evidence, graph),
                waits: evidence.waits,
            };
            (candidate, field.order(slot))
        });
        sorted(found, query.limit)
    }

    /// Asks both channels; at once, where that saves more than starting a thread costs.
    fn ask_channels(
        &self,
        text: &str,
        meaning: Option<&Meaning>,
        pool: usize,
        field: &dyn Field,
    ) -> Proposals {
        let words = || {
            let asked = self.lexical.ask(text, field.is_past());
            let mut best = Top::new(pool, f32::MIN_POSITIVE, field);
            best.offer_all(0, &asked.scores);
            (asked, best.into_sorted())
        };
        let search = meaning.and_then(|meaning| self.vectors.search(meaning.asked(), pool, field));
        let Some(search) = search else {
            let (asked, by_words) = words();
            return (asked, by_words, Vec::new());
        };
        if self.places.len() < AT_ONCE_FROM {
            let (asked, by_words) = words();
            let all = search.take_part();
            return (asked, by_words, search.finish([all, Vec::new()]));
        }
        let (words, parts) = std::thread::scope(|scope| {
            // Who is done with words helps with what is left of the vectors.
            let other = scope.spawn(|| (words(), search.take_part()));
            let part = search.take_part();
            match other.join() {
                Ok((words, other)) => (words, [part, other]),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        (words.0, words.1, search.finish(parts))
    }

    /// What speaks for each of some slots.
    fn evidence(
        &self,
        query: &Query<'_>,
        (asked, meaning): (&Asked, Option<&Meaning>),
        slots: &[u32],
        field: &dyn Field,
    ) -> Vec<Evidence> {
        let words = self.lexical.in_context(asked, slots, &self.threads, field);
        let labelled = self.lexical.labelled(asked, slots);
        let cosines = match query.vector {
            Some(vector) => self.vectors.cosines(vector, slots),
            None => vec![0.0; slots.len()],
        };
        let near = match meaning {
            Some(meaning) => meaning.in_context(&self.vectors, slots, &self.threads, field),
            None => vec![0.0; slots.len()],
        };
        let bare = |slot| meaning.is_some() && !self.vectors.has(slot);
        let waits = |slot| bare(slot) || self.drafts.contains(&slot);
        let most = words.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let best = near.iter().copied().fold(0.0, f32::max);
        let made = near.iter().zip(slots).filter(|&(_, &slot)| !waits(slot));
        let best_made = made.map(|(&near, _)| near).fold(0.0, f32::max);
        let each = slots.iter().enumerate().map(|(at, &slot)| {
            // A memory that waits for its vector is judged by its words, a little less surely, where its
            // draft says less than the vectors of others: it must not stand behind them all because it
            // is new.
            let measure = if bare(slot) { best } else { best_made };
            let by_words = BY_WORDS_ALONE * measure * words[at] / most;
            let waits = waits(slot);
            Evidence {
                words: words[at],
                cosine: cosines[at],
                meaning: if waits {
                    near[at].max(by_words)
                } else {
                    near[at]
                },
                labelled: labelled[at],
                length: self.lexical.length(slot),
                near: self.threads.get(slot).is_some(),
                waits,
            }
        });
        each.collect()
    }
}

/// The best of candidates with their order among equals.
fn sorted(found: impl Iterator<Item = (Candidate, u64)>, limit: usize) -> Vec<Candidate> {
    let mut found: Vec<_> = found.filter(|(found, _)| found.fused > 0.0).collect();
    // Stable, and candidates come in the order of their slots.
    found.sort_by(|(a, a_order), (b, b_order)| {
        let scores = b.fused.total_cmp(&a.fused);
        scores.then_with(|| a_order.cmp(b_order))
    });
    found.truncate(limit);
    found.into_iter().map(|(found, _)| found).collect()
}
