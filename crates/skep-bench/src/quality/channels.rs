//! The index alone: by words, by vectors, both fused, both with the words of neighbours, and the
//! same while every vector is still a draft.

use skep_app::indexed_text;
use skep_domain::{Id as _, MemoryId};
use skep_index::{Embedder, Entry, Quantised, Query, Said, WorkspaceIndex};

use super::dataset::{Corpus, Question};
use super::metrics::{DEPTH, Scores, scores};
use crate::fixture::CANDIDATES;

/// What one way of searching scored, question by question.
pub(super) struct Run {
    pub(super) name: &'static str,
    pub(super) scores: Vec<Scores>,
}

/// Every way of searching that the index has, in the order of the report.
pub(super) fn run(corpora: &[Corpus], embedder: &dyn Embedder) -> Vec<Run> {
    let names = ["lexical", "dense", "fused", "near", "draft"];
    let mut runs = names.map(|name| Run {
        name,
        scores: Vec::new(),
    });
    let mut near = false;
    for corpus in corpora {
        let mut index = filled(corpus, embedder, |index, id, text| {
            index.put_vector(id, &Quantised::of(&embedder.embed(text)))
        });
        let mut drafts = filled(corpus, embedder, |index, id, text| {
            index.put_draft(id, &Quantised::of(&embedder.draft(text)))
        });
        for question in &corpus.questions {
            let vector = embedder.embed(&question.text);
            let ways = [
                (question.text.as_str(), None),
                ("", Some(vector.as_slice())),
                (question.text.as_str(), Some(vector.as_slice())),
            ];
            for (run, (text, vector)) in runs.iter_mut().zip(ways) {
                run.scores.push(ask(&index, text, vector, question));
            }
        }
        near |= tell_threads(&mut index, corpus);
        tell_threads(&mut drafts, corpus);
        for question in &corpus.questions {
            let vector = embedder.embed(&question.text);
            for (run, index) in runs[3..].iter_mut().zip([&index, &drafts]) {
                let scored = ask(index, &question.text, Some(&vector), question);
                run.scores.push(scored);
            }
        }
    }
    // Without sessions nothing has neighbours, and that run repeats the one before.
    runs.into_iter()
        .filter(|run| near || run.name != "near")
        .collect()
}

/// An index whose vectors are put by `vector`.
fn filled(
    corpus: &Corpus,
    embedder: &dyn Embedder,
    vector: impl Fn(&mut WorkspaceIndex, MemoryId, &str) -> bool,
) -> WorkspaceIndex {
    let mut index = WorkspaceIndex::new(embedder.model_id(), embedder.dim());
    for (place, memory) in corpus.memories.iter().enumerate() {
        let text = indexed_text(&memory.body);
        let id = id_of(place);
        index.put(&Entry {
            id,
            project: None,
            text: &text,
        });
        vector(&mut index, id, &text);
    }
    index
}

/// Gives the memories of sessions their neighbours; false if there are none.
fn tell_threads(index: &mut WorkspaceIndex, corpus: &Corpus) -> bool {
    let mut any = false;
    for (place, memory) in corpus.memories.iter().enumerate() {
        if let Some(thread) = memory.thread {
            let thread = u128::from(thread).to_be_bytes();
            let at = memory.at;
            any |= index.put_said(id_of(place), Said { thread, at });
        }
    }
    any
}

fn ask(index: &WorkspaceIndex, text: &str, vector: Option<&[f32]>, question: &Question) -> Scores {
    let found = index.search(&Query {
        text,
        vector,
        project: None,
        limit: CANDIDATES,
    });
    let places: Vec<usize> = found.iter().take(DEPTH).map(|c| place_of(c.id)).collect();
    scores(&places, &question.answers)
}

fn id_of(place: usize) -> MemoryId {
    MemoryId::from_bytes((place as u128).to_be_bytes())
}

fn place_of(id: MemoryId) -> usize {
    u128::from_be_bytes(id.to_bytes()) as usize
}
