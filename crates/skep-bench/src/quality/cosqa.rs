//! The `CoSQA` development split: web queries, each of which asks for one Python function.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::dataset::{Corpus, Dataset, Memory, Question};

pub(super) fn load(data: &Path) -> Result<Dataset> {
    let folder = data.join("cosqa-dev");
    let map: BTreeMap<String, usize> =
        serde_json::from_slice(&std::fs::read(folder.join("code_idx_map.txt"))?)?;
    let mut texts = vec![String::new(); map.len()];
    for (code, place) in map {
        *texts.get_mut(place).context("a place beyond the end")? = code;
    }
    let asked = std::fs::read(folder.join("cosqa-retrieval-dev-500.json"))?;
    let asked: Vec<Value> = serde_json::from_slice(&asked)?;
    let questions = asked.iter().filter_map(|one| {
        Some(Question {
            text: one["doc"].as_str()?.to_owned(),
            answers: BTreeSet::from([one["retrieval_idx"].as_u64()? as usize]),
        })
    });
    Ok(Dataset {
        name: "cosqa_dev",
        corpora: vec![Corpus {
            questions: questions.collect(),
            memories: texts.into_iter().map(Memory::plain).collect(),
        }],
    })
}
