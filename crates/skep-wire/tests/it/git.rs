//! `git clone` and `git push` over HTTPS, the password a placeholder.

use std::path::Path;

use tokio::process::Command;

use crate::stand::Stand;
use crate::values::assert_no_value;

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
