//! What a statement does to an earlier one, on labelled pairs and over all pairs of trust and time.

use std::fmt::Write as _;

use proptest::prelude::{any, prop_assert_eq, proptest};
use skep_domain::{Timestamp, Trust};
use skep_memory::{Relation, Statement, relation, topics};

struct Pair {
    expected: Relation,
    trust: (Trust, Trust),
    older: &'static str,
    newer: &'static str,
}

fn read(line: &'static str) -> Pair {
    let fields: Vec<&str> = line.split('\t').collect();
    let [expected, first, second, older, newer] = fields[..] else {
        panic!("not five fields: {line}");
    };
    let expected = match expected {
        "unrelated" => Relation::Unrelated,
        "duplicate" => Relation::Duplicate,
        "supersedes" => Relation::Supersedes,
        "contradicts" => Relation::Contradicts,
        other => panic!("no such relation: {other}"),
    };
    let trust = |name| Trust::parse(name).unwrap();
    Pair {
        expected,
        trust: (trust(first), trust(second)),
        older,
        newer,
    }
}

fn pairs() -> Vec<Pair> {
    let lines = include_str!("relations.tsv").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(read)
        .collect()
}

fn statement(text: &str, trust: Trust, seconds: i64) -> Statement<'_> {
    Statement {
        text,
        trust,
        valid_from: Timestamp::from_millis(seconds * 1_000),
    }
}

fn judge(pair: &Pair) -> Relation {
    relation(
        &statement(pair.older, pair.trust.0, 0),
        &statement(pair.newer, pair.trust.1, 60),
    )
}

#[test]
fn the_labelled_pairs_are_judged_as_published() {
    let pairs = pairs();
    assert!(pairs.len() >= 60);
    let mut figures = String::new();
    for relation in [
        Relation::Duplicate,
        Relation::Supersedes,
        Relation::Contradicts,
        Relation::Unrelated,
    ] {
        let labelled = pairs
            .iter()
            .filter(|pair| pair.expected == relation)
            .count();
        let found = pairs.iter().filter(|pair| judge(pair) == relation).count();
        let right = pairs
            .iter()
            .filter(|pair| pair.expected == relation && judge(pair) == relation)
            .count();
        writeln!(
            figures,
            "{relation:?}: {labelled} labelled, {found} found, {right} right"
        )
        .unwrap();
    }
    for pair in pairs.iter().filter(|pair| judge(pair) != pair.expected) {
        let judged = judge(pair);
        writeln!(
            figures,
            "{judged:?} for {:?}: {} | {}",
            pair.expected, pair.older, pair.newer
        )
        .unwrap();
    }
    insta::assert_snapshot!(figures);
}

/// What would be compared must be found: a pair that is related shares a topic.
#[test]
fn related_pairs_meet_under_a_topic() {
    let mut apart = String::new();
    for pair in pairs() {
        let (older, newer) = (topics(pair.older), topics(pair.newer));
        assert!(older.len() <= 8 && newer.len() <= 8);
        let meet = older.iter().any(|topic| newer.contains(topic));
        if pair.expected != Relation::Unrelated && !meet {
            writeln!(
                apart,
                "{} | {}\n  {older:?}\n  {newer:?}",
                pair.older, pair.newer
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(apart);
}

/// A weaker word never takes a stronger one's place, however much later it comes.
#[test]
fn m04_a_weaker_word_never_supersedes() {
    for pair in pairs() {
        for older in Trust::ALL {
            for newer in Trust::ALL {
                for seconds in [0, 1, 1_000_000_000] {
                    let judged = relation(
                        &statement(pair.older, *older, 0),
                        &statement(pair.newer, *newer, seconds),
                    );
                    if newer < older {
                        assert_ne!(judged, Relation::Supersedes, "{}", pair.newer);
                    }
                    if seconds == 0 && newer == older {
                        assert_ne!(
                            judged,
                            Relation::Supersedes,
                            "in one breath: {}",
                            pair.newer
                        );
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_its_own_copy_and_has_few_topics(text in any::<String>(), other in any::<String>()) {
        let own = relation(&statement(&text, Trust::User, 0), &statement(&text, Trust::User, 9));
        prop_assert_eq!(own, Relation::Duplicate);
        let all = topics(&other);
        prop_assert_eq!(all.len() <= 8, true);
        prop_assert_eq!(topics(&other), all);
    }
}
