//! What changes together, what only seems to, and how much memory that takes.

use super::CoChange;
use crate::turn::{CommitAuthor, CommitView, FileChange, FileStatus};
use proptest::prelude::*;
use skep_domain::Timestamp;

fn files(paths: &[&str]) -> Vec<FileChange> {
    let change = |path: &&str| FileChange {
        status: FileStatus::Modified,
        path: (*path).to_owned(),
    };
    paths.iter().map(change).collect()
}

fn observe(counts: &mut CoChange, index: usize, subject: &str, files: &[FileChange]) {
    counts.observe(&CommitView {
        index,
        id: "0",
        at: Timestamp::from_millis(index as i64),
        author: CommitAuthor::Own,
        subject,
        body: "",
        parents: 1,
        files,
    });
}

#[test]
fn files_that_change_together_are_named_with_their_counts() {
    let mut counts = CoChange::new(1_000);
    for index in 0..7 {
        observe(
            &mut counts,
            index,
            "Change the schema and its rows",
            &files(&["migrations/001.sql", "src/rows.rs", "Cargo.lock"]),
        );
    }
    for index in 7..9 {
        observe(
            &mut counts,
            index,
            "Change the rows",
            &files(&["src/rows.rs"]),
        );
    }
    for index in 9..20 {
        observe(
            &mut counts,
            index,
            "Change something else",
            &files(&["src/other.rs"]),
        );
    }
    let drafts = counts.drafts(10);
    assert_eq!(drafts.len(), 1);
    assert_eq!(
        drafts[0].text,
        "migrations/001.sql and src/rows.rs change together (7 of 7 commits)."
    );
    assert_eq!(drafts[0].entities, ["migrations/001.sql", "src/rows.rs"]);
    assert_eq!(drafts[0].turns, [6]);
}

#[test]
fn hubs_siblings_sweeps_and_the_dead_are_left_out() {
    let mut counts = CoChange::new(1_000);
    for index in 0..30 {
        // Everything changes with the hub.
        let name = format!("src/part{}.rs", index % 3);
        observe(
            &mut counts,
            index,
            "Change a part",
            &files(&["src/registry.rs", &name]),
        );
        observe(
            &mut counts,
            index + 100,
            "Change a test",
            &files(&["src/pool.rs", "tests/pool_test.rs"]),
        );
    }
    let many: Vec<String> = (0..31).map(|n| format!("wide/{n}.rs")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for index in 200..204 {
        observe(&mut counts, index, "Rename everywhere", &files(&many));
        observe(
            &mut counts,
            index,
            "Merge branch 'main'",
            &files(&["a/x.rs", "b/y.rs"]),
        );
        observe(
            &mut counts,
            index,
            "Change two",
            &files(&["old/a.rs", "old/b.rs"]),
        );
    }
    let mut gone = files(&["old/a.rs", "old/b.rs"]);
    gone[0].status = FileStatus::Deleted;
    observe(&mut counts, 300, "Remove the old one", &gone);
    let texts: Vec<String> = counts
        .drafts(10)
        .into_iter()
        .map(|draft| draft.text)
        .collect();
    assert_eq!(texts, Vec::<String>::new());
}

proptest! {
    #[test]
    fn the_order_of_commits_does_not_matter(picks in prop::collection::vec((0_usize..6, 0_usize..6), 1..60)) {
        let commit = |index: usize, (a, b): (usize, usize)| (index, files(&[&format!("d{a}/a.rs"), &format!("e{b}/b.rs")]));
        let commits: Vec<_> = picks.iter().enumerate().map(|(index, pick)| commit(index, *pick)).collect();
        let (mut forth, mut back) = (CoChange::new(1_000), CoChange::new(1_000));
        for (index, files) in &commits {
            observe(&mut forth, *index, "Change two files", files);
        }
        for (index, files) in commits.iter().rev() {
            observe(&mut back, *index, "Change two files", files);
        }
        let texts = |counts: &CoChange| {
            let mut texts: Vec<String> = counts.drafts(50).into_iter().map(|draft| draft.key).collect();
            texts.sort();
            texts
        };
        prop_assert_eq!(texts(&forth), texts(&back));
    }

    #[test]
    fn memory_is_bounded_and_counts_are_never_too_high(picks in prop::collection::vec((0_u32..200, 0_u32..200), 1..400)) {
        let mut counts = CoChange::new(16);
        for (index, (a, b)) in picks.iter().enumerate() {
            observe(&mut counts, index, "Change two files", &files(&[&format!("x/{a}.rs"), &format!("y/{b}.rs")]));
            prop_assert!(counts.pairs.len() <= 16 + 435 && counts.files.len() <= 64);
        }
        for (&(a, b), pair) in &counts.pairs {
            let names = [counts.names[a as usize].as_str(), counts.names[b as usize].as_str()];
            let truth = picks.iter().filter(|(x, y)| names.contains(&format!("x/{x}.rs").as_str()) && names.contains(&format!("y/{y}.rs").as_str())).count();
            prop_assert!(pair.commits as usize <= truth);
        }
    }
}
