//! What a call looks like.

use std::fmt::Write;

use serde_json::json;

use super::describe;

#[test]
fn known_tools_say_what_matters() {
    let calls = [
        (
            "Bash",
            json!({ "command": "cargo test", "description": "run" }),
        ),
        ("Read", json!({ "file_path": "/w/a.rs", "limit": 5 })),
        (
            "Grep",
            json!({ "pattern": "fn main", "path": "src", "-n": true }),
        ),
        (
            "Edit",
            json!({ "file_path": "a.rs", "old_string": "a\nb", "new_string": "c" }),
        ),
        (
            "Write",
            json!({ "file_path": "a.rs", "content": "x\n".repeat(14) }),
        ),
        (
            "TodoWrite",
            json!({ "todos": [{ "content": "ship", "status": "completed" }] }),
        ),
        ("shell", json!({ "command": ["bash", "-lc", "ls | wc"] })),
        ("exec_command", json!({ "cmd": "make" })),
        ("mcp__x__y", json!({ "n": 1, "q": "z".repeat(520) })),
    ];
    let mut shown = String::new();
    for (tool, input) in calls {
        let call = describe(tool, &input);
        let text = call.text.replace(&"z".repeat(512), "zz…zz");
        writeln!(shown, "{tool} {:?}\n{text}\n", call.paths).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_patch_names_its_files() {
    let script = "apply_patch <<'E'\n*** Begin Patch\n*** Update File: src/a.rs\n@@\n-x\n+y\n\
                  *** Add File: b.md\n+z\n*** End Patch\nE";
    let call = describe("shell", &json!({ "command": ["bash", "-lc", script] }));
    assert_eq!(call.paths, ["src/a.rs", "b.md"]);
    assert!(call.text.contains("+y"));
}

#[test]
fn n13_deep_and_wide_input_stays_small() {
    let mut deep = json!("bottom");
    for _ in 0..100 {
        deep = json!({ "a": [deep] });
    }
    let wide = json!({ "d": deep, "w": vec!["x"; 10_000] });
    assert!(describe("mcp__any", &wide).text.len() < 5_000);
    for odd in [
        json!(null),
        json!(3),
        json!("text"),
        json!({}),
        json!({ "command": 5 }),
    ] {
        describe("Bash", &odd);
    }
}
