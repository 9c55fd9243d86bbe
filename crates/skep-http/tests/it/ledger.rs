//! Checkpoints and proofs, as whoever checks the record sees them.

use serde_json::{Value, json};
use skep_app::LedgerDesk;
use skep_ledger::{Checkpoint, Hash, VerifierKey, verify_consistency, verify_inclusion};
use skep_test_support::{Reply, Request, TestDaemon};
use std::sync::Arc;

async fn ask(daemon: &TestDaemon, token: &str, path: &str) -> Reply {
    let request = Request::new("GET", &format!("/api/v1/audit/{path}")).bearer(token);
    request.send(daemon.address).await.unwrap()
}

async fn get(daemon: &TestDaemon, token: &str, path: &str) -> Value {
    let reply = ask(daemon, token, path).await;
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.json());
    reply.json()
}

async fn remember(daemon: &TestDaemon, token: &str, text: &str) {
    let request = Request::new("POST", "/api/v1/memories").json(&json!({ "text": text }));
    let reply = request.bearer(token).send(daemon.address).await.unwrap();
    assert_eq!(reply.status, 200);
}

async fn signed(daemon: &TestDaemon) {
    daemon.record_now().await;
    LedgerDesk::new(Arc::clone(&daemon.app), None).turn().await;
}

fn hash(value: &Value) -> Hash {
    let text = value.as_str().unwrap();
    let digits = (0..64).step_by(2);
    let bytes = digits.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
    bytes.collect::<Vec<u8>>().try_into().unwrap()
}

fn hashes(proof: &Value) -> Vec<Hash> {
    proof["hashes"]
        .as_array()
        .unwrap()
        .iter()
        .map(hash)
        .collect()
}

fn opened(note: &Value, key: &Value) -> Checkpoint {
    let key = VerifierKey::parse(key.as_str().unwrap()).unwrap();
    Checkpoint::open(note.as_str().unwrap(), &key).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn l01_what_is_proved_leads_to_a_signed_head() {
    let daemon = TestDaemon::start().await;
    let owner = daemon.a.token("owner");
    for n in 0..3 {
        remember(&daemon, &owner, &format!("Lock {n} is open.")).await;
    }
    signed(&daemon).await;
    let before = get(&daemon, &owner, "checkpoints").await;
    let old = opened(&before["items"][0]["note"], &before["key"]);
    for n in 3..9 {
        remember(&daemon, &owner, &format!("Lock {n} is open.")).await;
    }
    signed(&daemon).await;
    let after = get(&daemon, &owner, "checkpoints?limit=1").await;
    let new = opened(&after["items"][0]["note"], &after["key"]);
    assert!(new.size >= old.size + 6, "{old:?} {new:?}");
    assert_eq!(after["next"], new.size, "there is an older one");
    let older = get(&daemon, &owner, &format!("checkpoints?before={}", new.size)).await;
    assert_eq!(older["items"][0]["size"], old.size);

    let proof = get(&daemon, &owner, &format!("proof?old={}", old.size)).await;
    assert_eq!(opened(&proof["checkpoint"], &after["key"]), new);
    let (was, is) = ((old.size, &old.root), (new.size, &new.root));
    verify_consistency(was, is, &hashes(&proof)).unwrap();
    for seq in 1..=old.size {
        for tree in [&old, &new] {
            let path = format!("proof?entry={seq}&size={}", tree.size);
            let proof = get(&daemon, &owner, &path).await;
            let at = (proof["index"].as_u64().unwrap(), tree.size);
            assert_eq!(at.0, seq - 1);
            verify_inclusion(hash(&proof["leaf"]), at, &tree.root, &hashes(&proof)).unwrap();
        }
    }
    for nothing in [
        "proof?entry=0",
        "proof?entry=100000",
        "proof?old=100000",
        "proof?log=usage&entry=1",
    ] {
        assert_eq!(ask(&daemon, &owner, nothing).await.status, 404, "{nothing}");
    }
    for wrong in [
        "proof",
        "proof?entry=1&old=1",
        "proof?log=x&entry=1",
        "checkpoints?limit=0",
        "export?log=x",
    ] {
        assert_eq!(ask(&daemon, &owner, wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_a_log_is_its_organizations_own() {
    let daemon = TestDaemon::start().await;
    let (ours, theirs) = (daemon.a.token("owner"), daemon.b.token("owner"));
    remember(&daemon, &ours, "Lock 1 is open.").await;
    remember(&daemon, &theirs, "Lock 1 is shut.").await;
    signed(&daemon).await;
    let ours = get(&daemon, &ours, "checkpoints").await;
    let theirs = get(&daemon, &theirs, "checkpoints").await;
    assert_ne!(ours["origin"], theirs["origin"]);
    assert_ne!(ours["items"][0]["note"], theirs["items"][0]["note"]);
}
