//! Which settings of a store mean something, and how its link is kept by default.

use super::{Backend, Link};
use crate::config::Config;

const REMOTE: &str = "backend = \"postgres\"\nhost = \"db.internal\"\ndatabase = \"skep\"";
const PASSWORD: &str = "password_file = \"db.key\"";

fn parse(store: &str) -> Result<Config, String> {
    let text = format!("[server]\nmode = \"local\"\n[store]\n{store}");
    Config::parse(&text, &[]).map_err(|error| format!("{error:#}"))
}

fn at(host: &str, more: &str) -> String {
    format!("backend = \"postgres\"\nhost = \"{host}\"\ndatabase = \"skep\"\n{more}")
}

#[test]
fn n04_a_link_that_leaves_the_machine_is_verified_unless_two_settings_say_otherwise() {
    let verified = || Link::Verified { ca_file: None };
    let off = |more: &str| format!("tls = \"off\"\n{more}");
    let cases = [
        (at("db.internal", PASSWORD), verified()),
        (at("10.0.0.5", PASSWORD), verified()),
        (at("127.0.0.1", PASSWORD), verified()),
        (at("/run/postgresql", ""), Link::Own),
        (at("/run/postgresql", &off("")), Link::Own),
        (at("127.0.0.1", &off("")), Link::Own),
        (at("[::1]", &off("")), Link::Own),
        (at("::ffff:127.0.0.1", &off("")), Link::Own),
        (
            at("10.0.0.5", &off("allow_unverified = true")),
            Link::Unverified,
        ),
        (
            at("localhost", &off("allow_unverified = true")),
            Link::Unverified,
        ),
        (
            at("db.internal", &format!("{PASSWORD}\nca_file = \"ca.pem\"")),
            Link::Verified {
                ca_file: Some("ca.pem".into()),
            },
        ),
    ];
    for (text, link) in cases {
        let config = parse(&text).expect(&text);
        let Ok(Backend::Postgres(postgres)) = config.store.backend() else {
            panic!("{text}")
        };
        assert_eq!(postgres.link, link, "{text}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a line for each setting")]
fn settings_that_are_not_safe_or_mean_nothing_are_refused_and_no_password_is_repeated() {
    let with = |more: &str| format!("{REMOTE}\n{PASSWORD}\n{more}");
    let bad = [
        ("backend = \"mysql\"".into(), "sqlite or postgres"),
        (
            "host = \"db.internal\"".into(),
            "store.backend = \"postgres\" as well",
        ),
        (
            "allow_unverified = true".into(),
            "store.backend = \"postgres\" as well",
        ),
        ("open_workspaces = 0".into(), "1 to 4096"),
        (REMOTE.into(), "store.password_file is missing"),
        ("backend = \"postgres\"".into(), "store.host is missing"),
        (
            "backend = \"postgres\"\nhost = \"h\"".into(),
            "store.database is missing",
        ),
        (with("open_workspaces = 4"), "is for files"),
        (
            with("tls = \"off\""),
            "db.internal is no address of this machine",
        ),
        (with("tls = \"prefer\""), "verify-full or off"),
        (with("tls = \"require\""), "verify-full or off"),
        (with("allow_unverified = true"), "nothing is unverified"),
        (
            at("localhost", "tls = \"off\""),
            "no address of this machine",
        ),
        (
            at("10.0.0.5", "tls = \"off\""),
            "store.allow_unverified = true",
        ),
        (at("0.0.0.0", "tls = \"off\""), "no address of this machine"),
        (
            at("127.0.0.1", "tls = \"off\"\nca_file = \"a\""),
            "there is no TLS",
        ),
        (
            at("/run/postgresql", "tls = \"verify-full\""),
            "which has no TLS",
        ),
        (
            at("/run/postgresql", "allow_unverified = true"),
            "nothing is unverified",
        ),
        (
            at("postgres://me:hunter2@h/db", ""),
            "no URL and no password",
        ),
        (at("me:hunter2@h", ""), "no URL and no password"),
        (at("", ""), "store.host is no host"),
        (
            with("password = \"hunter2\""),
            "did you mean password_file?",
        ),
        (
            with("url = \"postgres://me:hunter2@h/db\""),
            "there is no setting url",
        ),
        (with("connections = 1"), "2 to 1000"),
        (with("patience_ms = 0"), "100 to 60000"),
    ];
    for (text, problem) in bad {
        let refused = parse(&text).expect_err(&text);
        assert!(refused.contains(problem), "{text}: {refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn a_daemon_on_a_shared_database_is_for_many_unless_it_says_otherwise() {
    let text = format!("[store]\n{REMOTE}\n{PASSWORD}");
    let refused = format!("{:#}", Config::parse(&text, &[]).unwrap_err());
    assert!(
        refused.contains("server.public_url is missing")
            && refused.contains("server.mode = \"local\""),
        "{refused}"
    );
    let text = format!("[server]\npublic_url = \"https://skep.example.org\"\n{text}");
    let config = Config::parse(&text, &[]).unwrap();
    assert_eq!(config.server.standing().unwrap().mode.as_str(), "team");
}

#[test]
fn what_is_in_force_is_shown() {
    let shown = [
        format!("{REMOTE}\n{PASSWORD}\nconnections = 4"),
        at(
            "10.0.0.5",
            "tls = \"off\"\nallow_unverified = true\nuser = \"me\"\nport = 6432",
        ),
        at("/run/postgresql", "patience_ms = 500"),
        "open_workspaces = 8".into(),
    ]
    .map(|text| parse(&text).unwrap().store.to_string());
    insta::assert_snapshot!(shown.join("\n\n"));
}
