//! Peppers and signing keys that are changed at once: what was made before goes on, what is made after
//! is under the next.

use serde_json::{Value, json};
use skep_test_support::{Reply, Request, TestDaemon};

use super::client::Program;
use super::{house, log_in};

async fn installation(daemon: &TestDaemon, method: &str, path: &str) -> Reply {
    let request = Request::new(method, path)
        .bearer(&daemon.a.token("owner"))
        .header("Content-Length", "0");
    request.send(daemon.address).await.unwrap()
}

async fn keys(daemon: &TestDaemon) -> Value {
    installation(daemon, "GET", "/api/v1/system/keys")
        .await
        .json()
}

/// The name of the key that a token is signed with.
fn kid(token: &Value) -> String {
    use base64ct::Encoding as _;
    let head = token.as_str().unwrap().split('.').next().unwrap();
    let head = base64ct::Base64UrlUnpadded::decode_vec(head).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_another_signing_key_signs_at_once_and_the_one_before_counts_until_its_tokens_end() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let before = log_in(&daemon, &visitor, &program).await;
    let old = kid(&before["access_token"]);
    let rotated = installation(&daemon, "POST", "/api/v1/system/keys/signing").await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let listed = rotated.json()["signing"].as_array().unwrap().clone();
    let one = |id: &str| listed.iter().find(|key| key["id"] == id).cloned();
    let was = one(&old).expect("the old one is listed");
    assert!(
        was["signs"] == false && was["retires_at"].is_string(),
        "{was}"
    );
    let after = program.refresh(&daemon, &before).await.0;
    let new = kid(&after["access_token"]);
    assert!(new != old && one(&new).unwrap()["signs"] == true);
    for tokens in [&before, &after] {
        let token = tokens["access_token"].as_str().unwrap();
        let reply = program.call(&daemon, "GET", "/api/v1/whoami", token).await;
        assert_eq!(reply.status, 200, "both count while both may");
    }
    // A second change while tokens of the first one's predecessor may count would strand them.
    let again = installation(&daemon, "POST", "/api/v1/system/keys/signing").await;
    assert_eq!(again.status, 409, "{}", again.text());
    daemon.clock.advance_seconds(632);
    let published = Request::new("GET", "/.well-known/jwks.json");
    let published = published.send(daemon.address).await.unwrap().text();
    assert!(!published.contains(&old) && published.contains(&new));
    let again = installation(&daemon, "POST", "/api/v1/system/keys/signing").await;
    assert_eq!(again.status, 200, "{}", again.text());
    let last = program.refresh(&daemon, &after).await.0;
    assert!(![&old, &new].contains(&&kid(&last["access_token"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_credentials_go_on_under_their_pepper_and_new_ones_come_under_the_next() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let login = log_in(&daemon, &visitor, &program).await;
    let owner = daemon.a.token("owner");
    let key = async |label: &str| {
        let request = Request::new("POST", "/api/v1/keys").bearer(&owner);
        let made = request
            .json(&json!({ "label": label }))
            .send(daemon.address)
            .await;
        made.unwrap().json()["secret"].as_str().unwrap().to_owned()
    };
    daemon.own(&daemon.a).await;
    let old = key("before").await;
    let before = keys(&daemon).await["peppers"].as_array().unwrap().clone();
    assert!(
        before.len() == 1 && before[0]["in_force"] == true,
        "{before:?}"
    );
    let guarded = before[0]["credentials"].as_u64().unwrap();
    let rotated = installation(&daemon, "POST", "/api/v1/system/keys/pepper").await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let new = key("after").await;
    for token in [&old, &new] {
        let read = Request::new("GET", "/api/v1/whoami").bearer(token);
        assert_eq!(read.send(daemon.address).await.unwrap().status, 200);
    }
    let session = Request::new("GET", "/api/v1/whoami").header("Cookie", &visitor.cookie);
    assert_eq!(session.send(daemon.address).await.unwrap().status, 200);
    // A login's refresh token comes under the new one with its next use.
    let renewed = program.refresh(&daemon, &login).await;
    assert_eq!(renewed.1, "", "{}", renewed.0);
    let after = keys(&daemon).await["peppers"].as_array().unwrap().clone();
    let of = |at: usize| after[at]["credentials"].as_u64().unwrap();
    assert_eq!(
        (after.len(), of(0), of(1)),
        (2, guarded - 1, 2),
        "{after:?}"
    );
    assert!(after[0]["in_force"] == false && after[1]["in_force"] == true);
    assert!(
        after[0]["retires_at"].is_null(),
        "a key without an end is under it"
    );
    let record = daemon.record(&owner).await;
    assert!(
        record
            .iter()
            .any(|entry| entry["action"] == "key.rotate_pepper")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_installation_are_nobody_elses_to_change() {
    let (daemon, visitor) = house().await;
    let cookie = visitor.cookie.split_once('=').unwrap().1.as_bytes();
    let caller = daemon.app.authenticate_browser(cookie).await.unwrap();
    assert!(daemon.app.rotation(&caller).await.is_err());
    assert!(daemon.app.rotate_pepper(&caller).await.is_err());
    assert!(daemon.app.rotate_signing(&caller).await.is_err());
    let shown = keys(&daemon).await;
    assert_eq!(shown["peppers"].as_array().unwrap().len(), 1);
}
