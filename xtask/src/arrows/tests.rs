//! Doctored graphs: each arrow that points the wrong way is seen red.

use super::check;
use crate::graph::tests::drawn;

/// The shape the rules allow, in small.
const SOUND: &str = "
    skep-domain
    skep-crypto > chacha20poly1305
    skep-authz > skep-domain skep-crypto
    skep-memory > skep-domain regex
    skep-index > skep-domain skep-memory
    skep-store > skep-domain skep-authz tokio
    skep-store-sqlite > skep-store rusqlite
    skep-app > skep-store tokio
    skep-api > skep-domain serde
    skep-http > skep-app skep-api axum
    skep-client > skep-api tokio
    skep-cli > skep-client clap tokio
    skep-daemon > skep-http skep-store-sqlite clap
    skep-test-support > skep-daemon rusqlite-free
    xtask > skep-domain clap
";

fn problems(extra: &str) -> Vec<String> {
    check(&drawn(&format!("{SOUND}\n{extra}")))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn the_sound_graph_passes() {
    assert_eq!(problems(""), Vec::<String>::new());
}

#[test]
fn a_storage_crate_in_the_command_line_is_red() {
    let found = problems("skep-cli > skep-store-sqlite");
    for expected in [
        "skep-cli: [arrows] depends on `skep-store-sqlite`",
        "skep-cli: [keep-out] reaches `skep-store-sqlite` by skep-cli > skep-store-sqlite",
        "skep-cli: [keep-out] reaches `rusqlite` by skep-cli > skep-store-sqlite > rusqlite",
    ] {
        assert!(
            found.iter().any(|line| line.starts_with(expected)),
            "{expected}: {found:#?}"
        );
    }
}

#[test]
fn each_wrong_arrow_is_red() {
    let table = [
        ("skep-domain > serde skep-api", "skep-domain: [arrows]"),
        ("skep-crypto > skep-domain", "skep-crypto: [arrows]"),
        ("skep-http > skep-store", "skep-http: [arrows]"),
        ("skep-http > skep-store-sqlite", "skep-http: [arrows]"),
        (
            "skep-app > skep-test-support",
            "skep-app: [arrows] needs `skep-test-support`",
        ),
        ("skep-daemon > skep-bench", "which no program is built from"),
        ("skep-novel > skep-domain", "has no row"),
        ("skep-app > rusqlite", "skep-app: [fence] names `rusqlite`"),
        ("skep-app > sha2", "skep-app: [fence] names `sha2`"),
        ("skep-daemon > axum", "skep-daemon: [fence] names `axum`"),
        (
            "skep-client > indicatif",
            "skep-client: [fence] names `indicatif`",
        ),
        ("skep-store > anyhow", "skep-store: [fence] names `anyhow`"),
        (
            "regex > tokio",
            "skep-memory: [keep-out] reaches `tokio` by skep-memory > regex",
        ),
        (
            "serde > libsqlite3-sys",
            "skep-cli: [keep-out] reaches `libsqlite3-sys`",
        ),
        ("tokio > skep-crypto", "skep-client: [keep-out]"),
    ];
    for (extra, expected) in table {
        let found = problems(extra);
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{extra}: {found:#?}"
        );
    }
}

#[test]
fn tests_may_name_what_the_program_may_not() {
    let mut graph = drawn(SOUND);
    if let Some(app) = graph.packages.get_mut("skep-app") {
        app.needs_for_tests.insert("skep-test-support".to_owned());
        app.needs_for_tests.insert("rusqlite".to_owned());
    }
    assert!(check(&graph).is_empty());
}
