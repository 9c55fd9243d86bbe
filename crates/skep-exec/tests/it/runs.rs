//! What a program is given, and what it is not.

use std::fs;
use std::path::Path;
use std::time::Duration;

use skep_crypto::Plain;
use skep_exec::{Demand, Draft, Egress, ExecError, Exit, Layer, Limits, PlanError, Runner, Secret};

use crate::rig::{Rig, VALUE, draft, perl, secret, shell, text};

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

#[tokio::test]
async fn a_program_gets_what_the_plan_says_and_no_more() {
    let rig = Rig::new();
    let draft = shell("env; echo \"in: $(cat)\"; echo \"fd: $(wc -c < /dev/fd/7) $(wc -c < /dev/fd/3)\"; ls /proc/self/fd; echo oops >&2; exit 3")
        .env("LANG", "C")
        .env_secret("TOKEN", secret())
        .fd_secret(7, secret())
        .fd_secret(3, secret())
        .stdin(b"given".to_vec());
    let outcome = rig.run(draft).await.unwrap();
    assert_eq!(outcome.exit, Exit::Code(3));
    assert_eq!(outcome.stderr, b"oops\n");
    let said = text(&outcome.stdout);
    let mut lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.starts_with("_="))
        .collect();
    lines.sort_unstable();
    let mut wanted = vec![
        "LANG=C",
        "TOKEN=[redacted:token]",
        "HOME=/tmp",
        "TMPDIR=/tmp",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "PWD=/tmp",
        "in: given",
        "fd: 23 23",
        "0",
        "1",
        "2",
        "3",
        "4", // what `ls` reads
        "7",
    ];
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
    assert_eq!(outcome.redacted, [("token".to_owned(), 1)]);
    assert!(!outcome.cut);
}

#[tokio::test]
async fn every_layer_is_applied_here_and_what_is_not_has_a_reason() {
    let outcome = Rig::new().shell("true").await;
    assert_eq!(outcome.exit, Exit::Code(0));
    let mut wanted = Demand::everything();
    if is_root() {
        wanted = wanted.without(Layer::ProcessLimit);
    }
    assert_eq!(outcome.applied, wanted, "{:?}", outcome.missing);
    for missing in &outcome.missing {
        assert_eq!(missing.layer, Layer::ProcessLimit);
        assert!(!missing.reason.is_empty());
    }
}

#[tokio::test]
async fn x03_a_demand_that_cannot_be_met_starts_nothing() {
    let rig = Rig::poor();
    let touched = rig.open().join("touched");
    let touch = |demand| {
        let script = format!("touch {}", touched.display());
        Draft::new("/bin/sh", Egress::None, demand)
            .args(["-c", &script])
            .writable(rig.open())
    };
    for layer in [Layer::Processes, Layer::Network, Layer::Files, Layer::Users] {
        let demand = Demand::nothing().and(layer);
        let Err(ExecError::Refused { missing }) = rig.run(touch(demand)).await else {
            panic!("{layer} was met");
        };
        assert_eq!(
            missing
                .iter()
                .map(|missing| missing.layer)
                .collect::<Vec<_>>(),
            [layer]
        );
        assert!(!touched.exists(), "{layer}");
    }
    let proxy = Egress::Proxy {
        socket: rig.open().join("proxy"),
        port: 8080,
    };
    let plan = Draft::new("/bin/true", proxy, Demand::nothing());
    assert!(matches!(
        rig.run(plan).await,
        Err(ExecError::Refused { .. })
    ));
    let outcome = rig.run(touch(Demand::nothing())).await.unwrap();
    assert_eq!(outcome.exit, Exit::Code(0), "{}", text(&outcome.stderr));
    assert!(touched.exists());
    for layer in [
        Layer::Processes,
        Layer::Network,
        Layer::Files,
        Layer::Users,
        Layer::Proc,
    ] {
        assert!(!outcome.applied.has(layer));
        assert!(outcome.missing.iter().any(|missing| missing.layer == layer));
    }
    for layer in [
        Layer::Landlock,
        Layer::Seccomp,
        Layer::NoCore,
        Layer::NoNewPrivileges,
    ] {
        assert!(outcome.applied.has(layer), "{:?}", outcome.missing);
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said_to_be_so() {
    let rig = Rig::new();
    let Err(ExecError::NotStarted { source, .. }) = rig.run(draft("/usr/bin/nonesuch")).await
    else {
        panic!("it ran");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    let path = rig.open().join("nonesuch");
    let outcome = rig.run(draft("/bin/true").readable(&path)).await;
    assert!(matches!(outcome, Err(ExecError::Path { path: told, .. }) if told == path));
}

#[tokio::test]
async fn the_private_folder_is_gone_afterwards() {
    let rig = Rig::new();
    let wrote = rig
        .shell("echo left > /tmp/left; cat /tmp/left; ls -a /")
        .await;
    assert!(text(&wrote.stdout).starts_with("left\n"));
    let again = rig.shell("ls /tmp").await;
    assert_eq!(text(&again.stdout), "");
    assert!(!Path::new("/tmp/left").exists());
    assert_eq!(
        fs::read_dir(rig.home.path().join("jobs")).unwrap().count(),
        0
    );
    // Without a file tree of its own it is a folder on the disk.
    let poor = Rig::poor();
    let script = "echo left > $TMPDIR/left; cat $TMPDIR/left";
    let plan = Draft::new("/bin/sh", Egress::None, Demand::nothing()).args(["-c", script]);
    let outcome = poor.run(plan).await.unwrap();
    assert_eq!(text(&outcome.stdout), "left\n", "{}", text(&outcome.stderr));
    let jobs = poor.home.path().join("jobs");
    assert_eq!(fs::read_dir(&jobs).unwrap().count(), 0);
    // What a killed daemon left behind goes with the next.
    fs::create_dir(jobs.join("old")).unwrap();
    fs::write(jobs.join("old/file"), "secret").unwrap();
    Runner::new(&jobs, Vec::<&Path>::new()).unwrap();
    assert_eq!(fs::read_dir(&jobs).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_readable_is_not_writable_and_what_is_writable_is() {
    let rig = Rig::new();
    let (read, write) = (rig.open().join("read"), rig.open().join("read/write"));
    fs::create_dir_all(&write).unwrap();
    fs::write(read.join("file"), "old").unwrap();
    let script = format!(
        "cd {0}; cat file; echo new > file; rm file; touch other; mv file write/moved; \
         echo done > write/made; : > file",
        read.display()
    );
    let outcome = rig
        .run(shell(&script).readable(&read).writable(&write))
        .await
        .unwrap();
    assert_eq!(text(&outcome.stdout), "old");
    assert!(outcome.applied.has(Layer::Files), "{:?}", outcome.missing);
    assert_eq!(fs::read_to_string(read.join("file")).unwrap(), "old");
    assert_eq!(
        fs::read_to_string(write.join("made")).unwrap(),
        "done\n",
        "{}",
        text(&outcome.stderr)
    );
    assert!(!read.join("other").exists());
}

#[tokio::test]
async fn x03_of_what_is_guarded_one_file_may_be_read_when_the_daemon_says_so() {
    let rig = Rig::new();
    let (open, sealed) = (
        rig.home.path().join("vault/open"),
        rig.home.path().join("vault/sealed"),
    );
    std::fs::write(&open, "certificates").unwrap();
    let runner = rig.runner.with_open(&open);
    let run = async |draft: Draft| {
        runner
            .run(draft.plan().unwrap(), std::future::pending())
            .await
    };
    let read = |path: &std::path::Path| draft("/bin/cat").arg(path);
    let outcome = run(read(&open).readable(&open)).await.unwrap();
    assert_eq!(text(&outcome.stdout), "certificates");
    for refused in [
        read(&sealed).readable(&sealed),
        read(&open).writable(&open),
        read(&open).readable(rig.home.path().join("vault")),
    ] {
        assert!(matches!(run(refused).await, Err(ExecError::Guarded(_))));
    }
}

#[tokio::test]
async fn x03_no_plan_reaches_what_is_guarded() {
    let rig = Rig::new();
    let vault = rig.home.path().join("vault");
    let link = rig.open().join("link");
    std::os::unix::fs::symlink(&vault, &link).unwrap();
    for path in [
        &vault,
        &vault.join("sealed"),
        &link,
        &link.join("sealed"),
        rig.home.path(),
        &rig.home.path().join("jobs"),
        Path::new("/"),
    ] {
        for plan in [
            draft("/bin/true").readable(path),
            draft("/bin/true").writable(path),
        ] {
            let outcome = rig.run(plan).await;
            assert!(
                matches!(outcome, Err(ExecError::Guarded(_))),
                "{path:?}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn bounds_on_what_a_program_takes_hold() {
    let rig = Rig::new();
    let limits = Limits {
        memory: 512 << 20,
        files: 256,
        cpu: Some(Duration::from_secs(1)),
        scratch: 1 << 20,
        ..Limits::default()
    };
    let memory = perl("my $x = 'x' x (1 << 30); print 'had'").limits(limits);
    assert_eq!(rig.run(memory).await.unwrap().stdout, b"");
    let files = perl("my @f; for (1..1000) { open(my $f, '<', '/dev/null') or last; push @f, $f } print scalar @f").limits(limits);
    let opened: usize = text(&rig.run(files).await.unwrap().stdout).parse().unwrap();
    assert!((200..256).contains(&opened), "{opened}");
    let scratch =
        shell("head -c 4000000 /dev/zero > /tmp/large; wc -c < /tmp/large").limits(limits);
    let kept: usize = text(&rig.run(scratch).await.unwrap().stdout)
        .trim()
        .parse()
        .unwrap();
    assert!(kept <= 1 << 20, "{kept}");
    let cpu = rig.run(perl("1 while 1").limits(limits)).await.unwrap();
    assert!(matches!(cpu.exit, Exit::Signal(9 | 24)), "{:?}", cpu.exit);
}

fn usual() -> Draft {
    draft("/bin/true")
}

/// Plans that do not hold for what stands in public, and what is wrong with them.
fn in_public() -> Vec<(&'static str, Draft)> {
    let (seconds, minutes) = (Duration::from_secs, Duration::from_mins);
    vec![
        ("Path", draft("true")),
        ("Path", draft("/bin/../bin/true")),
        ("Path", draft("/bin/./true")),
        ("Path", usual().readable("relative")),
        ("Path", usual().dir("/tmp/\0")),
        (
            "Path",
            Draft::new(
                "/bin/true",
                Egress::Proxy {
                    socket: format!("/{}", "x".repeat(120)).into(),
                    port: 8080,
                },
                Demand::usual(),
            ),
        ),
        (
            "Bounds",
            Draft::new(
                "/bin/true",
                Egress::Proxy {
                    socket: "/s".into(),
                    port: 80,
                },
                Demand::usual(),
            ),
        ),
        ("Bounds", usual().timeout(seconds(0))),
        ("Bounds", usual().timeout(minutes(30) + seconds(1))),
        ("Bounds", usual().output_cap(0)),
        ("Bounds", usual().output_cap((1 << 20) + 1)),
        (
            "Bounds",
            usual().limits(Limits {
                processes: 0,
                ..Limits::default()
            }),
        ),
        (
            "Bounds",
            usual().limits(Limits {
                files: 64,
                ..Limits::default()
            }),
        ),
        (
            "Bounds",
            usual().limits(Limits {
                memory: 1,
                ..Limits::default()
            }),
        ),
    ]
}

/// The same for environments and secrets.
fn in_secret() -> Vec<(&'static str, Draft)> {
    let value = |text: &str| Secret::new("token", Plain::new(text.as_bytes().to_vec()));
    vec![
        ("Bounds", usual().fd_secret(2, secret())),
        ("Bounds", usual().fd_secret(64, secret())),
        ("Zero", usual().arg("a\0b")),
        ("Zero", usual().env("A", "a\0b")),
        ("Zero", usual().env_secret("A", value("12345678\0"))),
        ("Variable", usual().env("1A", "a")),
        ("Variable", usual().env("A=B", "a")),
        ("Variable", usual().env("", "a")),
        ("Twice", usual().env("A", "a").env_secret("A", secret())),
        (
            "Twice",
            usual().fd_secret(3, secret()).fd_secret(3, secret()),
        ),
        (
            "SecretName",
            usual().fd_secret(3, Secret::new("a]b", Plain::new(vec![7; 16]))),
        ),
        ("SecretTooShort", usual().fd_secret(3, value("1234567"))),
        (
            "TooMuch",
            usual().fd_secret(3, Secret::new("a", Plain::new(vec![b'a'; (64 << 10) + 1]))),
        ),
        ("TooMuch", usual().args(vec!["a"; 257])),
        (
            "TooMuch",
            (0..65).fold(usual(), |draft, nth| {
                draft.env_secret(format!("A{nth}"), secret())
            }),
        ),
        (
            "SecretInPublic",
            usual()
                .arg(format!("--token={VALUE}"))
                .env_secret("A", secret()),
        ),
        (
            "SecretInPublic",
            usual().env("B", VALUE).fd_secret(3, secret()),
        ),
        (
            "SecretInPublic",
            usual()
                .readable(format!("/srv/{VALUE}"))
                .stdin_secret(secret()),
        ),
        (
            "Contradiction",
            Draft::new(
                "/bin/true",
                Egress::Open,
                Demand::nothing().and(Layer::Network),
            ),
        ),
    ]
}

#[test]
fn plans_that_do_not_hold_are_refused() {
    for (kind, draft) in in_public().into_iter().chain(in_secret()) {
        let Err(error) = draft.plan() else {
            panic!("{kind} was taken");
        };
        assert!(
            format!("{error:?}").starts_with(kind),
            "{error:?} is no {kind}"
        );
        assert!(!error.to_string().contains(VALUE));
    }
    assert!(
        Draft::new("/bin/true", Egress::Open, Demand::usual())
            .plan()
            .is_ok()
    );
    assert!(PlanError::Twice("A".to_owned()).to_string().contains('A'));
}
