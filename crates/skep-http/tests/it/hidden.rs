//! What is hidden from the asker answers as what was never there: the same status and the same
//! bytes but for the request's id, on every route that takes an id, wherever it takes it.

use serde_json::{Value, json};
use skep_api::{BodyLimit, ROUTES, Route, RouteId};
use skep_test_support::{Reply, Request, TestDaemon};

use crate::bodies::{self, Ids, body, path, request, seed};

const HIDDEN: &str = "the asker must not know of this";

async fn post(daemon: &TestDaemon, persona: &str, path: &str, body: Value) -> Value {
    let request = Request::new("POST", &format!("/api/v1/{path}"));
    let request = request.bearer(&daemon.a.token(persona)).json(&body);
    let reply = request.send(daemon.address).await.unwrap();
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.json());
    reply.json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Things of the owner that nobody else may see.
async fn hide(daemon: &TestDaemon) -> Ids {
    let ids = seed(daemon, &daemon.a).await;
    let private = |said: &str| json!({ "text": said, "visibility": "private" });
    let kept = post(daemon, "owner", "memories", private(HIDDEN)).await;
    // Two words in one second stand against each other.
    post(
        daemon,
        "owner",
        "memories",
        private("The crane port is 7411."),
    )
    .await;
    let against = post(
        daemon,
        "owner",
        "memories",
        private("The crane port is 7412."),
    )
    .await;
    let mut captured = body(RouteId::Capture, &ids);
    captured["session"]["external_id"] = json!("hidden");
    let captured = post(daemon, "owner", "capture", captured).await;
    let session = text(&captured["session"]);
    // The first one let in closes a session to all who are not.
    let joined = json!({ "participant": ids.participant });
    post(
        daemon,
        "owner",
        &format!("sessions/{session}/participants"),
        joined,
    )
    .await;
    let folder = json!({ "kind": "folder", "location": "/srv/hidden", "visibility": "private" });
    let source = post(daemon, "owner", "sources", folder).await;
    Ids {
        user: ids.user.clone(),
        budget: ids.budget.clone(),
        factor: ids.factor.clone(),
        session,
        memory: text(&kept["memory"]["id"]),
        conflict: text(&against["conflicts"][0]),
        source: text(&source["id"]),
        ..ids
    }
}

/// The same, of nobody: well-formed ids of this workspace that were never given out.
async fn absent(daemon: &TestDaemon) -> Ids {
    let mint = async |of: &str| bodies::mint(daemon, &daemon.a, of).await;
    Ids {
        session: mint("session").await,
        memory: mint("memory").await,
        participant: mint("participant").await,
        own: mint("participant").await,
        conflict: mint("conflict").await,
        held: mint("memory").await,
        source: mint("source").await,
        proposal: mint("proposal").await,
        skill: mint("skill").await,
        lease: mint("lease").await,
        approved: mint("approved").await,
        template: mint("template").await,
        in_force: mint("template").await,
        access: mint("access").await,
        grant: mint("access").await,
        exec: mint("exec").await,
        key: mint("key").await,
        token: mint("key").await,
        agent: mint("agent").await,
        user: mint("user").await,
        budget: mint("budget").await,
        factor: mint("factor").await,
        workspace: mint("workspace").await,
        job: mint("job").await,
    }
}

/// Things of the asker, so that only one at a time is not theirs.
async fn own(daemon: &TestDaemon, persona: &str) -> Ids {
    let mut captured = body(RouteId::Capture, &Ids::default());
    captured["session"]["external_id"] = json!(format!("of {persona}"));
    let captured = post(daemon, persona, "capture", captured).await;
    let said = json!({ "text": format!("The {persona} berth is dredged in March.") });
    let kept = post(daemon, persona, "memories", said).await;
    let named = json!({ "name": format!("{persona}-herself") });
    let own = post(daemon, persona, "participants/self", named).await;
    Ids {
        session: text(&captured["session"]),
        memory: text(&kept["memory"]["id"]),
        participant: text(&own["id"]),
        own: text(&own["id"]),
        ..absent(daemon).await
    }
}

/// Where ids stand beside the places that the table tells of.
fn asides(ids: &Ids) -> Vec<Request> {
    let get = |path: String| Request::new("GET", &format!("/api/v1/{path}"));
    let post =
        |path: &str, body: Value| Request::new("POST", &format!("/api/v1/{path}")).json(&body);
    let Ids {
        participant,
        own,
        memory,
        session,
        ..
    } = ids;
    let turn = json!({ "client_event_id": "aside", "role": "user", "at": "2026-01-01T00:00:00Z",
                       "text": "hello", "author": participant });
    vec![
        get(format!("consents?subject={participant}")),
        get(format!(
            "participants/{own}/observations?observer={participant}"
        )),
        get(format!(
            "participants/{participant}/observations?observer={own}"
        )),
        get(format!("sessions/{session}/turns?limit=1")),
        get(format!("memories/{memory}/history")),
        post(
            "consents",
            json!({ "subject": own, "observer": participant, "note": "said so" }),
        ),
        post(
            "consents/revoke",
            json!({ "subject": own, "observer": participant }),
        ),
        post(
            &format!("participants/{own}/observations"),
            json!({ "text": "Sails.", "observer": participant }),
        ),
        post(
            "capture",
            json!({ "session": { "harness": "codex", "external_id": "aside" }, "turns": [turn] }),
        ),
        post("rewind", json!({ "session": session, "dry_run": true })),
        post("rewind", json!({ "source": ids.source, "dry_run": true })),
        post("resolve", json!({ "id": memory, "tier": "raw" })),
    ]
}

fn bare(reply: &Reply) -> (u16, String) {
    let mut body = reply.json();
    if body["error"].is_object() {
        body["error"]["request_id"] = "".into();
    }
    (reply.status, body.to_string())
}

/// One thing that is not theirs among what is.
type Swap = (&'static str, fn(&mut Ids, &Ids));

const SWAPS: &[Swap] = &[
    ("session", |ids, other| {
        ids.session.clone_from(&other.session);
    }),
    ("memory", |ids, other| ids.memory.clone_from(&other.memory)),
    ("participant", |ids, other| {
        ids.participant.clone_from(&other.participant);
    }),
    ("own", |ids, other| ids.own.clone_from(&other.own)),
    ("conflict", |ids, other| {
        ids.conflict.clone_from(&other.conflict);
    }),
    ("all", |ids, other| *ids = other.clone()),
];

#[tokio::test(flavor = "multi_thread")]
async fn t12_t10_what_is_hidden_answers_as_what_was_never_there_on_every_route() {
    let daemon = TestDaemon::start().await;
    let hidden = hide(&daemon).await;
    let absent = absent(&daemon).await;
    let mut compared = 0;
    for persona in ["colleague", "shared", "isolated"] {
        let own = own(&daemon, persona).await;
        for (what, swap) in SWAPS {
            let (mut of_hidden, mut of_absent) = (own.clone(), own.clone());
            swap(&mut of_hidden, &hidden);
            swap(&mut of_absent, &absent);
            if *what == "all" {
                // These are shown to whoever may see to them, whoever made them.
                of_hidden.held.clone_from(&absent.held);
                of_hidden.proposal.clone_from(&absent.proposal);
                of_hidden.job.clone_from(&absent.job);
                of_hidden.skill.clone_from(&absent.skill);
                of_hidden.approved.clone_from(&absent.approved);
                of_hidden.template.clone_from(&absent.template);
                of_hidden.in_force.clone_from(&absent.in_force);
                of_hidden.access.clone_from(&absent.access);
                of_hidden.grant.clone_from(&absent.grant);
            }
            let takes = |route: &&Route| {
                let made = |ids| (path(route, ids), body(route.id, ids));
                made(&of_hidden) != made(&of_absent)
            };
            // Agents are shown to whoever may say what their calls are given.
            let seen_to = |route: &&Route| route.id != RouteId::AgentContextSet;
            let routes = ROUTES.iter().filter(takes).filter(seen_to);
            let routes: Vec<&Route> = routes.collect();
            let of_table = |ids: &Ids| -> Vec<Request> {
                routes.iter().map(|route| request(route, ids)).collect()
            };
            let (one, two) = (of_table(&of_hidden), of_table(&of_absent));
            let pairs = one
                .into_iter()
                .zip(two)
                .chain(asides(&of_hidden).into_iter().zip(asides(&of_absent)));
            for (one, two) in pairs {
                if format!("{one:?}") == format!("{two:?}") {
                    continue;
                }
                daemon.clock.advance_seconds(60);
                let name = format!("{persona}, {what}: {}", one.first_line());
                let one = one
                    .bearer(&daemon.a.token(persona))
                    .send(daemon.address)
                    .await
                    .unwrap();
                let two = two
                    .bearer(&daemon.a.token(persona))
                    .send(daemon.address)
                    .await
                    .unwrap();
                assert_eq!(bare(&one), bare(&two), "{name}");
                assert_ne!(one.code(), "RATE_LIMITED", "{name}");
                assert!(
                    !String::from_utf8_lossy(&one.body).contains(HIDDEN),
                    "{name}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared}");
    let all_with_ids = ROUTES.iter().filter(|route| route.path.contains("{id}"));
    assert!(all_with_ids.count() > 30 && ROUTES.iter().any(|route| route.body == BodyLimit::Empty));
    let untouched = Request::new("GET", &path(RouteId::MemoryGet.row(), &hidden));
    let untouched = untouched
        .bearer(&daemon.a.token("owner"))
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(untouched.json()["state"], "active");
}
