//! The official conformance tool, from npm, against our transport with the fixtures that it expects. What is expected to fail is listed in `expected-*.yml`, each with its
//! reason; the tool is as red when one of those begins to pass as when another one fails.

mod fixture;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;

use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use skep_test_programs::mcp::programs;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinSet;

use self::fixture::Fixture;

/// Our transport on a port of this machine, as the daemon has it behind its guard.
async fn served() -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)),
            );
        }
    });
    (address, serving)
}

type Body = http_body_util::combinators::BoxBody<bytes::Bytes, Infallible>;

async fn answer(request: Request<Incoming>) -> Result<http::Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    if head.method != http::Method::POST {
        let mut refused = http::Response::new(Body::default());
        *refused.status_mut() = http::StatusCode::METHOD_NOT_ALLOWED;
        return Ok(refused);
    }
    let body = body.collect().await.unwrap().to_bytes();
    Ok(skep_mcp::http::answer_by(Fixture::new, &head.headers, body).await)
}

async fn conform(revision: &str) {
    let programs = programs(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let (address, _serving) = served().await;
    let expected = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/it/conformance/expected-{revision}.yml"));
    let results = tempfile::tempdir().unwrap();
    let outcome = Command::new(programs.node)
        .arg(programs.conformance)
        .args(["server", "--url", &format!("http://{address}/mcp")])
        .args(["--requirements", revision, "--timeout", "10000"])
        .arg("--expected-failures")
        .arg(expected)
        .arg("-o")
        .arg(results.path())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(
        outcome.status.success(),
        "{}\n{}{}",
        failures(results.path()),
        String::from_utf8_lossy(&outcome.stdout),
        String::from_utf8_lossy(&outcome.stderr)
    );
}

/// Each check that failed, with what the tool says of it, as the lists of expected failures name them.
fn failures(results: &Path) -> String {
    let mut lines = Vec::new();
    for folder in std::fs::read_dir(results).unwrap() {
        let folder = folder.unwrap().path();
        let checks = std::fs::read_to_string(folder.join("checks.json")).unwrap_or_default();
        let checks: Vec<Value> = serde_json::from_str(&checks).unwrap_or_default();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let failed = checks.iter().filter(|check| check["status"] == "FAILURE");
        lines.extend(
            failed.map(|check| format!("{name}:{} {}", check["id"], check["errorMessage"])),
        );
    }
    lines.sort();
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_tool_agrees_with_2025_11_25() {
    conform("2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_tool_agrees_with_2026_07_28() {
    conform("2026-07-28").await;
}
