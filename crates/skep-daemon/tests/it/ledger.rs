//! The log of a real daemon against whoever has every right in its database, and against `kill -9`.

use std::fs;
use std::io::BufRead;

use skep_ledger::{Frontier, Problem, Verified, VerifyError, verify};

use crate::database::{Place, remember, settings};
use crate::home::Home;
use skep_test_programs::postgres::{Database, Server};

const WITNESS: &str = "witness.jsonl";

fn place() -> Place {
    let place = Place::migrated();
    let socket = Server::shared().socket().display().to_string();
    let more = format!("[ledger]\nwitness = \"{WITNESS}\"\n");
    let text = settings(&socket, place.database.name(), "");
    place.home.put("skep.toml", &format!("{text}\n{more}"));
    place
}

fn say(home: &Home, count: u32) {
    for n in 0..count {
        let text = format!("Lock {n} of the canal is {n} metres above the sea.");
        assert!(remember(home, &text).unwrap().starts_with("HTTP/1.1 200"));
    }
}

fn export(home: &Home) -> Vec<u8> {
    home.get_for_bytes("/api/v1/audit/export").unwrap()
}

fn verdict(export: &[u8], witness: Option<&[u8]>) -> Result<Verified, Problem> {
    let mut witness = witness;
    let witness = witness.as_mut().map(|file| file as &mut dyn BufRead);
    verify(&mut &*export, witness, None).map_err(|error| match error {
        VerifyError::Bad(found) => found.problem,
        VerifyError::Read(error) => panic!("{error}"),
    })
}

/// The organization whose log is longest, and what is in it.
fn longest(database: &Database) -> (String, u64) {
    let said = database.query(
        "SELECT organization || ' ' || size FROM skep.ledger_head WHERE log = 0 ORDER BY size DESC LIMIT 1",
    );
    let (organization, size) = said.trim().split_once(' ').unwrap();
    (organization.to_owned(), size.parse().unwrap())
}

/// Makes the tree that the store has now the one that its rows give.
fn mend_head(database: &Database, organization: &str) {
    let leaves = database.query(&format!(
        "SELECT encode(leaf, 'hex') FROM skep.audit WHERE organization = '{organization}'
         AND leaf IS NOT NULL ORDER BY seq"
    ));
    let mut tree = Frontier::default();
    for leaf in leaves.lines() {
        let digits = (0..64).step_by(2);
        let bytes = digits.map(|at| u8::from_str_radix(&leaf[at..at + 2], 16).unwrap());
        let leaf: Vec<u8> = bytes.collect();
        tree.push(leaf.try_into().unwrap(), |_, _, _| {});
    }
    let subtrees = skep_ledger::digits(&tree.to_bytes());
    database.run(&format!(
        "UPDATE skep.ledger_head SET size = {}, frontier = decode('{subtrees}', 'hex')
             WHERE organization = '{organization}' AND log = 0;
         DELETE FROM skep.checkpoint WHERE organization = '{organization}'",
        tree.size()
    ));
}

#[test]
fn l02_a_log_that_was_cut_with_the_databases_rights_is_not_what_the_witness_has() {
    let place = place();
    let daemon = place.home.serve();
    say(&place.home, 9);
    let whole = export(&place.home);
    assert!(daemon.stop().success());
    let witness = fs::read(place.home.path().join(WITNESS)).unwrap();
    let held = verdict(&whole, Some(&witness)).unwrap();
    assert!(held.header.size >= 10 && held.checkpoints >= 1);

    let (organization, size) = longest(&place.database);
    let kept = size - 4;
    place.database.run(&format!(
        "DELETE FROM skep.audit WHERE organization = '{organization}' AND seq > {kept}"
    ));
    mend_head(&place.database, &organization);
    let daemon = place.home.serve();
    let cut = export(&place.home);
    verdict(&cut, None).unwrap();
    let found = verdict(&cut, Some(&witness)).unwrap_err();
    let is_caught = matches!(found, Problem::WitnessLonger(_) | Problem::WitnessOther(..));
    assert!(is_caught, "{found:?}");
    assert!(daemon.stop().success());
}

#[test]
fn l02_a_tail_that_was_rewritten_with_the_databases_rights_is_not_what_the_witness_has() {
    let place = place();
    let daemon = place.home.serve();
    say(&place.home, 6);
    assert!(daemon.stop().success());
    let witness = fs::read(place.home.path().join(WITNESS)).unwrap();
    let (organization, size) = longest(&place.database);
    // An entry whose line does not fit its hash is named, whatever the tree says.
    place.database.run(&format!(
        "UPDATE skep.audit SET action = 'nothing' WHERE organization = '{organization}' AND seq = {size}"
    ));
    let daemon = place.home.serve();
    let found = verdict(&export(&place.home), None).unwrap_err();
    assert_eq!(found, Problem::Damaged);
    assert!(daemon.stop().success());
    // One that is made to have been erased, with another hash, and a tree that fits.
    place.database.run(&format!(
        "UPDATE skep.audit SET body = '', leaf = decode(repeat('5a', 32), 'hex')
         WHERE organization = '{organization}' AND seq = {size}"
    ));
    mend_head(&place.database, &organization);
    let daemon = place.home.serve();
    let forged = export(&place.home);
    assert_eq!(verdict(&forged, None).unwrap().erased, 1);
    let found = verdict(&forged, Some(&witness)).unwrap_err();
    assert!(matches!(found, Problem::WitnessOther(..)), "{found:?}");
    assert!(daemon.stop().success());
}

#[test]
fn l02_what_was_recorded_before_a_kill_is_signed_after_the_next_start() {
    let place = place();
    let mut entries = 0;
    for _ in 0..3 {
        let mut daemon = place.home.serve();
        say(&place.home, 4);
        daemon.0.kill().unwrap();
        daemon.0.wait().unwrap();
        let (_, size) = longest(&place.database);
        assert!(size >= entries + 4, "{size} after {entries}");
        entries = size;
    }
    let daemon = place.home.serve();
    let whole = export(&place.home);
    assert!(daemon.stop().success());
    let witness = fs::read(place.home.path().join(WITNESS)).unwrap();
    let held = verdict(&whole, Some(&witness)).unwrap();
    assert!(
        held.header.size > entries && held.witnessed >= 2,
        "{held:?}"
    );
}
