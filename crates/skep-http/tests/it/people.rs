//! Participants, consent and observations through the edge, as somebody would attack them.

use serde_json::{Value, json};
use skep_api::{ROUTES, RouteId};
use skep_test_support::{Reply, Request, TestDaemon};

use crate::bodies::{Ids, body, path, seed};

struct Stage {
    daemon: TestDaemon,
    ids: Ids,
}

impl Stage {
    async fn new() -> Self {
        let daemon = TestDaemon::start().await;
        let ids = seed(&daemon, &daemon.a).await;
        Self { daemon, ids }
    }

    async fn post(&self, persona: &str, path: &str, body: Value) -> Reply {
        let request = Request::new("POST", &format!("/api/v1/{path}"))
            .bearer(&self.daemon.a.token(persona))
            .json(&body);
        request.send(self.daemon.address).await.unwrap()
    }

    async fn empty(&self, persona: &str, path: &str) -> Reply {
        let request = Request::new("POST", &format!("/api/v1/{path}"))
            .bearer(&self.daemon.a.token(persona))
            .header("Content-Length", "0");
        request.send(self.daemon.address).await.unwrap()
    }

    async fn get(&self, persona: &str, path: &str) -> Reply {
        let request =
            Request::new("GET", &format!("/api/v1/{path}")).bearer(&self.daemon.a.token(persona));
        request.send(self.daemon.address).await.unwrap()
    }

    /// A persona's own participant, named so.
    async fn own(&self, persona: &str, name: &str) -> String {
        let named = self
            .post(persona, "participants/self", json!({ "name": name }))
            .await;
        assert_eq!(named.status, 200, "{:?}", named.json());
        named.json()["id"].as_str().unwrap().to_owned()
    }

    /// An observation about the pilot, kept by the owner.
    async fn observe(&self, text: &str) -> String {
        let at = format!("participants/{}/observations", self.ids.participant);
        let kept = self
            .post(
                "owner",
                &at,
                json!({ "text": text, "visibility": "workspace" }),
            )
            .await;
        assert_eq!(kept.status, 200, "{:?}", kept.json());
        kept.json()["observation"]["memory"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.code())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The body without the request's own id.
fn bare(reply: &Reply) -> String {
    let mut body = reply.json();
    body["error"]["request_id"] = "".into();
    body.to_string()
}

/// Closes: peers could be listed and looked up by any key of the workspace.
#[tokio::test(flavor = "multi_thread")]
async fn t12_out_of_reach_is_as_absent_as_never_there_on_every_route() {
    let stage = Stage::new().await;
    let deleted = stage
        .post("owner", "participants", json!({ "name": "gone" }))
        .await
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let gone = stage
        .empty("owner", &format!("participants/{deleted}/delete"))
        .await;
    assert_eq!(gone.status, 200, "{:?}", gone.json());
    let listed = stage.get("reader", "participants").await.json();
    assert_eq!(listed["items"], json!([]), "the reader shares nothing");
    let named = stage.get("reader", "participants?name=harbour-pilot").await;
    assert_eq!(named.json()["items"], json!([]));
    let mut tried = 0;
    for route in ROUTES {
        if !route.path.contains("/participants/{id}") && route.id != RouteId::ConsentGive {
            continue;
        }
        for persona in ["reader", "isolated"] {
            let mut answers = Vec::new();
            for participant in [&stage.ids.participant, &stage.ids.own, &deleted] {
                let ids = Ids {
                    participant: participant.clone(),
                    ..stage.ids.clone()
                };
                let at = path(route, &ids).replace("/api/v1/", "");
                let reply = match (route.method.as_str(), body(route.id, &ids)) {
                    ("GET", _) => stage.get(persona, &at).await,
                    (_, Value::Null) => stage.empty(persona, &at).await,
                    (_, body) => stage.post(persona, &at, body).await,
                };
                answers.push((reply.status, bare(&reply)));
            }
            assert!(
                answers.iter().all(|answer| *answer == answers[0]),
                "{} as {persona}: {answers:?}",
                route.path
            );
            assert!([403, 404].contains(&answers[0].0), "{answers:?}");
            tried += 1;
        }
    }
    assert!(tried >= 18, "{tried}");
}

/// Closes: any key asserted any conclusion about any peer.
#[tokio::test(flavor = "multi_thread")]
async fn t12_nothing_is_observed_or_shown_without_consent() {
    let stage = Stage::new().await;
    let pilot = stage.ids.participant.clone();
    let at = format!("participants/{pilot}/observations");
    let id = stage
        .observe("Prefers the northern fairway at night.")
        .await;
    stage.daemon.tend(&stage.daemon.a).await;
    let recall = json!({ "query": "which fairway at night" });
    let before = stage.post("owner", "recall", recall.clone()).await.json();
    assert!(before.to_string().contains(&id), "{before}");
    let as_of = before["items"][0]["memory"]["recorded_at"].clone();
    let prompt = json!({
        "harness": "claude-code", "external_id": "night", "moment": "prompt",
        "prompt": "prefers the northern fairway at night", "deadline_ms": 60_000,
    });
    let given = stage.post("owner", "inject", prompt).await.json();
    assert!(given.to_string().contains("northern"), "{given}");

    let revoked = stage
        .post("owner", "consents/revoke", json!({ "subject": pilot }))
        .await;
    assert_eq!(revoked.status, 200, "{:?}", revoked.json());
    let wanted = refused(428, "CONSENT_REQUIRED");
    assert_eq!(code(&stage.get("owner", &at).await), wanted);
    let again = stage.post("owner", &at, json!({ "text": "Snores." })).await;
    assert_eq!(code(&again), wanted);
    let shown = stage.get("owner", &format!("memories/{id}")).await;
    assert_eq!(code(&shown), refused(404, "NOT_FOUND"));
    let record = stage.get("owner", "injections").await.json();
    assert_eq!(record["items"][0]["withheld"], true, "{record}");
    assert!(!record.to_string().contains("northern"), "{record}");
    let mut past = recall.clone();
    past["as_of"] = as_of;
    for path in ["recall", "explain/recall"] {
        for question in [&recall, &past] {
            let answer = stage.post("owner", path, question.clone()).await;
            assert!(!bare(&answer).contains("northern fairway"), "{path}");
            assert!(!bare(&answer).contains(&id), "{path}");
        }
    }
    for path in [
        "memories".to_owned(),
        "sessions".to_owned(),
        format!("participants/{pilot}/card"),
    ] {
        let answer = stage.get("owner", &path).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.json().to_string().contains(&id), "{path}");
    }
    let raw = stage
        .post("owner", "resolve", json!({ "id": id, "tier": "raw" }))
        .await;
    assert_eq!(raw.status, 404);

    let given = stage
        .post(
            "owner",
            "consents",
            json!({ "subject": pilot, "note": "again" }),
        )
        .await;
    let history = given.json()["history"].clone();
    let said: Vec<bool> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["given"].as_bool().unwrap())
        .collect();
    assert_eq!(said, [true, false, true]);
    let back = stage.post("owner", "recall", recall).await.json();
    assert!(back.to_string().contains(&id), "{back}");
    let card = stage
        .get("owner", &format!("participants/{pilot}/card"))
        .await;
    assert!(card.json().to_string().contains(&id));
}

/// Closes: consent was nobody's in particular.
#[tokio::test(flavor = "multi_thread")]
async fn t12_only_the_participant_itself_consents() {
    let stage = Stage::new().await;
    let reader = stage.own("reader", "lookout").await;
    let join = format!("sessions/{}/participants", stage.ids.session);
    let joined = stage
        .post("owner", &join, json!({ "participant": reader }))
        .await;
    assert_eq!(joined.status, 200, "{:?}", joined.json());
    let consent = json!({ "subject": reader, "note": "he nodded" });
    let by_admin = stage.post("owner", "consents", consent.clone()).await;
    assert_eq!(code(&by_admin), refused(403, "PERMISSION_DENIED"));
    let at = format!("participants/{reader}/observations");
    let observed = stage.post("owner", &at, json!({ "text": "Naps." })).await;
    assert_eq!(code(&observed), refused(428, "CONSENT_REQUIRED"));
    let by_self = stage.post("reader", "consents", consent).await;
    assert_eq!(by_self.status, 200, "{:?}", by_self.json());
    let observed = stage.post("owner", &at, json!({ "text": "Naps." })).await;
    assert_eq!(observed.status, 200, "{:?}", observed.json());

    // For somebody without a credential, by who added them and says how they know.
    let unknown = json!({ "subject": stage.ids.participant });
    let revoked = stage
        .post("owner", "consents/revoke", unknown.clone())
        .await;
    assert_eq!(revoked.status, 200);
    let silent = stage.post("owner", "consents", unknown).await;
    assert_eq!(code(&silent), refused(400, "VALIDATION_ERROR"));
    let history = stage.get("isolated", "consents").await.json();
    assert_eq!(history["history"], json!([]));
    let other = stage
        .get("reader", &format!("consents?subject={}", stage.ids.own))
        .await;
    assert_eq!(code(&other), refused(403, "PERMISSION_DENIED"));
}

/// Closes: a session key wrote as anybody, with any date.
#[tokio::test(flavor = "multi_thread")]
async fn t12_nobody_writes_in_the_name_or_at_the_time_of_another() {
    let stage = Stage::new().await;
    let agent = stage.own("isolated", "deckhand").await;
    let capture = |author: &str| {
        json!({
            "session": { "harness": "codex", "external_id": "c-1" },
            "turns": [{ "client_event_id": author, "role": "user", "at": "2001-01-01T00:00:00Z",
                        "text": "I am the harbour master.", "author": author }],
        })
    };
    let forged = stage
        .post("isolated", "capture", capture(&stage.ids.own))
        .await;
    assert_eq!(code(&forged), refused(403, "PERMISSION_DENIED"));
    let unknown = stage.post("owner", "capture", capture(&agent)).await;
    assert_eq!(unknown.status, 404, "{:?}", unknown.json());
    let honest = stage
        .post("isolated", "capture", capture(&agent))
        .await
        .json();
    let turns = format!("sessions/{}/turns", honest["session"].as_str().unwrap());
    let turns = stage.get("isolated", &turns).await.json();
    let turn = &turns["items"][0];
    assert_eq!(turn["author"], json!(agent));
    assert_eq!(turn["at"], json!("2001-01-01T00:00:00Z"));
    assert_ne!(
        turn["recorded_at"], turn["at"],
        "our own time stands beside it"
    );
    let spoken = stage
        .post("owner", "capture", capture(&stage.ids.participant))
        .await;
    assert_eq!(spoken.status, 200, "{:?}", spoken.json());
    let at = format!("participants/{}/observations", stage.ids.participant);
    for field in ["at", "recorded_at", "valid_from"] {
        let mut body = json!({ "text": "Was here before." });
        body[field] = json!("2001-01-01T00:00:00Z");
        let dated = stage.post("owner", &at, body).await;
        assert_eq!(code(&dated), refused(400, "VALIDATION_ERROR"), "{field}");
    }
    let other = json!({ "text": "Said by another.", "observer": stage.ids.own });
    let at = format!("participants/{agent}/observations");
    let forged = stage.post("isolated", &at, other).await;
    assert_eq!(code(&forged), refused(403, "PERMISSION_DENIED"));
}

/// Closes: a peer key put itself into any session and read it.
#[tokio::test(flavor = "multi_thread")]
async fn t12_nobody_lets_themselves_into_a_session() {
    let stage = Stage::new().await;
    let agent = stage.own("shared", "deckhand").await;
    let join = format!("sessions/{}/participants", stage.ids.session);
    let unseen = stage
        .post("shared", &join, json!({ "participant": agent, "turn": 0 }))
        .await;
    assert_eq!(code(&unseen), refused(404, "NOT_FOUND"));
    let turns = format!("sessions/{}/turns", stage.ids.session);
    assert_eq!(stage.get("shared", &turns).await.status, 404);
    let joined = stage
        .post("owner", &join, json!({ "participant": agent, "turn": 1 }))
        .await;
    assert_eq!(joined.json()["members"].as_array().unwrap().len(), 2);
    // A member sees its own turns, none so far, and cannot widen that or bring others.
    let seen = stage.get("shared", &turns).await.json();
    assert_eq!(seen["items"], json!([]));
    for body in [
        json!({ "participant": agent, "turn": 0 }),
        json!({ "participant": stage.ids.own, "turn": 0 }),
    ] {
        let wider = stage.post("shared", &join, body).await;
        assert_eq!(code(&wider), refused(403, "PERMISSION_DENIED"));
    }
    let leave = format!("sessions/{}/leave", stage.ids.session);
    let out = stage
        .post("shared", &leave, json!({ "participant": stage.ids.own }))
        .await;
    assert_eq!(code(&out), refused(403, "PERMISSION_DENIED"));
    let left = stage.post("shared", &leave, json!({})).await;
    assert_eq!(left.status, 200, "{:?}", left.json());
    let twice = stage.post("shared", &leave, json!({})).await;
    assert_eq!(code(&twice), refused(409, "CONFLICT"));
    assert_eq!(stage.get("reader", &turns).await.status, 404);
    assert_eq!(
        stage.get("owner", &turns).await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// Closes: no limit on looking at peers.
#[tokio::test(flavor = "multi_thread")]
async fn t12_looks_are_limited_for_each_principal_apart() {
    let stage = Stage::new().await;
    let at = format!("participants/{}/observations", stage.ids.participant);
    let mut passed = 0;
    let late = loop {
        let reply = stage.get("isolated", &at).await;
        if reply.status == 429 {
            break reply;
        }
        assert_eq!(reply.status, 404);
        passed += 1;
        assert!(passed < 200, "no limit");
    };
    assert_eq!(late.code(), "RATE_LIMITED");
    let wait = late.json()["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1_000).contains(&wait), "{wait}");
    assert!(
        late.head.to_lowercase().contains("retry-after: 1"),
        "{}",
        late.head
    );
    for path in ["participants", "participants?name=a", "consents"] {
        assert_eq!(stage.get("isolated", path).await.status, 429, "{path}");
    }
    assert_eq!(
        stage.get("owner", &at).await.status,
        200,
        "others are not held up"
    );
    stage.daemon.clock.advance_seconds(1);
    assert_eq!(stage.get("isolated", &at).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn t20_a_look_alike_of_a_name_is_refused_whoever_asks() {
    let stage = Stage::new().await;
    for name in [
        "harbour-pilot",
        "HARBOUR-PILOT",
        "harbour-pi1ot",
        "hаrbour-pilot",
    ] {
        for (persona, path) in [("owner", "participants"), ("isolated", "participants/self")] {
            let reply = stage.post(persona, path, json!({ "name": name })).await;
            assert_eq!(code(&reply), refused(409, "CONFLICT"), "{name}");
        }
    }
    for name in ["", "a b", "a\u{202E}b", "a\u{FE0F}b", "a/b", "\u{3164}"] {
        let reply = stage
            .post("owner", "participants", json!({ "name": name }))
            .await;
        assert_eq!(code(&reply), refused(400, "VALIDATION_ERROR"), "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn merging_and_deleting_leave_what_they_should() {
    let stage = Stage::new().await;
    let (pilot, own) = (&stage.ids.participant, &stage.ids.own);
    let id = stage.observe("Prefers the northern fairway.").await;
    let wrong_way = stage
        .post(
            "owner",
            &format!("participants/{own}/merge"),
            json!({ "into": pilot }),
        )
        .await;
    assert_eq!(code(&wrong_way), refused(409, "CONFLICT"));
    let merge = format!("participants/{pilot}/merge");
    let merged = stage.post("owner", &merge, json!({ "into": own })).await;
    assert_eq!(merged.json()["id"], json!(own));
    let shown = stage.get("owner", &format!("participants/{pilot}")).await;
    assert_eq!(shown.json()["id"], json!(own), "one stands for the other");
    let observations = format!("participants/{own}/observations");
    let without = stage.get("owner", &observations).await;
    assert_eq!(
        code(&without),
        refused(428, "CONSENT_REQUIRED"),
        "no consent is inherited"
    );
    let apart = stage
        .empty("owner", &format!("participants/{pilot}/unmerge"))
        .await;
    assert_eq!(apart.json()["name"], json!("harbour-pilot"));
    let by_agent = stage
        .empty("isolated", &format!("participants/{pilot}/delete"))
        .await;
    assert_eq!(by_agent.status, 404);
    let deleted = stage
        .empty("owner", &format!("participants/{pilot}/delete"))
        .await;
    assert_eq!(deleted.json(), json!({ "participants": 1, "memories": 1 }));
    assert_eq!(
        stage.get("owner", &format!("memories/{id}")).await.status,
        404
    );
    let again = stage
        .empty("owner", &format!("participants/{pilot}/delete"))
        .await;
    assert_eq!(again.status, 404);
    let reborn = stage
        .post("owner", "participants", json!({ "name": "harbour-pilot" }))
        .await;
    assert_eq!(reborn.status, 200);
    assert_ne!(reborn.json()["id"], json!(pilot));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_a_session_fits_its_budget_and_the_stay() {
    let stage = Stage::new().await;
    let turn = |n: u32| {
        json!({ "client_event_id": format!("r-{n}"), "role": "user", "at": "2026-01-01T00:00:00Z",
                "text": format!("turn {n} says {}", "tide ".repeat(40)) })
    };
    let turns: Vec<Value> = (0..50).map(turn).collect();
    let capture =
        json!({ "session": { "harness": "codex", "external_id": "long" }, "turns": turns });
    let captured = stage.post("owner", "capture", capture).await.json();
    let session = captured["session"].as_str().unwrap();
    for budget in [1, 100, 1_000, 100_000] {
        let recent = stage
            .get(
                "owner",
                &format!("sessions/{session}/recent?tokens={budget}"),
            )
            .await
            .json();
        let texts = recent["turns"].as_array().unwrap();
        assert!(recent["tokens"].as_u64().unwrap() <= budget, "{recent}");
        assert_eq!(recent["left_out"], json!(50 - texts.len()));
        if let Some(last) = texts.last() {
            assert!(last["text"].as_str().unwrap().starts_with("turn 49 "));
        }
        assert_eq!(texts.len() == 50, budget == 100_000);
    }
    for bad in ["tokens=0", "tokens=100001", "tokens=x", "colour=red"] {
        let reply = stage
            .get("owner", &format!("sessions/{session}/recent?{bad}"))
            .await;
        assert_eq!(code(&reply), refused(400, "VALIDATION_ERROR"), "{bad}");
    }
    let agent = stage.own("isolated", "deckhand").await;
    let join = format!("sessions/{session}/participants");
    let joined = stage
        .post("owner", &join, json!({ "participant": agent, "turn": 45 }))
        .await;
    assert_eq!(joined.status, 200, "{:?}", joined.json());
    let leave = format!("sessions/{session}/leave");
    let left = stage
        .post("owner", &leave, json!({ "participant": agent, "turn": 48 }))
        .await;
    assert_eq!(left.status, 200, "{:?}", left.json());
    let recent = stage
        .get(
            "isolated",
            &format!("sessions/{session}/recent?tokens=100000"),
        )
        .await
        .json();
    assert_eq!(recent["turns"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&recent["session"]["turns"], &recent["left_out"]),
        (&json!(3), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_its_participants_own() {
    let stage = Stage::new().await;
    let pilot = &stage.ids.participant;
    let (kept, hidden) = (
        stage.observe("Prefers the northern fairway.").await,
        stage.observe("Snores on watch.").await,
    );
    let at = format!("participants/{pilot}/card");
    let edit = json!({ "facts": ["Speaks Finnish"], "hidden": [hidden] });
    let by_other = stage.post("isolated", &at, edit.clone()).await;
    assert_eq!(code(&by_other), refused(404, "NOT_FOUND"));
    assert_eq!(stage.post("owner", &at, edit).await.status, 200);
    let card = stage.get("owner", &at).await.json();
    let sources: Vec<&Value> = card["facts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fact| &fact["source"])
        .collect();
    assert_eq!(sources, [&json!("self"), &json!("observation")]);
    assert_eq!(card["facts"][1]["memory"], json!(kept));
    assert_eq!(card["facts"][1]["observer"], json!(stage.ids.own));
    for bad in [
        json!({ "facts": ["x".repeat(161)] }),
        json!({ "facts": vec!["x"; 11] }),
        json!({ "facts": [" "] }),
        json!({ "colour": "red" }),
    ] {
        let reply = stage.post("owner", &at, bad.clone()).await;
        assert_eq!(code(&reply), refused(400, "VALIDATION_ERROR"), "{bad}");
    }
    for n in 0..30 {
        stage
            .observe(&format!("Observation number {n} of the pilot."))
            .await;
    }
    let card = stage.get("owner", &at).await.json();
    assert_eq!(
        card["facts"].as_array().unwrap().len() as u64 + card["cut"].as_u64().unwrap(),
        32
    );
    assert!(card["facts"].as_array().unwrap().len() <= 20);
}
