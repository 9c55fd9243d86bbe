//! Rules against paths, commands and tools as harnesses write them.

use proptest::prelude::{any, prop_assert, proptest};
use skep_domain::TurnRole::{self, Assistant, ToolCall, ToolResult, User};

use super::{
    Awaited, DENIED_PATHS, DENIED_TOOLS, DenyRules, DenyView, Drop, ToolRule, Verdict,
    WITHHELD_PATH, WITHHELD_TOOL,
};

fn rules(paths: &[&str], tools: &[(&str, Drop)]) -> DenyRules {
    let paths: Vec<String> = paths.iter().map(|text| (*text).to_owned()).collect();
    let tools: Vec<ToolRule> = tools
        .iter()
        .map(|(tool, drop)| ToolRule {
            tool: (*tool).to_owned(),
            drop: *drop,
        })
        .collect();
    DenyRules::new(&paths, &tools).unwrap()
}

fn call<'a>(role: TurnRole, tool: &'a str, text: &'a str, paths: &'a [String]) -> DenyView<'a> {
    DenyView {
        role,
        text,
        tool: Some(tool),
        paths,
    }
}

#[test]
fn the_defaults_are_well_formed_and_deny_what_they_should() {
    assert!(!DENIED_TOOLS.is_empty());
    let rules = DenyRules::default();
    assert_eq!(rules.paths().len(), DENIED_PATHS.len(), "not the fallback");
    let denied = [
        ".env",
        "/w/app/.env",
        "app/.ENV",
        "./.env",
        "a/b/../.env",
        ".env.production",
        "prod.env",
        "secrets/db.yml",
        "/w/secrets/a/b/c",
        "deploy\\secrets\\x",
        "certs/server.pem",
        "tls.key",
        "/srv/a/.ssh/id_ed25519",
        "id_rsa",
        "x/.aws/credentials",
        ".netrc",
        "infra/main.tfstate",
        "//w//.env",
        ".env/",
    ];
    for path in denied {
        assert!(rules.paths.denies(path), "{path} is let through");
    }
    let kept = [
        "src/main.rs",
        ".env.example",
        "a/.env.sample",
        "environment.rs",
        "src/secrets.rs",
        "keys.rs",
        "pem.md",
        "docs/secret-sharing.md",
        "id_rsa.md",
        "aws/credentials.md",
        "",
        ".environment",
        "x.pem.txt",
    ];
    for path in kept {
        assert!(!rules.paths.denies(path), "{path} is denied");
    }
}

#[test]
fn a12_commands_that_name_a_denied_path_are_seen() {
    let rules = DenyRules::default();
    let named = [
        "cat .env",
        "cat<.env",
        "source ./.env && run",
        "docker run --env-file=.env x",
        "git show HEAD:.env",
        "less 'secrets/db.yml'",
        "cp -r secrets/ /tmp",
        "{\"file_path\":\"/w/.env\"}",
        "openssl x509 -in a/b/server.pem",
        "cat .env.example .env",
        "cat .ENV",
        "type deploy\\.env",
        "head ~/.ssh/config",
    ];
    for text in named {
        assert!(rules.paths.is_named_in(text), "{text} is let through");
    }
    let plain = [
        "cargo test",
        "cat .env.example",
        "grep -r environment src",
        "echo $ENV",
        "ls secretsauce",
        "python -m venv .venv",
        "vim src/secrets.rs",
        "",
    ];
    for text in plain {
        assert!(!rules.paths.is_named_in(text), "{text} is denied");
    }
}

#[test]
fn a12_the_results_of_a_withheld_call_are_withheld_until_somebody_speaks() {
    let rules = DenyRules::default();
    let mut awaited = Awaited::default();
    let none: &[String] = &[];
    let turns = [
        (
            call(ToolCall, "Bash", "cat .env", none),
            Verdict::Withhold(WITHHELD_PATH),
        ),
        (call(ToolCall, "Bash", "ls", none), Verdict::Keep),
        (call(Assistant, "", "Let me look.", none), Verdict::Keep),
        (call(ToolResult, "Read", "other tool", none), Verdict::Keep),
        (
            call(ToolResult, "Bash", "KEY=1", none),
            Verdict::Withhold(WITHHELD_PATH),
        ),
        (
            call(ToolResult, "Bash", "a b", none),
            Verdict::Withhold(WITHHELD_PATH),
        ),
        (call(Assistant, "", "I see.", none), Verdict::Keep),
        (call(ToolResult, "Bash", "later", none), Verdict::Keep),
    ];
    for (turn, expected) in turns {
        assert_eq!(rules.judge(turn, &mut awaited), expected, "{turn:?}");
    }
    // The same, with the call stored in an earlier batch.
    let mut awaited = Awaited::default();
    awaited.recall(ToolCall, Some("Bash"), WITHHELD_PATH);
    let result = call(ToolResult, "Bash", "KEY=1", none);
    assert_eq!(
        rules.judge(result, &mut awaited),
        Verdict::Withhold(WITHHELD_PATH)
    );
    awaited.recall(User, None, "go on");
    assert_eq!(rules.judge(result, &mut awaited), Verdict::Keep);
}

#[test]
fn tools_lose_what_their_rule_says() {
    let rules = rules(
        &[],
        &[
            ("Screenshot", Drop::Output),
            ("mail.*", Drop::Call),
            ("*vault*", Drop::Content),
        ],
    );
    let none: &[String] = &[];
    let cases = [
        (
            "Screenshot",
            Verdict::Keep,
            Verdict::Withhold(WITHHELD_TOOL),
        ),
        (
            "screenshot",
            Verdict::Keep,
            Verdict::Withhold(WITHHELD_TOOL),
        ),
        ("mcp__mail__read", Verdict::Refuse, Verdict::Refuse),
        ("mail.read", Verdict::Refuse, Verdict::Refuse),
        (
            "HashiVault",
            Verdict::Withhold(WITHHELD_TOOL),
            Verdict::Withhold(WITHHELD_TOOL),
        ),
        ("Bash", Verdict::Keep, Verdict::Keep),
        ("Screenshots", Verdict::Keep, Verdict::Keep),
    ];
    for (tool, of_call, of_result) in cases {
        let mut awaited = Awaited::default();
        assert_eq!(
            rules.judge(call(ToolCall, tool, "x", none), &mut awaited),
            of_call,
            "{tool}"
        );
        let result = call(ToolResult, tool, "y", none);
        assert_eq!(rules.judge(result, &mut awaited), of_result, "{tool}");
    }
}

#[test]
fn patterns_that_make_no_sense_are_named() {
    let long = "x".repeat(257);
    for pattern in ["", "**", "*", "/", "/**", "***", &long, "a\nb"] {
        let refused = DenyRules::new(&[pattern.to_owned()], &[]);
        assert_eq!(refused.unwrap_err().pattern, pattern);
    }
    assert!(DenyRules::new(&vec!["a".to_owned(); 201], &[]).is_err());
    let many: Vec<String> = (0..200)
        .map(|n| format!("{}*{n}?/**", "a".repeat(60)))
        .collect();
    assert!(
        DenyRules::new(&many, &[]).is_ok(),
        "the limit itself is fine"
    );
}

#[test]
fn commits_and_people_are_not_files() {
    let rules = DenyRules::default();
    let paths = vec![".env".to_owned()];
    for role in [User, Assistant, TurnRole::Commit, TurnRole::Summary] {
        let turn = DenyView {
            role,
            text: "we keep .env out of git",
            tool: None,
            paths: &paths,
        };
        assert_eq!(rules.judge(turn, &mut Awaited::default()), Verdict::Keep);
    }
}

proptest! {
    #[test]
    fn however_a_denied_path_is_led_to_it_stays_denied(
        before in "[a-z]{0,6}(/[a-z]{1,6}){0,3}", dots in 0usize..3, after in any::<bool>(),
    ) {
        let rules = DenyRules::default();
        let path = format!("{before}/{}{}", "./".repeat(dots), ".env");
        let path = if after { path.replace('/', "\\") } else { path };
        prop_assert!(rules.paths.denies(&path), "{path}");
        let command = format!("cat {path}");
        prop_assert!(rules.paths.is_named_in(&command));
    }

    #[test]
    fn n15_any_text_is_judged(text in any::<String>(), path in any::<String>()) {
        let rules = DenyRules::default();
        let paths = [path];
        let _ = rules.judge(call(ToolCall, "Bash", &text, &paths), &mut Awaited::default());
    }
}
