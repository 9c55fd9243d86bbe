//! An object of JSON: texts by their keys, with dots between where objects stand in objects.

use std::collections::BTreeMap;

use serde::Deserialize;
use skep_api::vault::Confidential;

use super::{Entry, Odd};

/// Objects in objects.
const DEPTH: usize = 8;

#[derive(Deserialize)]
#[serde(untagged)]
enum Node {
    Text(Confidential),
    Object(BTreeMap<String, Node>),
    /// Numbers, lists and the like are no secrets.
    Other(serde::de::IgnoredAny),
}

pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Odd> {
    let root: BTreeMap<String, Node> = serde_json::from_str(text).map_err(|error| Odd {
        line: error.line(),
        problem: "no JSON",
    })?;
    let mut entries = Vec::new();
    collect(root, "", DEPTH, &mut entries)?;
    Ok(entries)
}

fn collect(
    object: BTreeMap<String, Node>,
    before: &str,
    depth: usize,
    entries: &mut Vec<Entry>,
) -> Result<(), Odd> {
    if depth == 0 {
        return Err(Odd {
            line: 1,
            problem: "objects stand too deep in objects",
        });
    }
    for (key, node) in object {
        let name = format!("{before}{key}");
        match node {
            Node::Text(value) => entries.push(Entry { name, value }),
            Node::Object(object) => collect(object, &format!("{name}."), depth - 1, entries)?,
            Node::Other(_) => {}
        }
    }
    Ok(())
}
