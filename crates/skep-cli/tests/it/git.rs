//! Histories, read through the program git.

use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::program::{Bench, fixtures};

fn git(repository: &Path, arguments: &[&str], stdin: Stdio) {
    let status = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args([
            "-c",
            "user.name=Harbor",
            "-c",
            "user.email=harbor@harbor.example",
        ])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", "2026-06-01T08:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-06-01T08:00:00Z")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(stdin)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "git {arguments:?}");
}

/// The fixture history as a repository.
fn harbor(bench: &Bench) -> PathBuf {
    let repository = bench.path("harbor");
    fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q", "-b", "main"], Stdio::null());
    let stream = File::open(fixtures("git/harbor.fast-import")).unwrap();
    git(
        &repository,
        &["fast-import", "--quiet", "--done"],
        stream.into(),
    );
    repository
}

fn commit(repository: &Path, message: &str) {
    git(
        repository,
        &["commit", "-q", "--allow-empty", "-m", message],
        Stdio::null(),
    );
}

#[test]
fn a_history_becomes_turns() {
    let bench = Bench::new();
    let repository = harbor(&bench);
    let report = bench.import("git", &repository);
    insta::assert_snapshot!("git_turns", bench.fake.dump());
    assert_eq!(report["imported"], 10);
    assert_eq!(
        report["skipped"],
        json!({ "commit without a message": 1, "merge": 1 })
    );
    assert_eq!(report["not_utf8"], 1);
}

#[test]
fn only_what_is_new_is_read_again() {
    let bench = Bench::new();
    let repository = harbor(&bench);
    bench.import("git", &repository);
    let again = bench.import("git", &repository);
    assert_eq!(
        (&again["unchanged"], &again["imported"]),
        (&json!(1), &json!(0))
    );
    commit(&repository, "Answer 409 for a taken berth");
    let new = bench.import("git", &repository);
    assert_eq!((&new["imported"], &new["known"]), (&json!(1), &json!(0)));
    // History rewritten: the marked commit is no ancestor any more, so all of it is read, and known.
    git(
        &repository,
        &["reset", "-q", "--hard", "HEAD~2"],
        Stdio::null(),
    );
    commit(&repository, "Another way");
    let rewritten = bench.import("git", &repository);
    assert_eq!(
        (&rewritten["imported"], &rewritten["known"]),
        (&json!(1), &json!(9))
    );
}

#[test]
fn the_newest_few_first_and_the_rest_later() {
    let bench = Bench::new();
    let repository = harbor(&bench);
    let repository = repository.to_str().unwrap();
    let ran = bench.skep(&["import", "git", repository, "--max", "2", "--json"]);
    assert_eq!(ran.json()["imported"], 2);
    let ran = bench.skep(&["import", "git", repository, "--max", "2", "--json"]);
    assert_eq!(ran.json()["unchanged"], 1);
    let ran = bench.skep(&["import", "git", repository, "--json"]);
    assert_eq!(
        (&ran.json()["imported"], &ran.json()["known"]),
        (&json!(8), &json!(2))
    );
}

#[test]
fn f05_a_kill_between_batches_of_commits_loses_and_doubles_nothing() {
    let bench = Bench::new();
    let repository = bench.path("long");
    fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q", "-b", "main"], Stdio::null());
    let mut stream = String::new();
    for at in 0..1_200 {
        let message = format!("Commit {at}");
        writeln!(
            stream,
            "commit refs/heads/main\ncommitter Harbor <harbor@harbor.example> {} +0000\n\
             data {}\n{message}\nM 100644 inline f{at}\ndata 1\nx\n",
            1_700_000_000 + at,
            message.len(),
        )
        .unwrap();
    }
    fs::write(bench.path("stream"), stream + "done\n").unwrap();
    let stream = File::open(bench.path("stream")).unwrap();
    git(
        &repository,
        &["fast-import", "--quiet", "--done"],
        stream.into(),
    );
    bench.fake.with(|state| state.dies_after = Some(1));
    let ran = bench.skep(&["import", "git", repository.to_str().unwrap()]);
    assert_eq!((ran.code, bench.fake.turns()), (1, 500));
    bench.fake.with(|state| state.dies_after = None);
    let report = bench.import("git", &repository);
    assert_eq!(
        (&report["imported"], &report["known"]),
        (&json!(700), &json!(0))
    );
    let texts: Vec<String> = bench.fake.with(|state| {
        let session = state.sessions.values().next().unwrap();
        session.turns.iter().map(|turn| turn.text.clone()).collect()
    });
    assert_eq!(
        texts,
        (0..1_200)
            .map(|at| format!("Commit {at}"))
            .collect::<Vec<_>>()
    );
}

/// Every setting of a repository by which reading it could run a program; `TRAP` is one.
const TRAPS: &[(&str, &str)] = &[
    ("alias.log", "!TRAP"),
    ("alias.rev-list", "!TRAP"),
    ("color.ui", "always"),
    ("core.askPass", "TRAP"),
    ("core.fsmonitor", "TRAP"),
    ("core.gitProxy", "TRAP"),
    ("core.pager", "TRAP"),
    ("core.sshCommand", "TRAP"),
    ("credential.helper", "!TRAP"),
    ("diff.external", "TRAP"),
    ("diff.hostile.command", "TRAP"),
    ("diff.hostile.textconv", "TRAP"),
    ("filter.hostile.clean", "TRAP"),
    ("filter.hostile.smudge", "TRAP"),
    ("format.pretty", "oneline"),
    ("gpg.program", "TRAP"),
    ("gpg.ssh.program", "TRAP"),
    ("log.diffMerges", "first-parent"),
    ("log.mailmap", "true"),
    ("log.showSignature", "true"),
    ("pager.log", "TRAP"),
    ("pager.rev-list", "TRAP"),
    ("protocol.allow", "always"),
    ("protocol.ext.allow", "always"),
    ("remote.origin.partialclonefilter", "blob:none"),
    ("remote.origin.promisor", "true"),
    ("remote.origin.uploadpack", "TRAP"),
    ("remote.origin.url", "ext::TRAP"),
];

/// A commit that claims a signature.
const SIGNED: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
author Harbor <harbor@harbor.example> 1780300800 +0000
committer Harbor <harbor@harbor.example> 1780300800 +0000
gpgsig -----BEGIN PGP SIGNATURE-----
 
 -----END PGP SIGNATURE-----

Sign this
";

fn set_traps(bench: &Bench, repository: &Path) -> PathBuf {
    let (trap, sprung) = (bench.path("trap.sh"), bench.path("sprung"));
    fs::write(
        &trap,
        format!("#!/bin/sh\necho \"$0 $*\" >> {}\n", sprung.display()),
    )
    .unwrap();
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
    for (name, value) in TRAPS {
        let value = value.replace("TRAP", trap.to_str().unwrap());
        git(repository, &["config", name, &value], Stdio::null());
    }
    fs::write(
        repository.join(".git/info/attributes"),
        "* diff=hostile filter=hostile\n",
    )
    .unwrap();
    for hook in [
        "post-checkout",
        "post-index-change",
        "reference-transaction",
    ] {
        fs::create_dir_all(repository.join(".git/hooks")).unwrap();
        fs::copy(&trap, repository.join(".git/hooks").join(hook)).unwrap();
    }
    sprung
}

/// Makes HEAD a commit that only `git show` would have liked to verify.
fn plant_signed_commit(bench: &Bench, repository: &Path) {
    plant_commit(bench, repository, SIGNED);
}

fn plant_commit(bench: &Bench, repository: &Path, text: &str) {
    fs::write(bench.path("commit"), text).unwrap();
    let object = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(["hash-object", "-t", "commit", "-w", "--literally"])
        .arg(bench.path("commit"))
        .output()
        .unwrap();
    fs::write(repository.join(".git/refs/heads/main"), object.stdout).unwrap();
}

/// Makes HEAD a commit whose tree only the remote could have.
fn plant_incomplete_commit(bench: &Bench, repository: &Path) {
    let tree = SIGNED.lines().next().unwrap();
    let text = SIGNED.replace(tree, &format!("tree {}", "1".repeat(40)));
    plant_commit(bench, repository, &text);
}

#[test]
fn x04_a_hostile_repository_runs_nothing() {
    let bench = Bench::new();
    let repository = harbor(&bench);
    let sprung = set_traps(&bench, &repository);
    let was_sprung = || fs::read_to_string(&sprung).ok();
    let springs = |arguments: &[&str]| {
        let mut plain = Command::new("git");
        plain.arg("-C").arg(&repository).args(arguments);
        plain
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        fs::remove_file(&sprung).is_ok()
    };
    assert!(
        springs(&["log", "-p", "-2", "--ext-diff"]),
        "the traps are not armed"
    );
    let report = bench.import("git", &repository);
    assert_eq!((&report["imported"], was_sprung()), (&json!(10), None));
    plant_signed_commit(&bench, &repository);
    assert!(
        springs(&["log", "-1"]),
        "the signature is not checked by a plain log"
    );
    let report = bench.import("git", &repository);
    assert_eq!((&report["imported"], was_sprung()), (&json!(1), None));
    // An object that is missing is an error, not a reason to call the remote.
    plant_incomplete_commit(&bench, &repository);
    assert!(
        springs(&["log", "-1", "--name-status"]),
        "the remote is not asked by a plain log"
    );
    let ran = bench.skep(&["import", "git", repository.to_str().unwrap()]);
    assert_eq!((ran.code, was_sprung()), (1, None), "{ran:?}");
}
