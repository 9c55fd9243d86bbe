//! `skep setup` in homes that people have: what it writes, what it leaves, and that it can be undone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Bench, Ran};

const ALL: &str = "claude,codex,cursor,gemini,opencode";

/// Configurations with hooks of others, as people write them.
const FOREIGN: &[(&str, &str)] = &[
    (
        ".claude/settings.json",
        "{\n    \"model\": \"opus\",\n    \"env\": {\"TOKEN\": \"x\"},\n    \"hooks\": {\n        \"Stop\": [\n            {\"hooks\": [ {\"type\": \"command\", \"command\": \"notify-send 'done'\"} ]}\n        ],\n        \"Notification\": []\n    }\n}",
    ),
    (
        ".codex/hooks.json",
        "{\"hooks\":{\"SessionStart\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"beep\"}]}]}}\n",
    ),
    (
        ".cursor/hooks.json",
        "{\r\n\t\"version\": 1,\r\n\t\"hooks\": {\r\n\t\t\"stop\": [{\"command\": \"./hooks/audit.sh\"}]\r\n\t}\r\n}\r\n",
    ),
    (
        ".gemini/settings.json",
        "{\n  // what I like\n  \"theme\": \"Dracula\",\n  \"hooks\": {},\n}\n",
    ),
    (
        ".config/opencode/plugins/other.js",
        "export const Other = 1\n",
    ),
    (
        ".claude.json",
        "{\n  \"numStartups\": 7,\n  \"mcpServers\": {\n    \"other\": {\"type\": \"stdio\", \"command\": \"other-server\"}\n  }\n}",
    ),
    (
        ".codex/config.toml",
        "model = \"o\"   # the best\n\n[mcp_servers.other]\ncommand = 'other-server'\n\n[tui]\nnotifications = true",
    ),
    (
        ".cursor/mcp.json",
        "{\"mcpServers\":{\"other\":{\"url\":\"https://other-server.example\"}}}\n",
    ),
    (
        ".config/opencode/opencode.jsonc",
        "{\n  // what I like\n  \"theme\": \"a\",\n  \"mcp\": { \"other-server\": { \"type\": \"remote\" } },\n}\n",
    ),
];

/// Every file below a folder but Skep's own home: its text and its mode.
fn tree(root: &Path) -> BTreeMap<PathBuf, (String, u32)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path == root.join("home") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                found.insert(path.clone(), (fs::read_to_string(&path).unwrap(), mode));
            }
        }
    }
    found
}

/// A home as the program makes it.
fn private() -> Bench {
    let bench = Bench::new();
    fs::set_permissions(bench.path("home"), fs::Permissions::from_mode(0o700)).unwrap();
    bench
}

fn with_foreign() -> Bench {
    let bench = private();
    for (path, text) in FOREIGN {
        let path = bench.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    }
    bench
}

fn setup(bench: &Bench, more: &[&str]) -> Ran {
    let mut arguments = vec!["setup", "--no-service"];
    arguments.extend(more);
    bench.skep(&arguments)
}

fn states(ran: &Ran) -> BTreeMap<String, String> {
    let answer = ran.json();
    let harnesses = answer["harnesses"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    harnesses
        .map(|one| (text(&one["name"]), text(&one["state"])))
        .collect()
}

#[test]
fn x13_nothing_is_written_before_somebody_agreed() {
    let bench = with_foreign();
    let before = tree(bench.root.path());
    for more in [
        &[][..],
        &["--dry-run"],
        &["--json"],
        &["--dry-run", "--json"],
    ] {
        let ran = setup(&bench, more);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains("skep hook claude Stop"));
        assert_eq!(tree(bench.root.path()), before, "{more:?}");
        assert!(!bench.path("home/setup.json").exists());
    }
    let shown = setup(&bench, &[]);
    for said in ["Captured:", "skep pause", "skep setup --uninstall", "--yes"] {
        assert!(shown.stderr.contains(said), "{said}: {shown:?}");
    }
}

#[test]
fn what_was_put_in_is_taken_out_to_the_byte() {
    let bench = with_foreign();
    let before = tree(bench.root.path());
    let ran = setup(&bench, &["--yes", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        states(&ran).values().all(|state| state == "written"),
        "{ran:?}"
    );
    assert_eq!(states(&ran).len(), 9);
    let wired = tree(bench.root.path());
    for (path, text) in FOREIGN {
        let (now, mode) = &wired[&bench.path(path)];
        assert_eq!(mode & 0o777, 0o640, "{path}");
        // What others wrote is there, byte for byte.
        for piece in [
            "notify-send 'done'",
            "\"beep\"",
            "./hooks/audit.sh",
            "// what I like",
            "other-server",
            "# the best",
        ] {
            assert_eq!(now.contains(piece), text.contains(piece), "{path}: {now}");
        }
    }
    // A second time nothing is changed, with or without a question.
    let ran = setup(&bench, &["--yes", "--json"]);
    assert!(
        states(&ran).values().all(|state| state == "ready"),
        "{ran:?}"
    );
    assert_eq!(tree(bench.root.path()), wired);

    let mode = fs::metadata(bench.path("home/setup.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "it keeps what configurations said");
    let ran = bench.skep(&["setup", "--uninstall", "--yes", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(tree(bench.root.path()), before);
    assert!(!bench.path("home/setup.json").exists());
    let ran = bench.skep(&["setup", "--uninstall", "--yes", "--json"]);
    assert_eq!((ran.code, states(&ran).len()), (0, 0), "{ran:?}");
}

/// What an older version wrote is brought up to date, and what was there before it is still known.
#[test]
fn an_update_of_ours_is_undone_to_the_byte() {
    let bench = with_foreign();
    let before = tree(bench.root.path());
    setup(&bench, &["--yes"]);
    let wired = tree(bench.root.path());
    let mut older: Vec<PathBuf> = FOREIGN[..4]
        .iter()
        .map(|(path, _)| bench.path(path))
        .collect();
    older.push(bench.path("home/setup.json"));
    for path in &older {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replace("timeout", "timeout_of_old")).unwrap();
    }
    let ran = setup(&bench, &["--yes", "--json"]);
    assert_eq!(states(&ran)["codex"], "written", "{ran:?}");
    let codex = bench.path(".codex/hooks.json");
    assert_eq!(tree(bench.root.path())[&codex], wired[&codex]);
    bench.skep(&["setup", "--uninstall", "--yes"]);
    assert_eq!(tree(bench.root.path()), before);
}

#[test]
fn what_others_wrote_meanwhile_stays() {
    let bench = with_foreign();
    setup(&bench, &["--yes"]);
    let path = bench.path(".claude/settings.json");
    let text = fs::read_to_string(&path).unwrap();
    let theirs = text.replacen("\"opus\"", "\"sonnet\" /* faster */", 1);
    assert_ne!(text, theirs);
    fs::write(&path, &theirs).unwrap();
    // Setting up again notes what it would be without us, and still knows what it made.
    assert_eq!(setup(&bench, &["--yes"]).code, 0);
    let ran = bench.skep(&["setup", "--uninstall", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let left = fs::read_to_string(&path).unwrap();
    assert_eq!(
        left,
        FOREIGN[0]
            .1
            .replacen("\"opus\"", "\"sonnet\" /* faster */", 1)
    );
}

#[test]
fn a_lost_receipt_leaves_nothing_of_ours_behind() {
    let bench = with_foreign();
    setup(&bench, &["--yes"]);
    fs::remove_file(bench.path("home/setup.json")).unwrap();
    let ran = bench.skep(&["setup", "--uninstall", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for (path, (text, _)) in tree(bench.root.path()) {
        assert!(!text.contains("skep"), "{}: {text}", path.display());
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_left_alone_and_the_others_are_not() {
    let bench = with_foreign();
    for (broken, why) in [
        ("{", "not JSON"),
        ("[]", "whole file"),
        ("{\"hooks\": 3}", "hooks"),
    ] {
        let path = bench.path(".claude/settings.json");
        fs::write(&path, broken).unwrap();
        let ran = setup(&bench, &["--yes", "--json"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        let states = states(&ran);
        assert_eq!(states["claude"], "left alone");
        assert!(["written", "ready"].contains(&states["codex"].as_str()));
        assert!(ran.stdout.contains(why), "{ran:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
    // Somebody's own file of that name is not ours to replace.
    let plugin = bench.path(".config/opencode/plugins/skep.js");
    fs::write(&plugin, "// mine\n").unwrap();
    let ran = setup(&bench, &["--yes", "--json", "--harness", "opencode"]);
    assert_eq!(states(&ran)["opencode"], "left alone");
    assert_eq!(fs::read_to_string(&plugin).unwrap(), "// mine\n");
}

#[test]
fn a_home_without_any_configuration_has_none_afterwards() {
    let bench = private();
    let before = tree(bench.root.path());
    let ran = setup(&bench, &["--yes", "--harness", ALL]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(tree(bench.root.path()).len(), before.len() + 9);
    insta::assert_snapshot!(
        "claude_settings",
        fs::read_to_string(bench.path(".claude/settings.json"))
            .unwrap()
            .replace(env!("CARGO_BIN_EXE_skep"), "/usr/bin/skep")
    );
    insta::assert_snapshot!(
        "cursor_hooks",
        fs::read_to_string(bench.path(".cursor/hooks.json"))
            .unwrap()
            .replace(env!("CARGO_BIN_EXE_skep"), "/usr/bin/skep")
    );
    for (name, path) in [
        ("claude_servers", ".claude.json"),
        ("codex_servers", ".codex/config.toml"),
        ("gemini_settings", ".gemini/settings.json"),
        ("opencode_servers", ".config/opencode/opencode.json"),
    ] {
        let text = fs::read_to_string(bench.path(path)).unwrap();
        let text = text.replace(env!("CARGO_BIN_EXE_skep"), "/usr/bin/skep");
        insta::assert_snapshot!(name, text);
    }
    let ran = bench.skep(&["setup", "--uninstall", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(tree(bench.root.path()), before);
}

/// A server that somebody else called by our name is theirs; the rest is set up all the same.
#[test]
fn a_server_of_our_name_that_is_not_ours_is_left_alone() {
    let bench = with_foreign();
    let theirs = "{\"mcpServers\": {\"skep\": {\"url\": \"https://skep.example.com/mcp\"}}}";
    fs::write(bench.path(".cursor/mcp.json"), theirs).unwrap();
    let ran = setup(&bench, &["--yes", "--json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(states(&ran)["cursor-mcp"], "left alone");
    assert_eq!(states(&ran)["cursor"], "written");
    assert_eq!(
        fs::read_to_string(bench.path(".cursor/mcp.json")).unwrap(),
        theirs
    );
    bench.skep(&["setup", "--uninstall", "--yes"]);
    assert_eq!(
        fs::read_to_string(bench.path(".cursor/mcp.json")).unwrap(),
        theirs
    );
}
