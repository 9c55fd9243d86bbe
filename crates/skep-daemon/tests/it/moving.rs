//! Archives and moves with the real daemon: what was remembered in one place is recalled in another, and what
//! stops half-way can be run again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::json;
use skep_test_programs::postgres::Server;

use crate::database::{Place, is_kept, recall, remember, said};
use crate::home::Home;

pub(crate) const PASSPHRASE: &str = "plover anvil tuba harbour";
const CANARY: &str = "The harbour master of Zanzibarrow listens on port 7411.";

/// A home whose daemon has remembered something, and what a backup of it gave.
struct Backed {
    home: Home,
    folder: tempfile::TempDir,
}

impl Backed {
    fn new() -> Self {
        let backed = Self {
            home: Home::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        let daemon = backed.home.serve();
        assert!(is_kept(remember(&backed.home, CANARY).as_ref()));
        for n in 0..40 {
            let text = format!("Berth {n} of the harbour takes ships of {} metres.", n + 10);
            assert!(is_kept(remember(&backed.home, &text).as_ref()));
        }
        let order = json!({ "passphrase": PASSPHRASE }).to_string();
        let bytes = backed.home.post_for_bytes("/api/v1/system/backup", &order);
        fs::write(backed.archive(), bytes.unwrap()).unwrap();
        assert!(daemon.stop().success());
        backed
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }
}

pub(crate) fn restore(home: &Home, archive: &Path, passphrase: &str, more: &[&str]) -> Output {
    home.put("passphrase", passphrase);
    let mut command = home.command("restore");
    command.arg("--from").arg(archive);
    command
        .arg("--passphrase-file")
        .arg(home.path().join("passphrase"));
    command.args(more).output().unwrap()
}

fn knows(home: &Home) -> bool {
    let daemon = home.serve();
    let found = recall(
        home,
        "which port does the harbour master of Zanzibarrow listen on",
    );
    assert!(daemon.stop().success());
    found.contains("port 7411")
}

#[test]
fn f10_an_archive_outlives_its_home_its_key_and_its_store() {
    let backed = Backed::new();
    let bytes = fs::read(backed.archive()).unwrap();
    for canary in ["Zanzibarrow", "harbour", "default"] {
        let found = bytes
            .windows(canary.len())
            .any(|part| part == canary.as_bytes());
        assert!(!found, "the archive shows {canary}");
    }
    let files = Home::new();
    let done = restore(&files, &backed.archive(), PASSPHRASE, &[]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(knows(&files));
    let again = restore(&files, &backed.archive(), PASSPHRASE, &[]);
    assert!(!again.status.success());
    assert!(
        said(&again).contains("there is an installation already"),
        "{}",
        said(&again)
    );

    let place = Place::migrated();
    let done = restore(&place.home, &backed.archive(), PASSPHRASE, &[]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(knows(&place.home));
}

#[test]
fn f10_a_bad_archive_or_passphrase_changes_nothing() {
    let backed = Backed::new();
    let home = Home::new();
    let wrong = restore(&home, &backed.archive(), "another passphrase", &[]);
    assert!(!wrong.status.success());
    assert!(said(&wrong).contains("does not open"), "{}", said(&wrong));
    let mut bytes = fs::read(backed.archive()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let flipped = backed.folder.path().join("flipped");
    fs::write(&flipped, &bytes).unwrap();
    fs::write(backed.folder.path().join("cut"), &bytes[..middle]).unwrap();
    for name in ["flipped", "cut"] {
        let refused = restore(&home, &backed.folder.path().join(name), PASSPHRASE, &[]);
        assert!(!refused.status.success(), "{name}");
        assert!(said(&refused).contains("damaged"), "{}", said(&refused));
        let refused = restore(
            &home,
            &backed.folder.path().join(name),
            PASSPHRASE,
            &["--verify"],
        );
        assert!(!refused.status.success(), "{name}");
    }
    let before = home.files();
    let sound = restore(
        &home,
        &backed.archive(),
        PASSPHRASE,
        &["--verify", "--json"],
    );
    assert!(sound.status.success(), "{}", said(&sound));
    let said: serde_json::Value = serde_json::from_slice(&sound.stdout).unwrap();
    assert_eq!(said["rows"], said["compared"]);
    assert!(said["opened"].as_u64().unwrap() > 40);
    assert_eq!(home.files(), before, "a look leaves nothing behind");
    let done = restore(&home, &backed.archive(), PASSPHRASE, &[]);
    assert!(done.status.success());
}

#[test]
fn f10_a_killed_restore_serves_nothing_and_runs_again() {
    let backed = Backed::new();
    let home = Home::new();
    home.put("passphrase", PASSPHRASE);
    let mut command = home.command("restore");
    command.arg("--from").arg(backed.archive());
    command
        .arg("--passphrase-file")
        .arg(home.path().join("passphrase"));
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    // As soon as rows of a workspace are on their way.
    let folder = home.path().join("data/ws");
    let begun = || fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    while !begun() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let done = restore(&home, &backed.archive(), PASSPHRASE, &[]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(knows(&home));
}

#[test]
fn f10_an_installation_moves_to_a_database_and_back() {
    let Backed { home, folder: _ } = Backed::new();
    let place = Place::migrated();
    let url = format!(
        "postgres://skep_app@/{}?host={}",
        place.database.name(),
        Server::shared().socket().display()
    );
    let move_to = |to: &str| {
        home.command("migrate-db")
            .args(["--to", to])
            .output()
            .unwrap()
    };
    let mut killed = home
        .command("migrate-db")
        .args(["--to", &url])
        .spawn()
        .unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = home.files();
    let done = move_to(&url);
    assert!(done.status.success(), "{}", said(&done));
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(told.contains("backend = \"postgres\""), "{told}");
    assert_eq!(home.files(), before, "the source is as it was");
    let again = move_to(&url);
    assert!(again.status.success(), "{}", said(&again));
    assert!(String::from_utf8_lossy(&again.stdout).starts_with("nothing to move"));

    // The lines that it printed, and the mode that this test serves in.
    let lines: Vec<&str> = told.lines().skip_while(|line| *line != "[store]").collect();
    let section: Vec<&str> = lines
        .into_iter()
        .take_while(|line| !line.is_empty())
        .collect();
    let settings = format!("[server]\nmode = \"local\"\n{}\n", section.join("\n"));
    home.put("skep.toml", &settings);
    assert!(knows(&home));

    let text = place.database.query(
        "SELECT string_agg(query_to_xml(format('SELECT * FROM skep.%I', relname), true, false, '')::text, '')
         FROM pg_class WHERE relnamespace = 'skep'::regnamespace AND relkind = 'r'",
    );
    assert!(text.len() > 10_000);
    for canary in ["Zanzibarrow", "harbour", "default"] {
        let bytes = canary.bytes().map(|byte| format!("{byte:02x}"));
        let hex = bytes.collect::<Vec<_>>().concat();
        assert!(
            !text.contains(canary) && !text.to_lowercase().contains(&hex),
            "{canary}"
        );
    }

    fs::rename(home.path().join("data"), home.path().join("old")).unwrap();
    let back = move_to("embedded");
    assert!(back.status.success(), "{}", said(&back));
    home.put("skep.toml", "");
    assert!(knows(&home));
}
