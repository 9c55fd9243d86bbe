//! The coding set and the labelled prompts, which are part of the project. See docs/quality.md.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;
use skep_domain::{MemoryKind, Timestamp, Trust};
use skep_store::MemoryBody;

use super::dataset::{Corpus, Dataset, Memory, Question, json_lines};

const MEMORIES: &str = include_str!("../../data/coding/memories.jsonl");

/// Which file of labels: settings may be chosen by the one, and are judged by the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Tune,
    HeldOut,
}

impl Half {
    fn questions(self) -> (&'static str, &'static str) {
        match self {
            Self::Tune => (
                "coding_tune",
                include_str!("../../data/coding/questions-tune.jsonl"),
            ),
            Self::HeldOut => (
                "coding_heldout",
                include_str!("../../data/coding/questions-heldout.jsonl"),
            ),
        }
    }

    fn prompts(self) -> &'static str {
        match self {
            Self::Tune => include_str!("../../data/coding/prompts-tune.jsonl"),
            Self::HeldOut => include_str!("../../data/coding/prompts-heldout.jsonl"),
        }
    }
}

pub(super) fn load(half: Half) -> Result<Dataset> {
    let (name, labels) = half.questions();
    let (memories, places) = memories()?;
    Ok(Dataset {
        name,
        corpora: vec![Corpus {
            questions: questions(labels, &places)?,
            memories,
        }],
    })
}

/// Prompts to the same memories; one that needs none has no answers.
pub(super) fn prompts(half: Half) -> Result<Vec<Question>> {
    questions(half.prompts(), &memories()?.1)
}

/// All memories, and where each id is.
pub(super) fn memories() -> Result<(Vec<Memory>, BTreeMap<String, usize>)> {
    let (mut memories, mut places) = (Vec::new(), BTreeMap::new());
    for line in json_lines(MEMORIES)? {
        let id = line["id"].as_str().context("a memory without an id")?;
        places.insert(id.to_owned(), memories.len());
        memories.push(memory(&line).with_context(|| format!("memory {id} is incomplete"))?);
    }
    Ok((memories, places))
}

fn memory(line: &Value) -> Option<Memory> {
    let text = |key: &str| line[key].as_str().map(str::to_owned);
    let entities = line["entities"].as_array()?.iter();
    Some(Memory {
        body: MemoryBody {
            key: text("key")?,
            text: text("text")?,
            entities: entities
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            ..MemoryBody::default()
        },
        kind: MemoryKind::parse(line["kind"].as_str()?)?,
        trust: Trust::parse(line["trust"].as_str()?)?,
        at: Timestamp::from_millis(line["at"].as_i64()? * 1_000),
        thread: None,
    })
}

fn questions(labels: &str, places: &BTreeMap<String, usize>) -> Result<Vec<Question>> {
    let lines = json_lines(labels)?;
    lines.iter().map(|line| question(line, places)).collect()
}

fn question(line: &Value, places: &BTreeMap<String, usize>) -> Result<Question> {
    let text = line["text"].as_str().context("a label without a text")?;
    let ids = line["answers"]
        .as_array()
        .context("a label without answers")?;
    let place = |id: &Value| {
        let id = id.as_str().unwrap_or_default();
        let place = places.get(id).copied();
        place.with_context(|| format!("{id:?}, which answers {text:?}, is not a memory"))
    };
    Ok(Question {
        text: text.to_owned(),
        answers: ids.iter().map(place).collect::<Result<BTreeSet<usize>>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Half, MEMORIES, load, prompts};
    use crate::gather::id;
    use crate::quality::dataset::json_lines;
    use std::collections::BTreeSet;

    #[test]
    fn every_label_names_a_memory_and_every_id_is_its_texts() {
        for line in json_lines(MEMORIES).unwrap() {
            assert_eq!(line["id"], id(line["text"].as_str().unwrap()));
        }
        let (tune, held_out) = (load(Half::Tune).unwrap(), load(Half::HeldOut).unwrap());
        let texts = |set: &super::Dataset| -> BTreeSet<String> {
            let questions = set.corpora[0].questions.iter();
            questions
                .inspect(|question| assert!(!question.answers.is_empty()))
                .map(|question| question.text.clone())
                .collect()
        };
        let (tune, held_out) = (texts(&tune), texts(&held_out));
        assert!(tune.is_disjoint(&held_out));
        assert!(tune.len() + held_out.len() >= 250);
    }

    #[test]
    fn the_prompts_are_two_to_one_in_both_halves() {
        for half in [Half::Tune, Half::HeldOut] {
            let all = prompts(half).unwrap();
            let needless = all.iter().filter(|prompt| prompt.answers.is_empty());
            assert_eq!(needless.count(), 100, "{half:?}");
            assert_eq!(all.len(), 150, "{half:?}");
        }
    }
}
