//! `git clone` and `git push` over HTTPS, the password a placeholder.

use std::convert::Infallible;
use std::path::Path;
use std::process::Stdio;

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::stand::{Stand, VALUE, assert_no_value};

/// `git http-backend`, for whoever shows the password.
pub(crate) async fn backend(
    folder: &Path,
    parts: &Parts,
    body: &Bytes,
) -> Response<BoxBody<Bytes, Infallible>> {
    let full = |bytes: Bytes| Response::new(Full::new(bytes).boxed());
    let expected = format!(
        "Basic {}",
        Base64::encode_string(format!("git:{VALUE}").as_bytes())
    );
    let header = |name: &str| {
        let value = parts.headers.get(name);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    };
    if header("authorization") != expected {
        let mut answer = full("who are you?".into());
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        let how = HeaderValue::from_static("Basic realm=\"git\"");
        answer.headers_mut().insert("www-authenticate", how);
        return answer;
    }
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "git")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = body.clone();
    let fed = async move {
        let _ = stdin.write_all(&body).await;
    };
    let ((), output) = tokio::join!(fed, child.wait_with_output());
    let output = output.unwrap().stdout;
    let end = output
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap();
    let mut answer = full(Bytes::copy_from_slice(&output[end + 4..]));
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            *answer.status_mut() = value[..3].parse().unwrap();
        } else {
            let name: HeaderName = name.parse().unwrap();
            answer
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    answer
}

async fn git(stand: &Stand, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(stand.environment())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CURL_VERBOSE", "1")
        .env("GIT_TRACE_CURL_NO_DATA", "1")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    assert_no_value("what git says", &said);
    said
}

#[tokio::test]
async fn x03_git_clones_and_pushes_with_a_placeholder() {
    let stand = Stand::new().await;
    let served = stand.folder.path().join("served");
    let work = stand.folder.path().join("work");
    std::fs::create_dir_all(&served).unwrap();
    std::fs::create_dir_all(&work).unwrap();
    git(&stand, &served, &["init", "--bare", "repo.git"]).await;
    git(
        &stand,
        &served,
        &["-C", "repo.git", "config", "http.receivepack", "true"],
    )
    .await;
    stand.origin.serve_repositories(served.clone());
    let url = "https://git:__skep_key__@api.test/repo.git";
    git(&stand, &work, &["clone", url, "first"]).await;
    // More than git compresses into one small request: it is sent in chunks.
    let mut text = String::new();
    for n in 0..60_000_u32 {
        text.push_str(&format!("{:x}\n", n.wrapping_mul(2_654_435_761)));
    }
    std::fs::write(work.join("first/text"), &text).unwrap();
    let first = work.join("first");
    git(&stand, &first, &["add", "text"]).await;
    git(&stand, &first, &["commit", "-m", "text"]).await;
    git(
        &stand,
        &first,
        &["-c", "http.postBuffer=65536", "push", "origin", "HEAD:main"],
    )
    .await;
    git(&stand, &work, &["clone", "--branch", "main", url, "second"]).await;
    assert_eq!(
        std::fs::read_to_string(work.join("second/text")).unwrap(),
        text
    );
    let got = stand.origin.got();
    let chunked = got
        .iter()
        .filter(|got| got.line.contains("POST /repo.git/git-receive-pack"));
    assert!(chunked.count() >= 1, "{got:?}");
    let config = std::fs::read_to_string(first.join(".git/config")).unwrap();
    assert!(config.contains("__skep_key__"));
}
