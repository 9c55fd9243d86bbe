//! Where the root key comes from: each place with a real daemon, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::database::{is_kept, recall, remember, said};
use crate::home::Home;

const CANARY: &str = "The harbour master of Zanzibarrow listens on port 7411.";
const PASSPHRASE: &str = "plover anvil tuba harbour";

/// A place for the root key, and what a command needs to find it there.
struct Place {
    provider: &'static str,
    settings: String,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    fn new(provider: &'static str, settings: &str) -> Self {
        Self {
            provider,
            settings: settings.into(),
            variables: Vec::new(),
        }
    }

    fn configure(&self, home: &Home, provider: &str) {
        let text = format!("[key]\nprovider = \"{provider}\"\n{}\n", self.settings);
        home.put("skep.toml", &text);
    }

    fn command(&self, home: &Home, verb: &str) -> Command {
        let mut command = home.command(verb);
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }
}

/// A home whose daemon has remembered something, and its root key.
pub(crate) fn lived_in() -> (Home, String) {
    let home = Home::new();
    let daemon = home.serve();
    assert!(is_kept(remember(&home, CANARY).as_ref()));
    let secret = r#"{"name":"HARBOUR_TOKEN","value":"zanzibarrow-7411"}"#;
    let kept = home.post("/api/v1/secrets", secret).unwrap();
    assert!(kept.starts_with("HTTP/1.1 200"), "{kept}");
    assert!(daemon.stop().success());
    let key = fs::read_to_string(home.path().join("root.key")).unwrap();
    (home, key.trim().to_owned())
}

pub(crate) fn knows(home: &Home) -> bool {
    let secrets = home.get("/api/v1/secrets").unwrap();
    recall(
        home,
        "which port does the harbour master of Zanzibarrow listen on",
    )
    .contains("port 7411")
        && secrets.contains("HARBOUR_TOKEN")
}

pub(crate) fn key(home: &Home, arguments: &[&str]) -> Output {
    home.command("key").args(arguments).output().unwrap()
}

/// A program in the home, of this script.
pub(crate) fn tool(home: &Home, name: &str, script: &str) -> String {
    let path = home.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

/// What speaks as `secret-tool` does, and keeps entries in files.
fn keyring(home: &Home) -> String {
    let folder = home.path().join("entries");
    fs::create_dir(&folder).unwrap();
    let script = r#"verb=$1; shift
case $1 in --label=*) shift;; esac
name="DIR/$6"
case $verb in
  store) cat > "$name";;
  lookup) [ -e "$name" ] || exit 1; cat "$name";;
  clear) rm -f "$name";;
esac"#;
    tool(
        home,
        "keyring",
        &script.replace("DIR", &folder.display().to_string()),
    )
}

fn places(home: &Home, key: &str) -> Vec<Place> {
    home.put("words", PASSPHRASE);
    let credentials = home.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    home.put("credentials/skep-root", &format!("{key}\n"));
    let mut credential = Place::new("credential", "");
    let folder = credentials.display().to_string();
    credential.variables.push(("CREDENTIALS_DIRECTORY", folder));
    let mut environment = Place::new("environment", "");
    environment.variables.push(("SKEP_ROOT_KEY", key.into()));
    let wrap = tool(home, "wrap", "base64 | tr 'A-Za-z' 'N-ZA-Mn-za-m'");
    let unwrap = tool(home, "unwrap", "tr 'A-Za-z' 'N-ZA-Mn-za-m' | base64 -d");
    let wrapping = format!(
        "command = [{unwrap:?}]\nwrap_command = [{wrap:?}]\nwrapped_file = \"root.wrapped\""
    );
    vec![
        Place::new("passphrase", "passphrase_file = \"words\"\nmemory_mib = 8"),
        credential,
        environment,
        Place::new("command", &wrapping),
        Place::new("keyring", &format!("keyring_program = {:?}", keyring(home))),
    ]
}

#[test]
fn x06_a_moved_root_key_opens_everything_from_each_place() {
    let (home, text) = lived_in();
    for place in places(&home, &text) {
        let provider = place.provider;
        place.configure(&home, "file");
        let run = |arguments: &[&str]| {
            let mut command = place.command(&home, "key");
            command.args(arguments).output().unwrap()
        };
        let moved = run(&["move", "--to", provider]);
        assert!(moved.status.success(), "{provider}: {}", said(&moved));
        let told = String::from_utf8_lossy(&moved.stdout).into_owned();
        assert!(
            told.contains("keys of 1 workspaces, and the vault"),
            "{told}"
        );
        // What is in force goes on until somebody says otherwise, and is not forgotten before.
        assert!(!run(&["forget", "--from", "file"]).status.success());
        let file = fs::read(home.path().join("root.key")).unwrap();
        place.configure(&home, provider);
        let status = run(&["status"]);
        let told = String::from_utf8_lossy(&status.stdout).into_owned();
        assert!(told.contains("root.key holds a root key too"), "{told}");
        let forgot = run(&["forget", "--from", "file"]);
        assert!(forgot.status.success(), "{provider}: {}", said(&forgot));
        assert!(!home.path().join("root.key").exists());
        let daemon = home.start(place.command(&home, "serve"));
        assert!(knows(&home), "{provider}");
        let posture = home.get("/api/v1/system/posture").unwrap();
        assert!(posture.contains(provider), "{posture}");
        let (status, printed) = daemon.ended();
        assert!(
            status.success() && !printed.contains(&text[12..]),
            "{printed}"
        );
        for output in [&moved, &forgot] {
            assert!(!said(output).contains(&text[12..]));
        }
        home.put("root.key", &String::from_utf8(file).unwrap());
    }
}

/// A root key that nobody has.
const OTHER: &str = "skep-root-1 ZmFrZSBidXQgbG9uZyBlbm91Z2ggdG8gcGFzcyEhISE";

/// Places that give no key or another one, and what is said of each.
fn without_the_key(home: &Home) -> Vec<(Place, &'static str)> {
    let fails = tool(home, "fails", "echo \"no TPM here: $(cat)\" >&2; exit 4");
    let script = format!("echo '{}'", "0f1e2d3c".repeat(8));
    let prints = tool(home, "prints", &script);
    home.put("wrapped", "a blob");
    let place = |provider, settings: &str, said| (Place::new(provider, settings), said);
    let variable = |value: &str| {
        let mut place = Place::new("environment", "");
        place.variables.push(("SKEP_ROOT_KEY", value.into()));
        (place, "what SKEP_ROOT_KEY gave")
    };
    vec![
        place(
            "passphrase",
            "passphrase_file = \"words\"",
            "the root key is missing",
        ),
        place("passphrase", "", "the root key is missing"),
        place("credential", "", "LoadCredentialEncrypted=skep-root"),
        place("environment", "", "SKEP_ROOT_KEY is not set"),
        variable(OTHER),
        variable("short"),
        place(
            "command",
            &format!("command = [{fails:?}]\nwrapped_file = \"wrapped\""),
            "no TPM here: a blob",
        ),
        place(
            "command",
            "command = [\"/nowhere/tool\"]",
            "looking for /nowhere/tool",
        ),
        place(
            "command",
            &format!("command = [{prints:?}]"),
            "does not open the data",
        ),
        place(
            "keyring",
            "keyring_program = \"/bin/false\"",
            "the root key is missing",
        ),
        place(
            "keyring",
            &format!("keyring_program = {fails:?}"),
            "the system's keyring did not answer",
        ),
    ]
}

#[test]
fn x09_a_place_without_the_right_key_starts_nothing_and_says_what_to_do() {
    let (home, _) = lived_in();
    home.put("words", PASSPHRASE);
    fs::rename(home.path().join("root.key"), home.path().join("away")).unwrap();
    for (place, expected) in without_the_key(&home) {
        place.configure(&home, place.provider);
        let before = home.files();
        for verb in ["serve", "migrate"] {
            let output = place.command(&home, verb).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{}: {said}", place.provider);
            assert!(said.contains(expected), "{}: {said}", place.provider);
            assert!(!said.contains(&OTHER[12..]), "{said}");
            assert!(
                home.files() == before,
                "{} changed something",
                place.provider
            );
        }
    }
}

#[test]
fn x06_a_wrong_passphrase_or_a_changed_file_opens_nothing() {
    let home = Home::new();
    home.put("words", PASSPHRASE);
    let place = Place::new("passphrase", "passphrase_file = \"words\"\nmemory_mib = 8");
    place.configure(&home, "passphrase");
    home.put("words", "too short");
    let refused = key(&home, &["init"]);
    assert!(
        said(&refused).contains("at least 12 characters"),
        "{}",
        said(&refused)
    );
    home.put("words", PASSPHRASE);
    assert!(key(&home, &["init"]).status.success());
    assert!(!key(&home, &["init"]).status.success(), "there is one");
    assert!(home.serve().stop().success());
    assert!(!home.path().join("root.key").exists());
    let refused = key(&home, &["init"]);
    assert!(
        said(&refused).contains("an installation already"),
        "{}",
        said(&refused)
    );
    let locked = fs::read_to_string(home.path().join("root.key.locked")).unwrap();
    assert!(
        locked.starts_with("skep-locked-root-1 m=8192,t=3 "),
        "{locked}"
    );
    home.put("words", "plover anvil tuba harbor");
    let refused = home.run("serve");
    assert!(
        said(&refused).contains("the passphrase does not open"),
        "{}",
        said(&refused)
    );
    assert!(!said(&refused).contains("harbor"));
    home.put("words", PASSPHRASE);
    home.put("root.key.locked", &locked.replace("t=3", "t=2"));
    assert!(!home.run("serve").status.success());
    home.put("root.key.locked", &locked);
    assert!(home.serve().stop().success());
}

#[test]
fn x04_a_root_key_from_the_environment_is_in_no_environment_and_no_argument() {
    let (home, text) = lived_in();
    fs::remove_file(home.path().join("root.key")).unwrap();
    let mut place = Place::new("environment", "variable = \"HARBOUR\"");
    place.variables.push(("HARBOUR", text.clone()));
    place.configure(&home, "environment");
    let daemon = home.start(place.command(&home, "serve"));
    let process = Path::new("/proc").join(daemon.0.id().to_string());
    for file in ["environ", "cmdline"] {
        let bytes = fs::read(process.join(file)).unwrap();
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert!(
            !shown.contains("HARBOUR=") && !shown.contains(&text[12..]),
            "{shown}"
        );
        assert!(
            shown.contains("--root-key-on-stdin") || file == "environ",
            "{shown}"
        );
    }
    assert!(knows(&home));
    assert!(daemon.stop().success());
}

#[test]
fn x06_a_copied_tree_opens_under_no_other_root_key() {
    let (home, text) = lived_in();
    let copy = Home::new();
    for (path, bytes) in home.files() {
        let to = copy.path().join(path.strip_prefix(home.path()).unwrap());
        let folder = to.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&to, bytes).unwrap();
        fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let checked = key(&copy, &["check", "--json"]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        told.contains("\"vault\":true") && told.contains("\"workspaces\":1"),
        "{told}"
    );
    fs::remove_file(copy.path().join("root.key")).unwrap();
    assert!(
        key(
            &copy,
            &[
                "new",
                "--to",
                &copy.path().join("root.key").display().to_string()
            ]
        )
        .status
        .success()
    );
    let fresh = fs::read_to_string(copy.path().join("root.key")).unwrap();
    assert_ne!(fresh.trim(), text);
    for verb in [vec!["check"], vec!["move", "--to", "passphrase"]] {
        let refused = key(&copy, &verb);
        assert!(!refused.status.success());
        assert!(said(&refused).contains("wrong key"), "{}", said(&refused));
    }
    assert!(said(&copy.run("serve")).contains("does not open the data"));
}

#[test]
#[ignore = "needs dbus-run-session, gnome-keyring-daemon and secret-tool"]
fn x06_the_keyring_of_a_session_keeps_the_root_key() {
    let (home, text) = lived_in();
    let place = Place::new("keyring", "");
    place.configure(&home, "file");
    let own = env!("CARGO_BIN_EXE_skepd");
    let script = format!(
        "set -e; printf 'plover' | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n\
         {own} --home {0} key move --to keyring\nrm {0}/root.key\n\
         printf '[key]\\nprovider = \"keyring\"\\n' > {0}/skep.toml\n{own} --home {0} key check",
        home.path().display()
    );
    let mut session = Command::new("dbus-run-session");
    session.args(["--", "/bin/sh", "-c", &script]);
    session
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path());
    let output = session.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told} {}", said(&output));
    assert!(
        told.contains("the root key (keyring of the session) opens"),
        "{told}"
    );
    assert!(!told.contains(&text[12..]) && !said(&output).contains(&text[12..]));
    // Outside of that session it is not there.
    let refused = said(&home.run("serve"));
    assert!(refused.contains("keyring did not answer"), "{refused}");
}

/// What a change of the root key leaves on the disk as it goes.
type Mark = fn(&Path, &[u8]) -> bool;

fn killed_at(home: &Home, mark: Mark, before: &[u8]) -> bool {
    let mut command = home.command("key");
    command
        .arg("rotate-root")
        .stdout(std::process::Stdio::null());
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        if mark(home.path(), before) {
            child.kill().unwrap();
            break;
        }
    }
    !child.wait().unwrap().success()
}

#[test]
fn x09_a_change_of_the_root_key_that_is_killed_goes_on_and_the_old_key_opens_nothing() {
    let (home, _) = lived_in();
    let vault = home.path().join("vault/keys");
    let marks: [Mark; 4] = [
        |home, _| home.join("root.key.next").exists(),
        |home, before| fs::read(home.join("vault/keys")).is_ok_and(|now| now != before),
        |home, _| {
            home.join("data/control.db-wal")
                .metadata()
                .is_ok_and(|facts| facts.len() > 0)
        },
        |home, _| {
            let key = |name: &str| fs::read(home.join(name)).ok();
            let next = key("root.key.next");
            next.is_some() && next == key("root.key")
        },
    ];
    let mut killed = 0;
    for mark in marks {
        let old = fs::read_to_string(home.path().join("root.key")).unwrap();
        killed += u32::from(killed_at(&home, mark, &fs::read(&vault).unwrap()));
        if home.path().join("root.key.next").exists() {
            let refused = said(&home.run("serve"));
            assert!(refused.contains("skepd key rotate-root"), "{refused}");
            let done = key(&home, &["rotate-root"]);
            assert!(done.status.success(), "{}", said(&done));
        }
        assert!(!home.path().join("root.key.next").exists());
        let new = fs::read_to_string(home.path().join("root.key")).unwrap();
        assert_ne!(old, new);
        home.put("root.key", &old);
        assert!(said(&home.run("serve")).contains("does not open the data"));
        home.put("root.key", &new);
    }
    assert!(killed > 0, "nothing was killed");
    let daemon = home.serve();
    assert!(knows(&home));
    assert!(daemon.stop().success());
}

#[test]
fn x09_a_place_that_only_others_write_to_is_given_its_new_key_by_them() {
    let (home, old) = lived_in();
    fs::remove_file(home.path().join("root.key")).unwrap();
    let mut place = Place::new("environment", "");
    place.variables.push(("SKEP_ROOT_KEY", old));
    place.configure(&home, "environment");
    let new = home.path().join("new").display().to_string();
    let run = |arguments: &[&str]| {
        let mut command = place.command(&home, "key");
        command.args(arguments).output().unwrap()
    };
    assert!(said(&run(&["rotate-root"])).contains("skepd key new --to FILE"));
    assert!(run(&["new", "--to", &new]).status.success());
    for _ in 0..2 {
        let done = run(&["rotate-root", "--new-key-file", &new]);
        assert!(done.status.success(), "{}", said(&done));
    }
    let mut refused = place.command(&home, "serve");
    assert!(said(&refused.output().unwrap()).contains("does not open the data"));
    let text = fs::read_to_string(&new).unwrap();
    place.variables[0].1 = text.trim().to_owned();
    let daemon = home.start(place.command(&home, "serve"));
    assert!(knows(&home));
    assert!(daemon.stop().success());
}
