//! Prints recall of the lexical channel, the vector channel, both fused, and both with neighbours,
//! on `LoCoMo` and `CoSQA` development data. Reads the folder that `SKEP_BENCH_DATA` names; says so
//! and ends without it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::Value;
use skep_domain::{Id, MemoryId, Timestamp};
use skep_index::{
    Candidate, Embedder, Entry, Quantised, Query, Said, StaticEmbedder, WorkspaceIndex,
};

/// Texts and where they were said, and questions with the places of the texts that answer them.
struct Corpus {
    texts: Vec<String>,
    said: Vec<Said>,
    questions: Vec<(String, BTreeSet<usize>)>,
}

/// Sums over questions, per channel and depth.
#[derive(Default)]
struct Recall {
    questions: usize,
    found: BTreeMap<(&'static str, usize), f64>,
}

const DEPTHS: [usize; 3] = [5, 10, 20];
const LIMIT: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a bench is told where its data is"
    )]
    let Ok(data) = std::env::var("SKEP_BENCH_DATA") else {
        say("skipped: SKEP_BENCH_DATA is not set");
        return Ok(());
    };
    let data = PathBuf::from(data);
    let embedder = StaticEmbedder::built_in();
    report(
        "LoCoMo",
        &locomo(&data.join("locomo-dev/locomo-dev.json"))?,
        &embedder,
    );
    report("CoSQA", &[cosqa(&data.join("cosqa-dev"))?], &embedder);
    Ok(())
}

fn report(name: &str, corpora: &[Corpus], embedder: &StaticEmbedder) {
    let mut recall = Recall::default();
    for corpus in corpora {
        measure(corpus, embedder, &mut recall);
    }
    say(&format!("{name}, {} questions", recall.questions));
    for channel in ["lexical", "vector", "fused", "near"] {
        let figures: Vec<String> = DEPTHS
            .iter()
            .map(|&depth| {
                let mean = recall.found[&(channel, depth)] / recall.questions as f64;
                format!("R@{depth} {mean:.3}")
            })
            .collect();
        say(&format!("  {channel:8} {}", figures.join("  ")));
    }
}

fn measure(corpus: &Corpus, embedder: &StaticEmbedder, recall: &mut Recall) {
    let mut index = WorkspaceIndex::new(embedder.model_id(), embedder.dim());
    for (place, text) in corpus.texts.iter().enumerate() {
        let entry = Entry {
            id: id_of(place),
            project: None,
            text,
        };
        index.put(&entry);
        index.put_vector(entry.id, &Quantised::of(&embedder.embed(text)));
    }
    for (question, answers) in &corpus.questions {
        let vector = embedder.embed(question);
        let mut query = Query {
            text: question,
            vector: None,
            project: None,
            limit: LIMIT,
        };
        recall.questions += 1;
        recall.count("lexical", &index.search(&query), answers);
        query.vector = Some(&vector);
        recall.count("fused", &index.search(&query), answers);
        query.text = "";
        recall.count("vector", &index.search(&query), answers);
    }
    // The same once more, the memories knowing their neighbours.
    for (place, &said) in corpus.said.iter().enumerate() {
        index.put_said(id_of(place), said);
    }
    for (question, answers) in &corpus.questions {
        let vector = embedder.embed(question);
        let query = Query {
            text: question,
            vector: Some(&vector),
            project: None,
            limit: LIMIT,
        };
        recall.count("near", &index.search(&query), answers);
    }
}

impl Recall {
    fn count(&mut self, channel: &'static str, found: &[Candidate], answers: &BTreeSet<usize>) {
        for depth in DEPTHS {
            let hits = found
                .iter()
                .take(depth)
                .filter(|c| answers.contains(&place_of(c.id)));
            let share = hits.count() as f64 / answers.len() as f64;
            *self.found.entry((channel, depth)).or_default() += share;
        }
    }
}

fn id_of(place: usize) -> MemoryId {
    MemoryId::from_bytes((place as u128).to_be_bytes())
}

fn place_of(id: MemoryId) -> usize {
    u128::from_be_bytes(id.to_bytes()) as usize
}

/// One corpus per conversation: each turn a memory, questions of categories 1 to 4.
fn locomo(path: &Path) -> Result<Vec<Corpus>, Box<dyn Error>> {
    let all: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let conversations = all.as_array().ok_or("not a list")?;
    Ok(conversations.iter().map(conversation).collect())
}

fn conversation(value: &Value) -> Corpus {
    let (mut texts, mut places, mut said_at) = (Vec::new(), BTreeMap::new(), Vec::new());
    for number in 1u128.. {
        let Some(turns) = value["conversation"][format!("session_{number}")].as_array() else {
            break;
        };
        for turn in turns {
            let text = |key: &str| turn[key].as_str().unwrap_or_default();
            places.insert(text("dia_id"), texts.len());
            let mut said = format!("{}: {}", text("speaker"), text("text"));
            if !text("blip_caption").is_empty() {
                said.push_str(&format!(" [image: {}]", text("blip_caption")));
            }
            said_at.push(Said {
                thread: number.to_be_bytes(),
                at: Timestamp::from_micros(texts.len() as i64),
            });
            texts.push(said);
        }
    }
    let questions = value["qa"].as_array().into_iter().flatten();
    let questions = questions.filter(|q| matches!(q["category"].as_u64(), Some(1..=4)));
    let questions = questions.filter_map(|q| {
        let evidence = q["evidence"].as_array()?.iter().filter_map(Value::as_str);
        let marks = evidence.flat_map(|text| text.split([' ', ';', ',']));
        let answers: BTreeSet<usize> = marks.filter_map(|mark| places.get(mark).copied()).collect();
        let question = q["question"].as_str()?.to_owned();
        (!answers.is_empty()).then_some((question, answers))
    });
    let questions = questions.collect();
    Corpus {
        texts,
        said: said_at,
        questions,
    }
}

/// Functions, and web queries that ask for one of them.
fn cosqa(folder: &Path) -> Result<Corpus, Box<dyn Error>> {
    let map: BTreeMap<String, usize> =
        serde_json::from_slice(&std::fs::read(folder.join("code_idx_map.txt"))?)?;
    let mut texts = vec![String::new(); map.len()];
    for (code, place) in map {
        *texts.get_mut(place).ok_or("a place beyond the end")? = code;
    }
    let asked = std::fs::read(folder.join("cosqa-retrieval-dev-500.json"))?;
    let asked: Vec<Value> = serde_json::from_slice(&asked)?;
    let questions = asked.iter().filter_map(|q| {
        let answer = q["retrieval_idx"].as_u64()? as usize;
        Some((q["doc"].as_str()?.to_owned(), BTreeSet::from([answer])))
    });
    let questions = questions.collect();
    let said = Vec::new();
    Ok(Corpus {
        texts,
        said,
        questions,
    })
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}
