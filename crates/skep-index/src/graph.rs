//! Which memories name what, and a bounded walk over it: from names to the memories that name them,
//! on to what else those name, and to the memories of that.
//!
//! A mention is a link in two chains, one of its name and one of its memory; nothing is kept per
//! name but the head of its chain, because most names are mentioned once.

use std::collections::{HashMap, HashSet};

use skep_memory::{name_form, name_tail, names};

use crate::lexicon::ENTRY_OVERHEAD;
use crate::top::{Field, Top};

/// Names that one walk starts from, at most.
const SEEDS: usize = 32;
/// Mentions of one name that are followed: what everybody names tells little.
const FOLLOWED: usize = 512;
/// Mentions of one name that are looked at, the newest.
const LOOKED_AT: usize = 16 * FOLLOWED;
/// Memories that the walk goes on from.
const RELAYS: usize = 48;
/// Names of one memory that the walk goes on to.
const FAN: usize = 8;
/// A name with more mentions than this leads nowhere in particular.
const BRIDGE: u32 = 64;
/// No mention.
const END: u32 = u32::MAX;

/// One memory names one thing.
#[derive(Clone, Copy)]
struct Mention {
    name: u32,
    slot: u32,
    /// The mention of the same name before this one.
    earlier: u32,
}

#[derive(Clone, Copy)]
struct Name {
    latest: u32,
    /// By all memories that are held.
    mentions: u32,
    /// By those of them that no longer hold.
    past: u32,
}

/// The names of a workspace's memories.
#[derive(Default)]
pub(crate) struct Graph {
    numbers: HashMap<u64, u32>,
    names: Vec<Name>,
    mentions: Vec<Mention>,
    /// Where the mentions of each slot begin; they stand together. May be shorter than there are slots.
    starts: Vec<(u32, u16)>,
    rules: NameRules,
}

/// What was decided about names: which are one, and which lead nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameRules {
    /// To each name, the others that are of the same thing.
    same: HashMap<u64, Vec<u64>>,
    archived: HashSet<u64>,
}

impl NameRules {
    /// Two names are of one thing.
    pub fn merge(&mut self, a: &str, b: &str) {
        let (Some((a, _)), Some((b, _))) = (keys(a).next(), keys(b).next()) else {
            return;
        };
        let mut all = vec![a, b];
        for key in [a, b] {
            all.extend(self.same.get(&key).into_iter().flatten());
        }
        all.sort_unstable();
        all.dedup();
        for key in &all {
            let others = all.iter().copied().filter(|other| other != key);
            self.same.insert(*key, others.collect());
        }
    }

    /// A name leads nowhere.
    pub fn archive(&mut self, name: &str) {
        self.archived.extend(keys(name).next().map(|(key, _)| key));
    }

    /// The seeds with the other names of the same things, without what leads nowhere.
    fn applied(&self, seeds: &[Seed]) -> Vec<Seed> {
        let with_others = seeds.iter().flat_map(|(key, weight)| {
            let others = self.same.get(key).into_iter().flatten();
            std::iter::once(key)
                .chain(others)
                .map(|key| (*key, *weight))
        });
        with_others
            .filter(|(key, _)| !self.archived.contains(key))
            .collect()
    }
}

/// Weights of slots, added up.
type Reached = HashMap<u32, f32>;

/// A name to start from and how much it counts.
pub(crate) type Seed = (u64, f32);

/// The keys under which a name is found: its own, and that of its last part, which counts less.
pub(crate) fn keys(name: &str) -> impl Iterator<Item = Seed> {
    let form = name_form(name);
    let tail = name_tail(&form).map(|tail| (digest(tail), 0.6));
    let own = (!form.is_empty()).then(|| (digest(&form), 1.0));
    own.into_iter().chain(tail)
}

/// Where a walk for a question starts: at the names in it, and with half the weight at its hints.
pub(crate) fn seeds(question: &str, hints: &[&str]) -> Vec<Seed> {
    let asked = names(question);
    let asked = asked.iter().flat_map(|name| keys(name));
    let hinted = hints.iter().flat_map(|name| keys(name));
    asked
        .chain(hinted.map(|(key, weight)| (key, weight / 2.0)))
        .collect()
}

/// FNV-1a, 64 bits: stable over releases, since snapshots hold it.
fn digest(form: &str) -> u64 {
    form.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Graph {
    /// Whether nothing is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.mentions.is_empty()
    }

    /// Says what a slot names, and whether it no longer holds. A slot is given its names once: a text
    /// that changes gets a new slot.
    pub(crate) fn put(&mut self, slot: u32, past: bool, names: impl Iterator<Item = u64>) {
        if self.names_of(slot).next().is_some() {
            return;
        }
        let start = self.mentions.len() as u32;
        for name in names.take(usize::from(u16::MAX)) {
            let next = self.names.len() as u32;
            let number = *self.numbers.entry(name).or_insert(next);
            if number == next {
                self.names.push(Name {
                    latest: END,
                    mentions: 0,
                    past: 0,
                });
            }
            let entry = &mut self.names[number as usize];
            let is_double = entry.latest != END && entry.latest >= start;
            if is_double {
                continue;
            }
            self.mentions.push(Mention {
                name: number,
                slot,
                earlier: entry.latest,
            });
            entry.latest = self.mentions.len() as u32 - 1;
            entry.mentions += 1;
            entry.past += u32::from(past);
        }
        let count = self.mentions.len() as u32 - start;
        if count > 0 {
            let room = self.starts.len().max(slot as usize + 1);
            self.starts.resize(room, (0, 0));
            self.starts[slot as usize] = (start, count as u16);
        }
    }

    /// Says whether a slot no longer holds, when that changes.
    pub(crate) fn set_past(&mut self, slot: u32, past: bool) {
        for at in self.mentions_of(slot) {
            let name = &mut self.names[self.mentions[at].name as usize];
            name.past = if past { name.past + 1 } else { name.past - 1 };
        }
    }

    /// Forgets a slot, which no longer held or did until now.
    pub(crate) fn remove(&mut self, slot: u32, past: bool) {
        for at in self.mentions_of(slot) {
            let name = &mut self.names[self.mentions[at].name as usize];
            name.mentions -= 1;
            name.past -= u32::from(past);
        }
        if let Some(start) = self.starts.get_mut(slot as usize) {
            *start = (0, 0);
        }
    }

    /// The first step: memories that name one of the seeds, the strongest first.
    pub(crate) fn reach(&self, seeds: &[Seed], pool: usize, field: &dyn Field) -> Vec<(f32, u32)> {
        let mut reached = Reached::new();
        for (name, weight) in self.started(seeds) {
            self.spread(name, weight, field, &mut reached);
        }
        best(&reached, pool, field)
    }

    /// Slots that name one of the seeds, the newest first.
    pub(crate) fn newest(&self, seeds: &[Seed], limit: usize, field: &dyn Field) -> Vec<u32> {
        let names = self.started(seeds);
        let mut slots: Vec<u32> = names
            .flat_map(|(name, _)| {
                let naming = self.naming(name).filter(|slot| field.accepts(*slot));
                naming.take(limit)
            })
            .collect();
        slots.sort_unstable_by(|a, b| b.cmp(a));
        slots.dedup();
        slots.truncate(limit);
        slots
    }

    /// The second step: memories that name what the relays name beside the seeds. A relay has to be
    /// a memory that the reader may see: what it joins shows in the answer.
    pub(crate) fn onward(
        &self,
        seeds: &[Seed],
        relays: &[u32],
        pool: usize,
        field: &dyn Field,
    ) -> Vec<(f32, u32)> {
        let started: Vec<u32> = self.started(seeds).map(|(name, _)| name).collect();
        let mut reached = Reached::new();
        for slot in relays.iter().take(RELAYS) {
            let onward = self
                .names_of(*slot)
                .filter(|name| self.mentions(*name, field) <= BRIDGE && !started.contains(name));
            for name in onward.take(FAN) {
                self.spread(name, 1.0, field, &mut reached);
            }
        }
        for slot in relays {
            reached.remove(slot);
        }
        best(&reached, pool, field)
    }

    /// The seeds that are named at all, each once.
    fn started(&self, seeds: &[Seed]) -> impl Iterator<Item = (u32, f32)> {
        let mut seen = Vec::new();
        let seeds = self.rules.applied(seeds);
        let known = seeds.into_iter().take(SEEDS).filter_map(|(key, weight)| {
            let name = *self.numbers.get(&key)?;
            Some((name, weight))
        });
        known.filter(move |(name, _)| {
            let is_new = !seen.contains(name);
            seen.push(*name);
            is_new
        })
    }

    /// Gives the memories that name something a share of a weight: the rarer the name, the more.
    fn spread(&self, name: u32, weight: f32, field: &dyn Field, reached: &mut Reached) {
        let mentions = self.mentions(name, field);
        let share = weight / (1.0 + (mentions.max(1) as f32).ln());
        let mut naming: Vec<u32> = self.naming(name).collect();
        naming.retain(|&slot| field.accepts(slot));
        if naming.len() > FOLLOWED {
            naming.select_nth_unstable_by_key(FOLLOWED, |&slot| (field.order(slot), slot));
            naming.truncate(FOLLOWED);
        }
        for slot in naming {
            *reached.entry(slot).or_default() += share;
        }
    }

    /// How many memories name something, as far as they count.
    fn mentions(&self, name: u32, field: &dyn Field) -> u32 {
        let Name { mentions, past, .. } = self.names[name as usize];
        if field.is_past() {
            mentions
        } else {
            mentions - past
        }
    }

    /// Slots that name something, the newest first.
    fn naming(&self, name: u32) -> impl Iterator<Item = u32> {
        let mut next = self.names[name as usize].latest;
        std::iter::from_fn(move || {
            let mention = self.mentions.get(next as usize)?;
            next = mention.earlier;
            Some(mention.slot)
        })
        .take(LOOKED_AT)
    }

    fn names_of(&self, slot: u32) -> impl Iterator<Item = u32> {
        let mentions = self.mentions[self.mentions_of(slot)].iter();
        mentions.map(|mention| mention.name)
    }

    fn mentions_of(&self, slot: u32) -> std::ops::Range<usize> {
        let (start, count) = self.starts.get(slot as usize).copied().unwrap_or_default();
        start as usize..start as usize + usize::from(count)
    }

    /// Follows these rules from now on.
    pub(crate) fn set_rules(&mut self, rules: NameRules) {
        self.rules = rules;
    }

    /// Leaves out slots without a place in `moved`; `is_past` tells of the others.
    pub(crate) fn compact(&mut self, moved: &[Option<u32>], is_past: impl Fn(u32) -> bool) {
        let keys = self.keys();
        let mut next = Self {
            rules: std::mem::take(&mut self.rules),
            ..Self::default()
        };
        for (slot, to) in (0u32..).zip(moved) {
            if let Some(to) = to {
                let names = self.names_of(slot).map(|name| keys[name as usize]);
                next.put(*to, is_past(slot), names);
            }
        }
        *self = next;
    }

    /// What the graph takes in memory, estimated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let numbers = self.numbers.capacity() * (size_of::<(u64, u32)>() + ENTRY_OVERHEAD);
        let names = self.names.capacity() * size_of::<Name>();
        let mentions = self.mentions.capacity() * size_of::<Mention>();
        numbers + names + mentions + self.starts.capacity() * size_of::<(u32, u16)>()
    }

    /// The names as keys and the mentions of each slot, for a snapshot.
    pub(crate) fn parts(&self) -> (Vec<u64>, impl Iterator<Item = (u32, Vec<u32>)>) {
        let slots = (0..self.starts.len() as u32)
            .map(|slot| (slot, self.names_of(slot).collect::<Vec<u32>>()))
            .filter(|(_, names)| !names.is_empty());
        (self.keys(), slots)
    }

    /// The key of each name, by its number.
    fn keys(&self) -> Vec<u64> {
        let mut keys = vec![0; self.names.len()];
        for (key, number) in &self.numbers {
            keys[*number as usize] = *key;
        }
        keys
    }
}

/// The strongest.
fn best(reached: &Reached, pool: usize, field: &dyn Field) -> Vec<(f32, u32)> {
    let mut best = Top::new(pool, f32::MIN_POSITIVE, field);
    for (slot, weight) in reached {
        best.offer(*weight, *slot);
    }
    best.into_sorted()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graph(memories: &[&[&str]]) -> Graph {
        let mut graph = Graph::default();
        for (slot, names) in (0..).zip(memories) {
            graph.put(
                slot,
                false,
                names.iter().flat_map(|name| keys(name)).map(|seed| seed.0),
            );
        }
        graph
    }

    fn slots(found: Vec<(f32, u32)>) -> Vec<u32> {
        found.into_iter().map(|(_, slot)| slot).collect()
    }

    fn seeds(names: &[&str]) -> Vec<Seed> {
        names.iter().flat_map(|name| keys(name)).collect()
    }

    const MEMORIES: &[&[&str]] = &[
        &["src/pool.rs", "E0382"],
        &["Pool::open_now()"],
        &["src/pool.rs", "busy_timeout"],
        &["busy_timeout"],
        &["docs/pool.rs"],
    ];

    #[test]
    fn names_lead_to_memories_and_on() {
        let graph = graph(MEMORIES);
        let all = |_: u32| true;
        let asked = seeds(&["./src/pool.rs"]);
        let first = slots(graph.reach(&asked, 9, &all));
        assert_eq!(
            first,
            [0, 2, 4],
            "the whole path first, then the same file name"
        );
        assert_eq!(slots(graph.reach(&seeds(&["open_now"]), 9, &all)), [1]);
        assert_eq!(slots(graph.onward(&asked, &first, 9, &all)), [3]);
        assert_eq!(
            slots(graph.onward(&asked, &[0], 9, &all)),
            Vec::<u32>::new()
        );
        assert_eq!(slots(graph.reach(&asked, 9, &|slot| slot != 0)), [2, 4]);
        assert!(graph.reach(&seeds(&["nobody_knows"]), 9, &all).is_empty());
    }

    #[test]
    fn rules_join_names_and_cut_them_off() {
        let mut graph = graph(MEMORIES);
        let all = |_: u32| true;
        let mut rules = NameRules::default();
        rules.merge("E0382", "the borrow error");
        rules.merge("the borrow error", "use_after_move");
        graph.set_rules(rules.clone());
        for name in ["e0382", "the borrow error", "use_after_move"] {
            assert_eq!(slots(graph.reach(&seeds(&[name]), 9, &all)), [0], "{name}");
        }
        rules.archive("E0382");
        graph.set_rules(rules);
        assert!(graph.reach(&seeds(&["use_after_move"]), 9, &all).is_empty());
    }

    proptest! {
        #[test]
        fn compacting_leaves_the_walk_as_it_was(
            memories in prop::collection::vec(prop::collection::vec(0_u64..9, 0..5), 1..20),
            gone in prop::collection::vec(any::<bool>(), 20),
            asked in prop::collection::vec(0_u64..9, 0..4),
        ) {
            let mut graph = Graph::default();
            for (slot, names) in (0..).zip(&memories) {
                graph.put(slot, false, names.iter().copied());
            }
            let mut next = 0;
            let moved: Vec<Option<u32>> = (0..memories.len()).map(|slot| (!gone[slot]).then(|| { next += 1; next - 1 })).collect();
            let seeds: Vec<Seed> = asked.iter().map(|name| (*name, 1.0)).collect();
            let live = |slot: u32| !gone[slot as usize];
            let before: Vec<u32> = slots(graph.reach(&seeds, 99, &live)).into_iter().filter_map(|slot| moved[slot as usize]).collect();
            graph.compact(&moved, |_| false);
            let mut after = slots(graph.reach(&seeds, 99, &|_| true));
            let mut before = before;
            before.sort_unstable();
            after.sort_unstable();
            prop_assert_eq!(before, after);
            for (slot, names) in memories.iter().enumerate().filter(|(slot, _)| !gone[*slot]) {
                let mut names = names.clone();
                names.sort_unstable();
                names.dedup();
                let keys = graph.keys();
                let mut kept: Vec<u64> = graph.names_of(moved[slot].unwrap()).map(|name| keys[name as usize]).collect();
                kept.sort_unstable();
                prop_assert_eq!(kept, names);
            }
        }
    }
}
