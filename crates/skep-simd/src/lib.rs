//! Integer dot products for the vector scan; the one crate with an unsafe block.
