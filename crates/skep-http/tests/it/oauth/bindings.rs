//! What each code and token is bound to: its client, its key, its server, its time; and what is
//! recorded when somebody else comes with it.

use serde_json::{Value, json};
use skep_crypto::sha256;
use skep_test_support::{Request, TestDaemon, Visitor};

use super::client::{Device, Program, encode};
use super::{REDIRECT, decide, hidden, home_of, house, log_in, page, register, submit, whoami};

/// A client that proves nothing, of another name than those of [`register`].
async fn another(daemon: &TestDaemon) -> String {
    let metadata = json!({"client_name": "<b>Skep command line</b>",
        "redirect_uris": ["http://127.0.0.1/cb"]});
    let request = Request::new("POST", "/oauth/register").json(&metadata);
    let reply = request.send(daemon.address).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["client_id"].as_str().unwrap().to_owned()
}

/// Lets a client in at its page and gives the code that its browser brings back.
async fn let_in(daemon: &TestDaemon, visitor: &Visitor, path: &str) -> String {
    let shown = page(daemon, path, &visitor.cookie).await.text();
    let home = home_of(daemon);
    let mut fields = Vec::new();
    let names = [
        "token",
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
    ];
    for name in names {
        if shown.contains(&format!("name=\"{name}\"")) {
            fields.push((name, hidden(&shown, name)));
        }
    }
    let mut sent: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    sent.extend([("do", "allow"), ("home", home.as_str())]);
    let reply = submit(daemon, "/oauth/authorize", &visitor.cookie, &sent).await;
    let location = reply.header("Location");
    let code = location.split("?code=").nth(1).unwrap_or_default();
    code.split('&').next().unwrap_or_default().to_owned()
}

async fn redeem(
    daemon: &TestDaemon,
    program: &Program,
    (client, code): (&str, &str),
    verifier: &str,
    proves: bool,
) -> (Value, String) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", verifier),
    ];
    program.token(daemon, &fields, proves).await
}

async fn refresh_as(
    daemon: &TestDaemon,
    program: &Program,
    client: &str,
    tokens: &Value,
) -> (Value, String) {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    program.token(daemon, &fields, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a_code_and_what_comes_of_it_serve_one_client() {
    let (daemon, visitor) = house().await;
    let (client, other) = (register(&daemon, false).await, another(&daemon).await);
    let program = Program::new(&daemon);
    let path = program.authorize_path(&client, REDIRECT);
    let code = let_in(&daemon, &visitor, &path).await;
    let verifier = program.verifier();
    let stolen = redeem(&daemon, &program, (&other, &code), verifier, false).await;
    assert_eq!(stolen.1, "invalid_grant");
    let code = let_in(&daemon, &visitor, &path).await;
    let (tokens, _) = redeem(&daemon, &program, (&client, &code), verifier, false).await;
    assert!(tokens["refresh_token"].is_string(), "{tokens}");
    let stolen = refresh_as(&daemon, &program, &other, &tokens).await;
    assert_eq!(stolen.1, "invalid_grant");
    let renewed = refresh_as(&daemon, &program, &client, &tokens).await.0;
    assert!(renewed["access_token"].is_string(), "nothing was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a_stranger_with_a_refresh_token_revokes_and_breaks_nothing() {
    let (daemon, visitor) = house().await;
    let (client, other) = (register(&daemon, false).await, another(&daemon).await);
    let program = Program::new(&daemon);
    let path = program.authorize_path(&client, REDIRECT);
    let code = let_in(&daemon, &visitor, &path).await;
    let verifier = program.verifier();
    let (tokens, _) = redeem(&daemon, &program, (&client, &code), verifier, false).await;
    let fields = [
        ("token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", other.as_str()),
    ];
    let revoke = Request::new("POST", "/oauth/revoke").form(&fields);
    assert_eq!(revoke.send(daemon.address).await.unwrap().status, 200);
    let renewed = refresh_as(&daemon, &program, &client, &tokens).await;
    assert_eq!(renewed.1, "", "still its client's, and still the last one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a_verifier_is_long_and_a_code_bound_to_a_key_is_redeemed_with_it() {
    let (daemon, visitor) = house().await;
    let client = register(&daemon, false).await;
    let (program, thief) = (Program::new(&daemon), Program::with_key(&daemon, 66));
    let path = program.authorize_path(&client, REDIRECT);
    // A challenge of a verifier that anybody could guess.
    let short = path.replace(
        &encode(&sha256(program.verifier().as_bytes())),
        &encode(&sha256(b"short")),
    );
    let code = let_in(&daemon, &visitor, &short).await;
    let guessed = redeem(&daemon, &program, (&client, &code), "short", false).await;
    assert_eq!(guessed.1, "invalid_grant");
    let bound = format!("{path}&dpop_jkt={}", program.thumbprint());
    for (who, proves, expected) in [
        (&thief, true, "invalid_grant"),
        (&program, false, "invalid_grant"),
        (&program, true, ""),
    ] {
        let code = let_in(&daemon, &visitor, &bound).await;
        let outcome = redeem(&daemon, who, (&client, &code), who.verifier(), proves).await;
        assert_eq!(outcome.1, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a15_a_device_is_polled_for_by_its_own_client() {
    let (daemon, visitor) = house().await;
    let other = another(&daemon).await;
    let program = Program::new(&daemon);
    let device = Device::start(&daemon).await;
    assert_eq!(
        decide(&daemon, &visitor, &device.user_code, "allow").await,
        200
    );
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", other.as_str()),
        ("device_code", &device.device_code),
    ];
    let stolen = program.token(&daemon, &fields, false).await;
    assert_eq!(stolen.1, "invalid_grant");
    assert!(program.poll(&daemon, &device).await.0["access_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a08_a_resource_is_this_server_and_not_one_that_begins_like_it() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let own = format!("http://{}", daemon.address);
    let tokens = log_in(&daemon, &visitor, &program).await;
    for (resource, fits) in [
        (own.clone(), true),
        (format!("{own}/mcp"), true),
        (format!("{own}1"), false),
        (format!("{own}.evil.example"), false),
        (format!("{own}@evil.example/"), false),
        (format!("{own}/#f"), false),
        ("https://other.example".to_owned(), false),
        // A parameter without a value is none (RFC 6749, section 3.2).
        (String::new(), true),
    ] {
        let start = [("client_id", "skep-cli"), ("resource", &resource)];
        let start = Request::new("POST", "/oauth/device_authorization").form(&start);
        let status = start.send(daemon.address).await.unwrap().status;
        assert_eq!(status == 200, fits, "{resource}");
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", "skep-cli"),
            ("refresh_token", "skep_rt_none"),
            ("resource", &resource),
        ];
        let error = program.token(&daemon, &fields, true).await.1;
        let expected = if fits {
            "invalid_grant"
        } else {
            "invalid_target"
        };
        assert_eq!(error, expected, "{resource}");
    }
    assert!(program.refresh(&daemon, &tokens).await.0["access_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a_login_ends_after_thirty_days_without_use() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let day = 86_400;
    let tokens = log_in(&daemon, &visitor, &program).await;
    daemon.clock.advance_seconds(29 * day);
    let tokens = program.refresh(&daemon, &tokens).await.0;
    assert!(tokens["refresh_token"].is_string());
    daemon.clock.advance_seconds(30 * day + 1);
    assert_eq!(program.refresh(&daemon, &tokens).await.1, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a16_reuse_and_guesses_are_in_the_record_of_whose_login_it_is() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let tokens = log_in(&daemon, &visitor, &program).await;
    program.refresh(&daemon, &tokens).await;
    assert_eq!(program.refresh(&daemon, &tokens).await.1, "invalid_grant");
    assert_eq!(decide(&daemon, &visitor, "BBBB-BBBB", "allow").await, 400);
    let record = daemon.record_whole(&daemon.a.token("owner")).await;
    let entries = |action: &str| -> Vec<Value> {
        let of = record.iter().filter(|entry| entry["action"] == action);
        of.cloned().collect()
    };
    let reuse = entries("refresh.reuse");
    assert_eq!(reuse.len(), 1, "{record:#?}");
    assert_eq!(reuse[0]["outcome"], "denied");
    assert!(reuse[0]["credential"].is_string(), "which login");
    let guesses = entries("device.guess");
    assert_eq!(guesses.len(), 1, "{record:#?}");
    assert!(guesses[0]["credential"].is_string(), "whose session");
    let theirs = daemon.record_whole(&daemon.b.token("owner")).await;
    let known = ["refresh.reuse", "device.guess"].map(Value::from);
    assert!(!theirs.iter().any(|entry| known.contains(&entry["action"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_what_a_program_calls_itself_is_a_text_that_nobody_checked() {
    let (daemon, visitor) = house().await;
    let client = another(&daemon).await;
    let program = Program::new(&daemon);
    let path = program.authorize_path(&client, REDIRECT);
    let shown = page(&daemon, &path, &visitor.cookie).await.text();
    assert!(!shown.contains("<b>Skep"), "{shown}");
    assert!(shown.contains("&lt;b&gt;Skep command line&lt;/b&gt; (so it calls itself"));
    let own = program.authorize_path("skep-cli", "http://127.0.0.1:5999/callback");
    let shown = page(&daemon, &own, &visitor.cookie).await.text();
    assert!(shown.contains("Skep command line") && !shown.contains("calls itself"));
}

/// Whoever holds a key or a token could make themselves another with it.
#[tokio::test(flavor = "multi_thread")]
async fn a17_nothing_but_a_browser_lets_programs_in() {
    let (daemon, visitor) = house().await;
    let program = Program::new(&daemon);
    let tokens = log_in(&daemon, &visitor, &program).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(whoami(&daemon, &program, access).await, 200);
    let device = Device::start(&daemon).await;
    let owner = daemon.a.caller(&daemon.store, "owner").await;
    assert!(daemon.app.form_token(&owner, "review").is_err());
    assert!(daemon.app.list_homes(&owner).await.is_err());
    let looked = daemon.app.review_device(&owner, &device.user_code).await;
    assert!(looked.is_err());
    let home = Some((daemon.a.organization, daemon.a.workspace));
    let decided = daemon
        .app
        .decide_device(&owner, &device.user_code, home)
        .await;
    assert!(decided.is_err());
    let shown = program.call(&daemon, "GET", "/oauth/device", access).await;
    assert_eq!(shown.status, 303, "to the login page");
    assert_eq!(
        program.poll(&daemon, &device).await.1,
        "authorization_pending"
    );
}
