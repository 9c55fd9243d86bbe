//! However a run ends, nothing of it is left.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use skep_exec::{Demand, Draft, Egress, Exit};

use crate::rig::{PROBE, Rig, VALUE, alive, mark, perl, shell, text, until};

/// How long a run may take that does not end as it should.
const SOON: Duration = Duration::from_secs(30);

/// Starts children that want to stay: twice forked, in sessions of their own, deaf to all that one
/// can be deaf to. Prints when they are there.
fn clinging(mark: &str, ready: &str) -> String {
    format!(
        r"$SIG{{$_}} = 'IGNORE' for qw(TERM HUP INT QUIT PIPE USR1 USR2 ALRM);
        use POSIX;
        for my $kind (1 .. 3) {{
            next if fork;
            if ($kind > 1) {{ POSIX::setsid(); exit 0 if fork; }}
            if ($kind > 2) {{ close STDIN; close STDOUT; close STDERR; }}
            exec '/bin/sleep', '{mark}';
        }}
        $| = 1; print 'ready'; {ready}
        exec '/bin/sleep', '{mark}' if !fork; sleep 1 while 1;"
    )
}

/// The two kinds of machine: with namespaces, and without.
fn machines() -> [(&'static str, Rig, Demand); 2] {
    [
        ("namespaces", Rig::new(), Demand::usual()),
        ("none", Rig::poor(), Demand::nothing()),
    ]
}

fn plan(script: &str, demand: Demand) -> Draft {
    Draft::new("/usr/bin/perl", Egress::None, demand).args(["-e", script])
}

fn touch(rig: &Rig) -> (String, std::path::PathBuf) {
    let file = rig.open().join("ready");
    (
        format!("open(my $f, '>', '{}'); close $f;", file.display()),
        file,
    )
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_all_it_started() {
    for (kind, rig, demand) in machines() {
        let mark = mark();
        let plan = plan(&clinging(&mark, ""), demand).timeout(Duration::from_secs(3));
        let outcome = rig.run(plan).await.unwrap();
        assert_eq!(outcome.exit, Exit::TimedOut, "{kind}");
        assert_eq!(
            text(&outcome.stdout),
            "ready",
            "{kind}: {}",
            text(&outcome.stderr)
        );
        assert_eq!(alive(&mark), 0, "{kind}");
    }
}

#[tokio::test]
async fn a_cancelled_program_is_killed_with_all_it_started() {
    for (kind, rig, demand) in machines() {
        let mark = mark();
        let (ready, file) = touch(&rig);
        let plan = plan(&clinging(&mark, &ready), demand).writable(rig.open());
        let wanted = until("it is ready", || file.exists() && alive(&mark) >= 4);
        let outcome = rig.runner.run(plan.plan().unwrap(), wanted).await.unwrap();
        assert_eq!(outcome.exit, Exit::Cancelled, "{kind}");
        assert_eq!(alive(&mark), 0, "{kind}");
    }
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_nothing() {
    for (kind, rig, demand) in machines() {
        let mark = mark();
        let (ready, file) = touch(&rig);
        let plan = plan(&clinging(&mark, &ready), demand).writable(rig.open());
        let wanted = until("it is ready", || file.exists() && alive(&mark) >= 4);
        tokio::select! {
            outcome = rig.run(plan) => panic!("{kind}: {outcome:?}"),
            () = wanted => {}
        }
        until("they are gone", || alive(&mark) == 0).await;
    }
}

#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() {
    for (kind, rig, demand) in machines() {
        let mark = mark();
        let script = clinging(&mark, "").replace("sleep 1 while 1", "exit 7");
        let plan = plan(&script, demand).timeout(SOON);
        let outcome = rig.run(plan).await.unwrap();
        assert_eq!(outcome.exit, Exit::Code(7), "{kind}");
        assert_eq!(alive(&mark), 0, "{kind}");
    }
}

#[tokio::test]
async fn too_much_output_ends_a_program() {
    for (kind, rig, demand) in machines() {
        let mark = mark();
        let script = clinging(&mark, "print 'y' x 100_000 while 1;");
        let outcome = rig
            .run(plan(&script, demand).output_cap(5_000))
            .await
            .unwrap();
        assert_eq!(outcome.exit, Exit::OutputCap, "{kind}");
        assert!(outcome.cut);
        assert_eq!(outcome.stdout.len(), 5_000);
        assert!(outcome.stdout.starts_with(b"readyyyy"));
        assert_eq!(alive(&mark), 0, "{kind}");
    }
}

#[tokio::test]
async fn a_secret_at_the_cap_is_not_shown_in_part() {
    let rig = Rig::new();
    for before in [90, 95, 99] {
        let script = format!("print 'a' x {before}, $ENV{{T}}; print STDERR 'b' x 10");
        let secret = crate::rig::secret();
        let outcome = rig
            .run(perl(&script).env_secret("T", secret).output_cap(100))
            .await
            .unwrap();
        let shown = [outcome.stdout, outcome.stderr].concat();
        assert!(
            !text(&shown).contains(&VALUE[..1 + 100 - before]),
            "{before}"
        );
        assert!(outcome.cut);
    }
}

#[tokio::test]
async fn a_signal_is_told_apart_from_a_code() {
    let rig = Rig::new();
    assert_eq!(rig.shell("kill -TERM $$").await.exit, Exit::Signal(15));
    assert_eq!(rig.shell("exit 143").await.exit, Exit::Code(143));
}

#[tokio::test]
async fn when_the_daemon_is_killed_so_is_what_it_runs() {
    for (kind, rig, _) in machines() {
        // The small daemon demands the usual, so it is tried where that can be had.
        if kind == "none" {
            continue;
        }
        let mark = mark();
        let (ready, file) = touch(&rig);
        let mut daemon = Command::new(PROBE)
            .arg(rig.home.path().join("jobs"))
            .args(["env", "/usr/bin/perl", "-e", &clinging(&mark, &ready)])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = daemon.stdin.take().unwrap();
        stdin.write_all(VALUE.as_bytes()).unwrap();
        drop(stdin);
        until("it is ready", || file.exists() && alive(&mark) >= 4).await;
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        until("they are gone", || alive(&mark) == 0).await;
    }
}

#[tokio::test]
async fn a_killed_launcher_takes_everything_with_it() {
    let rig = Rig::new();
    let mark = mark();
    let (ready, file) = touch(&rig);
    let script = clinging(&mark, &ready);
    let kill = async {
        until("it is ready", || file.exists() && alive(&mark) >= 4).await;
        for pid in launchers() {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
    };
    let plan = perl(&script).writable(rig.open()).timeout(SOON);
    let (outcome, ()) = tokio::join!(rig.run(plan), kill);
    assert_eq!(outcome.unwrap().exit, Exit::Lost);
    until("they are gone", || alive(&mark) == 0).await;
}

/// The outer launchers that this process has started.
fn launchers() -> Vec<rustix::process::Pid> {
    let own = std::process::id();
    let children = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
            let ours = status.contains(&format!("PPid:\t{own}\n"));
            (ours && line.contains("--skep-exec-launcher")).then_some(pid)
        });
    children
        .filter_map(rustix::process::Pid::from_raw)
        .collect()
}

#[tokio::test]
async fn runs_beside_each_other_do_not_meet() {
    let rig = Rig::new();
    let each = |name: &'static str| {
        let script =
            format!("echo {name} > /tmp/own; for i in 1 2 3; do cat /tmp/own; ls /tmp; done");
        let rig = &rig;
        async move { text(&rig.run(shell(&script)).await.unwrap().stdout) }
    };
    let (one, two, three) = tokio::join!(each("one"), each("two"), each("three"));
    assert_eq!(one, "one\nown\n".repeat(3));
    assert_eq!(two, "two\nown\n".repeat(3));
    assert_eq!(three, "three\nown\n".repeat(3));
}
