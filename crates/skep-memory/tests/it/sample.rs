//! A labelled sample of sessions and commits: what is kept of them, what is junk, what is missed.

use skep_domain::{Harness, Timestamp, TurnRole};
use skep_memory::{
    CommitAuthor, CommitView, Draft, TurnView, distil_commit, distil_continued, distil_session,
    split_exchanges,
};
use std::fmt::Write as _;

/// One turn as the sample writes it.
struct Said {
    role: TurnRole,
    text: String,
    tool: Option<&'static str>,
    is_error: bool,
    paths: Vec<String>,
}

/// One session with its labels.
#[derive(Default)]
struct Labelled {
    title: String,
    turns: Vec<Said>,
    keep: Vec<(String, Vec<String>)>,
    also: Vec<(String, Vec<String>)>,
    refuse: Vec<Vec<String>>,
}

fn parse(sample: &str) -> Vec<Labelled> {
    let mut sessions: Vec<Labelled> = Vec::new();
    for line in sample
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        if let Some(title) = line.strip_prefix("== ") {
            sessions.push(Labelled {
                title: title.to_owned(),
                ..Labelled::default()
            });
            continue;
        }
        let session = sessions.last_mut().unwrap();
        if let Some(more) = line.strip_prefix("  ") {
            let last = session.turns.last_mut().unwrap();
            last.text.push('\n');
            last.text.push_str(more);
        } else if let Some(rest) = line.strip_prefix("keep ") {
            session.keep.push(label(rest));
        } else if let Some(rest) = line.strip_prefix("also ") {
            session.also.push(label(rest));
        } else if let Some(rest) = line.strip_prefix("refuse | ") {
            session.refuse.push(words(rest));
        } else {
            let (who, text) = line.split_once(": ").unwrap();
            session.turns.push(said(who, text));
        }
    }
    sessions
}

fn label(rest: &str) -> (String, Vec<String>) {
    let (kind, text) = rest.split_once(" | ").unwrap();
    (kind.to_owned(), words(text))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_lowercase).collect()
}

fn said(who: &str, text: &str) -> Said {
    let (role, tool, is_error) = match who {
        "user" => (TurnRole::User, None, false),
        "assistant" => (TurnRole::Assistant, None, false),
        "bash" => (TurnRole::ToolCall, Some("Bash"), false),
        "fail" => (TurnRole::ToolResult, Some("Bash"), true),
        "pass" => (TurnRole::ToolResult, Some("Bash"), false),
        "edit" => (TurnRole::ToolCall, Some("Edit"), false),
        "read" | "grep" => (TurnRole::ToolCall, Some("Read"), false),
        "web" => (TurnRole::ToolCall, Some("WebFetch"), false),
        "result" => (TurnRole::ToolResult, None, false),
        other => panic!("nobody is called {other}"),
    };
    let paths = if matches!(who, "edit" | "read") {
        vec![text.to_owned()]
    } else {
        Vec::new()
    };
    Said {
        role,
        text: text.to_owned(),
        tool,
        is_error,
        paths,
    }
}

fn views(session: &Labelled) -> Vec<TurnView<'_>> {
    session
        .turns
        .iter()
        .enumerate()
        .map(|(index, said)| TurnView {
            index,
            role: said.role,
            at: Timestamp::from_millis(1_700_000_000_000 + index as i64 * 1_000),
            text: &said.text,
            tool: said.tool,
            is_error: said.is_error,
            paths: &said.paths,
        })
        .collect()
}

fn drafts(session: &Labelled) -> Vec<Draft> {
    distil_session(Harness::ClaudeCode, &views(session))
}

fn says(draft: &Draft, words: &[String]) -> bool {
    let text = draft.text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

fn fits(draft: &Draft, (kind, words): &(String, Vec<String>)) -> bool {
    draft.kind.as_str() == kind && says(draft, words)
}

#[test]
fn sessions_leave_what_matters_and_no_junk() {
    let (mut wanted, mut found, mut kept, mut junk, mut broken) = (0, 0, 0, 0, 0);
    let mut report = String::new();
    for session in parse(include_str!("sample/sessions.txt")) {
        let drafts = drafts(&session);
        for expected in &session.keep {
            wanted += 1;
            if drafts.iter().any(|draft| fits(draft, expected)) {
                found += 1;
            } else {
                writeln!(report, "{}: missed {expected:?}", session.title).unwrap();
            }
        }
        for draft in &drafts {
            kept += 1;
            let is_wanted = session
                .keep
                .iter()
                .chain(&session.also)
                .any(|label| fits(draft, label));
            let is_refused = session.refuse.iter().any(|words| says(draft, words));
            broken += i32::from(is_refused);
            if !is_wanted || is_refused {
                junk += 1;
                writeln!(
                    report,
                    "{}: junk [{} {:.2}] {}",
                    session.title,
                    draft.kind.as_str(),
                    draft.score,
                    draft.text
                )
                .unwrap();
            }
        }
    }
    let (recall, junk_rate) = (
        f64::from(found) / f64::from(wanted),
        f64::from(junk) / f64::from(kept),
    );
    println!(
        "key facts {found} of {wanted} ({recall:.3}), drafts {kept}, junk {junk} ({junk_rate:.3})\n{report}"
    );
    assert_eq!(broken, 0, "refused words were kept");
    assert!(recall >= 0.95 && junk_rate <= 0.05);
}

/// What is kept, as a reader sees it.
fn shown(drafts: &[Draft]) -> String {
    let mut out = String::new();
    for draft in drafts {
        let (kind, trust) = (draft.kind.as_str(), draft.trust.as_str());
        writeln!(
            out,
            "[{kind}, {trust}, {:.2}, turns {:?}] {}",
            draft.score, draft.turns, draft.text
        )
        .unwrap();
        writeln!(
            out,
            "  key: {}\n  names: {}",
            draft.key,
            draft.entities.join(", ")
        )
        .unwrap();
    }
    out
}

#[test]
fn drafts_of_the_sample_are_reviewed() {
    let mut out = String::new();
    for session in parse(include_str!("sample/sessions.txt")) {
        writeln!(out, "== {}\n{}", session.title, shown(&drafts(&session))).unwrap();
    }
    insta::assert_snapshot!("sessions", out);
}

#[test]
fn commits_are_kept_by_kind_or_refused() {
    let mut commits: Vec<(&str, &str, String)> = Vec::new();
    for line in include_str!("sample/commits.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        if let Some(more) = line.strip_prefix("  ") {
            let (_, _, body) = commits.last_mut().unwrap();
            body.push_str(more);
            body.push('\n');
        } else if let Some((kind, subject)) = line.split_once(": ") {
            commits.push((kind, subject, String::new()));
        } else if let Some((_, _, body)) = commits.last_mut() {
            body.push('\n');
        }
    }
    let (mut wanted, mut found, mut right, mut junk, mut report) = (0, 0, 0, 0, String::new());
    let mut seen = String::new();
    for (index, (kind, subject, body)) in commits.iter().enumerate() {
        let commit = CommitView {
            index,
            id: "0",
            at: Timestamp::from_millis(0),
            author: CommitAuthor::Own,
            subject,
            body,
            parents: 1 + usize::from(subject.starts_with("Merge")),
            files: &[],
        };
        let drafts = distil_commit(&commit);
        seen.push_str(&shown(&drafts));
        let got = drafts.first().map_or("refuse", |draft| draft.kind.as_str());
        wanted += i32::from(*kind != "refuse");
        found += i32::from(*kind != "refuse" && got != "refuse");
        right += i32::from(*kind != "refuse" && got == *kind);
        junk += i32::from(*kind == "refuse" && got != "refuse");
        if got != *kind {
            writeln!(report, "{subject}: {got} instead of {kind}").unwrap();
        }
    }
    println!(
        "kept {found} of {wanted}, kind right {right}, junk kept {junk} of {}\n{report}",
        commits.len() as i32 - wanted
    );
    insta::assert_snapshot!("commits", seen);
    assert!(found == wanted && junk == 0 && f64::from(right) / f64::from(wanted) >= 0.9);
}

#[test]
fn a_session_distilled_as_it_goes_leaves_what_it_leaves_at_once() {
    for session in parse(include_str!("sample/sessions.txt")) {
        let views = views(&session);
        let whole = distil_session(Harness::ClaudeCode, &views);
        let mut kept: Vec<Draft> = Vec::new();
        for range in split_exchanges(&views) {
            let step = distil_continued(Harness::ClaudeCode, &views[..range.end], range.start);
            kept.retain(|draft| !step.withdrawn.contains(draft));
            kept.extend(step.drafts);
        }
        assert_eq!(kept, whole, "{}", session.title);
    }
}
