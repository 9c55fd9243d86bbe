//! One storage suite for every backend.
