//! What leaves the ledger: to receivers that take it, that fail in every way, and to folders.

mod files;
mod receiver;
mod turns;
mod witness;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use skep_app::{
    App, AppError, AuditDesk, Decision, FOREIGN, Log, SetSink, SinkDesk, SinkSettings, SinkView,
    Wanted,
};
use skep_authz::rights;
use skep_crypto::MacKey;
use skep_domain::{Id, OrganizationId, UsageId};
use skep_egress::{Origin, Target};
use skep_store::{DoorTx, Mode, NewAudit, NewUsage, Outcome};

use crate::world::World;
use receiver::{Does, Heard, Receiver};

const DAY: i64 = 86_400;

/// A world, a receiver, and an application that may reach it.
struct Scene {
    world: World,
    receiver: Receiver,
    app: Arc<App>,
    desk: SinkDesk,
}

impl Scene {
    async fn new() -> Self {
        let (world, receiver) = (World::new().await, Receiver::start());
        let app = start(&world, &receiver);
        let desk = SinkDesk::new(Arc::clone(&app));
        Self {
            world,
            receiver,
            app,
            desk,
        }
    }

    fn ours(&self) -> OrganizationId {
        self.world.a.organization
    }

    /// Records so many decisions of this action.
    async fn decide(&self, action: &str, count: usize) {
        decide(&self.world, self.ours(), action, count).await;
    }

    async fn set(&self, events: &[&str], logs: &[Log]) -> String {
        let set = SetSink {
            name: "siem".into(),
            url: self.receiver.url(),
            wanted: Wanted {
                logs: logs.to_vec(),
                events: events.iter().map(|one| (*one).to_owned()).collect(),
            },
            from_start: false,
        };
        let may = self.world.may::<rights::OrgManage>(&self.world.a).await;
        let set = self.app.set_sink(may, set).await.unwrap();
        set.secret
            .map(|key| key.expose().clone())
            .unwrap_or_default()
    }

    async fn view(&self) -> SinkView {
        let may = self.world.may::<rights::OrgManage>(&self.world.a).await;
        self.app.list_sinks(may).await.unwrap().remove(0)
    }

    async fn resume(&self) -> SinkView {
        let may = self.world.may::<rights::OrgManage>(&self.world.a).await;
        self.app.resume_sink(may, "siem").await.unwrap()
    }

    /// The ids of all decisions that were recorded, in order.
    async fn recorded(&self) -> Vec<(String, String)> {
        recorded(&self.world, self.ours()).await
    }
}

fn start(world: &World, receiver: &Receiver) -> Arc<App> {
    let settings = SinkSettings {
        inside: vec![origin(&receiver.origin())],
        answer: Duration::from_secs(3),
        give_up: Duration::from_hours(12),
        ..SinkSettings::default()
    };
    Arc::new(world.start().with_sinks(settings))
}

fn origin(url: &str) -> Origin {
    Target::parse(url).unwrap().origin().clone()
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the desks record behind the door"
)]
async fn door(world: &World, mode: Mode) -> DoorTx {
    world.store.begin_door(mode).await.unwrap()
}

async fn decide(world: &World, organization: OrganizationId, action: &str, count: usize) {
    let mut tx = door(world, Mode::Write).await;
    let one = NewAudit {
        at: tx.now(),
        action: action.to_owned(),
        outcome: Outcome::Allowed,
        organization: Some(organization),
        workspace: None,
        credential: None,
        reason: "a \"reason\" with ünlikely letters".into(),
        request: "r".into(),
        peer: None,
        target: None,
        shown: Vec::new(),
    };
    let all: Vec<_> = (0..count).map(|_| (one.clone(), None, 1)).collect();
    tx.append_audit(&all).await.unwrap();
    tx.commit().await.unwrap();
}

async fn spend(world: &World, organization: OrganizationId, count: usize) {
    let mut tx = door(world, Mode::Write).await;
    let one = |_| NewUsage {
        id: tx.mint::<UsageId>(),
        at: tx.now(),
        workspace: None,
        principal: None,
        credential: None,
        facts: r#"{"cost":7}"#.into(),
    };
    let all: Vec<_> = (0..count).map(one).collect();
    tx.append_usage(organization, &all).await.unwrap();
    tx.commit().await.unwrap();
}

/// Actions and ids of the record, oldest first.
async fn recorded(world: &World, organization: OrganizationId) -> Vec<(String, String)> {
    let mut tx = door(world, Mode::Read).await;
    let key = skep_store::row::LogKey::new(Some(organization), Log::Audit);
    let found = tx.list_outgoing(key, 1, 10_000).await.unwrap();
    let one = |one: skep_store::Outgoing| {
        let skep_store::Line::Whole(line) = one.entry.line else {
            panic!("a damaged entry");
        };
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        (one.action.unwrap(), line["id"].as_str().unwrap().to_owned())
    };
    found.into_iter().map(one).collect()
}

fn is_signed(heard: &Heard, secret: &str) -> bool {
    let key = Base64::decode_vec(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = MacKey::from_bytes(key.as_slice().try_into().unwrap());
    let text = format!("{}.{}.", heard.id, heard.timestamp);
    let tag = key.tag_of_bytes(&[text.as_bytes(), &heard.body]);
    let tag = format!("v1,{}", Base64::encode_string(&tag));
    heard.signature.split(' ').any(|one| one == tag)
}

fn ids(recorded: &[(String, String)], action: &str) -> Vec<String> {
    let own = recorded.iter().filter(|(of, _)| of == action);
    own.map(|(_, id)| id.clone()).collect()
}

#[tokio::test]
async fn l06_each_entry_of_both_logs_is_delivered_once_in_order_and_signed() {
    let scene = Scene::new().await;
    scene.decide("before", 3).await;
    let secret = scene.set(&[], &[]).await;
    scene.decide("work", 450).await;
    spend(&scene.world, scene.ours(), 5).await;
    // What others record is theirs.
    decide(&scene.world, scene.world.b.organization, "theirs", 5).await;
    scene.desk.turn().await;
    let heard = scene.receiver.heard();
    assert!(heard.iter().all(|one| is_signed(one, &secret)));
    assert!(!is_signed(
        &heard[0],
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    ));
    let mut usage = 0;
    let mut told = Vec::new();
    for one in &heard {
        let body = one.json();
        assert_eq!(
            body["organization"],
            skep_ledger::id_text(scene.ours().to_bytes())
        );
        assert_eq!(
            (&body["type"], &body["sink"]),
            (&"ledger.entries".into(), &"siem".into())
        );
        let entries = body["entries"].as_array().unwrap();
        assert!(entries.len() <= 200);
        assert_eq!(body["first"], entries[0]["entry"]["seq"]);
        assert_eq!(body["last"], entries[entries.len() - 1]["entry"]["seq"]);
        if body["log"] == "usage" {
            usage += entries.len();
        } else {
            told.extend(one.ids());
        }
        // Byte for byte what is a leaf of the tree.
        let text = String::from_utf8(one.body.clone()).unwrap();
        let line = text.split_once(r#""entry":"#).unwrap().1;
        let line = &line[..=line.find(r#""}"#).unwrap() + 1];
        let leaf = skep_ledger::digits(&skep_ledger::leaf_hash(line.as_bytes()));
        assert_eq!(entries[0]["leaf"], leaf);
    }
    assert_eq!(usage, 5);
    assert_eq!(told, ids(&scene.recorded().await, "work"));
    let view = scene.view().await;
    assert_eq!((view.behind, view.state()), (0, "on"));
    let count = heard.len();
    scene.desk.turn().await;
    assert_eq!(scene.receiver.heard().len(), count, "there is nothing more");
}

#[tokio::test]
async fn l06_a_receiver_that_fails_in_every_way_loses_nothing() {
    let scene = Scene::new().await;
    scene.set(&["work"], &[]).await;
    let elsewhere = Receiver::start();
    let away = format!("location: {}\r\ncontent-length: 0\r\n", elsewhere.url());
    let ways = [
        Does::HangsUp,
        Does::Answers(500),
        Does::HearsAndHangsUp,
        Does::AnswersWith(302, away.clone()),
        Does::AnswersWith(307, away),
        Does::StaysSilent,
        Does::Answers(404),
        Does::AnswersWith(429, "retry-after: 30000\r\ncontent-length: 0\r\n".into()),
    ];
    scene.receiver.will(ways.clone());
    let mut problems = BTreeSet::new();
    for (at, way) in ways.iter().enumerate() {
        scene.decide("work", 2).await;
        scene.desk.turn().await;
        let view = scene.view().await;
        assert_eq!(
            (view.state(), view.turn.failures as usize),
            ("failing", at + 1),
            "{way:?}"
        );
        problems.insert(view.turn.problem.unwrap());
        // Nobody is asked again before it is time, however often it is looked.
        let heard = scene.receiver.heard().len();
        scene.desk.turn().await;
        assert_eq!(scene.receiver.heard().len(), heard, "{way:?}");
        scene.world.clock.advance_seconds(3_601);
    }
    assert_eq!(
        problems.into_iter().collect::<Vec<_>>(),
        [
            "it answered 302, and redirects are not followed",
            "it answered 307, and redirects are not followed",
            "it answered 404",
            "it answered 429",
            "it answered 500",
            "it cannot be reached",
            "it took too long",
        ]
    );
    assert_eq!(elsewhere.heard().len(), 0, "n05: a redirect was followed");
    scene.receiver.will([Does::TakesWithoutEnd]);
    scene.decide("work", 2).await;
    scene.desk.turn().await;
    let (taken, heard) = scene.receiver.ids();
    assert_eq!(taken, ids(&scene.recorded().await, "work"));
    assert!(heard.len() > taken.len());
    assert_eq!(scene.view().await.state(), "on");
    // The same message has the same id, whenever it comes.
    let all = scene.receiver.heard();
    for one in &all {
        let same = all.iter().filter(|other| other.id == one.id);
        assert!(same.into_iter().all(|other| other.body == one.body));
    }
    assert_eq!(all[0].ids().len(), 4, "500 came after four were recorded");
}

#[tokio::test]
async fn one_that_answers_410_is_off_until_it_is_resumed() {
    let scene = Scene::new().await;
    scene.set(&["work"], &[]).await;
    scene.receiver.will([Does::Answers(410)]);
    scene.decide("work", 3).await;
    scene.desk.turn().await;
    assert_eq!(scene.view().await.state(), "gone");
    scene.world.clock.advance_seconds(400 * DAY);
    scene.decide("work", 3).await;
    scene.desk.turn().await;
    assert_eq!(scene.receiver.heard().len(), 1);
    let recorded = scene.recorded().await;
    assert_eq!(ids(&recorded, "sink.gone").len(), 1);
    let may = scene
        .world
        .may::<rights::DiagnosticsRead>(&scene.world.a)
        .await;
    let problems = scene.app.sink_problems(may).await.unwrap();
    assert!(
        problems[0].contains("siem") && problems[0].contains("410"),
        "{problems:?}"
    );
    assert_eq!(scene.resume().await.state(), "on");
    scene.desk.turn().await;
    assert_eq!(scene.receiver.ids().0, ids(&recorded, "work"));
    let may = scene
        .world
        .may::<rights::DiagnosticsRead>(&scene.world.a)
        .await;
    assert_eq!(scene.app.sink_problems(may).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn one_that_fails_for_long_is_given_up_told_and_goes_on_where_it_stands() {
    let scene = Scene::new().await;
    scene.set(&["work"], &[]).await;
    scene.receiver.will(vec![Does::Answers(503); 30]);
    scene.decide("work", 3).await;
    let mut tries = 0;
    while scene.view().await.state() != "given_up" {
        scene.desk.turn().await;
        scene.world.clock.advance_seconds(3_601);
        tries += 1;
    }
    // An hour at most between two of them, for half a day.
    assert_eq!(tries, 12 + 1);
    assert_eq!(ids(&scene.recorded().await, "sink.given_up").len(), 1);
    let may = scene
        .world
        .may::<rights::DiagnosticsRead>(&scene.world.a)
        .await;
    let problems = scene.app.sink_problems(may).await.unwrap();
    assert!(problems[0].contains("nothing is lost"), "{problems:?}");
    scene.world.clock.advance_seconds(400 * DAY);
    scene.desk.turn().await;
    assert_eq!(scene.receiver.heard().len(), tries);
    let spare = 30 - tries;
    scene.resume().await;
    for _ in 0..spare {
        scene.desk.turn().await;
        scene.world.clock.advance_seconds(30);
        if scene.view().await.turn.failures > 2 {
            break;
        }
    }
    assert_eq!(scene.view().await.state(), "failing");
}

#[tokio::test]
async fn a_sink_gets_what_it_wants_and_looks_past_the_rest() {
    let scene = Scene::new().await;
    scene.set(&["alert.*", "auth.login"], &[]).await;
    for (action, count) in [
        ("auth.login", 1),
        ("memory.create", 700),
        ("alert.foreign", 2),
        ("alert", 1),
        ("auth.login2", 1),
    ] {
        scene.decide(action, count).await;
    }
    spend(&scene.world, scene.ours(), 3).await;
    scene.desk.turn().await;
    let recorded = scene.recorded().await;
    let mut wanted = ids(&recorded, "auth.login");
    wanted.extend(ids(&recorded, "alert.foreign"));
    assert_eq!(scene.receiver.ids().0, wanted);
    let view = scene.view().await;
    assert_eq!(
        (view.behind, view.wanted.logs.as_slice()),
        (0, [Log::Audit].as_slice())
    );
    // Other wishes take effect from where it stands; a log that is new to it begins now.
    scene.set(&[], &[Log::Usage]).await;
    scene.decide("alert.foreign", 1).await;
    spend(&scene.world, scene.ours(), 2).await;
    scene.desk.turn().await;
    let last = scene.receiver.heard().pop().unwrap();
    assert_eq!(
        (last.json()["log"].clone(), last.ids().len()),
        ("usage".into(), 2)
    );
}

#[tokio::test]
async fn a_sink_may_begin_at_the_first_entry_and_has_one_key_until_it_is_renewed() {
    let scene = Scene::new().await;
    scene.decide("work", 3).await;
    let set = SetSink {
        name: "siem".into(),
        url: scene.receiver.url(),
        wanted: Wanted::default(),
        from_start: true,
    };
    let may = || scene.world.may::<rights::OrgManage>(&scene.world.a);
    let made = scene.app.set_sink(may().await, set.clone()).await.unwrap();
    let first = made.secret.unwrap().expose().clone();
    let again = scene.app.set_sink(may().await, set).await.unwrap();
    assert!(again.secret.is_none(), "a key is shown once");
    scene.desk.turn().await;
    assert_eq!(scene.receiver.ids().0.len(), scene.recorded().await.len());
    let renewed = scene.app.renew_sink_key(may().await, "siem").await.unwrap();
    let second = renewed.secret.unwrap().expose().clone();
    assert_ne!(first, second);
    // Whoever checks by the first one has a day.
    for later in [0, DAY - 1] {
        scene.world.clock.advance_seconds(later);
        let early = scene.app.renew_sink_key(may().await, "siem").await;
        assert!(early.is_err(), "after {later} seconds");
        scene.decide("work", 1).await;
        scene.desk.turn().await;
        let last = scene.receiver.heard().pop().unwrap();
        assert!(is_signed(&last, &first) && is_signed(&last, &second));
    }
    scene.world.clock.advance_seconds(1);
    let renewed = scene.app.renew_sink_key(may().await, "siem").await.unwrap();
    let (first, second) = (second, renewed.secret.unwrap().expose().clone());
    for (later, signed) in [(0, [true, true]), (DAY, [false, true])] {
        scene.world.clock.advance_seconds(later);
        scene.decide("work", 1).await;
        scene.desk.turn().await;
        let last = scene.receiver.heard().pop().unwrap();
        assert_eq!([&first, &second].map(|key| is_signed(&last, key)), signed);
    }
    let tested = scene.app.test_sink(may().await, "siem").await.unwrap();
    assert_eq!((tested.status, tested.problem), (Some(200), None));
    let last = scene.receiver.heard().pop().unwrap();
    assert!(is_signed(&last, &second) && last.json()["type"] == "ledger.test");
    assert!(scene.app.remove_sink(may().await, "siem").await.unwrap());
    let heard = scene.receiver.heard().len();
    scene.decide("work", 1).await;
    scene.desk.turn().await;
    assert_eq!(scene.receiver.heard().len(), heard);
}

#[tokio::test]
async fn n05_a_sink_leads_to_the_public_internet_or_where_the_operator_lets_it() {
    let scene = Scene::new().await;
    let inside = Receiver::start();
    let set = |url: &str| SetSink {
        name: "trap".into(),
        url: url.to_owned(),
        wanted: Wanted::default(),
        from_start: true,
    };
    let may = || scene.world.may::<rights::OrgManage>(&scene.world.a);
    for url in [
        &*inside.url(),
        "http://siem.example.org/",
        "ftp://siem.example.org/",
        "https://me:pw@siem.example.org/",
        "https://0x7f.1/",
        "not a url",
    ] {
        let outcome = scene.app.set_sink(may().await, set(url)).await;
        assert!(matches!(outcome, Err(AppError::Invalid(_))), "{url}");
    }
    // Whatever passes that is checked again when it is called.
    let loopback = format!("https://localhost:{}/", inside.address.port());
    for url in [
        &*loopback,
        "https://169.254.169.254/",
        "https://[::1]:8443/",
        "https://10.0.0.1/",
    ] {
        scene.app.set_sink(may().await, set(url)).await.unwrap();
        scene.decide("work", 1).await;
        scene.desk.turn().await;
        let view = scene.view().await;
        let problem = view.turn.problem.unwrap();
        assert_eq!(
            problem, "it does not lead to a place that may be called",
            "{url}"
        );
        let tested = scene.app.test_sink(may().await, "trap").await.unwrap();
        assert_eq!(tested.problem.as_deref(), Some(&*problem), "{url}");
    }
    assert_eq!(inside.heard().len(), 0);
}

#[tokio::test]
async fn t01_an_alert_is_sent_to_whoever_wants_alerts() {
    let scene = Scene::new().await;
    scene.set(&["alert.*"], &[]).await;
    let caller = scene.world.a.caller(&scene.world.store, "owner").await;
    let refuse = async |times: usize| {
        for _ in 0..times {
            let decision = Decision {
                reason: FOREIGN.into(),
                ..Decision::of("GET /api/v1/memories/{id}")
            };
            scene.app.record_denied(decision, Some(&caller));
        }
        AuditDesk::new(Arc::clone(&scene.app)).write().await;
        scene.desk.turn().await;
        scene.receiver.heard()
    };
    assert_eq!(refuse(9).await.len(), 0);
    let heard = refuse(1).await;
    assert_eq!(heard.len(), 1);
    let body = heard[0].json();
    for one in body["entries"].as_array().unwrap() {
        assert_eq!(one["entry"]["action"], "alert.foreign");
        let reason = one["entry"]["reason"].as_str().unwrap();
        assert!(reason.starts_with("10 refusals by one "), "{reason}");
    }
    assert_eq!(refuse(1).await.len(), 1, "once in the time of its rule");
    assert_eq!(scene.view().await.behind, 0);
}
