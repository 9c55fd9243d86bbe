//! The `LoCoMo` development half: each turn of a conversation a memory, its sessions known,
//! questions of the categories 1 to 4.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use skep_domain::Timestamp;

use super::dataset::{Corpus, Dataset, Memory, Question};
use crate::gather::date;

/// Turns of a session stand this far apart: the day is known, and their order.
const TURN_MICROS: i64 = 1_000_000;

pub(super) fn load(data: &Path) -> Result<Dataset> {
    let all: Value =
        serde_json::from_slice(&std::fs::read(data.join("locomo-dev/locomo-dev.json"))?)?;
    let conversations = all.as_array().context("not a list of conversations")?;
    Ok(Dataset {
        name: "locomo_dev",
        corpora: conversations.iter().map(conversation).collect(),
    })
}

fn conversation(value: &Value) -> Corpus {
    let (mut memories, mut places) = (Vec::new(), BTreeMap::new());
    for number in 1u64.. {
        let Some(turns) = value["conversation"][format!("session_{number}")].as_array() else {
            break;
        };
        let day = &value["conversation"][format!("session_{number}_date_time")];
        let began = date(day.as_str().unwrap_or_default());
        let began = began.map_or(0, Timestamp::as_micros);
        for (turn, after) in turns.iter().zip(0i64..) {
            let mark = turn["dia_id"].as_str().unwrap_or_default();
            places.insert(mark, memories.len());
            memories.push(Memory {
                at: Timestamp::from_micros(began + after * TURN_MICROS),
                thread: Some(number),
                ..Memory::plain(said(turn))
            });
        }
    }
    let asked = value["qa"].as_array().into_iter().flatten();
    let asked = asked.filter(|one| matches!(one["category"].as_u64(), Some(1..=4)));
    Corpus {
        questions: asked.filter_map(|one| question(one, &places)).collect(),
        memories,
    }
}

fn said(turn: &Value) -> String {
    let text = |key: &str| turn[key].as_str().unwrap_or_default();
    let mut said = format!("{}: {}", text("speaker"), text("text"));
    if !text("blip_caption").is_empty() {
        said.push_str(&format!(" [image: {}]", text("blip_caption")));
    }
    said
}

fn question(one: &Value, places: &BTreeMap<&str, usize>) -> Option<Question> {
    let evidence = one["evidence"].as_array()?.iter().filter_map(Value::as_str);
    // Some lists of evidence are one string.
    let marks = evidence.flat_map(|text| text.split([' ', ';', ',']));
    let answers: BTreeSet<usize> = marks.filter_map(|mark| places.get(mark).copied()).collect();
    let text = one["question"].as_str()?.to_owned();
    (!answers.is_empty()).then_some(Question { text, answers })
}
