//! What `skep run` is to the program and to whoever started it: nothing between them.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::world::{World, said};

#[tokio::test(flavor = "multi_thread")]
async fn it_exits_as_its_program_does() {
    let world = World::start().await;
    let plain = world.home.join("plain");
    std::fs::write(&plain, "no program").unwrap();
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
    for (arguments, code, says) in [
        (&["run", "--", "true"][..], 0, ""),
        (&["run", "--", "sh", "-c", "exit 7"], 7, ""),
        (&["run", "--", "sh", "-c", "kill -TERM $$"], 143, ""),
        (&["run", "--", "sh", "-c", "kill -KILL $$"], 137, ""),
        (
            &["run", "--", "no-such-program-here"],
            127,
            "no-such-program-here cannot be run",
        ),
        (
            &["run", "--", plain.to_str().unwrap()],
            126,
            "cannot be run",
        ),
        (&["run"], 2, "no program to run"),
        (&["run", "--env", "KEY", "--", "true"], 2, "VAR=SECRET"),
        (&["run", "--env", "A=none", "--", "true"], 2, "key, other"),
        (
            &["run", "--base", "none:A", "--", "true"],
            2,
            "they have: api",
        ),
        (&["run", "--with", "none", "--", "true"], 1, "none"),
    ] {
        let ran = world.skep(arguments).await;
        let said = said(&ran);
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
        assert_eq!(world.leases().await, Vec::<Value>::new(), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_arguments_and_signals_are_the_programs() {
    let world = World::start().await;
    let mut command = world.command(&[
        "run",
        "--",
        "sh",
        "-c",
        "cat; echo \"$0|$1\" >&2",
        "a b",
        "--json",
    ]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"\x00\xffbytes").await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.stdout, b"\x00\xffbytes");
    assert_eq!(output.stderr, b"a b|--json\n");
    for (signal, name) in [
        (rustix::process::Signal::TERM, "TERM"),
        (rustix::process::Signal::HUP, "HUP"),
        (rustix::process::Signal::INT, "INT"),
        (rustix::process::Signal::USR1, "USR1"),
    ] {
        let script = format!(
            "trap 'echo got {name}; exit 9' {name}; echo ready; while :; do sleep 0.02; done"
        );
        let mut running = world
            .begun(world.command(&["run", "--", "sh", "-c", &script]))
            .await;
        let pid = rustix::process::Pid::from_raw(running.pid()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        assert_eq!(running.line().await, Some(format!("got {name}")));
        assert_eq!(running.child.wait().await.unwrap().code(), Some(9));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_stays_ignored() {
    let world = World::start().await;
    let skep = env!("CARGO_BIN_EXE_skep");
    let script = format!(
        "trap '' HUP; exec {skep} run -- sh -c 'echo ready; read go; kill -HUP $PPID; kill -HUP $$; echo on'"
    );
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", &script])
        .env("SKEP_HOME", &world.home)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut running = world.begun(command).await;
    let stdin = running.stdin.as_mut().unwrap();
    stdin.write_all(b"go\n").await.unwrap();
    assert_eq!(running.line().await.as_deref(), Some("on"));
    assert!(running.child.wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn x04_the_lease_is_in_no_argument_and_a_value_in_no_environment() {
    let world = World::start().await;
    let mut command = world.calling();
    command.env("KEY", "a-real-value");
    let mut running = world.begun(command).await;
    assert!(running.call().await.contains("__skep_key__"));
    let own = std::process::id();
    let mut seen = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let read = |what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        let (arguments, environment) = (read("cmdline"), read("environ"));
        let text = String::from_utf8_lossy(&arguments).into_owned();
        assert!(!text.contains("http://skep:"), "{text}");
        if pid != own {
            for part in [&arguments, &environment] {
                crate::values::assert_no_value("/proc", &String::from_utf8_lossy(part));
            }
        }
        let environment = String::from_utf8_lossy(&environment).into_owned();
        seen += usize::from(environment.contains("HTTPS_PROXY=http://skep:"));
    }
    assert!(seen >= 1, "the program's own environment has the proxy");
    running.stdin.take();
    assert!(running.child.wait().await.unwrap().success());
    let mut complaint = String::new();
    let mut stderr = running.child.stderr.take().unwrap();
    tokio::io::AsyncReadExt::read_to_string(&mut stderr, &mut complaint)
        .await
        .unwrap();
    assert!(complaint.contains("KEY holds a value here"), "{complaint}");
    assert!(!complaint.contains("a-real-value"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_is_for_is_said_in_json_too() {
    let world = World::start().await;
    let ran = world.skep(&["run", "--print-env", "--json"]).await;
    let printed: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(printed["environment"]["KEY"], "__skep_key__");
    assert_eq!(printed["environment"]["SKEP_LEASE"], printed["id"]);
    assert!(printed["cannot"].as_array().unwrap().len() >= 3);
    assert_eq!(world.leases().await[0]["unattended"], json!(true));
    let ran = world.skep(&["run", "--json"]).await;
    let failed: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(
        (ran.status.code(), &failed["error"]["code"]),
        (Some(2), &json!("USAGE"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_elsewhere_is_refused_before_it_is_asked() {
    let world = World::start().await;
    let key = world.home.join("key");
    std::fs::write(&key, format!("skep_sk_{}", "x".repeat(60))).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ran = world
        .skep(&[
            "run",
            "--url",
            "https://127.0.0.1:1",
            "--token-file",
            key.to_str().unwrap(),
            "--",
            "true",
        ])
        .await;
    let said = said(&ran);
    assert!(
        said.contains("another one") && said.contains("skep run --local"),
        "{said}"
    );
}
