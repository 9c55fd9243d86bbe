//! X03 and X04: what a program that is run tries on the rest of the machine, and what others see of
//! it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use skep_crypto::Plain;
use skep_exec::{Demand, Draft, Egress, Exit, Layer, Secret};

use crate::rig::{PROBE, Rig, VALUE, mark, perl, secret, shell, text};

/// Where a poller has seen the secret.
#[derive(Debug, Default)]
struct Seen {
    rounds: usize,
    arguments: BTreeSet<String>,
    environments: BTreeSet<String>,
}

/// Reads the arguments and the environment of every process, about a thousand times a second.
fn poll(stop: &AtomicBool, value: &str) -> Seen {
    let mut seen = Seen::default();
    let holds = |bytes: &[u8]| {
        bytes
            .windows(value.len())
            .any(|window| window == value.as_bytes())
    };
    while !stop.load(Ordering::SeqCst) {
        seen.rounds += 1;
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let name = entry.file_name();
            if !name
                .to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
            {
                continue;
            }
            let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if holds(&arguments) {
                seen.arguments
                    .insert(String::from_utf8_lossy(&arguments).into_owned());
            }
            if holds(&fs::read(entry.path().join("environ")).unwrap_or_default()) {
                // Of whoever became another program meanwhile it is not known which had it.
                let after = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                if arguments == after && !after.is_empty() {
                    let line = String::from_utf8_lossy(&after).into_owned();
                    seen.environments.insert(line);
                }
            }
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    seen
}

#[tokio::test]
async fn x04_a_poller_sees_the_secret_in_no_argument_and_in_no_other_environment() {
    let rig = Rig::new();
    let mark = mark();
    // Its own: other tests give theirs to programs of their own at the same time.
    let value = format!("polled-for-{mark}");
    let secret = || Secret::new("token", Plain::new(value.clone().into_bytes()));
    let stop = Arc::new(AtomicBool::new(false));
    let polling = {
        let (stop, value) = (Arc::clone(&stop), value.clone());
        tokio::task::spawn_blocking(move || poll(&stop, &value))
    };
    let mut ended = Vec::new();
    for _ in 0..8 {
        let script = format!("\"$0\" 0.05; : {mark}");
        let by_env = shell(&script)
            .arg("/bin/sleep")
            .env_secret("TOKEN", secret());
        ended.push(rig.run(by_env).await.map(|outcome| outcome.exit));
        let by_fd = shell("cat /dev/fd/3 > /tmp/x; cat > /tmp/y; sleep 0.02");
        let by_fd = by_fd.fd_secret(3, secret()).stdin_secret(secret());
        ended.push(rig.run(by_fd).await.map(|outcome| outcome.exit));
    }
    stop.store(true, Ordering::SeqCst);
    let seen = polling.await.unwrap();
    println!("{} rounds", seen.rounds);
    for exit in ended {
        assert_eq!(exit.unwrap(), Exit::Code(0));
    }
    assert!(seen.rounds > 50, "{}", seen.rounds);
    assert_eq!(seen.arguments, BTreeSet::new());
    // Seen at all: a poller that is blind proves nothing.
    assert!(seen.environments.iter().any(|line| line.contains(&mark)));
    for line in &seen.environments {
        let own = line.contains(&mark) || line.starts_with("/bin/sleep\0");
        assert!(own, "{line:?} has it");
    }
}

#[test]
fn x04_the_kernel_is_handed_the_secret_for_the_program_alone() {
    let rig = Rig::new();
    for way in ["env", "fd"] {
        let log = rig.home.path().join(way);
        let mut daemon = Command::new("strace")
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
            .arg(PROBE)
            .arg(rig.home.path().join("jobs"))
            .args([way, "/bin/sh", "-c", "true; /bin/true"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("strace is installed where this project is tested");
        daemon
            .stdin
            .take()
            .unwrap()
            .write_all(VALUE.as_bytes())
            .unwrap();
        let output = daemon.wait_with_output().unwrap();
        assert!(
            text(&output.stdout).starts_with("Code(0)"),
            "{}",
            text(&output.stdout)
        );
        let log = fs::read_to_string(log).unwrap();
        let calls: Vec<&str> = log.lines().filter(|line| line.contains("exec")).collect();
        assert!(calls.len() >= 4, "{log}");
        let mut handed = 0;
        for call in calls {
            // execve("program", ["argument", …], ["NAME=value", …]) = 0
            let (arguments, environment) = call.split_once("], [").unwrap_or((call, ""));
            assert!(!arguments.contains(VALUE), "{call}");
            if environment.contains(VALUE) {
                handed += 1;
                let own = arguments.contains("\"/bin/sh\"") || arguments.contains("\"/bin/true\"");
                assert!(own, "{call}");
            }
        }
        assert_eq!(handed, if way == "env" { 2 } else { 0 }, "{log}");
    }
}

#[tokio::test]
async fn x04_a_program_leaves_no_core_and_may_not_ask_for_one() {
    let rig = Rig::new();
    let script = format!(
        "cd {}; ulimit -c; ulimit -Hc; ulimit -c 1000; kill -SEGV $$",
        rig.open().display()
    );
    let outcome = rig
        .run(
            shell(&script)
                .writable(rig.open())
                .env_secret("T", secret()),
        )
        .await
        .unwrap();
    assert_eq!(outcome.exit, Exit::Signal(11));
    assert!(
        text(&outcome.stdout).starts_with("0\n0\n"),
        "{}",
        text(&outcome.stdout)
    );
    assert!(!text(&outcome.stderr).is_empty(), "the bound was raised");
    assert_eq!(fs::read_dir(rig.open()).unwrap().count(), 0);
}

#[tokio::test]
async fn x04_a_program_sees_its_own_processes_only() {
    let rig = Rig::new();
    let daemon = std::process::id();
    let script = format!(
        "ls -d /proc/[0-9]* | wc -l; ls /proc/{daemon} 2>&1; kill -0 {daemon} 2>&1; \
         cat /proc/1/cmdline | tr '\\0' ' '; cat /proc/1/environ; cat /proc/1/maps; ls -l /proc/1/fd /proc/1/cwd"
    );
    let outcome = rig.run(shell(&script)).await.unwrap();
    let said = text(&outcome.stdout);
    let mut lines = said.lines();
    let count: usize = lines.next().unwrap().parse().unwrap();
    assert!(count < 8, "{said}");
    assert!(said.contains("No such file"), "{said}");
    assert!(said.contains("No such process"), "{said}");
    assert!(said.contains("skep-exec --skep-exec-inner"), "{said}");
    let errors = text(&outcome.stderr);
    assert!(errors.matches("Permission denied").count() >= 3, "{errors}");
}

/// Some of what the filter refuses whatever is asked.
const CALLS: &[i64] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_mount_setattr,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
];

#[tokio::test]
async fn x03_calls_that_lead_past_the_walls_are_refused() {
    let list: Vec<String> = CALLS.iter().map(ToString::to_string).collect();
    let script = format!(
        "for my $n ({}) {{ $! = 0; my $r = syscall($n, 0, 0, 0, 0, 0); print \"$n $r \", $!+0, \"\\n\" }}
         $! = 0; my $r = syscall({}, 0x10000011, 0, 0, 0, 0); print \"newuser $r \", $!+0, \"\\n\";
         $! = 0; $r = syscall({}, 0, 0); print \"clone3 $r \", $!+0, \"\\n\";
         $! = 0; $r = syscall({}, 0, 0x5412, 0); print \"type $r \", $!+0, \"\\n\";
         $! = 0; $r = syscall(0x40000027); print \"x32 $r \", $!+0, \"\\n\";",
        list.join(", "), libc::SYS_clone, libc::SYS_clone3, libc::SYS_ioctl,
    );
    for (rig, demand) in [
        (Rig::new(), Demand::usual()),
        (Rig::poor(), Demand::nothing()),
    ] {
        let plan = Draft::new("/usr/bin/perl", Egress::None, demand).args(["-e", &script]);
        let outcome = rig.run(plan).await.unwrap();
        let mut wanted: Vec<String> = list.iter().map(|number| format!("{number} -1 1")).collect();
        wanted.push("newuser -1 1".to_owned());
        wanted.push("clone3 -1 38".to_owned());
        wanted.push("type -1 1".to_owned());
        if cfg!(target_arch = "x86_64") {
            wanted.push("x32 -1 38".to_owned());
        }
        let said = text(&outcome.stdout);
        let lines: Vec<&str> = said.lines().take(wanted.len()).collect();
        assert_eq!(lines, wanted);
    }
}

#[tokio::test]
async fn x03_a_program_has_no_rights_and_gets_none() {
    let outcome = Rig::new().shell("cat /proc/self/status").await;
    let status = text(&outcome.stdout);
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}: {status}"))
            .trim()
            .to_owned()
    };
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(set), "0000000000000000", "{set}");
    }
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2");
}

#[tokio::test]
async fn x03_nothing_is_read_or_written_that_the_plan_does_not_name() {
    for (kind, rig, demand) in [
        ("namespaces", Rig::new(), Demand::usual()),
        ("none", Rig::poor(), Demand::nothing()),
    ] {
        let vault = rig.home.path().join("vault/sealed");
        let beside = rig.home.path().join("beside");
        fs::write(&beside, "not for you").unwrap();
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o666)).unwrap();
        let link = rig.open().join("link");
        std::os::unix::fs::symlink(&beside, &link).unwrap();
        // What a broken run leaves outside is not taken for this one's.
        let name = format!("skep-x-{}", mark());
        let script = format!(
            "cat {0} {1} {2} /etc/shadow /etc/machine-id /root/.bashrc; echo x > {1}; echo x >> {2}; \
             truncate -s 0 {1}; rm {1}; mkdir {3}/new; ln {1} {3}/open/hard; mv {1} {3}/open/moved; \
             echo x > /usr/bin/{4}; echo x > /{4}; echo x > /etc/{4}; echo x > /dev/{4}; \
             echo 1 > /proc/sys/kernel/core_pattern; chmod 777 {1}; ls {3}/vault /home /root /run; echo end",
            vault.display(),
            beside.display(),
            link.display(),
            rig.home.path().display(),
            name,
        );
        let plan = Draft::new("/bin/sh", Egress::None, demand).args(["-c", &script]);
        let plan = plan.writable(rig.open());
        let outcome = rig.run(plan).await.unwrap();
        assert_eq!(text(&outcome.stdout), "end\n", "{kind}");
        assert_eq!(
            fs::read_to_string(&beside).unwrap(),
            "not for you",
            "{kind}"
        );
        assert_eq!(
            fs::read_to_string(&vault).unwrap(),
            "sealed bytes",
            "{kind}"
        );
        assert!(
            !rig.open().join("hard").exists() && !rig.open().join("moved").exists(),
            "{kind}"
        );
        for folder in ["/", "/usr/bin", "/etc", "/dev"] {
            let outside = Path::new(folder).join(&name);
            let was_there = fs::remove_file(&outside).is_ok();
            assert!(!was_there, "{kind}: {}", outside.display());
        }
    }
}

#[test]
fn x03_a_daemon_that_is_not_root_builds_the_same_walls() {
    if !rustix::process::getuid().is_root() {
        return; // Every other test is that of somebody who is not.
    }
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::create_dir(home.path().join("open")).unwrap();
    fs::set_permissions(home.path().join("open"), fs::Permissions::from_mode(0o777)).unwrap();
    let fork = "my $n = 0; for (1 .. 600) { my $p = fork; last if !defined $p; if (!$p) { sleep 60; exit } $n++ } print \"forked $n\"";
    let mut daemon = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", PROBE])
        .arg(home.path().join("jobs"))
        .args(["env", "/usr/bin/perl", "-e", fork])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    daemon
        .stdin
        .take()
        .unwrap()
        .write_all(VALUE.as_bytes())
        .unwrap();
    let output = daemon.wait_with_output().unwrap();
    let said = text(&output.stdout);
    for layer in Layer::ALL {
        assert!(said.contains(&format!("\"{layer}\"")), "{layer}: {said}");
    }
    assert!(!said.contains("missing"), "{said}");
    let forked: usize = said
        .rsplit_once("forked ")
        .unwrap()
        .1
        .trim()
        .parse()
        .unwrap();
    assert!((200..256).contains(&forked), "{said}");
}

#[tokio::test]
async fn x03_a_secret_that_is_printed_is_hidden_and_one_that_is_hidden_well_is_not() {
    let rig = Rig::new();
    let script = r#"my $s = $ENV{T}; $| = 1;
        print "$s\n-----\n"; for (split //, $s) { print; select undef, undef, undef, 0.002 }
        print "\n-----\n", scalar reverse($s), "\n-----\n", unpack('H*', $s), "\n-----\n";
        print STDERR substr($s, 0, 9); print substr($s, 9), "\n-----\n";
        my $r = $s; $r =~ tr/A-Za-z/N-ZA-Mn-za-m/; print "$r\n";"#;
    let outcome = rig
        .run(perl(script).env_secret("T", secret()))
        .await
        .unwrap();
    let said = text(&outcome.stdout);
    let lines: Vec<&str> = said.split("\n-----\n").collect();
    assert_eq!(lines.len(), 6, "{said}");
    assert_eq!(lines[..5], ["[redacted:token]"; 5], "{said}");
    assert_eq!(text(&outcome.stderr), "[redacted:token]");
    // Turned by thirteen letters it is through: `UNCOVERED` says so.
    assert!(!lines[5].contains("redacted"), "{said}");
}
