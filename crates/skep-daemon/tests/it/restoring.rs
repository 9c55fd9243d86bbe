//! One workspace of an archive put back by the real program, on files and on a database: what was erased
//! since stays erased, and what is beside it stays as it is. And a restore that is killed.

use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::database::{Place, body, is_kept, recall, remember, said};
use crate::home::Home;
use crate::moving::{PASSPHRASE, restore};
use crate::nodes::until;
use crate::rows;

const STAYS: &str = "The pilot of the estuary is called Annbritt.";
const DOOMED: &str = "The pilot's safe opens with the number 7411.";
const LATER: &str = "The pilot of the estuary has a grey boat.";

fn keep(home: &Home, text: &str) -> String {
    let kept = remember(home, text).unwrap();
    assert!(is_kept(Some(&kept)), "{kept}");
    body(&kept)["memory"]["id"].as_str().unwrap().to_owned()
}

/// Which of the three statements it knows.
fn known(home: &Home) -> [bool; 3] {
    let daemon = home.serve();
    let found = recall(
        home,
        "the pilot of the estuary, the safe's number and the boat",
    );
    assert!(daemon.stop().success());
    [STAYS, DOOMED, LATER].map(|text| found.contains(text))
}

fn back_up(home: &Home, archive: &Path, more: &Value) {
    let mut order = json!({ "passphrase": PASSPHRASE });
    if let Some(name) = more.as_str() {
        order["workspace"] = name.into();
    }
    let bytes = home.post_for_bytes("/api/v1/system/backup", &order.to_string());
    fs::write(archive, bytes.unwrap()).unwrap();
}

fn printed(done: &Output) -> String {
    assert!(done.status.success(), "{}", said(done));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Backs a workspace up, changes it, and puts it back; `beside` is what must not change while that is done.
fn put_back<T: Debug + PartialEq>(home: &Home, beside: impl Fn() -> T) {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let daemon = home.serve();
    keep(home, STAYS);
    let doomed = keep(home, DOOMED);
    back_up(home, &archive, &"default".into());
    let erased = home.post(&format!("/api/v1/memories/{doomed}/erase"), "");
    assert!(is_kept(erased.as_ref()), "{erased:?}");
    keep(home, LATER);
    assert!(daemon.stop().success());
    assert_eq!(known(home), [true, false, true]);

    let again = |flags: &[&str]| {
        let before = beside();
        let done = restore(home, &archive, PASSPHRASE, flags);
        assert_eq!(beside(), before);
        done
    };
    let flags = ["--workspace", "default", "--replace", "--bring-back-erased"];
    let unasked = again(&flags[..2]);
    assert!(said(&unasked).contains("--replace"), "{}", said(&unasked));
    assert_eq!(unasked.status.code(), Some(1));
    assert_eq!(known(home), [true, false, true]);

    let told = printed(&again(&flags[..3]));
    assert!(told.contains("rows stayed away"), "{told}");
    assert_eq!(known(home), [true, false, false]);

    let told = printed(&again(&flags));
    assert!(told.contains("was not looked at"), "{told}");
    assert_eq!(known(home), [true, true, false]);
}

fn another_workspace(home: &Home) {
    let daemon = home.serve();
    keep(home, "The lighthouse has 112 steps.");
    let made = home.post("/api/v1/workspaces", r#"{"name":"drydock"}"#);
    assert!(is_kept(made.as_ref()), "{made:?}");
    assert!(daemon.stop().success());
}

#[test]
fn t18_what_was_erased_since_a_backup_stays_erased_on_files() {
    let home = Home::new();
    another_workspace(&home);
    put_back(&home, || ());
}

#[test]
fn t18_what_was_erased_since_a_backup_stays_erased_on_a_database() {
    let place = Place::migrated();
    let database = &place.database;
    assert!(place.home.serve().stop().success());
    let own = rows::workspace(database, "true");
    another_workspace(&place.home);
    let other = rows::workspace(database, &format!("id <> '{own}'"));
    rows::copy(database, (&own, &other), 3);
    put_back(&place.home, || {
        let contents = rows::contents(database, &other);
        let has_some = contents.iter().any(|rows| rows.starts_with("memory 3 "));
        assert!(has_some, "{contents:?}");
        contents
    });
}

/// Whoever puts a row into a table waits for ever.
fn hold_up(place: &Place, table: &str) {
    place.database.run(&format!(
        "CREATE OR REPLACE FUNCTION public.waits() RETURNS boolean LANGUAGE sql
             RETURN pg_sleep(600)::text IS NULL;
         ALTER TABLE skep.{table} ADD CONSTRAINT waits CHECK (public.waits()) NOT VALID"
    ));
}

#[test]
fn f10_a_restore_into_a_database_that_is_killed_serves_nothing_and_runs_again() {
    let (source, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let archive = folder.path().join("archive");
    let daemon = source.serve();
    keep(&source, STAYS);
    back_up(&source, &archive, &Value::Null);
    assert!(daemon.stop().success());
    let place = Place::migrated();
    let (home, database) = (&place.home, &place.database);
    database.run(&format!(
        "ALTER DATABASE {} SET client_connection_check_interval = 50",
        database.name()
    ));
    home.put("passphrase", PASSPHRASE);
    // In the rows of the workspace, and twice in the installation's own, which come last.
    for table in ["memory", "workspace", "credential"] {
        hold_up(&place, table);
        let mut command = home.command("restore");
        command.arg("--from").arg(&archive);
        let passphrase = home.path().join("passphrase");
        let command = command.arg("--passphrase-file").arg(passphrase);
        let mut child = command.spawn().unwrap();
        let is = |what: &str, count: &str| {
            let asked = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {what}"
            );
            until(what, || (database.query(&asked) == count).then_some(()));
        };
        is("wait_event = 'PgSleep'", "1");
        child.kill().unwrap();
        child.wait().unwrap();
        is("usename = 'skep_app'", "0");
        database.run(&format!("ALTER TABLE skep.{table} DROP CONSTRAINT waits"));
        for table in ["instance", "organization", "workspace", "credential"] {
            let count = format!("SELECT count(*) FROM skep.{table}");
            assert_eq!(database.query(&count), "0", "{table}");
        }
    }
    printed(&restore(home, &archive, PASSPHRASE, &[]));
    assert_eq!(known(home), [true, false, false]);
}
