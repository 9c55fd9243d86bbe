//! X03: what a plan shows lies beside, upon and within what every tree has, and never costs a wall.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use skep_exec::{ExecError, Layer, PlanError};

use crate::rig::{Rig, draft, mark, shell, text};

/// Paths that lie upon what every tree has, or around it.
const OVERLAPPING: &[&[&str]] = &[
    &["/etc"],
    &["/etc/ssl"],
    &["/etc", "/etc/ssl/certs", "/etc"],
    &["/etc/passwd", "/etc/ssl/certs", "/etc/ssl"],
    &["/proc"],
    &["/proc/self", "/proc/sys", "/proc/1"],
    &["/dev"],
    &["/dev/null"],
    &["/usr"],
    &["/usr/bin", "/bin", "/lib"],
    &["/var"],
    &["/var/lib", "/run"],
];

#[tokio::test]
async fn x03_no_path_of_a_plan_costs_a_wall() {
    let rig = Rig::new();
    let beside = rig.home.path().join("beside");
    fs::write(&beside, "not for you").unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o666)).unwrap();
    for paths in OVERLAPPING {
        for writable in [false, true] {
            let script = format!(
                "ls -d /proc/[0-9]* | wc -l; chmod 600 {0} 2>/dev/null || echo kept; stat {0} >/dev/null 2>&1 || echo unseen; \
                 cat /etc/passwd >/dev/null && echo > /dev/null && head -c 4 /dev/urandom | wc -c; \
                 ls /proc/{1} 2>/dev/null; echo x > /tmp/x && cat /tmp/x",
                beside.display(),
                std::process::id(),
            );
            // What is shown as writable stays so for root: nothing is written where it matters.
            let mut plan = shell(&script);
            for path in paths.iter().filter(|path| fs::metadata(path).is_ok()) {
                plan = if writable && path.starts_with("/proc") {
                    plan.writable(path)
                } else {
                    plan.readable(path)
                };
            }
            let outcome = rig.run(plan).await.unwrap();
            let said = text(&outcome.stdout);
            let lines: Vec<&str> = said.lines().collect();
            let (count, rest) = lines.split_first().unwrap();
            let count: usize = count.parse().unwrap();
            assert!((1..8).contains(&count), "{paths:?}: {said}");
            assert_eq!(rest, ["kept", "unseen", "4", "x"], "{paths:?}: {outcome:?}");
            for layer in [Layer::Files, Layer::Proc, Layer::Landlock] {
                assert!(outcome.applied.has(layer), "{paths:?}: {layer}");
            }
        }
    }
    let mode = fs::metadata(&beside).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
}

#[tokio::test]
async fn x03_what_lies_upon_the_tree_is_shown_and_stays_as_it_is() {
    let rig = Rig::new();
    let name = format!("skep-x-{}", mark());
    let script = format!(
        "ls -A /etc | wc -l; for f in /etc /etc/ssl /usr /dev /dev/null /proc/sys; do \
         echo x > $f/{name} 2>/dev/null; chmod 777 $f 2>/dev/null; done; echo end"
    );
    let plan = shell(&script)
        .readable("/etc")
        .readable("/dev")
        .readable("/usr");
    let outcome = rig.run(plan).await.unwrap();
    let said = text(&outcome.stdout);
    let shown: usize = said.lines().next().unwrap().parse().unwrap();
    assert_eq!(shown, fs::read_dir("/etc").unwrap().count(), "{said}");
    for folder in ["/etc", "/etc/ssl", "/usr"] {
        let outside = format!("{folder}/{name}");
        assert!(fs::remove_file(&outside).is_err(), "{outside}");
        let mode = fs::metadata(folder).unwrap().permissions().mode();
        assert_ne!(mode & 0o777, 0o777, "{folder}");
    }
}

#[tokio::test]
async fn x03_one_path_in_another_is_written_only_where_the_plan_says_so() {
    let rig = Rig::new();
    let (outer, inner) = (rig.open().join("outer"), rig.open().join("outer/inner"));
    fs::create_dir_all(&inner).unwrap();
    let away = rig.home.path().join("away");
    fs::create_dir(&away).unwrap();
    fs::write(away.join("file"), "led to").unwrap();
    symlink(&away, outer.join("link")).unwrap();
    let script = format!(
        "cat {0}/link/file; echo; echo x > {0}/new; echo x > {0}/inner/new; echo x > {0}/link/new; echo end",
        outer.display()
    );
    let plan = || shell(&script).readable(outer.join("link"));
    let outcome = rig
        .run(plan().readable(&outer).writable(&inner))
        .await
        .unwrap();
    assert_eq!(text(&outcome.stdout), "led to\nend\n", "{outcome:?}");
    assert!(inner.join("new").exists() && !outer.join("new").exists());
    assert!(!away.join("new").exists());
    let swapped = plan().writable(&outer).readable(&inner).readable(&outer);
    fs::remove_file(inner.join("new")).unwrap();
    let outcome = rig.run(swapped).await.unwrap();
    assert_eq!(text(&outcome.stdout), "led to\nend\n", "{outcome:?}");
    assert!(outer.join("new").exists() && !away.join("new").exists());
}

#[tokio::test]
async fn x03_without_a_tree_nothing_starts() {
    let outcome = Rig::poor().run(draft("/bin/true")).await;
    let Err(ExecError::Refused { missing }) = outcome else {
        panic!("it was run: {outcome:?}");
    };
    for layer in [Layer::Files, Layer::Proc] {
        assert!(
            missing.iter().any(|missing| missing.layer == layer),
            "{missing:?}"
        );
    }
}

#[test]
fn x03_the_private_folder_is_nobodys_to_name() {
    for path in ["/tmp", "/tmp/", "/var/tmp", "/dev/shm"] {
        for plan in [
            draft("/bin/true").readable(path),
            draft("/bin/true").writable(path),
        ] {
            assert!(matches!(plan.plan(), Err(PlanError::Private(_))), "{path}");
        }
    }
    assert!(draft("/bin/true").readable("/tmp/x").plan().is_ok());
}
