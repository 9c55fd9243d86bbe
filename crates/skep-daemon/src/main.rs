//! The daemon `skepd`: configuration and composition root.
fn main() {}
