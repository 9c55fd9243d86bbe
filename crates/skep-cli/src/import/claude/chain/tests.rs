//! The backward pass against walking the whole tree in memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::ops::Range;

use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::json;

use super::Chain;
use crate::import::branches::Abandoned;

const LIMIT: usize = 400;

/// One line of a made-up transcript; parents are counted back from the line itself.
#[derive(Clone, Debug)]
enum Line {
    Message {
        back: Option<usize>,
        kind: &'static str,
    },
    Boundary {
        back: Option<usize>,
    },
    Sidechain {
        back: usize,
    },
    Summary,
    Damaged,
    TooLong,
    /// A parent that is nowhere.
    Orphan,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let kind = prop_oneof![Just("user"), Just("assistant"), Just("system")];
    let back = prop_oneof![6 => (1usize..3).prop_map(Some), 2 => (1usize..12).prop_map(Some), 1 => Just(None)];
    let line = prop_oneof![
        12 => (back, kind).prop_map(|(back, kind)| Line::Message { back, kind }),
        1 => proptest::option::of(1usize..4).prop_map(|back| Line::Boundary { back }),
        1 => (1usize..4).prop_map(|back| Line::Sidechain { back }),
        1 => Just(Line::Summary),
        1 => Just(Line::Damaged),
        1 => Just(Line::TooLong),
        1 => Just(Line::Orphan),
    ];
    proptest::collection::vec(line, 0..40)
}

fn id(at: usize) -> String {
    format!("u{at}")
}

fn parent(at: usize, back: Option<usize>) -> Option<String> {
    back.and_then(|back| at.checked_sub(back)).map(id)
}

fn write(lines: &[Line]) -> (File, Vec<u64>) {
    let mut file = tempfile::tempfile().unwrap();
    let mut starts = Vec::new();
    let mut offset = 0;
    for (at, line) in lines.iter().enumerate() {
        let text = match line {
            Line::Message { back, kind } => {
                json!({ "type": kind, "uuid": id(at), "parentUuid": parent(at, *back) }).to_string()
            }
            Line::Boundary { back } => json!({
                "type": "system", "subtype": "compact_boundary", "uuid": id(at),
                "parentUuid": null, "logicalParentUuid": parent(at, *back),
            })
            .to_string(),
            Line::Sidechain { back } => json!({
                "type": "user", "uuid": id(at), "parentUuid": parent(at, Some(*back)), "isSidechain": true,
            })
            .to_string(),
            Line::Summary => r#"{"type":"summary","summary":"s"}"#.into(),
            Line::Damaged => r#"{"type":"user","uuid":"#.into(),
            Line::TooLong => "x".repeat(LIMIT + 1),
            Line::Orphan => json!({ "type": "user", "uuid": id(at), "parentUuid": "gone" }).to_string(),
        };
        starts.push(offset);
        offset += text.len() as u64 + 1;
        writeln!(file, "{text}").unwrap();
    }
    starts.push(offset);
    (file, starts)
}

/// What a record says: its type, its parent, whether the harness compacted there.
type Records = HashMap<usize, (&'static str, Option<String>, bool)>;

fn mark(abandoned: &mut [bool], range: Range<usize>, records: &Records) {
    for at in range {
        abandoned[at] |= records.contains_key(&at);
    }
}

/// The same rules over everything at once: `true` is abandoned. And how often a parent was nowhere.
fn naive(lines: &[Line]) -> (Vec<bool>, u32) {
    let records: Records = lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| match line {
            Line::Message { back, kind } => Some((at, (*kind, parent(at, *back), false))),
            Line::Boundary { back } => Some((at, ("boundary", parent(at, *back), true))),
            Line::Orphan => Some((at, ("user", Some("gone".into()), false))),
            _ => None,
        })
        .collect();
    let mut abandoned = vec![false; lines.len()];
    let mut below = lines.len();
    let mut cold = 0;
    loop {
        let message = |at: &usize| {
            records
                .get(at)
                .is_some_and(|(kind, ..)| matches!(*kind, "user" | "assistant"))
        };
        let Some(mut at) = (0..below).rev().find(message) else {
            return (abandoned, cold);
        };
        let go_on = loop {
            below = at;
            let (_, wanted, boundary) = &records[&at];
            let Some(wanted) = wanted else {
                break *boundary;
            };
            let found = (0..at)
                .rev()
                .find(|at| records.contains_key(at) && id(*at) == *wanted);
            let Some(found) = found else {
                cold += 1;
                break true;
            };
            mark(&mut abandoned, found + 1..at, &records);
            at = found;
        };
        if !go_on {
            mark(&mut abandoned, 0..below, &records);
            return (abandoned, cold);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_backward_pass_finds_what_the_whole_tree_says(lines in lines(), skip in any::<proptest::sample::Index>()) {
        let (file, starts) = write(&lines);
        let (expected, cold) = naive(&lines);
        if cold > 8 {
            // Beyond that everything counts as taken: see below.
            return Ok(());
        }
        let end = starts[lines.len()];
        // From the start, and from a place in the middle.
        for first in [0, skip.index(lines.len() + 1)] {
            let found = Abandoned::find(&file, starts[first], end, LIMIT, &mut Chain::new()).unwrap();
            let found: Vec<bool> = (first..lines.len()).map(|at| found.contains((at - first) as u64)).collect();
            prop_assert_eq!(&found, &expected[first..], "from line {}", first);
        }
    }
}

#[test]
fn n13_a_file_of_nothing_but_broken_links_is_kept_whole_in_bounded_time() {
    let lines = vec![Line::Orphan; 5_000];
    let (file, starts) = write(&lines);
    let found = Abandoned::find(&file, 0, starts[5_000], LIMIT, &mut Chain::new()).unwrap();
    let abandoned = (0..5_000).filter(|at| found.contains(*at)).count();
    assert_eq!(abandoned, 0);
}
