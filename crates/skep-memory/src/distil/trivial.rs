//! Commit subjects that nobody will ever ask for.

use super::phrase::{begins, has, is_one};

/// Whether a folded subject says nothing worth keeping: merges, versions, formatting, typing errors,
/// work in progress, verbs without an object.
pub(super) fn is_trivial_subject(folded: &str) -> bool {
    let subject = folded.trim().trim_end_matches(['.', '!']);
    let bare = subject.split_once(": ").map_or(subject, |(_, rest)| rest);
    let words = bare.split(' ').count();
    begins(subject, MERGES)
        || begins(subject, UNFINISHED)
        || begins(bare, UNFINISHED)
        || begins(subject, RELEASES)
        || begins(bare, RELEASES)
        || (begins(bare, "upgrade |update ") && words <= 6 && has_version(bare))
        || (begins(bare, "release |version |publish ") && (words <= 2 || has_version(bare)))
        || is_version(bare)
        || has(bare, SURFACE)
        || (words <= 5 && has(bare, UPKEEP))
        || (words <= 4 && begins(bare, TIDYING))
        || is_one(bare, EMPTY)
        || (words <= 2 && is_one(bare.split(' ').next().unwrap_or_default(), VERBS))
}

const MERGES: &str = "merge branch|merge pull|merge remote|merge tag|merge commit|merge master|merge main|merge into|merge '|merge \"";

const UNFINISHED: &str = "fixup!|squash!|amend!|wip|tmp|temp |[wip]|work in progress|checkpoint|save |autosave|\
initial commit|first commit|init commit";

const RELEASES: &str = "bump |releasing |prepare release|prepare for release|changelog|\
update changelog|update dependenc|update deps|update all dep|update lock|upgrade dep|cargo update|cut release|\
start next|start v|post-release|new version|regenerate lock|sync lock|pin dependenc";

const SURFACE: &str = "typo|spelling|whitespace|trailing space|missing newline|indentation|copyright year|lockfile|\
lock file|cargo.lock|package-lock|pnpm-lock|yarn.lock|grammar";

const UPKEEP: &str = "cargo fmt|run fmt|rustfmt|clippy warning|clippy error|clippy lint|clippy fix|fix clippy|fix lint|lint fix|fix format|\
formatting|fix warnings|fix ci|fix build|fix tests|fix test|fix docs|fix readme|fix doc|update readme|update docs|\
update tests|add tests|add test|more tests|address review|address comment|address feedback|review comment|\
review feedback|pr feedback|code review|fix compil|fix import|unused import|dead code|appease|make clippy happy";

const TIDYING: &str =
    "fmt|format|reformat|prettier|gofmt|black|clippy|lint|cleanup|clean up|tidy|nit";

const EMPTY: &str = "|update|updates|fix|fixes|changes|stuff|misc|test|tests|docs|refactor|minor|minor changes|more|\
oops|try|try again|ci|again|progress|done|small fixes|bug fixes|bugfix|bug fix|improvements|some improvements|review|\
todo|foo|asdf|...|x|initial|it works|works now|final|small changes|minor fixes|various fixes|various|updated|fixed";

const VERBS: &str = "fix|update|add|remove|tweak|improve|refactor|change|edit|modify|rename|polish|simplify|comment|\
comments|adjust|fixed|added|removed|updated";

fn is_version(text: &str) -> bool {
    let last = text.rsplit([' ', '@', '-']).next().unwrap_or(text);
    let mut parts = last.trim_start_matches('v').split('.');
    let mut is_number = || {
        parts
            .next()
            .is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.split(' ').count() <= 2 && is_number() && is_number()
}

fn has_version(text: &str) -> bool {
    text.split(' ').any(|word| {
        let word = word.trim_start_matches(['v', '^', '~', '=']);
        word.starts_with(|c: char| c.is_ascii_digit()) && (word.contains('.') || word.len() <= 3)
    })
}

#[cfg(test)]
mod tests {
    use super::is_trivial_subject;

    #[test]
    fn trivia_is_told_from_news() {
        for subject in [
            "merge branch 'main' into feature",
            "wip",
            "wip: pool",
            "fix typo",
            "docs: fix typo in readme",
            "bump serde from 1.0.1 to 1.0.2",
            "chore(deps): bump tokio",
            "v1.2.3",
            "ignore-0.4.33",
            "15.2.0",
            "release 2.0",
            "cargo fmt",
            "fix clippy warnings",
            "update readme",
            "address review comments",
            "fix tests",
            "cleanup",
            "fixup! open once",
            "update rust to 1.96",
            "fix bug",
            "update dependencies",
            "oops",
            "chore: fmt",
            "style: run rustfmt",
            "changelog: 15.2.0",
            "update",
            "initial commit",
        ] {
            assert!(is_trivial_subject(subject), "{subject}");
        }
        for subject in [
            "open the pool with begin immediate",
            "fix deadlock when visitor panics",
            "use parking_lot",
            "update the roster when a peer leaves",
            "add recall over the unix socket",
            "name the domain: ids, permissions, rings, memories",
            "seal every column that a person would mind",
            "release the lock before waiting",
            "format ids with a keyed tag so that foreign ones fail early",
        ] {
            assert!(!is_trivial_subject(subject), "{subject}");
        }
    }
}
