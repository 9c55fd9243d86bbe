//! Canaries: unlikely words go in through every field and must not be found in any file.

use std::fs;
use std::path::Path;

use serde_json::json;
use skep_test_support::{Request, TestDaemon};

/// One canary per field, so that a leak names itself.
const FIELDS: [&str; 10] = [
    "title", "project", "cwd", "external", "event", "text", "tool", "path", "source", "position",
];

fn canary(field: &str) -> String {
    format!("qxcanary{field}wvzk")
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_no_file_of_the_store_holds_content_in_clear() {
    let daemon = TestDaemon::start().await;
    let token = daemon.a.token("owner");
    let capture = json!({
        "session": {
            "harness": "claude-code", "external_id": canary("external"), "title": canary("title"),
            "project": canary("project"), "cwd": format!("/{}", canary("cwd")),
        },
        "turns": [
            { "client_event_id": canary("event"), "role": "user", "at": "2026-01-01T00:00:00Z",
              "text": format!("Always log times in UTC, never in local time, because the ships of {} come from everywhere.", canary("text")),
              "tool": canary("tool"), "paths": [canary("path")] },
        ],
        "cursor": { "source": canary("source"), "position": canary("position") },
    });
    let reply = Request::new("POST", "/api/v1/capture")
        .bearer(&token)
        .json(&capture)
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(reply.status, 200, "{:?}", reply.json());
    let session = reply.json()["session"].as_str().unwrap().to_owned();
    let end = format!("/api/v1/sessions/{session}/end");
    let ended = Request::new("POST", &end)
        .bearer(&token)
        .header("Content-Length", "0")
        .send(daemon.address)
        .await
        .unwrap();
    assert!(
        ended.json()["session"]["memories"].as_u64() > Some(0),
        "{:?}",
        ended.json()
    );
    let remember =
        json!({ "text": format!("remember {}", canary("text")), "project": canary("project") });
    let kept = Request::new("POST", "/api/v1/memories")
        .bearer(&token)
        .json(&remember)
        .send(daemon.address)
        .await;
    let memory = kept.unwrap().json()["memory"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let forget = json!({ "reason": canary("text") });
    let path = format!("/api/v1/memories/{memory}/forget");
    Request::new("POST", &path)
        .bearer(&token)
        .json(&forget)
        .send(daemon.address)
        .await
        .unwrap();
    daemon.tend(&daemon.a).await;

    let mut files = 0;
    walk(&daemon.data(), &mut |path, bytes| {
        files += 1;
        for field in FIELDS {
            for needle in forms(&canary(field)) {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "{field} stands in {}", path.display());
            }
        }
        for persona in ["owner", "reader", "isolated", "shared"] {
            let token = daemon.a.token(persona);
            assert!(
                !bytes
                    .windows(token.len())
                    .any(|window| window == token.as_bytes()),
                "a token in {}",
                path.display()
            );
        }
    });
    assert!(files >= 3, "control and two workspaces at least: {files}");
}

/// Raw, upper case, reversed, UTF-16.
pub(crate) fn forms(canary: &str) -> [Vec<u8>; 4] {
    [
        canary.as_bytes().to_vec(),
        canary.to_uppercase().into_bytes(),
        canary.bytes().rev().collect(),
        canary.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ]
}

/// Where any of these stands in any file beneath a directory, in any of its forms.
pub(crate) fn grep(directory: &Path, needles: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    walk(directory, &mut |path, bytes| {
        for canary in needles {
            for needle in forms(canary) {
                if bytes.windows(needle.len()).any(|window| window == needle) {
                    found.push(format!("{canary} in {}", path.display()));
                }
            }
        }
    });
    found
}

pub(crate) fn walk(directory: &Path, see: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, see);
        } else {
            see(&path, &fs::read(&path).unwrap());
        }
    }
}
