//! What a start refuses: it says why and what to do, and changes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::home::Home;

/// A home with a key, a workspace and a memory in it.
fn lived_in() -> Home {
    let home = Home::new();
    let daemon = home.serve();
    let kept = home
        .post(
            "/api/v1/memories",
            r#"{"text":"The key to the lighthouse hangs by the door."}"#,
        )
        .unwrap();
    assert!(kept.starts_with("HTTP/1.1 200"), "{kept}");
    assert!(daemon.stop().success());
    home
}

fn refused(home: &Home, expected: &str) {
    let before = home.files();
    for verb in ["serve", "migrate"] {
        let output = home.run(verb);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{verb}: {said}");
        assert!(said.contains(expected), "{verb}: {said}");
        assert!(home.files() == before, "{verb} changed something");
    }
}

#[test]
fn x06_another_root_key_opens_nothing_and_changes_nothing() {
    let (home, other) = (lived_in(), lived_in());
    fs::copy(other.path().join("root.key"), home.path().join("root.key")).unwrap();
    refused(&home, "does not open the data");
}

#[test]
fn x09_a_lost_root_key_is_said_plainly_and_no_new_one_is_made() {
    let home = lived_in();
    fs::remove_file(home.path().join("root.key")).unwrap();
    refused(&home, "the root key is missing");
    assert!(!home.path().join("root.key").exists());
}

#[test]
fn x05_unsafe_modes_are_refused_with_the_command_that_mends_them() {
    let home = lived_in();
    fs::set_permissions(
        home.path().join("root.key"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    refused(&home, "root.key");
    fs::set_permissions(
        home.path().join("root.key"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    refused(&home, "chmod 700");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(home.path().join("data"), fs::Permissions::from_mode(0o777)).unwrap();
    refused(&home, "chmod 700");
}

#[test]
fn n04_local_mode_binds_to_loopback_only() {
    let home = Home::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        // Without a mode it would be team, which needs a proxy that ends TLS.
        for (mode, problem) in [("local", "loopback only"), ("", "server.tls = \"proxy\"")] {
            let mut serve = home.command("serve");
            serve.env("SKEP_SERVER__TCP", address);
            if !mode.is_empty() {
                serve.env("SKEP_SERVER__MODE", mode);
            }
            let output = serve.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{address}: {said}");
            assert!(said.contains(problem), "{address}: {said}");
        }
    }
}

#[test]
fn usage_errors_are_2_and_settings_can_be_checked_without_effect() {
    let home = Home::new();
    assert_eq!(home.run("dance").status.code(), Some(2));
    let output = home
        .command("check-config")
        .env("SKEP_SERVER__TPC", "off")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean tcp"));
    assert!(home.files().is_empty());
}
