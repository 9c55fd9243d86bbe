//! A workspace with something in every kind of place, made as a daemon makes it.

use skep_authz::rights::{MemberManage, MemoryDelete, SessionCapture};
use skep_domain::{
    Harness as Tool, Moment, Name, RemovalMode, TemplateState, Timestamp, TurnOutcome,
};
use skep_store::row::{ModelBudgetRow, ModelSpentRow};
use skep_store::{
    Binding, NewAgent, NewVector, Observed, PausedSession, Project, Removal, Root, Tx,
};

use crate::Harness;
use crate::injection::{inject, new_injection};
use crate::ontology::propose;
use crate::people::{consent, derive, join, leave, named, observe, own, session};
use crate::people_life::merge;
use crate::sample::{fresh, new_memory, put_session};
use crate::source::{put_document, put_source};
use crate::template;
use crate::time::{rewindable, take_back};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;
const DAY: i64 = 20_000;

/// Fills ours, and puts a little into theirs.
pub(super) async fn fill<H: Harness>(world: &World<H>) {
    sessions(world).await;
    people(world).await;
    life(world).await;
    captures(world).await;
    models(world).await;
    tenants(world).await;
    let mut tx: Tx<SessionCapture> = world.begin(&world.theirs, HUMAN).await;
    let session = put_session(&mut tx, world.store(), "theirs", 3).await;
    let mut memory = new_memory(world.store(), "what they know");
    memory.session = Some(session);
    fresh(tx.put_memory(memory).await.unwrap());
    tx.commit().await.unwrap();
}

async fn sessions<H: Harness>(world: &World<H>) {
    let store = world.store();
    let project = Project {
        id: store.mint(),
        name: "skep".into(),
    };
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    tx.put_project(&project).await.unwrap();
    let session = put_session(&mut tx, store, "long", 120).await;
    tx.put_session_source(session, "git:harbour").await.unwrap();
    tx.put_cursor("source", "here").await.unwrap();
    let mut ids = Vec::new();
    for n in 0..90 {
        let mut memory = new_memory(store, &format!("statement {n}"));
        memory.project = (n % 3 == 0).then_some(project.id);
        memory.session = (n % 2 == 0).then_some(session);
        memory.topics = vec![format!("topic {}", n / 2)];
        ids.push(fresh(tx.put_memory(memory).await.unwrap()));
    }
    tx.commit().await.unwrap();
    let mut tx = world.maintain(&world.ours).await;
    let vectors = ids.iter().map(|id| NewVector {
        id: *id,
        dim: 2,
        bytes: vec![1, 2],
    });
    tx.put_vectors([7; 8], vectors.collect()).await.unwrap();
    tx.commit().await.unwrap();
    for moment in [Moment::SessionStart, Moment::Prompt] {
        let new = new_injection(store, session, moment, &ids[..2]);
        inject(world, HUMAN, &new).await.unwrap();
    }
    let source = put_source(world, &world.ours).await;
    put_document(world, source, "1", &["one", "two"]).await;
    put_document(world, source, "2", &["two", "three"]).await;
    propose(world, &world.ours).await;
    let (template, _) = template::draft(world, &world.ours, "deploy").await;
    let approved = TemplateState::Approved;
    template::decide(world, &world.ours, template.id, approved)
        .await
        .unwrap();
    template::ask(world, &world.ours, "deploy", Persona::Shared).await;
}

async fn people<H: Harness>(world: &World<H>) {
    let human = own(world, &world.ours, HUMAN).await;
    let colleague = own(world, &world.ours, Persona::Colleague).await;
    // The one with the greatest id is merged into one with a less, and the other way round.
    for name in ["anna", "berta"] {
        let alias = named(world, HUMAN, name).await.unwrap();
        merge(world, alias, Some(human)).await;
    }
    let late = named(world, HUMAN, "late").await.unwrap();
    merge(world, human, None).await;
    merge(world, colleague, Some(late)).await;
    merge(world, colleague, None).await;
    let meeting = session(world, "meeting", 6).await;
    join(world, meeting, human, 0).await;
    join(world, meeting, colleague, 2).await;
    leave(world, meeting, colleague, 4).await;
    consent(world, human, None, true).await;
    consent(world, human, Some(colleague), false).await;
    let seen_as = Observed {
        subject: human,
        observer: human,
    };
    let seen = observe(world, HUMAN, seen_as, "works at night").await;
    derive(world, HUMAN, &[seen], "sleeps").await.unwrap();
}

async fn life<H: Harness>(world: &World<H>) {
    let made = rewindable(world).await;
    let removal = Removal {
        root: Root::Session(made.sessions[1]),
        mode: RemovalMode::Forget,
        reason: "poisoned".into(),
    };
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    tx.put_removal(&removal, world.store().now()).await.unwrap();
    tx.commit().await.unwrap();
    take_back(world, &removal).await;
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    tx.erase(made.poison, world.store().now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn captures<H: Harness>(world: &World<H>) {
    let at = Timestamp::from_micros;
    let quiet = PausedSession {
        harness: Tool::Codex,
        external_id: "quiet".into(),
    };
    let binding = Binding {
        directory: "/srv/harbour".into(),
        project: "harbour".into(),
    };
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let counts = [(TurnOutcome::Stored, 3), (TurnOutcome::Paused, 2)];
    tx.add_capture_counts(&counts).await.unwrap();
    tx.raise_spool("spool", 4).await.unwrap();
    tx.put_pause(true, None, Some(at(100)), at(0))
        .await
        .unwrap();
    tx.put_pause(false, Some(&quiet), None, at(0))
        .await
        .unwrap();
    tx.put_binding(&binding).await.unwrap();
    tx.commit().await.unwrap();
}

async fn models<H: Harness>(world: &World<H>) {
    let budget = |tokens| ModelBudgetRow { tokens, cost: 10 };
    let mut tx = world.maintain(&world.ours).await;
    let refused = vec![("kind".to_owned(), 2), ("a guess".to_owned(), 1)];
    tx.count_model_refusals(DAY, refused).await.unwrap();
    tx.reserve_model(DAY, budget(60), budget(900))
        .await
        .unwrap();
    let spent = ModelSpentRow {
        input: 20,
        output: 5,
        cost: 3,
    };
    tx.settle_model(DAY, budget(60), spent).await.unwrap();
    tx.commit().await.unwrap();
}

async fn tenants<H: Harness>(world: &World<H>) {
    let right = world.authorized::<MemberManage>(&world.ours, HUMAN).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let group = tx.put_policy_group(&Name::parse("builders").unwrap()).await;
    let agent = NewAgent {
        name: Name::parse("builder").unwrap(),
        policy: skep_domain::ReadPolicy::Group(group.unwrap()),
    };
    tx.put_agent(agent).await.unwrap();
    tx.commit().await.unwrap();
}
