//! Programs that come to two daemons of one database.

use skep_test_support::{Reply, Request, TestDaemon, Visitor};

use super::client::{Device, Program};
use super::decide;

/// A login that the first daemon made.
async fn log_in(daemon: &TestDaemon, program: &Program) -> String {
    let visitor = Visitor::of(&daemon.store, &daemon.a).await.unwrap();
    let device = Device::start(daemon).await;
    assert_eq!(
        decide(daemon, &visitor, &device.user_code, "allow").await,
        200
    );
    let (tokens, error) = program.poll(daemon, &device).await;
    assert_eq!(error, "");
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn show(daemon: &TestDaemon, token: &str, proof: &str) -> u16 {
    let request = Request::new("GET", "/api/v1/whoami")
        .header("Authorization", &format!("DPoP {token}"))
        .header("DPoP", proof);
    request.send(daemon.address).await.unwrap().status
}

#[tokio::test(flavor = "multi_thread")]
async fn n07_of_two_nodes_that_are_shown_a_proof_at_once_one_takes_it() {
    let (first, second, _place) = TestDaemon::start_two().await;
    let program = Program::new(&first);
    let token = log_in(&first, &program).await;
    for n in 0..40 {
        // A nonce of either is one of both.
        let nonce = [&first, &second][n % 2].app.proof_nonce();
        let jti = format!("shown to both {n}");
        let proof = program.proof("GET", "/api/v1/whoami", Some(&token), Some(&nonce), &jti);
        let at_once = tokio::join!(show(&first, &token, &proof), show(&second, &token, &proof));
        let mut at_once: [u16; 2] = at_once.into();
        at_once.sort_unstable();
        assert_eq!(at_once, [200, 401], "{n}");
        for daemon in [&first, &second] {
            assert_eq!(show(daemon, &token, &proof).await, 401, "{n}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x09_a_token_signed_by_new_keys_is_let_in_by_a_node_that_was_not_told_of_them() {
    let (first, second, _place) = TestDaemon::start_two().await;
    let program = Program::new(&first);
    let whoami = async |token: &str| -> Reply {
        program.call(&second, "GET", "/api/v1/whoami", token).await
    };
    let before = log_in(&first, &program).await;
    assert_eq!(whoami(&before).await.status, 200);
    first.store.raise_signing().await.unwrap();
    let after = log_in(&first, &program).await;
    assert_eq!(whoami(&after).await.status, 200);
    assert_eq!(second.store.signing(), first.store.signing());
    assert_eq!(whoami(&before).await.status, 200, "until it ends");
}
