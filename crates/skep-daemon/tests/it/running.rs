//! A running daemon: one per home, private files, a graceful end.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::home::Home;

fn mode(path: &std::path::Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn x05_everything_a_daemon_makes_is_its_users_alone() {
    let home = Home::new();
    let _daemon = home.serve();
    for (name, expected) in [
        ("root.key", 0o600),
        ("install-token", 0o600),
        ("skepd.sock", 0o600),
        ("skepd.pid", 0o600),
        ("skepd.lock", 0o600),
        ("data", 0o700),
        ("data/ws", 0o700),
        ("data/control.db", 0o600),
    ] {
        assert_eq!(mode(&home.path().join(name)), expected, "{name}");
    }
    for entry in fs::read_dir(home.path().join("data/ws")).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn a19_a_daemon_for_many_writes_the_setup_token_for_its_own_user_and_prints_where() {
    let home = Home::new();
    let team = |home: &Home| {
        let mut command = home.command("serve");
        command
            .env("SKEP_SERVER__MODE", "team")
            .env("SKEP_SERVER__PUBLIC_URL", "https://skep.example.org");
        home.start(command)
    };
    let path = home.path().join("setup-token");
    assert!(home.serve().stop().success());
    assert!(!path.exists(), "not where one person is everybody");
    let (status, printed) = team(&home).ended();
    assert!(status.success());
    let token = fs::read_to_string(&path).unwrap();
    let token = token.trim();
    assert!(token.starts_with("skep_setup_") && mode(&path) == 0o600);
    assert!(printed.contains("setup-token") && printed.contains("https://skep.example.org/setup"));
    assert!(!printed.contains("skep_setup_"), "{printed}");
    // The next start says where it still is, and makes no other.
    let (_, printed) = team(&home).ended();
    assert!(printed.contains("setup-token") && !printed.contains("skep_setup_"));
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), token);
    // Sixteen race for it; one wins, the others are told that there is somebody.
    let daemon = team(&home);
    let answers: Vec<String> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..16)
            .map(|n| {
                let body = format!(
                    r#"{{"token":"{token}","address":"n{n}@hive.example","name":"N","password":"plover anvil tuba"}}"#
                );
                let home = &home;
                scope.spawn(move || home.post("/api/v1/setup", &body).unwrap())
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    let count = |status: &str| answers.iter().filter(|a| a.contains(status)).count();
    assert_eq!(
        (count("HTTP/1.1 200"), count("HTTP/1.1 409")),
        (1, 15),
        "{answers:?}"
    );
    assert!(daemon.ended().0.success());
    let (_, printed) = team(&home).ended();
    assert!(
        !path.exists() && !printed.contains("setup-token"),
        "{printed}"
    );
}

#[test]
fn a_second_daemon_of_the_same_home_says_so_and_ends() {
    let home = Home::new();
    let daemon = home.serve();
    let second = home.run("serve");
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another skepd is running"));
    assert!(
        home.get("/healthz").unwrap().starts_with("HTTP/1.1 200"),
        "the first one goes on"
    );
    assert!(daemon.stop().success());
}

#[test]
fn a_stop_is_graceful_and_a_start_afterwards_finds_everything() {
    let home = Home::new();
    let daemon = home.serve();
    let text = "The fog signal sounds every thirty seconds.";
    let kept = home
        .post("/api/v1/memories", &format!(r#"{{"text":"{text}"}}"#))
        .unwrap();
    assert!(kept.starts_with("HTTP/1.1 200"), "{kept}");
    assert!(daemon.stop().success());
    assert!(!home.path().join("skepd.sock").exists() && !home.path().join("skepd.pid").exists());

    let daemon = home.serve();
    let answer = home
        .post(
            "/api/v1/recall",
            r#"{"query":"how often does the fog signal sound"}"#,
        )
        .unwrap();
    assert!(answer.contains(text), "{answer}");
    assert!(daemon.stop().success());
}

#[test]
fn a_lost_install_token_is_replaced_and_the_old_one_is_void() {
    let home = Home::new();
    assert!(home.serve().stop().success());
    let old = fs::read_to_string(home.path().join("install-token")).unwrap();
    fs::remove_file(home.path().join("install-token")).unwrap();
    let daemon = home.serve();
    let new = fs::read_to_string(home.path().join("install-token")).unwrap();
    assert_ne!(old, new);
    for (token, status) in [(&old, "401"), (&new, "200")] {
        let answer = home.get_as("/api/v1/memories", token.trim()).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    drop(daemon);
}
