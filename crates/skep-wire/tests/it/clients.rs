//! Real clients, as they come: what they send arrives with the value, what they hold has none of it.

use std::path::Path;
use std::process::Output;

use base64ct::{Base64, Encoding};
use skep_test_programs::program::fetched;
use tokio::process::Command;

use crate::stand::{KEY, Stand};
use crate::values::{VALUE, assert_no_value};

pub(crate) async fn run(stand: &Stand, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(stand.folder.path())
        .env_clear()
        .envs(stand.environment())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", stand.folder.path())
        .env("API_KEY", KEY)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap()
}

/// What a client says, after it was seen that nothing of a value is in it.
pub(crate) async fn said(stand: &Stand, program: &str, arguments: &[&str]) -> String {
    let output = run(stand, program, arguments).await;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_no_value(program, &said);
    said
}

pub(crate) async fn curl(stand: &Stand, arguments: &[&str]) -> String {
    let mut all = vec!["--silent", "--show-error", "--max-time", "20"];
    all.extend(arguments);
    said(stand, "curl", &all).await
}

#[tokio::test]
async fn x03_curl_is_served_over_both_protocols() {
    for protocol in ["--http1.1", "--http2"] {
        let stand = Stand::new().await;
        let said = curl(
            &stand,
            &[
                "-v",
                protocol,
                "-H",
                "Authorization: Bearer __skep_key__",
                "https://api.test/echo",
            ],
        )
        .await;
        let got = stand.origin.only();
        assert_eq!(
            got.header("authorization"),
            format!("Bearer {VALUE}"),
            "{said}"
        );
        assert!(got.is_http2, "the origin's choice, whatever the client's");
        assert!(
            said.contains("authorization: Bearer __skep_key__"),
            "{said}"
        );
        assert_eq!(
            said.contains("using HTTP/2"),
            protocol == "--http2",
            "{said}"
        );
        assert_eq!(stand.vault.sent_to(), ["key to api.test:443"]);
    }
}

#[tokio::test]
async fn x03_curl_sends_basic_credentials_and_other_headers() {
    let stand = Stand::new().await;
    curl(
        &stand,
        &[
            "-u",
            "user:__skep_key__",
            "-H",
            "x-api-key: __skep_key__",
            "https://api.test/echo",
        ],
    )
    .await;
    let got = stand.origin.only();
    let coded = Base64::encode_string(format!("user:{VALUE}").as_bytes());
    assert_eq!(got.header("authorization"), format!("Basic {coded}"));
    assert_eq!(got.header("x-api-key"), VALUE);
}

#[tokio::test]
async fn x03_curl_follows_a_redirect_to_another_host_without_the_value() {
    let stand = Stand::new().await;
    let said = curl(
        &stand,
        &[
            "-L",
            "--location-trusted",
            "-H",
            "x-api-key: __skep_key__",
            "https://api.test/redirect-away",
        ],
    )
    .await;
    assert!(said.contains("placeholder_to_host"), "{said}");
    assert_eq!(stand.origin.only().line, "GET /redirect-away");
}

#[tokio::test]
async fn x03_python_requests_is_served() {
    let stand = Stand::new().await;
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let make = "python3 -m venv venv && venv/bin/pip install --quiet --no-compile requests==2.34.2";
    let python = fetched(place, "python-requests", "sh", &["-c", make]).join("venv/bin/python");
    let script = "
import os, requests
with requests.Session() as session:
    key = os.environ['API_KEY']
    session.headers['Authorization'] = f'Bearer {key}'
    for n in range(3):
        answer = session.post('https://api.test/echo', json={'n': n})
        print(answer.status_code, answer.text)
    print(session.get('https://api.test/echo', auth=('user', key)).text)
    print(session.get('https://api.test/echo-chunked').text)
    print(dict(os.environ))
";
    let said = said(&stand, python.to_str().unwrap(), &["-c", script]).await;
    let got = stand.origin.got();
    assert_eq!(got.len(), 5, "{said}");
    for (n, got) in got.iter().take(3).enumerate() {
        assert_eq!(
            got.header("authorization"),
            format!("Bearer {VALUE}"),
            "{said}"
        );
        assert_eq!(got.body, format!("{{\"n\": {n}}}"));
    }
    assert!(
        said.contains("authorization: Bearer __skep_key__"),
        "{said}"
    );
}

#[tokio::test]
async fn x03_node_fetch_is_served() {
    let stand = Stand::new().await;
    let programs = skep_test_programs::mcp::programs(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let script = "
const key = process.env.API_KEY;
for (const path of ['echo', 'echo-chunked']) {
  const answer = await fetch(`https://api.test/${path}`, {
    method: 'POST', headers: { authorization: `Bearer ${key}` }, body: 'hello',
  });
  console.log(answer.status, await answer.text());
}
console.log(JSON.stringify(process.env));
";
    let node = programs.node.to_str().unwrap();
    let said = said(&stand, node, &["--input-type=module", "-e", script]).await;
    let got = stand.origin.got();
    assert_eq!(got.len(), 2, "{said}");
    for got in got {
        assert_eq!(
            got.header("authorization"),
            format!("Bearer {VALUE}"),
            "{said}"
        );
        assert_eq!(got.body, "hello");
    }
    assert!(
        said.contains("authorization: Bearer __skep_key__"),
        "{said}"
    );
}

#[tokio::test]
async fn x03_a_base_url_needs_no_proxy_and_no_key() {
    let stand = Stand::new().await;
    let base = stand.lease.base_url("api", stand.address()).unwrap();
    let url = format!("{base}/v1/models?limit=2");
    let said = curl(
        &stand,
        &[
            "--noproxy",
            "*",
            "-H",
            "Authorization: Bearer dummy",
            "-d",
            "{}",
            &url,
        ],
    )
    .await;
    let got = stand.origin.only();
    assert_eq!(got.line, "POST /v1/models?limit=2");
    assert_eq!(got.host, "api.test");
    assert_eq!(got.header("authorization"), format!("Bearer {VALUE}"));
    assert!(
        said.contains("authorization: Bearer __skep_key__"),
        "{said}"
    );
    for wrong in [
        url.replace("/api/", "/none/"),
        format!(
            "http://{}/0123456789abcdef0123456789abcdef/api/v1",
            stand.address()
        ),
        format!("http://{}/", stand.address()),
    ] {
        let said = curl(&stand, &["--noproxy", "*", &wrong]).await;
        assert!(said.contains("skep refused"), "{said}");
    }
    // A page in a browser that has a name of its own lead here.
    let said = curl(
        &stand,
        &["--noproxy", "*", "-H", "Host: rebound.example", &url],
    )
    .await;
    assert!(said.contains("unauthenticated"), "{said}");
    assert_eq!(stand.origin.got().len(), 1);
}
