//! Each rule of `deny.toml` is seen red on a doctored graph.

use super::rules::Rules;
use crate::graph::tests::{CRATES_IO, drawn};
use crate::graph::{Graph, Package};

const RULES: &str = include_str!("../../../deny.toml");

fn sound() -> Graph {
    drawn(
        "
        skep-store-sqlite > rusqlite skep-store
        rusqlite > libsqlite3-sys bitflags
        skep-http > axum
        skep-crypto > chacha20poly1305
        ",
    )
}

fn problems(graph: &Graph) -> Vec<String> {
    let rules = Rules::read(RULES).unwrap();
    rules.check(graph).iter().map(ToString::to_string).collect()
}

fn with(change: impl FnOnce(&mut Package)) -> Vec<String> {
    let mut graph = sound();
    change(graph.packages.get_mut("bitflags").unwrap());
    problems(&graph)
}

#[test]
fn the_sound_graph_passes() {
    assert_eq!(problems(&sound()), Vec::<String>::new());
}

#[test]
fn an_exception_is_for_one_crate() {
    let of = |name: &str| {
        with(|package| {
            package.license = Some("CC0-1.0".to_owned());
            name.clone_into(&mut package.name);
        })
    };
    assert_eq!(of("notify"), [""; 0]);
    assert_eq!(of("bitflags").len(), 1);
}

#[test]
fn licences_off_the_list_are_red() {
    let table = [
        (Some("MIT"), true),
        (Some("MIT/Apache-2.0"), true),
        (Some("Apache-2.0 / MIT"), true),
        (Some("Unlicense OR MIT"), true),
        (Some("(MIT OR Apache-2.0) AND Unicode-3.0"), true),
        (Some("Apache-2.0 WITH LLVM-exception OR MIT"), true),
        (Some("MIT OR LGPL-2.1-or-later"), true),
        (Some("GPL-3.0-only"), false),
        (Some("AGPL-3.0"), false),
        (Some("MIT AND GPL-2.0-only"), false),
        (Some("BUSL-1.1"), false),
        (Some("Apache-2.0 WITH LLVM-exception"), false),
        (Some("as you like"), false),
        (None, false),
    ];
    for (licence, passes) in table {
        let found = with(|package| package.license = licence.map(str::to_owned));
        assert_eq!(found.is_empty(), passes, "{licence:?}: {found:?}");
    }
}

#[test]
fn sources_beside_crates_io_are_red() {
    let table = [
        (Some(CRATES_IO), true),
        (Some("git+https://github.com/someone/bitflags"), false),
        (Some("registry+https://elsewhere.example/index"), false),
        (None, false),
    ];
    for (source, passes) in table {
        let found = with(|package| package.source = source.map(str::to_owned));
        assert_eq!(found.is_empty(), passes, "{source:?}: {found:?}");
    }
}

#[test]
fn banned_crates_and_strangers_behind_a_wrapper_are_red() {
    let table = [
        ("bitflags > openssl-sys", "openssl-sys: [banned] is banned"),
        ("bitflags > rsa", "rsa: [banned]"),
        (
            "skep-app > rusqlite",
            "skep-app 1.0.0: [banned] uses `rusqlite`",
        ),
        ("skep-app > libsqlite3-sys", "uses `libsqlite3-sys`"),
        (
            "skep-daemon > axum",
            "uses `axum`, which only skep-http may",
        ),
        ("bitflags > argon2", "uses `argon2`"),
    ];
    for (extra, expected) in table {
        let mut graph = sound();
        let more = drawn(extra);
        for (id, package) in more.packages {
            let known = graph.packages.entry(id).or_insert(package.clone());
            known.needs.extend(package.needs);
        }
        let found = problems(&graph);
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{extra}: {found:?}"
        );
    }
}

#[test]
fn a_second_version_is_red_unless_it_is_skipped_with_a_reason() {
    let doubled = |name: &str, other: &str| {
        let mut graph = sound();
        for version in ["9.0.0", other] {
            let package = Package {
                name: name.to_owned(),
                version: version.to_owned(),
                license: Some("MIT".to_owned()),
                source: Some(CRATES_IO.to_owned()),
                ..Package::default()
            };
            graph.packages.insert(format!("{name} {version}"), package);
        }
        problems(&graph)
    };
    assert_eq!(doubled("hashbrown", "8.0.0").len(), 1);
    assert!(doubled("syn", "2.0.1").is_empty());
    assert_eq!(doubled("syn", "8.0.0").len(), 1);
}

#[test]
fn rules_without_a_reason_or_with_an_invented_licence_are_not_read() {
    for (old, new) in [
        ("\"Zlib\"", "\"Zlibb\""),
        (
            ", reason = \"derives of crates that have not moved to syn 3\"",
            "",
        ),
        ("syn:^2", "syn"),
    ] {
        assert!(RULES.contains(old));
        assert!(Rules::read(&RULES.replace(old, new)).is_err(), "{new}");
    }
}
