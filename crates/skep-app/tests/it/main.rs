//! The use cases over a real store: the indexes in memory, and upkeep.

mod distilling;
mod embedding;
mod hot_indexes;
mod world;
