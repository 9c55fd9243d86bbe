//! What holds for any input: no panic, bounds kept, the same result twice, no planted secret left.

use proptest::prelude::*;
use skep_domain::{Harness, Limits, Timestamp, TurnRole};
use skep_memory::{
    CommitAuthor, CommitView, Draft, FileChange, FileStatus, Redactor, TurnView, clean, cut_middle,
    distil_commit, distil_session, estimate_tokens, near_duplicate, normal_form,
};
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::new);

/// What the rules look for, so that random text meets them.
const PIECES: &[&str] = &[
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "-----",
    "<private>",
    "</private>",
    "`",
    "password",
    "token=",
    "api_key: \"",
    "\"",
    "\\n",
    "\n",
    "\n\n",
    "://",
    "https://u:",
    "@host",
    "Authorization: Bearer ",
    "eyJ",
    "sk-",
    "AKIA",
    "=",
    ": ",
    "- ",
    "1. ",
    "# ",
    "**",
    "```\n",
    "<!--",
    "-->",
    "<system-reminder>",
    "</system-reminder>",
    "We decided to use ",
    "because ",
    "root cause is ",
    "always ",
    "never ",
    "? ",
    ". ",
    "… ",
    "é",
    "日本",
    "\u{202e}",
    "\u{1b}[31m",
    "\r",
    "\t",
    "    ",
    "[x](y)",
    "(#12)",
    "fix(a): ",
    "e.g. ",
    "src/pool.rs ",
    "`cargo test` ",
    "don't ",
    "Exit code 1",
    "error[E0382]: x",
    "{\"command\":\"",
    "[\"bash\",\"-lc\",\"",
    "Fixes #1",
    "Co-authored-by: A <a@b>",
    "yes, ",
    "I recommend ",
    "&& ",
    "| ",
    "<< EOF",
];

fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(PIECES);
    prop_oneof![4 => fixed.prop_map(str::to_owned), 2 => "[A-Za-z0-9+/_=-]{1,50}", 1 => any::<String>()]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

fn turns() -> impl Strategy<Value = Vec<(TurnRole, String, Option<&'static str>, bool)>> {
    let role = prop::sample::select(TurnRole::ALL);
    let tool = prop::sample::select(vec![
        None,
        Some("Bash"),
        Some("Edit"),
        Some("WebFetch"),
        Some("exec_command"),
    ]);
    prop::collection::vec((role, text(), tool, any::<bool>()), 0..24)
}

fn distil(turns: &[(TurnRole, String, Option<&'static str>, bool)]) -> Vec<Draft> {
    let paths = vec!["src/pool.rs".to_owned()];
    let views: Vec<TurnView<'_>> = turns
        .iter()
        .enumerate()
        .map(|(index, (role, text, tool, is_error))| TurnView {
            index,
            role: *role,
            at: Timestamp::from_millis(index as i64),
            text,
            tool: *tool,
            is_error: *is_error,
            paths: &paths,
        })
        .collect();
    distil_session(Harness::Codex, &views)
}

fn check_bounds(draft: &Draft) -> Result<(), TestCaseError> {
    prop_assert!(
        draft.key.chars().count() <= Draft::KEY_CHARS && !draft.key.contains('\n'),
        "{}",
        draft.key
    );
    prop_assert!(draft.text.len() <= Limits::MEMORY_TEXT && !draft.text.is_empty());
    prop_assert!(draft.entities.len() <= Draft::ENTITIES);
    prop_assert!((Draft::ADMISSION..=1.0).contains(&draft.score));
    prop_assert!(!draft.turns.is_empty() && draft.turns.is_sorted());
    Ok(())
}

/// A token that stood alone before the host, once as it was written and once as it was left.
#[test]
fn what_was_taken_out_of_a_url_is_not_taken_for_a_password() {
    let once = REDACTOR.redact("git clone https://=A0A-A0/+aB_@host/repo");
    assert_eq!(
        once.text,
        "git clone https://[redacted:url-password]@host/repo"
    );
    assert_eq!(REDACTOR.redact(&once.text).text, once.text);
    for hidden in [
        "https://[redacted:S3cr3t-w0rd]@host",
        "https://[redacted:s3cr3tw0rd@host",
    ] {
        assert!(!REDACTOR.redact(hidden).text.contains("3cr3t"), "{hidden}");
    }
}

proptest! {
    #[test]
    fn redaction_is_idempotent_and_names_its_ranges(text in text()) {
        let once = REDACTOR.redact(&text);
        for pair in once.found.windows(2) {
            prop_assert!(pair[0].range.end <= pair[1].range.start);
        }
        for finding in &once.found {
            prop_assert!(text.get(finding.range.clone()).is_some());
            prop_assert!(REDACTOR.rules().contains(&finding.rule));
        }
        let twice = REDACTOR.redact(&once.text);
        prop_assert_eq!(&twice.text, &once.text, "{:?}", twice.found);
    }

    #[test]
    fn a_planted_key_is_gone_whatever_stands_around_it(before in text(), key in "[A-Za-z0-9]{36}", after in text()) {
        prop_assume!(key.bytes().any(|b| b.is_ascii_digit()) && key.bytes().any(|b| b.is_ascii_uppercase()));
        let token = format!("{}{key}", ["gh", "p_"].concat());
        let text = format!("{before} {token} {after}");
        let redacted = REDACTOR.redact(&text);
        prop_assert!(!redacted.text.contains(&key));
    }

    #[test]
    fn sessions_never_panic_and_drafts_keep_their_bounds(turns in turns()) {
        let drafts = distil(&turns);
        for draft in &drafts {
            check_bounds(draft)?;
            prop_assert!(draft.turns.iter().all(|turn| *turn < turns.len()));
        }
        prop_assert_eq!(drafts, distil(&turns));
    }

    #[test]
    fn commits_never_panic_and_drafts_keep_their_bounds(subject in text(), body in text(), path in text()) {
        let files = [FileChange { status: FileStatus::Modified, path }];
        let commit = CommitView {
            index: 3,
            id: "0",
            at: Timestamp::from_millis(1),
            author: CommitAuthor::Other,
            subject: &subject,
            body: &body,
            parents: 1,
            files: &files,
        };
        let drafts = distil_commit(&commit);
        prop_assert!(drafts.len() <= 1);
        for draft in &drafts {
            check_bounds(draft)?;
        }
        prop_assert_eq!(drafts, distil_commit(&commit));
    }

    #[test]
    fn the_way_in_keeps_text_inert_and_bounded(text in text(), limit in 64_usize..4_096) {
        let cleaned = clean(&text);
        let redacted = REDACTOR.redact(&cleaned);
        let cut = cut_middle(&redacted.text, limit);
        prop_assert!(cut.len() <= limit);
        prop_assert_eq!(clean(&cut), cut.as_ref());
    }

    #[test]
    fn likeness_is_symmetric_and_copies_are_alike(a in text(), b in text()) {
        let (ab, ba) = (near_duplicate(&a, &b), near_duplicate(&b, &a));
        prop_assert!((ab - ba).abs() < 1e-6 && (0.0..=1.0).contains(&ab));
        prop_assert!(near_duplicate(&a, &a) > 0.999);
        let normal = normal_form(&a);
        prop_assert_eq!(normal_form(&normal), normal.clone());
        prop_assert_eq!(normal_form(&a.to_uppercase()), normal_form(&a.to_uppercase().to_lowercase()));
    }

    #[test]
    fn tokens_grow_with_text(a in text(), b in text()) {
        let both = estimate_tokens(&format!("{a}{b}"));
        prop_assert!(both + 1 >= estimate_tokens(&a) && both <= estimate_tokens(&a) + estimate_tokens(&b) + 1);
    }
}

#[test]
fn hostile_text_is_redacted_in_linear_time() {
    for unit in [
        "-----BEGIN PRIVATE KEY-----\n",
        "-----END PRIVATE KEY-----",
        "<private>",
        "</private><private>",
        "https://u:",
        "://a:b",
        "password=",
        "eyJa.eyJb.",
        "token: \"",
        "AKIA",
        "curl -u a:",
        "Authorization: Bearer ",
        "sk-",
        "login a password ",
        "xoxb-",
        "secret secret ",
        "ghp_",
    ] {
        // A second of a quadratic rule at this size would be hours.
        let text = unit.repeat((96 << 10) / unit.len());
        let found = REDACTOR.redact(&text).found;
        assert!(found.len() <= text.len() / 4, "{unit}");
    }
}

#[test]
fn a_greek_word_is_the_same_in_large_letters() {
    assert_eq!(normal_form("ΟΔΟΣ ΣΣ"), normal_form("οδος σς"));
}
