//! Whoever asks is against us, and so is the program: what is run is what was approved, within its walls, and
//! no other process is handed the secret.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::stand::{Stand, VALUE, shell, stdout};

#[test]
fn x03_nothing_is_run_but_what_was_approved() {
    let stand = Stand::new("[exec]\nworkers = 1\n");
    stand.gate("a");
    let echo = |script: &str| shell("echo", script);
    let _daemon = stand.serve_with(&[stand.waiter(), echo("echo one")]);
    // No command of the caller's, and none that nobody has approved.
    let (status, _) = stand.post(
        "/api/v1/exec",
        &json!({ "template": "echo", "command": "id" }),
    );
    assert_eq!(status, 400);
    let (status, _) = stand.post("/api/v1/templates", &shell("mine", "echo \"$TOKEN\" | rev"));
    assert_eq!(status, 200);
    assert_eq!(stand.ask("mine", &json!({})).0, 404);
    assert_eq!(stand.ask("/bin/sh", &json!({})).0, 400);
    // What was changed since it was asked for is not run, whoever approved the change.
    let held = stand.waiting("a", "wait");
    let gate = stand.at_gate("a");
    let asked = stand.asked("echo", &json!({}));
    stand.approve(&echo("echo two"));
    drop(gate);
    stand.ended(&held);
    let run = stand.ended(&asked);
    assert_eq!(run["state"], "refused", "{run}");
    assert!(run["reason"].as_str().unwrap().contains("changed"), "{run}");
    assert!(run["output"].is_null(), "{run}");
    assert_eq!(stdout(&stand.run("echo", &json!({}))), "two\n");
    // What was withdrawn is not run either.
    let found = stand.get("/api/v1/templates").1;
    let items = found["items"].as_array().unwrap();
    let echo = items.iter().find(|item| item["name"] == "echo").unwrap();
    let path = format!(
        "/api/v1/templates/{}/withdraw",
        echo["id"].as_str().unwrap()
    );
    assert_eq!(
        stand.post(&path, &json!({ "reason": "done with it" })).0,
        200
    );
    assert_eq!(stand.ask("echo", &json!({})).0, 404);
}

#[test]
fn x03_what_is_filled_in_is_one_argument_and_nothing_more() {
    let stand = Stand::new("");
    let mut template = shell("say", "printf '<%s>' \"$@\"");
    let script = "printf '<%s>' \"$@\"";
    template["program"]["arguments"] = json!(["-c", script, "sh", "{word}", "last"]);
    template["program"]["parameters"] = json!([{ "name": "word", "pattern": "[^a-f].*" }]);
    let _daemon = stand.serve_with(&[template]);
    for word in [
        "; id",
        "$(id)",
        "`id`",
        "x' y",
        "x y",
        "${TOKEN}x",
        "{word}",
    ] {
        let run = stand.run("say", &json!({ "word": word }));
        assert_eq!(stdout(&run), format!("<{word}><last>"), "{run}");
    }
    for refused in [
        json!({ "word": "-x" }),
        json!({ "word": "--help" }),
        json!({ "word": "x\ny" }),
        json!({ "word": "abc" }),
        json!({ "word": "" }),
        json!({}),
        json!({ "word": "x", "more": "y" }),
    ] {
        let (status, answer) = stand.ask("say", &refused);
        assert_eq!(status, 400, "{refused}: {answer}");
    }
}

#[test]
fn x03_a_program_sends_nowhere_and_writes_nowhere() {
    let stand = Stand::new("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let outside = tempfile::tempdir().unwrap();
    let mut send = shell("send", "");
    let script = format!(
        "use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => {port}, \
         Timeout => 5); print $s ? 'connected' : 'refused'; print $s $ENV{{TOKEN}} if $s"
    );
    send["program"]["path"] = json!("/usr/bin/perl");
    send["program"]["arguments"] = json!(["-e", script.replace('{', "{{").replace('}', "}}")]);
    let home = stand.home.path().display().to_string();
    let write = format!(
        "for at in {}/x {home}/x {home}/vault/x /etc/x; do (echo \"$TOKEN\" > $at) 2>/dev/null && echo \"wrote $at\"; done; \
         cat {home}/root.key {home}/install-token 2>/dev/null; echo over",
        outside.path().display()
    );
    let _daemon = stand.serve_with(&[send, shell("write", &write)]);
    assert_eq!(stdout(&stand.run("send", &json!({}))), "refused");
    assert!(listener.accept().is_err(), "something came");
    assert_eq!(stdout(&stand.run("write", &json!({}))), "over\n");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    // What leads to the daemon's own files is not run at all, approved or not.
    let mut reads = shell("reads", "cat root.key");
    reads["program"]["readable"] = json!([stand.home.path()]);
    stand.approve(&reads);
    let run = stand.run("reads", &json!({}));
    assert_eq!(run["state"], "failed", "{run}");
    assert!(
        run["reason"].as_str().unwrap().contains("own files"),
        "{run}"
    );
}

#[test]
fn x03_without_its_secret_a_program_is_not_started() {
    let stand = Stand::new("");
    let _daemon = stand.serve_with(&[shell("echo", "echo ran")]);
    assert_eq!(
        stand
            .post("/api/v1/secrets/remove", &json!({ "name": "TOKEN" }))
            .0,
        200
    );
    let run = stand.run("echo", &json!({}));
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["reason"].as_str().unwrap().contains("TOKEN"), "{run}");
}

#[test]
fn the_record_says_who_ran_what_before_it_ran_and_how_it_ended_and_no_value() {
    let stand = Stand::new("");
    let _daemon = stand.serve_with(&[shell("echo", "echo \"$TOKEN\"; exit 3")]);
    let run = stand.run("echo", &json!({}));
    let (_, record) = stand.get("/api/v1/audit?limit=200");
    let items = record["items"].as_array().unwrap();
    let about = |action: &str| {
        let mut found = items.iter().filter(|item| item["action"] == action);
        found.next().unwrap_or_else(|| panic!("{action}: {record}"))
    };
    let (began, ended) = (about("exec.run"), about("exec.end"));
    assert_eq!(
        (&began["target"], &ended["target"]),
        (&run["id"], &run["id"])
    );
    let reason = began["reason"].as_str().unwrap();
    assert!(reason.contains(run["digest"].as_str().unwrap()), "{began}");
    let (_, secrets) = stand.get("/api/v1/secrets");
    let mark = &secrets["items"][0]["mark"];
    assert_eq!(reason.rsplit(' ').next(), mark.as_str(), "{began}");
    assert_eq!(ended["reason"], "code 3");
    assert_eq!(began["outcome"], "allowed");
    let text = record.to_string();
    assert!(
        !text.contains(VALUE) && !reason.contains("TOKEN"),
        "{reason}"
    );
}

/// What a poller of `/proc` has seen.
#[derive(Default)]
struct Polled {
    rounds: u64,
    arguments: BTreeSet<String>,
    environments: BTreeSet<String>,
}

/// Reads arguments and environments of every process, again and again.
fn poll(stop: &AtomicBool, value: &str) -> Polled {
    let mut polled = Polled::default();
    let own = std::process::id().to_string();
    while !stop.load(Ordering::SeqCst) {
        polled.rounds += 1;
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let is_process = name.to_string_lossy().parse::<u32>().is_ok();
            if !is_process || name.to_string_lossy() == own {
                continue;
            }
            let line = lossy(&path.join("cmdline"));
            if line.contains(value) {
                polled.arguments.insert(line.clone());
            }
            if lossy(&path.join("environ")).contains(value) {
                // It may have become another program in between.
                let after = lossy(&path.join("cmdline"));
                polled
                    .environments
                    .insert(if after == line { line } else { String::new() });
            }
        }
    }
    polled
}

fn lossy(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

#[test]
fn x04_a_poller_sees_the_secret_in_no_argument_and_in_no_environment_but_the_programs() {
    let stand = Stand::new("");
    let _daemon = stand.serve_with(&[shell("nap", "/bin/sleep 0.2; : napping-with-it")]);
    // A value that no other test's programs have.
    let value = "tk_7hN4cR9wYp2tUe6xJq3f";
    stand.set("TOKEN", value);
    let stop = AtomicBool::new(false);
    let polled = std::thread::scope(|scope| {
        let polling = scope.spawn(|| poll(&stop, value));
        for _ in 0..3 {
            let run = stand.run("nap", &json!({}));
            assert_eq!(run["exit"]["number"], 0, "{run}");
        }
        stop.store(true, Ordering::SeqCst);
        polling.join().unwrap()
    });
    assert_eq!(polled.arguments, BTreeSet::new());
    // Seen at all: a poller that is blind proves nothing.
    let seen = &polled.environments;
    assert!(
        seen.iter().any(|line| line.contains("napping-with-it")),
        "{} rounds",
        polled.rounds
    );
    for line in seen {
        let own = line.is_empty() || line.contains("napping-with-it") || line.contains("sleep\0");
        assert!(own, "{line:?} has it");
    }
}

#[test]
fn x04_the_kernel_is_handed_the_secret_for_the_program_alone() {
    let stand = Stand::new("");
    let log = stand.path("calls");
    let mut command = Command::new("strace");
    let serve = stand.home.command("serve");
    command
        .args([
            "-f",
            "-v",
            "-s",
            "65536",
            "-e",
            "trace=execve,execveat",
            "-o",
        ])
        .arg(&log)
        .arg(serve.get_program())
        .args(serve.get_args());
    for (name, value) in serve.get_envs() {
        command.env(name, value.unwrap());
    }
    let daemon = stand.home.start(command);
    let secret = json!({ "name": "TOKEN", "value": VALUE });
    assert_eq!(stand.post("/api/v1/secrets", &secret).0, 200);
    stand.approve(&shell("twice", "true; /bin/true; :"));
    let run = stand.run("twice", &json!({}));
    assert_eq!(run["exit"]["number"], 0, "{run}");
    let pid = fs::read_to_string(stand.home.path().join("skepd.pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let mut daemon = daemon;
    daemon.0.wait().unwrap();
    let log = fs::read_to_string(log).unwrap();
    let calls: Vec<&str> = log.lines().filter(|line| line.contains("exec")).collect();
    let mut handed = 0;
    for call in &calls {
        // execve("program", ["argument", …], ["NAME=value", …]) = 0
        let (arguments, environment) = call.split_once("], [").unwrap_or((call, ""));
        assert!(!arguments.contains(VALUE), "{call}");
        if environment.contains(VALUE) {
            handed += 1;
            assert!(
                arguments.contains("\"/bin/sh\"") || arguments.contains("\"/bin/true\""),
                "{call}"
            );
        }
    }
    assert!(calls.len() >= 5, "{log}");
    assert_eq!(handed, 2, "{log}");
}
