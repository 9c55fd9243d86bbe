//! A commit message taken apart: type and scope, subject, paragraphs, without trailers and templates.

use super::markdown::{Block, BlockKind, blocks};
use super::sentence::fold;
use crate::turn::CommitView;

/// What the message says.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// The type of a conventional commit, if it is one that is known: `fix`, `feat`.
    pub(super) sort: Option<String>,
    /// The scope of a conventional commit, or the `area:` in front of a subject.
    pub(super) scope: Option<String>,
    /// The subject without type, scope and pull-request number.
    pub(super) subject: String,
    /// Issue and pull-request numbers, `#12`.
    pub(super) issues: Vec<String>,
    /// Paragraphs and list items of the body.
    pub(super) body: Vec<Block>,
    /// Whether an agent wrote it, by its own trailer.
    pub(super) by_agent: bool,
}

const SORTS: &[&str] = &[
    "feat", "feature", "fix", "bugfix", "hotfix", "bug", "docs", "doc", "style", "refactor",
    "perf", "test", "tests", "build", "ci", "chore", "revert", "deps", "release", "security",
    "lint", "fmt", "cleanup", "wip", "merge", "dep",
];

/// Reads a message.
pub(super) fn read(commit: &CommitView<'_>) -> Message {
    let (subject, mut issues) = without_numbers(commit.subject.trim());
    let (sort, scope, subject) = conventional(subject);
    let kept = without_trailers(commit.body, &mut issues);
    let mut body: Vec<Block> = blocks(&kept).into_iter().filter(is_meaningful).collect();
    // A template's heading over nothing says nothing.
    let is_empty_heading = |at: usize, all: &[Block]| {
        all[at].kind == BlockKind::Heading
            && all
                .get(at + 1)
                .is_none_or(|next| next.kind == BlockKind::Heading)
    };
    let empty: Vec<bool> = (0..body.len())
        .map(|at| is_empty_heading(at, &body))
        .collect();
    let mut at = 0;
    body.retain(|_| {
        at += 1;
        !empty[at - 1]
    });
    let by_agent = is_by_agent(commit.body);
    Message {
        sort,
        scope,
        subject: subject.to_owned(),
        issues,
        body,
        by_agent,
    }
}

fn conventional(subject: &str) -> (Option<String>, Option<String>, &str) {
    let subject = subject.trim_start_matches(|c: char| {
        !c.is_alphanumeric() && !matches!(c, '`' | '"' | '\'' | '[' | '.' | '/' | '-' | '<')
    });
    if let Some(rest) = subject.strip_prefix('[')
        && let Some((area, rest)) = rest.split_once(']')
        && area.len() <= 24
        && rest.len() > 8
    {
        return (
            None,
            Some(area.to_owned()),
            rest.trim_start_matches([':', ' ']),
        );
    }
    let Some((head, rest)) = subject.split_once(": ") else {
        return (None, None, subject);
    };
    let head = head.trim_end_matches('!');
    let (word, scope) = match head.split_once('(') {
        Some((word, scope)) => (word, Some(scope.trim_end_matches(')').to_owned())),
        None => (head, None),
    };
    let lower = word.to_ascii_lowercase();
    if SORTS.contains(&lower.as_str()) {
        return (Some(lower), scope, rest.trim());
    }
    let is_area = head.len() <= 40
        && head
            .split([',', '/'])
            .all(|part| !part.trim().contains(' '))
        && !rest.trim().is_empty();
    if is_area {
        (None, Some(head.to_owned()), rest.trim())
    } else {
        (None, None, subject)
    }
}

/// The subject without `(#12)` at its end.
fn without_numbers(subject: &str) -> (&str, Vec<String>) {
    let mut issues = Vec::new();
    let mut rest = subject.trim_end();
    while let Some((head, number)) = rest
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('))
    {
        let digits = number.trim_start_matches(['#', '!']);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        issues.push(format!("#{digits}"));
        rest = head.trim_end();
    }
    (rest, issues)
}

const TRAILERS: &[&str] = &[
    "signed-off-by",
    "co-authored-by",
    "co-developed-by",
    "reviewed-by",
    "acked-by",
    "tested-by",
    "reported-by",
    "suggested-by",
    "cc",
    "change-id",
    "reviewed-on",
    "commit-queue",
    "auto-submit",
    "run-tryjob",
    "trybot-result",
    "tryjob-result",
    "pr-url",
    "reviewed-at",
    "differential revision",
    "git-svn-id",
    "rel",
    "release-note",
    "release-notes",
    "gitorigin-revid",
    "assisted-by",
    "generated-by",
    "claude-session",
    "on-behalf-of",
    "link",
    "closes",
    "fixes",
    "fix",
    "resolves",
    "refs",
    "ref",
    "see",
    "related",
    "part of",
    "updates",
    "issue",
    "bug",
    "pr",
    "see-also",
    "original-commit",
    "depends-on",
    "stable-dep-of",
];

/// Drops trailers, cherry-pick notes and agents' signatures; issue numbers go to `issues`.
fn without_trailers(body: &str, issues: &mut Vec<String>) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in body.lines() {
        let trimmed = line.trim();
        if trimmed == "-- " || trimmed.starts_with("------ >8") {
            break;
        }
        if is_trailer(trimmed) || is_signature(trimmed) {
            issues.extend(numbers(trimmed));
            continue;
        }
        kept.push(line);
    }
    issues.dedup();
    kept.join("\n")
}

/// Not merely a word like `httpx`.
fn is_link(folded: &str) -> bool {
    folded.starts_with("http://") || folded.starts_with("https://")
}

fn is_trailer(line: &str) -> bool {
    let folded = fold(line);
    let reference = |word: &str| {
        folded.strip_prefix(word).is_some_and(|rest| {
            let rest = rest.trim_start_matches([':', ' ']).trim_end_matches('.');
            !rest.is_empty()
                && rest.split([' ', ',']).all(|part| {
                    part.is_empty()
                        || is_number(part)
                        || is_link(part)
                        || matches!(part, "and" | "pr" | "closes" | "fixes" | "refs" | "see")
                })
        })
    };
    if [
        "fixes",
        "fix",
        "closes",
        "close",
        "resolves",
        "refs",
        "ref",
        "see",
        "pr",
        "issue",
        "related to",
        "related",
        "part of",
        "updates",
        "towards",
        "from",
        "for",
        "bug",
        "re",
    ]
    .iter()
    .any(|word| reference(word))
    {
        return true;
    }
    let Some((key, value)) = folded.split_once(':') else {
        return false;
    };
    let is_known = TRAILERS.contains(&key.trim());
    let is_person =
        value.contains('@') && value.contains('<') && key.len() <= 32 && !key.contains(' ');
    let is_reference = value.trim().split(' ').count() <= 2;
    is_person || (is_known && (is_reference || key.contains('-')))
}

fn is_number(part: &str) -> bool {
    let digits = part
        .trim_start_matches(['#', '!', '('])
        .trim_end_matches([')', '.']);
    let digits = digits.rsplit(['#', '-', '/']).next().unwrap_or(digits);
    part.contains(['#', '-', '!', '/'])
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn numbers(line: &str) -> impl Iterator<Item = String> {
    line.match_indices('#').filter_map(|(at, _)| {
        let digits: String = line[at + 1..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        (!digits.is_empty() && digits.len() <= 7).then(|| format!("#{digits}"))
    })
}

fn is_signature(line: &str) -> bool {
    let folded = fold(line);
    folded.starts_with("(cherry picked from")
        || folded.contains("generated with [claude")
        || folded.contains("generated with claude")
        || folded.contains("generated by codex")
        || folded.starts_with("this reverts commit")
        || folded.starts_with("see merge request")
        || folded.starts_with("# conflicts")
        || folded.starts_with("conflicts:")
        || folded.starts_with("bors r+")
        || folded.starts_with("[skip ci]")
}

fn is_by_agent(body: &str) -> bool {
    let folded = fold(body);
    folded.lines().any(|line| {
        let is_credit = line.starts_with("co-authored-by")
            || line.starts_with("assisted-by")
            || line.contains("generated with")
            || line.starts_with("generated-by");
        is_credit
            && [
                "claude",
                "codex",
                "copilot",
                "cursor",
                "gemini",
                "aider",
                "devin",
                "openai",
                "anthropic",
            ]
            .iter()
            .any(|agent| line.contains(agent))
    })
}

/// Subjects of squashed trivia and template boilerplate are no statements.
fn is_meaningful(block: &Block) -> bool {
    let folded = fold(block.text.trim());
    let boilerplate = [
        "checks",
        "checklist",
        "description",
        "pull request",
        "what does this pr do",
        "thank you for",
        "i have ",
        "if you're adding",
        "before submitting",
        "dependabot",
        "bumps [",
        "you can trigger",
        "signed-off-by",
        "release notes",
        "screenshots",
        "n/a",
        "none",
        "merge branch",
        "merge remote",
    ];
    if boilerplate.iter().any(|start| folded.starts_with(start))
        && block.kind != BlockKind::Paragraph
    {
        return false;
    }
    match block.kind {
        BlockKind::Code => block.text.lines().count() <= 3 && block.text.len() <= 240,
        BlockKind::Item => {
            !super::trivial::is_trivial_subject(&folded) && folded.split(' ').count() >= 2
        }
        BlockKind::Paragraph => {
            !boilerplate.iter().take(4).any(|start| folded == *start)
                && folded.contains(' ')
                && !is_link(&folded)
        }
        BlockKind::Heading => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{conventional, is_trailer, without_numbers};

    #[test]
    fn subjects_are_taken_apart() {
        for (subject, sort, scope, rest) in [
            (
                "fix(store)!: open with IMMEDIATE",
                Some("fix"),
                Some("store"),
                "open with IMMEDIATE",
            ),
            ("feat: add recall", Some("feat"), None, "add recall"),
            (
                "ignore/walk: add `WalkBuilder::empty`",
                None,
                Some("ignore/walk"),
                "add `WalkBuilder::empty`",
            ),
            (
                "[ci] cache the registry",
                None,
                Some("ci"),
                "cache the registry",
            ),
            (
                "Say why: the index is rebuilt",
                None,
                None,
                "Say why: the index is rebuilt",
            ),
            (
                "✨ feat(ui): dark mode",
                Some("feat"),
                Some("ui"),
                "dark mode",
            ),
        ] {
            let (found_sort, found_scope, found) = conventional(subject);
            assert_eq!(
                (found_sort.as_deref(), found_scope.as_deref(), found),
                (sort, scope, rest),
                "{subject}"
            );
        }
        assert_eq!(
            without_numbers("Open once (#12) (#34)"),
            ("Open once", vec!["#34".into(), "#12".into()])
        );
    }

    #[test]
    fn a_paragraph_is_dropped_for_a_link_and_not_for_a_word() {
        let body = "httpx replaces requests in the uploader.\n\nhttps://a.example/1 is where it was asked for.\n\nHTTP 409 means that somebody else has the lock.";
        let kept: Vec<_> = super::blocks(body)
            .into_iter()
            .filter(super::is_meaningful)
            .collect();
        let kept: Vec<&str> = kept.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(
            kept,
            [
                "httpx replaces requests in the uploader.",
                "HTTP 409 means that somebody else has the lock.",
            ]
        );
    }

    #[test]
    fn trailers_are_told_from_prose() {
        for line in [
            "Signed-off-by: A <a@b.example>",
            "Fixes #12, closes #13",
            "Change-Id: I3f",
            "PR #3496",
            "Closes: https://github.com/a/b/issues/1",
            "Reported-by: B <b@c.example>",
        ] {
            assert!(is_trailer(line), "{line}");
        }
        for line in [
            "Fixes the race between open and close",
            "Note: the pool is opened twice",
            "See the ADR for why",
            "For now the cap is 3",
            "See httpx",
        ] {
            assert!(!is_trailer(line), "{line}");
        }
    }
}
