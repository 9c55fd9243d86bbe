//! Gemini CLI says that it is about to compress before each call of its model, and mostly does not: what
//! its model was given is given again when it did, and only then.

use serde_json::json;
use skep_test_support::TestDaemon;

use super::{Place, recordings};

const FACT: &str = "We decided that tide reports go out at six in the morning.";
const PROMPT: &str = "When do tide reports go out in the morning?";
/// What a compression leaves in the file of the chat.
const COMPRESSED: &str = "{\"$set\":{\"messages\":[{\"id\":\"c-1\",\"type\":\"user\",\"content\":[{\"text\":\"<state_snapshot>tides</state_snapshot>\"}]}]}}\n";

struct Session {
    place: Place,
    /// The file of the chat, as the recorded one is.
    chat: std::path::PathBuf,
    events: u32,
}

impl Session {
    async fn tell(&mut self, event: &str, more: serde_json::Value) -> String {
        self.events += 1;
        let mut said = json!({ "session_id": "g-1", "cwd": self.place.dev.path().join("harbor"),
            "transcript_path": self.chat, "hook_event_name": event,
            "timestamp": format!("2026-11-20T09:12:{:02}.125Z", self.events) });
        let more = more.as_object().unwrap().clone();
        said.as_object_mut().unwrap().extend(more);
        let ran = self
            .place
            .hook(&["gemini", event], said.to_string().as_bytes())
            .await;
        assert_eq!(ran.code, Some(0));
        ran.stdout
    }

    /// Whether the model is given the fact at a prompt.
    async fn is_told(&mut self) -> bool {
        let answer = self.tell("BeforeAgent", json!({ "prompt": PROMPT })).await;
        answer.contains("six in the morning")
    }

    fn add(&self, line: &str) {
        let text = std::fs::read_to_string(&self.chat).unwrap();
        std::fs::write(&self.chat, text + line).unwrap();
    }
}

#[tokio::test]
async fn what_was_given_is_given_again_after_a_compression_alone() {
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let place = Place::at(daemon.socket().parent().unwrap().to_owned());
    place
        .ask(&[
            "remember",
            "--kind",
            "decision",
            "--project",
            "harbor",
            FACT,
        ])
        .await;
    let chat = place.dev.path().join("session-2026-11-20T09-12-g1.jsonl");
    std::fs::copy(recordings("gemini/0.61.0/transcript.jsonl"), &chat).unwrap();
    let mut session = Session {
        place,
        chat,
        events: 0,
    };
    let begun = session
        .tell("SessionStart", json!({ "source": "startup" }))
        .await;
    assert!(begun.contains("six in the morning"), "{begun}");
    assert!(!session.is_told().await, "it has it already");
    let automatic = json!({ "trigger": "auto" });
    // As it is told before each call of the model.
    session.tell("PreCompress", automatic.clone()).await;
    session.tell("PreCompress", automatic.clone()).await;
    assert!(!session.is_told().await, "nothing was compressed");
    session.tell("PreCompress", automatic.clone()).await;
    session.add(COMPRESSED);
    session.tell("PreCompress", automatic.clone()).await;
    assert!(session.is_told().await, "it was compressed");
    assert!(!session.is_told().await, "and has it again");
    session.tell("PreCompress", automatic).await;
    assert!(!session.is_told().await, "that compression is an old one");
    session
        .tell("PreCompress", json!({ "trigger": "manual" }))
        .await;
    assert!(session.is_told().await, "somebody asked for it");
    assert_eq!(session.place.log(), "");
}
