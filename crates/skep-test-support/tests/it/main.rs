//! Both stores in one test.
#![expect(
    clippy::unwrap_used,
    reason = "tests report by panicking, in their fixtures too"
)]

mod moving;
