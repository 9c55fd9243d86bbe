//! The way from ids to slots: a table of numbers only, since the ids stand in the places.

use hashbrown::HashTable;
use skep_domain::{Id, MemoryId};

use crate::hash::Keyed;
use crate::index::Place;

/// The slots of those memories that are held.
#[derive(Default)]
pub(crate) struct Slots {
    table: HashTable<u32>,
    keyed: Keyed,
}

impl Slots {
    /// The slot of a memory.
    pub(crate) fn get(&self, id: MemoryId, places: &[Place]) -> Option<u32> {
        let is_it = |&slot: &u32| places[slot as usize].id == id;
        self.table.find(self.hash(id), is_it).copied()
    }

    /// Enters the slot of a memory that has none.
    pub(crate) fn put(&mut self, slot: u32, places: &[Place]) {
        let keyed = &self.keyed;
        let hash = |slot: u32| keyed.hash(&places[slot as usize].id.to_bytes());
        self.table
            .insert_unique(hash(slot), slot, |&other| hash(other));
    }

    /// Takes a memory out; the answer is the slot that it had.
    pub(crate) fn remove(&mut self, id: MemoryId, places: &[Place]) -> Option<u32> {
        let is_it = |&slot: &u32| places[slot as usize].id == id;
        let found = self.table.find_entry(self.hash(id), is_it).ok()?;
        Some(found.remove().0)
    }

    /// Makes room for so many, where there are none.
    pub(crate) fn with_room(count: usize) -> Self {
        Self {
            table: HashTable::with_capacity(count),
            keyed: Keyed::default(),
        }
    }

    /// What the table takes in memory: four bytes and one for each place, an eighth or more empty.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.capacity() * 8 / 7 * 5
    }

    fn hash(&self, id: MemoryId) -> u64 {
        self.keyed.hash(&id.to_bytes())
    }
}
