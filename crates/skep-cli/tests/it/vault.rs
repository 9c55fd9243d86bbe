//! `skep secret` and `skep setting` against a real daemon.

use std::path::PathBuf;

use skep_test_support::TestDaemon;

use crate::program::{Ran, run_with_input};

const VALUE: &str = "correct-horse-battery";

struct World {
    _daemon: TestDaemon,
    home: PathBuf,
}

impl World {
    async fn start() -> Self {
        let daemon = TestDaemon::start().await;
        daemon.socket_owner().await;
        Self {
            home: daemon.socket().parent().unwrap().to_owned(),
            _daemon: daemon,
        }
    }

    async fn skep(&self, arguments: &'static [&'static str], input: &'static str) -> Ran {
        let home = self.home.clone();
        let ran = move || run_with_input(&home, arguments, input.as_bytes());
        let ran = tokio::task::spawn_blocking(ran).await.unwrap();
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!shown.contains(VALUE), "{arguments:?}: {shown}");
        ran
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x01_a_secret_goes_in_on_stdin_and_is_never_shown() {
    let world = World::start().await;
    let ran = world.skep(&["secret", "list"], "").await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "there are no secrets\n")
    );
    let ran = world
        .skep(&["secret", "set", "TOKEN"], "correct-horse-battery\n")
        .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stdout, "TOKEN is set; nothing shows its value again\n");
    let ran = world
        .skep(&["secret", "set", "ALL", "--organization", "--json"], VALUE)
        .await;
    assert_eq!(ran.json()["scope"], "organization");
    let ran = world.skep(&["secret", "list"], "").await;
    let names: Vec<_> = ran
        .stdout
        .lines()
        .map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, [Some("ALL"), Some("TOKEN")], "{ran:?}");
    for (arguments, input, says) in [
        (&["secret", "set", "a b"][..], VALUE, "begins with a letter"),
        (&["secret", "set", "SHORT"], "seven77\n", "8 to 65536 bytes"),
        (
            &["secret", "set", "TOKEN", "--agent", "nobody"],
            VALUE,
            "agt_",
        ),
    ] {
        let ran = world.skep(arguments, input).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
    // A value on the command line is not taken.
    let ran = world
        .skep(&["secret", "set", "TOKEN", "another-value"], "")
        .await;
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = world.skep(&["secret", "rm", "token"], "").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "token is removed\n"));
    let ran = world.skep(&["secret", "rm", "token"], "").await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (1, "there is no token here\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_secret_that_is_kept_elsewhere_is_shown_by_where() {
    let world = World::start().await;
    let ran = world
        .skep(
            &[
                "secret",
                "set",
                "NEXT",
                "--from",
                "env://CARGO_MANIFEST_DIR",
            ],
            "",
        )
        .await;
    assert_eq!(
        ran.stdout, "NEXT is looked up at env://CARGO_MANIFEST_DIR whenever it is used\n",
        "{ran:?}"
    );
    let ran = world.skep(&["secret", "list"], "").await;
    assert!(ran.stdout.contains("env://CARGO_MANIFEST_DIR"), "{ran:?}");
    let ran = world
        .skep(&["secret", "set", "NEXT", "--from", "env://PATH"], "")
        .await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("[references]"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown_as_they_were_set() {
    let world = World::start().await;
    let ran = world.skep(&["setting", "set", "editor", "vi"], "").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "editor is set\n"));
    let ran = world
        .skep(&["setting", "set", "motd"], "two\nlines\n")
        .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = world.skep(&["setting", "list", "--json"], "").await;
    let values: Vec<_> = (0..2)
        .map(|at| ran.json()["items"][at]["value"].clone())
        .collect();
    assert_eq!(values, ["vi", "two\nlines"]);
    let ran = world.skep(&["setting", "rm", "editor"], "").await;
    assert_eq!(ran.stdout, "editor is removed\n");
}

const FILE: &str = "# of a service\nexport TOKEN=correct-horse-battery\nPORT=8080\nEMPTY=\n\
                    KEY=\"-----BEGIN-----\ncorrect-horse-battery\n\"\nbad__name=correct-horse-battery\n";

/// All that a system knows of a file and its folder, but when they were read.
fn facts(file: &std::path::Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let of = |path: &std::path::Path| {
        let facts = path.metadata().unwrap();
        let times = (facts.mtime(), facts.mtime_nsec(), facts.ctime_nsec());
        format!("{:?}", (facts.ino(), facts.mode(), facts.len(), times))
    };
    let folder = file.parent().unwrap();
    let names = std::fs::read_dir(folder).unwrap().count();
    let bytes = std::fs::read(file).unwrap();
    format!("{} {} {names} {bytes:?}", of(file), of(folder))
}

#[tokio::test(flavor = "multi_thread")]
async fn x07_a_file_of_credentials_is_copied_and_left_as_it_is() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.env");
    std::fs::write(&file, FILE).unwrap();
    let before = facts(&file);
    let path: &'static str = Box::leak(file.to_str().unwrap().to_owned().into_boxed_str());
    let import = async |rest: &[&'static str]| {
        let arguments = [&["secret", "import", path], rest].concat();
        let ran = world
            .skep(Box::leak(arguments.into_boxed_slice()), "")
            .await;
        assert_eq!(facts(&file), before, "{ran:?}");
        ran
    };
    let dry = import(&["--dry-run"]).await;
    assert_eq!((dry.code, dry.stdout.contains("would be set")), (0, true));
    let list = world.skep(&["secret", "list"], "").await;
    assert_eq!(list.stdout, "there are no secrets\n");
    let one = import(&["TOKEN", "--prefix", "app."]).await;
    assert_eq!(one.stdout, "app.TOKEN  is set\n", "{one:?}");
    let all = import(&[]).await;
    insta::assert_snapshot!(format!("{}\n{}", all.code, all.stdout));
    let again = import(&["--json"]).await;
    let became = |name: &str| {
        let json = again.json();
        let items = json["items"].as_array().unwrap().clone();
        let found = items.into_iter().find(|item| item["name"] == name);
        found.unwrap()["became"].as_str().unwrap().to_owned()
    };
    assert_eq!(became("TOKEN"), "already-there", "{again:?}");
    assert_eq!(became("KEY"), "already-there");
    let over = import(&["TOKEN", "--overwrite"]).await;
    assert_eq!(over.stdout, "TOKEN  is set\n");
    let none = import(&["TOKEN", "NOTHING"]).await;
    assert_eq!(none.code, 1, "{none:?}");
    let list = world.skep(&["secret", "list"], "").await;
    assert_eq!(list.stdout.lines().count(), 3, "{list:?}");
}
