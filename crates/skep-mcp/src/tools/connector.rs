//! `search` and `fetch`, in the shape that connectors for research are documented to take.

use std::collections::BTreeMap;

use skep_api::RouteId;
use skep_api::memory::Memory;
use skep_api::recall::{RecallRequest, RecallResponse};
use skep_memory::escaped;

use super::look::ONE;
use super::{Answer, Trouble, asked};
use crate::arguments;
use crate::daemon::{Ask, Daemon};
use crate::frame::{Shown, framed};
use crate::view::{Document, Hit, Results, source};

/// Results of one search.
const RESULTS: u32 = 10;

pub(super) async fn search(
    daemon: &impl Daemon,
    wanted: arguments::Query,
) -> Result<Answer, Trouble> {
    let request = RecallRequest {
        query: wanted.query,
        k: Some(RESULTS),
        ..RecallRequest::default()
    };
    let found: RecallResponse = asked(daemon, Ask::of(RouteId::Recall).body(&request)?).await?;
    let hits = found.items.iter().map(|item| Hit {
        id: item.memory.id.clone(),
        title: escaped(&item.memory.key),
        url: address(&item.memory.id),
    });
    let results = Results {
        results: hits.collect(),
    };
    json(&results)
}

pub(super) async fn fetch(
    daemon: &impl Daemon,
    wanted: arguments::Fetch,
) -> Result<Answer, Trouble> {
    let memory: Memory = asked(daemon, Ask::of(RouteId::MemoryGet).about(&wanted.id)).await?;
    let shown = Shown::of(&memory, &memory.text, source(&memory));
    let metadata = [
        ("kind", memory.kind.clone()),
        ("trust", memory.trust.clone()),
        ("state", memory.state.clone()),
        ("source", escaped(&source(&memory))),
        ("since", memory.valid_from.to_string()),
    ];
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
    let document = Document {
        text: framed(&[shown], ONE, &mut || daemon.nonce()).text,
        title: escaped(&memory.key),
        url: address(&memory.id),
        metadata: BTreeMap::from(metadata),
        id: memory.id,
    };
    json(&document)
}

/// The documented answer is one text that is JSON.
fn json(structured: &impl serde::Serialize) -> Result<Answer, Trouble> {
    let mut answer = Answer::new(String::new(), structured)?;
    answer.text = answer
        .structured
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    Ok(answer)
}

/// What is cited.
fn address(id: &str) -> String {
    format!("skep://memories/{id}")
}
