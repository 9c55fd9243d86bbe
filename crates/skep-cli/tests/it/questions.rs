//! The questions that the demo asks have an answer in what it imports.

use skep_api::capture::Branch;

use crate::program::{Bench, fixtures};

#[test]
fn every_question_has_one_turn_that_answers_it() {
    let text = std::fs::read_to_string(fixtures("questions.toml")).unwrap();
    let questions: toml::Table = text.parse().unwrap();
    let questions = questions["question"].as_array().unwrap();
    assert_eq!(questions.len(), 5);
    let bench = Bench::new();
    bench.import("claude", &fixtures("claude"));
    bench.import("codex", &fixtures("codex"));
    for question in questions {
        // The fifth is about this repository's own history.
        let harness = match question["source"].as_str().unwrap() {
            "claude" => "claude-code ",
            "codex" => "codex ",
            other => {
                assert_eq!(other, "git");
                continue;
            }
        };
        let expected: Vec<_> = question["expect"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect();
        let answered = bench.fake.with(|state| {
            let sessions = state
                .sessions
                .iter()
                .filter(|(key, _)| key.starts_with(harness));
            let mut turns = sessions.flat_map(|(_, session)| &session.turns);
            turns.any(|turn| {
                turn.branch == Branch::Main && expected.iter().all(|text| turn.text.contains(text))
            })
        });
        assert!(answered, "{}", question["ask"]);
    }
}
