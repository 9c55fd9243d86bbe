//! Copies and near copies, told from statements that only look alike.

use super::{NEAR_DUPLICATE, near_duplicate, normal_form};

#[test]
fn copies_meet_under_one_form() {
    for (a, b) in [
        ("Use pnpm, not npm.", "use  PNPM not npm"),
        ("The **root** cause: a race!", "the root cause a race"),
        ("Set `BEGIN IMMEDIATE`\n first", "set begin immediate first"),
        ("Don\u{2019}t sleep", "don\u{2019}t sleep."),
    ] {
        assert_eq!(normal_form(a), normal_form(b), "{a} / {b}");
    }
    for (a, b) in [
        ("a != b", "a = b"),
        ("x < 3", "x > 3"),
        ("port 3850", "port 3851"),
        ("version 1.2", "version 12"),
        ("src/pool.rs", "src pool rs"),
        ("cost is -5", "cost is 5"),
    ] {
        assert_ne!(normal_form(a), normal_form(b), "{a} / {b}");
    }
}

/// Pairs that say the same in other words' order or with fillers.
const SAME: &[(&str, &str)] = &[
    (
        "Use pnpm, not npm, in this repo.",
        "In this repo use pnpm, not npm.",
    ),
    (
        "We decided to use one database file per workspace.",
        "We decided to use one database per workspace file.",
    ),
    (
        "The pool must open write transactions with BEGIN IMMEDIATE.",
        "Write transactions of the pool must open with BEGIN IMMEDIATE.",
    ),
    (
        "Tests never sleep, take a Clock instead.",
        "Tests never sleep: they take a Clock instead.",
    ),
    (
        "The retry policy is defined in config/retry.toml.",
        "The retry policy is in config/retry.toml.",
    ),
    (
        "Always run the linter before committing.",
        "Always run the linter before committing changes.",
    ),
    (
        "skepd listens on port 3850 by default.",
        "By default skepd listens on port 3850.",
    ),
    (
        "The flicker was caused by a font swap after first paint.",
        "The flicker was caused by the font swap after the first paint.",
    ),
    (
        "Rate limits fall back to an in-process limiter when Redis is away.",
        "When Redis is away rate limits fall back to an in-process limiter.",
    ),
    (
        "Every public function in the domain crate must have a doc comment.",
        "Every public function of the domain crate must have a doc comment.",
    ),
    (
        "Added a limit argument to list_sessions.",
        "Added a `limit` argument to `list_sessions`",
    ),
    (
        "I prefer short answers without bullet lists.",
        "I prefer short answers, no bullet lists.",
    ),
    (
        "Migration files are named NNNN_verb_object.sql.",
        "We name migration files NNNN_verb_object.sql.",
    ),
    (
        "The exporter drops spans when the endpoint has a trailing slash.",
        "The exporter silently drops spans when the endpoint has a trailing slash.",
    ),
    (
        "Keep the embedder inside the daemon, a second process doubles the memory.",
        "Keep the embedder inside the daemon: a second process doubles memory.",
    ),
];

/// Pairs that share most words and differ in what matters.
const OTHER: &[(&str, &str)] = &[
    (
        "Always use tabs for indentation.",
        "Never use tabs for indentation.",
    ),
    (
        "skepd listens on port 3850 by default.",
        "skepd listens on port 3851 by default.",
    ),
    (
        "The retry policy is defined in config/retry.toml.",
        "The retry policy is defined in config/hooks.toml.",
    ),
    ("Tests may sleep.", "Tests may not sleep."),
    (
        "Use PostgreSQL for the control plane.",
        "Use SQLite for the control plane.",
    ),
    (
        "The pool opens read transactions deferred.",
        "The pool opens write transactions immediate.",
    ),
    ("Bump tokio to 1.54.", "Bump tokio to 1.55."),
    (
        "The user cache is kept for 10 minutes.",
        "The user cache is kept for 30 minutes.",
    ),
    ("Commit the lock file.", "Don't commit the lock file."),
    (
        "Sessions are sealed with the workspace key.",
        "Turns are sealed with the workspace key.",
    ),
    (
        "Add a limit argument to list_sessions.",
        "Add a limit argument to list_memories.",
    ),
    (
        "The staging server runs in Frankfurt.",
        "The production server runs in Dublin.",
    ),
    (
        "Memories are ranked by relevance, then age.",
        "Memories are ranked by age, then trust.",
    ),
    (
        "The daemon refuses a public bind in local mode.",
        "The daemon allows a public bind in team mode.",
    ),
    ("a >= 3 passes the check", "a <= 3 passes the check"),
];

#[test]
fn near_copies_are_told_from_lookalikes() {
    let missed: Vec<_> = SAME
        .iter()
        .filter(|(a, b)| near_duplicate(a, b) < NEAR_DUPLICATE)
        .collect();
    let wrong: Vec<_> = OTHER
        .iter()
        .filter(|(a, b)| near_duplicate(a, b) >= NEAR_DUPLICATE)
        .collect();
    for (a, b) in SAME {
        println!("same  {:.2} {a} / {b}", near_duplicate(a, b));
    }
    for (a, b) in OTHER {
        println!("other {:.2} {a} / {b}", near_duplicate(a, b));
    }
    // A missed copy costs a line of an answer, a false one loses a statement: none may be false.
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(missed.len() <= 2, "{missed:?}");
}
