//! A dead end is never kept as a fact, whether a session is distilled at once or as it goes on.

use skep_domain::{Harness, Timestamp, TurnRole};
use skep_memory::{Draft, TurnView, distil_continued, distil_session, split_exchanges};

/// Who says what; the words that no memory may hold together; the words that one must.
struct Case {
    said: &'static [(&'static str, &'static str)],
    dead: &'static str,
    stands: &'static str,
}

const CASES: &[Case] = &[
    Case {
        said: &[
            ("user", "Why does the importer hang on large files?"),
            (
                "agent",
                "The root cause is the `BufReader` in `src/import.rs`, which reads whole lines.",
            ),
            ("agent", "That wasn't it: lines are short in that file."),
            (
                "agent",
                "The root cause is the lock in `src/queue.rs`, which is held while the file is read. Fixed by taking it per batch.",
            ),
        ],
        dead: "BufReader whole lines",
        stands: "queue.rs",
    },
    Case {
        said: &[
            ("user", "The login test is flaky, please fix it."),
            ("edit", "src/login.rs"),
            (
                "agent",
                "Fixed it: the test failed because the session cookie in `src/login.rs` expired too early.",
            ),
            ("user", "It still fails in CI."),
            (
                "agent",
                "The real cause is the clock of the runner: it jumps when the container wakes, so `Instant` in `src/clock.rs` goes backwards.",
            ),
        ],
        dead: "session cookie expired",
        stands: "clock.rs",
    },
    Case {
        said: &[
            (
                "user",
                "We need a queue. Let's go with RabbitMQ for the jobs.",
            ),
            ("edit", "src/jobs.rs"),
            ("agent", "Added a RabbitMQ publisher in `src/jobs.rs`."),
            (
                "user",
                "Scrap that. We decided to keep jobs in Postgres instead, because nobody wants to run another server.",
            ),
            ("edit", "src/jobs.rs"),
            (
                "agent",
                "`src/jobs.rs` reads jobs from the table `job` with `FOR UPDATE SKIP LOCKED` now.",
            ),
        ],
        dead: "RabbitMQ",
        stands: "Postgres",
    },
    Case {
        said: &[
            ("user", "Make the search faster."),
            ("edit", "src/search.rs"),
            (
                "agent",
                "Implemented a trigram cache in `src/search.rs`; lookups go through `TrigramCache`.",
            ),
            ("user", "The cache eats 4 GB. Please revert it."),
            ("agent", "Done."),
        ],
        dead: "TrigramCache",
        stands: "",
    },
    Case {
        said: &[
            ("user", "Find out why requests time out."),
            (
                "agent",
                "It might be the DNS resolver in `resolv.conf`, perhaps it is slow.",
            ),
            (
                "agent",
                "The DNS resolver is not the problem: lookups take 1 ms.",
            ),
        ],
        dead: "resolver slow",
        stands: "",
    },
    Case {
        said: &[
            ("user", "Why is the build slow?"),
            (
                "agent",
                "The build is slow because `build.rs` regenerates the protobuf files every time.",
            ),
            (
                "agent",
                "I was wrong: `build.rs` regenerates nothing, its stamp is checked first.",
            ),
        ],
        dead: "regenerates the protobuf files every time",
        stands: "",
    },
    Case {
        said: &[
            ("user", "Pages are blank in Safari."),
            (
                "agent",
                "The problem is the `container-query` polyfill in `web/main.ts`.",
            ),
            ("user", "No, that's not it."),
            (
                "agent",
                "The blank pages come from the CSP header in `nginx.conf`, because Safari refuses `blob:` workers.",
            ),
        ],
        dead: "container-query polyfill",
        stands: "CSP",
    },
];

fn turns<'a>(case: &'a Case, paths: &'a [Vec<String>]) -> Vec<TurnView<'a>> {
    let said = case.said.iter().zip(paths).enumerate();
    said.map(|(index, ((who, text), paths))| TurnView {
        index,
        role: match *who {
            "user" => TurnRole::User,
            "agent" => TurnRole::Assistant,
            _ => TurnRole::ToolCall,
        },
        at: Timestamp::from_millis(1_700_000_000_000 + index as i64),
        text,
        tool: (*who == "edit").then_some("Edit"),
        is_error: false,
        paths,
    })
    .collect()
}

fn holds(draft: &Draft, words: &str) -> bool {
    let text = draft.text.to_lowercase();
    words
        .split(' ')
        .all(|word| text.contains(&word.to_lowercase()))
}

fn judge(case: &Case, kept: &[Draft], how: &str) {
    let dead = kept.iter().find(|draft| holds(draft, case.dead));
    assert!(dead.is_none(), "{how}: {}", dead.unwrap().text);
    let stands = case.stands.is_empty() || kept.iter().any(|draft| holds(draft, case.stands));
    assert!(stands, "{how}: {} is missing: {kept:?}", case.stands);
}

#[test]
fn a_dead_end_is_never_kept_as_a_fact() {
    for case in CASES {
        let paths: Vec<Vec<String>> = case
            .said
            .iter()
            .map(|(who, text)| {
                (*who == "edit")
                    .then(|| (*text).to_owned())
                    .into_iter()
                    .collect()
            })
            .collect();
        let views = turns(case, &paths);
        judge(
            case,
            &distil_session(Harness::ClaudeCode, &views),
            "at once",
        );
        let mut kept: Vec<Draft> = Vec::new();
        for range in split_exchanges(&views) {
            let step = distil_continued(Harness::ClaudeCode, &views[..range.end], range.start);
            kept.retain(|draft| {
                step.withdrawn
                    .iter()
                    .all(|fallen| fallen.text != draft.text)
            });
            kept.extend(step.drafts);
        }
        judge(case, &kept, "exchange by exchange");
        kept.clear();
        for to in 1..=views.len() {
            let step = distil_continued(Harness::ClaudeCode, &views[..to], to - 1);
            kept.retain(|draft| {
                step.withdrawn
                    .iter()
                    .all(|fallen| fallen.text != draft.text)
            });
            kept.extend(step.drafts);
        }
        judge(case, &kept, "turn by turn");
    }
}
