//! `skep skill` from a proposal to a harness's folder, against a real daemon: what was approved and signed
//! arrives to the byte, and nothing else does.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use skep_test_support::TestDaemon;

use crate::program::{Ran, run};

/// A daemon, a home that speaks to it, and somewhere to put skills.
struct World {
    _daemon: TestDaemon,
    home: PathBuf,
    work: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let daemon = TestDaemon::start().await;
        daemon.socket_owner().await;
        Self {
            home: daemon.socket().parent().unwrap().to_owned(),
            _daemon: daemon,
            work: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    async fn skep(&self, arguments: &[&str]) -> Ran {
        let home = self.home.clone();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).into()).collect();
        let ran = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&home, &arguments, &[])
        };
        tokio::task::spawn_blocking(ran).await.unwrap()
    }

    async fn ask(&self, arguments: &[&str]) -> Value {
        let ran = self.skep(&[arguments, &["--json"]].concat()).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.json()
    }

    /// Proposes a folder and gives the version.
    async fn propose(&self, name: &str, body: &str) -> Value {
        let folder = self.path(&format!("proposed-{name}"));
        fs::create_dir_all(folder.join("scripts")).unwrap();
        let main = format!("---\nname: {name}\ndescription: How it is done.\n---\n{body}\n");
        fs::write(folder.join("SKILL.md"), main).unwrap();
        fs::write(folder.join("scripts/check.sh"), "#!/bin/sh\nexit 0\n").unwrap();
        fs::write(folder.join(".DS_Store"), [0xff, 0xfe]).unwrap();
        self.ask(&["skill", "propose", folder.to_str().unwrap()])
            .await
    }

    async fn approve(&self, made: &Value) {
        let (id, digest) = (
            made["id"].as_str().unwrap(),
            made["digest"].as_str().unwrap(),
        );
        self.ask(&["skill", "approve", id, "--digest", digest])
            .await;
    }

    async fn pull(&self, more: &[&str]) -> Ran {
        let folder = self.path("skills");
        let pull = ["skill", "pull", "--json", "--dir", folder.to_str().unwrap()];
        self.skep(&[&pull, more].concat()).await
    }
}

/// What became of each skill, in order.
fn outcomes(ran: &Ran) -> Vec<String> {
    let skills = ran.json()["skills"].as_array().unwrap().clone();
    let one = |one: &Value| {
        let name = one["skill"].as_str().unwrap();
        format!(
            "{name} {} {}",
            one["version"],
            one["outcome"].as_str().unwrap()
        )
    };
    skills.iter().map(one).collect()
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skill_goes_from_a_proposal_to_a_harness_and_away_again() {
    let world = World::start().await;
    let first = world.propose("release", "Write the changelog.").await;
    assert_eq!(outcomes(&world.pull(&[]).await), [""; 0], "it waits");
    assert!(!world.path("skills").exists());
    let seen = world
        .skep(&["skill", "review", first["id"].as_str().unwrap()])
        .await;
    assert!(seen.stdout.contains("Write the changelog."), "{seen:?}");
    assert!(
        seen.stdout.contains(first["digest"].as_str().unwrap()),
        "{seen:?}"
    );
    world.approve(&first).await;
    let dry = world.pull(&["--dry-run"]).await;
    assert_eq!(outcomes(&dry), ["release 1 installed"]);
    assert!(!world.path("skills").exists());
    assert_eq!(outcomes(&world.pull(&[]).await), ["release 1 installed"]);
    let there = world.path("skills/release");
    assert_eq!(read(&there, "scripts/check.sh"), "#!/bin/sh\nexit 0\n");
    assert_eq!(
        read(&there, "SKILL.md"),
        read(&world.path("proposed-release"), "SKILL.md")
    );
    assert_eq!(outcomes(&world.pull(&[]).await), ["release 1 current"]);
    let second = world.propose("release", "Write the changelog first.").await;
    let seen = world
        .skep(&["skill", "review", second["id"].as_str().unwrap()])
        .await;
    assert!(
        seen.stdout
            .contains("-Write the changelog.\n+Write the changelog first."),
        "{seen:?}"
    );
    world.approve(&second).await;
    assert_eq!(outcomes(&world.pull(&[]).await), ["release 2 updated"]);
    assert!(read(&there, "SKILL.md").contains("first"));
    let installed = [
        "skill",
        "installed",
        "--dir",
        world.path("skills").to_str().unwrap(),
    ]
    .map(str::to_owned);
    let installed: Vec<&str> = installed.iter().map(String::as_str).collect();
    assert_eq!(
        world.ask(&installed).await["skills"][0]["outcome"],
        "current"
    );
    let id = second["id"].as_str().unwrap();
    world
        .ask(&["skill", "withdraw", id, "--reason", "wrong"])
        .await;
    assert_eq!(outcomes(&world.pull(&[]).await), ["release 2 removed"]);
    assert!(!there.exists());
    let left: Vec<_> = fs::read_dir(world.path("skills")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Nothing of anybody else's is touched, and what was changed by hand only when that is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn m07_what_is_not_as_approved_is_left_alone_and_told() {
    let world = World::start().await;
    for name in ["release", "review", "triage"] {
        let made = world.propose(name, "Do it well.").await;
        world.approve(&made).await;
    }
    let skills = world.path("skills");
    // Somebody's own, one behind a link, and one whose provenance another made up.
    fs::create_dir_all(skills.join("release")).unwrap();
    fs::write(skills.join("release/SKILL.md"), "mine").unwrap();
    let elsewhere = world.path("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, skills.join("review")).unwrap();
    let ran = world.pull(&[]).await;
    assert_eq!(ran.code, 1);
    let mut told = outcomes(&ran);
    told.sort();
    assert_eq!(
        told,
        [
            "release 1 foreign",
            "review 1 foreign",
            "triage 1 installed"
        ]
    );
    assert_eq!(read(&skills, "release/SKILL.md"), "mine");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    let forced = world.pull(&["--force"]).await;
    assert_eq!(read(&skills, "release/SKILL.md"), "mine", "{forced:?}");

    // An agent adds to a skill that it was given.
    for (file, text) in [
        ("SKILL.md", "changed"),
        ("more.md", "added"),
        (".hidden", "added"),
    ] {
        let path = skills.join("triage").join(file);
        let before = fs::read(&path).ok();
        fs::write(&path, text).unwrap();
        let told = outcomes(&world.pull(&["triage"]).await);
        assert_eq!(told, ["triage 1 changed"], "{file}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        match before {
            Some(before) => fs::write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    fs::write(skills.join("triage/SKILL.md"), "changed").unwrap();
    let told = outcomes(&world.pull(&["triage", "--force"]).await);
    assert_eq!(told, ["triage 1 updated"]);
    assert!(read(&skills, "triage/SKILL.md").contains("Do it well."));
}

/// A daemon that says something else later is not believed, nor is an older approval.
#[tokio::test(flavor = "multi_thread")]
async fn m07_the_key_that_was_seen_first_is_the_workspaces() {
    let world = World::start().await;
    let first = world.propose("release", "Write the changelog.").await;
    world.approve(&first).await;
    world.pull(&[]).await;
    let skills = world.path("skills");
    let old = read(&skills, "release/.skep.json");
    let second = world.propose("release", "Write the changelog first.").await;
    world.approve(&second).await;
    world.pull(&[]).await;

    // Another key than the one that is known.
    let kept = world.home.join("skill-keys.json");
    let known = fs::read_to_string(&kept).unwrap();
    let mut other: Value = serde_json::from_str(&known).unwrap();
    let keys = other["keys"].as_object_mut().unwrap();
    for key in keys.values_mut() {
        *key = json!("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    }
    fs::write(&kept, other.to_string()).unwrap();
    let ran = world.pull(&[]).await;
    assert_eq!(
        (ran.code, ran.json()["error"]["code"].clone()),
        (1, json!("NOT_APPROVED"))
    );
    assert!(read(&skills, "release/SKILL.md").contains("first"));
    let before = fs::read_to_string(&kept).unwrap();
    world.pull(&["--trust-new-key", "--dry-run"]).await;
    assert_eq!(fs::read_to_string(&kept).unwrap(), before);
    fs::write(&kept, &known).unwrap();

    // An approval of the past under a folder of the present is a change.
    fs::write(skills.join("release/.skep.json"), old).unwrap();
    let told = outcomes(&world.pull(&[]).await);
    assert_eq!(told, ["release 2 changed"]);
}

/// What was taken out does not come back as it was before, unless somebody says so.
#[tokio::test(flavor = "multi_thread")]
async fn m07_an_approval_of_the_past_is_not_put_where_nothing_is() {
    let world = World::start().await;
    let made = world.propose("release", "Write the changelog.").await;
    world.approve(&made).await;
    assert_eq!(outcomes(&world.pull(&[]).await), ["release 1 installed"]);
    fs::remove_dir_all(world.path("skills/release")).unwrap();
    // As if a later approval had been here, which whoever changes rows of the store does not want known.
    let kept = world.home.join("skill-keys.json");
    let known = fs::read_to_string(&kept).unwrap();
    let mut later: Value = serde_json::from_str(&known).unwrap();
    let newest = later["newest"].as_object_mut().unwrap();
    assert_eq!(newest.len(), 1);
    for at in newest.values_mut() {
        *at = json!(at.as_i64().unwrap() + 1);
    }
    fs::write(&kept, later.to_string()).unwrap();
    let ran = world.pull(&[]).await;
    assert_eq!(
        (ran.code, outcomes(&ran)),
        (1, vec!["release 1 older".to_owned()])
    );
    assert!(!world.path("skills/release").exists());
    assert_eq!(
        outcomes(&world.pull(&["--force"]).await),
        ["release 1 installed"]
    );
    let now: Value = serde_json::from_str(&fs::read_to_string(&kept).unwrap()).unwrap();
    assert_eq!(now, serde_json::from_str::<Value>(&known).unwrap());
    assert_eq!(outcomes(&world.pull(&[]).await), ["release 1 current"]);
}

/// No file of a skill looks like what the review says itself.
#[tokio::test(flavor = "multi_thread")]
async fn m07_a_review_is_not_imitated_by_what_is_reviewed() {
    let world = World::start().await;
    let fake = "Fine.\n\n── scripts/check.sh \nskep skill approve skl_other --digest sha256:0";
    let made = world.propose("release", fake).await;
    let id = made["id"].as_str().unwrap();
    let seen = world.skep(&["skill", "review", id]).await;
    let ours = |line: &&str| line.starts_with("──") || line.starts_with("skep skill approve");
    let told: Vec<&str> = seen.stdout.lines().filter(ours).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].contains(id), "{told:?}");
    world.approve(&made).await;
    let second = world.path("proposed-release");
    fs::remove_file(second.join("scripts/check.sh")).unwrap();
    fs::write(second.join("empty.md"), "").unwrap();
    let made = world
        .ask(&["skill", "propose", second.to_str().unwrap()])
        .await;
    let seen = world
        .skep(&["skill", "review", made["id"].as_str().unwrap()])
        .await;
    for told in ["added: empty.md", "taken out: scripts/check.sh"] {
        assert!(seen.stdout.contains(told), "{told}: {seen:?}");
    }
    // To the byte, for whoever asks for one file.
    let shown = world.skep(&["skill", "show", "release", "SKILL.md"]).await;
    assert!(
        shown.stdout.ends_with("sha256:0\n") && !shown.stdout.contains('│'),
        "{shown:?}"
    );
}

/// Two at once work one after the other, and what a kill left behind is cleared away.
#[tokio::test(flavor = "multi_thread")]
async fn pulls_at_once_and_after_a_kill_leave_one_whole_skill() {
    let world = World::start().await;
    let made = world.propose("release", "Write the changelog.").await;
    world.approve(&made).await;
    let skills = world.path("skills");
    let half = skills.join(".skep-new-release");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("SKILL.md"), "half").unwrap();
    let (one, two) = tokio::join!(world.pull(&[]), world.pull(&[]));
    let mut told = [outcomes(&one), outcomes(&two)].concat();
    told.sort();
    assert_eq!(told, ["release 1 current", "release 1 installed"]);
    assert!(!half.exists());
    assert_eq!(fs::read_dir(&skills).unwrap().count(), 1);
}
