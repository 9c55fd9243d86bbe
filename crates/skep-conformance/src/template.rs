//! Templates and grants stay in their workspace; of each template at most one version is approved, and a
//! grant ends.

use skep_authz::rights::{SecretApprove, SecretList, SecretUse, SecretWrite};
use skep_domain::{
    AccessId, AccessState, AgentId, Id, Limits, RecordName, TemplateId, TemplateState, Timestamp,
};
use skep_store::{
    Access, AccessDecision, NewAccess, NewTemplate, PageOf, StoreError, TemplateDecided, Tx,
};

use crate::Harness;
use crate::world::{Persona, Tenant, World};

const ALL: PageOf<TemplateId> = PageOf {
    limit: 200,
    before: None,
};
const EVERY: PageOf<AccessId> = PageOf {
    limit: 2_000,
    before: None,
};

fn name(text: &str) -> RecordName {
    RecordName::parse(text).unwrap()
}

fn agent(persona: Persona) -> AgentId {
    AgentId::from_bytes(persona.principal().to_bytes())
}

/// A draft, which waits.
pub(crate) async fn draft<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    called: &str,
) -> (NewTemplate, u32) {
    let new = NewTemplate {
        id: world.store().mint(),
        name: name(called),
        digest: "sha256:00".into(),
        text: "{\"program\":\"/usr/bin/deploy\"}".into(),
        at: world.store().now(),
    };
    let mut tx: Tx<SecretWrite> = world.begin(tenant, Persona::Human).await;
    let version = tx.draft_template(&new).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    (new, version)
}

/// A decision, whatever the state before.
pub(crate) async fn decide<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    id: TemplateId,
    state: TemplateState,
) -> Result<(), StoreError> {
    let mut tx: Tx<SecretApprove> = world.begin(tenant, Persona::Colleague).await;
    let decided = TemplateDecided {
        by: Persona::Human.principal(),
        at: world.store().now(),
        reason: Some("read it".into()),
        digest: Some("sha256:00".into()),
        alone: true,
    };
    tx.decide_template(id, state, &decided).await?;
    tx.commit().await.map(|_| ())
}

async fn approved<H: Harness>(world: &World<H>, tenant: &Tenant) -> Vec<(TemplateId, u32)> {
    let mut tx: Tx<SecretList> = world.begin(tenant, Persona::Shared).await;
    let found = tx.list_templates(TemplateState::Approved, ALL).await;
    let found = found.unwrap().into_iter();
    found.map(|one| (one.id, one.version)).collect()
}

fn request<H: Harness>(world: &World<H>, template: &str, by: Option<Persona>) -> NewAccess {
    NewAccess {
        id: world.store().mint(),
        template: name(template),
        agent: by.map(agent),
        reason: "to release".into(),
        seconds: Some(600),
        at: world.store().now(),
    }
}

/// What an agent asks for.
pub(crate) async fn ask<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    template: &str,
    persona: Persona,
) -> Option<Access> {
    let new = request(world, template, Some(persona));
    let mut tx: Tx<SecretUse> = world.begin(tenant, persona).await;
    let asked = tx.ask_access(&new).await.unwrap();
    tx.commit().await.unwrap();
    asked
}

async fn grant<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    to: (&str, Option<Persona>),
    until: Option<Timestamp>,
) -> Access {
    let new = request(world, to.0, to.1);
    let mut tx: Tx<SecretApprove> = world.begin(tenant, Persona::Human).await;
    let granted = tx.grant_access(&new, until).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    granted
}

async fn settle<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    id: AccessId,
    (state, until): (AccessState, Option<Timestamp>),
) -> Result<Option<Access>, StoreError> {
    let mut tx: Tx<SecretApprove> = world.begin(tenant, Persona::Human).await;
    let decision = AccessDecision {
        state,
        until,
        reason: Some("it is fine"),
        at: world.store().now(),
    };
    let settled = tx.decide_access(id, decision).await?;
    tx.commit().await?;
    Ok(settled)
}

async fn held<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    persona: Persona,
    (template, now): (&str, Timestamp),
) -> Vec<AccessId> {
    let mut tx: Tx<SecretList> = world.begin(tenant, persona).await;
    let template = name(template);
    let one = tx.grants_of(agent(persona), Some(&template), now);
    let mut one: Vec<AccessId> = one.await.unwrap().iter().map(|held| held.id).collect();
    let all = tx.grants_of(agent(persona), None, now).await.unwrap();
    for held in &one {
        assert!(all.iter().any(|known| known.id == *held));
    }
    one.sort_unstable();
    one
}

pub(crate) async fn x03_a_template_stays_in_its_workspace<H: Harness>() {
    let world = World::<H>::new().await;
    let (theirs, _) = draft(&world, &world.theirs, "deploy").await;
    let refused = decide(&world, &world.ours, theirs.id, TemplateState::Approved).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    // The same name here begins at 1 again: nothing tells how many they have.
    let (ours, version) = draft(&world, &world.ours, "deploy").await;
    assert_eq!(version, 1);
    decide(&world, &world.ours, ours.id, TemplateState::Approved)
        .await
        .unwrap();
    let mut tx: Tx<SecretList> = world.begin(&world.theirs, Persona::Human).await;
    let waiting = tx.list_templates(TemplateState::Waiting, ALL).await;
    assert_eq!(waiting.unwrap().len(), 1, "ours touched none of theirs");
    assert_eq!(tx.get_template(ours.id).await.unwrap(), None);
    let found = tx.approved_template(&name("deploy")).await.unwrap();
    assert_eq!(found, None);
    drop(tx);
    assert_eq!(approved(&world, &world.theirs).await, []);
    assert_eq!(approved(&world, &world.ours).await, [(ours.id, 1)]);
}

pub(crate) async fn a_template_is_read_as_it_was_drafted<H: Harness>() {
    let world = World::<H>::new().await;
    let (new, version) = draft(&world, &world.ours, "deploy").await;
    let mut tx: Tx<SecretApprove> = world.begin(&world.ours, Persona::Colleague).await;
    let found = tx.get_template(new.id).await.unwrap().unwrap();
    assert_eq!((&found.name, found.version), (&new.name, version));
    assert_eq!((&found.digest, &found.text), (&new.digest, &new.text));
    assert_eq!(found.drafter, Persona::Human.principal());
    assert_eq!((found.state, found.decided), (TemplateState::Waiting, None));
    drop(tx);
    decide(&world, &world.ours, new.id, TemplateState::Approved)
        .await
        .unwrap();
    let mut tx: Tx<SecretUse> = world.begin(&world.ours, Persona::Shared).await;
    let found = tx
        .approved_template(&name("DEPLOY"))
        .await
        .unwrap()
        .unwrap();
    let decided = found.decided.unwrap();
    assert_eq!(decided.by, Persona::Colleague.principal(), "who acts");
    assert_eq!(decided.reason.as_deref(), Some("read it"));
    assert_eq!(decided.digest.as_deref(), Some("sha256:00"));
    assert!(decided.alone);
}

pub(crate) async fn x03_what_was_approved_last_is_used<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = &world.ours;
    let (first, _) = draft(&world, ours, "deploy").await;
    let (second, version) = draft(&world, ours, "Deploy").await;
    let (other, _) = draft(&world, ours, "release").await;
    assert_eq!(version, 2, "names differ in more than the case of letters");
    assert_eq!(approved(&world, ours).await, []);
    for id in [first.id, other.id, second.id] {
        decide(&world, ours, id, TemplateState::Approved)
            .await
            .unwrap();
    }
    assert_eq!(
        approved(&world, ours).await,
        [(other.id, 1), (second.id, 2)]
    );
    let mut tx: Tx<SecretWrite> = world.begin(ours, Persona::Human).await;
    let named = tx.templates_named(&name("deploy")).await.unwrap();
    let states: Vec<TemplateState> = named.iter().map(|one| one.state).collect();
    assert_eq!(
        states,
        [TemplateState::Approved, TemplateState::Superseded],
        "newest first"
    );
    drop(tx);
    decide(&world, ours, second.id, TemplateState::Withdrawn)
        .await
        .unwrap();
    assert_eq!(approved(&world, ours).await, [(other.id, 1)]);
}

pub(crate) async fn so_many_templates_wait_and_no_more<H: Harness>() {
    let world = World::<H>::new().await;
    for _ in 0..Limits::TEMPLATES_WAITING {
        draft(&world, &world.ours, "deploy").await;
    }
    let (theirs, _) = draft(&world, &world.theirs, "deploy").await;
    let mut tx: Tx<SecretWrite> = world.begin(&world.ours, Persona::Shared).await;
    let new = NewTemplate {
        id: world.store().mint(),
        ..theirs
    };
    assert_eq!(tx.draft_template(&new).await.unwrap(), None);
}

pub(crate) async fn x03_a_grant_is_for_its_agent_its_template_and_its_time<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = &world.ours;
    let soon = Timestamp::from_micros(world.store().now().as_micros() + 600_000_000);
    let late = Timestamp::from_micros(soon.as_micros() + 1);
    let mine = grant(&world, ours, ("deploy", Some(Persona::Shared)), Some(soon)).await;
    let before = Timestamp::from_micros(soon.as_micros() - 1);
    for (tenant, persona, template, now, has) in [
        (ours, Persona::Shared, "deploy", before, true),
        (ours, Persona::Shared, "DEPLOY", before, true),
        (ours, Persona::Shared, "deploy", soon, false),
        (ours, Persona::Shared, "deploy", late, false),
        (ours, Persona::Shared, "release", before, false),
        (ours, Persona::Isolated, "deploy", before, false),
        (&world.theirs, Persona::Shared, "deploy", before, false),
    ] {
        let held = held(&world, tenant, persona, (template, now)).await;
        assert_eq!(!held.is_empty(), has, "{persona:?} {template} {now:?}");
    }
    // Another one takes its place; one for every agent stands beside it.
    let again = grant(&world, ours, ("deploy", Some(Persona::Shared)), None).await;
    let every = grant(&world, ours, ("deploy", None), Some(soon)).await;
    let now = held(&world, ours, Persona::Shared, ("deploy", before)).await;
    assert_eq!(now, [again.id, every.id]);
    let theirs = held(&world, ours, Persona::Isolated, ("deploy", before)).await;
    assert_eq!(theirs, [every.id]);
    settle(&world, ours, every.id, (AccessState::Revoked, None))
        .await
        .unwrap();
    let theirs = held(&world, ours, Persona::Isolated, ("deploy", before)).await;
    assert_eq!(theirs, []);
    let mut tx: Tx<SecretList> = world.begin(ours, Persona::Shared).await;
    let gone = tx.get_access(mine.id).await.unwrap().unwrap();
    assert_eq!(gone.state, AccessState::Superseded);
    drop(tx);
    let refused = settle(
        &world,
        &world.theirs,
        again.id,
        (AccessState::Revoked, None),
    )
    .await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
}

pub(crate) async fn x03_grants_go_with_what_is_withdrawn<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = &world.ours;
    let (new, _) = draft(&world, ours, "deploy").await;
    decide(&world, ours, new.id, TemplateState::Approved)
        .await
        .unwrap();
    let now = world.store().now();
    grant(&world, ours, ("deploy", Some(Persona::Shared)), None).await;
    let other = grant(&world, ours, ("release", None), None).await;
    decide(&world, ours, new.id, TemplateState::Withdrawn)
        .await
        .unwrap();
    let left = held(&world, ours, Persona::Shared, ("deploy", now)).await;
    assert_eq!(left, []);
    let left = held(&world, ours, Persona::Shared, ("release", now)).await;
    assert_eq!(left, [other.id]);
}

pub(crate) async fn what_waits_is_asked_for_once<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = &world.ours;
    let first = ask(&world, ours, "deploy", Persona::Shared).await.unwrap();
    let again = ask(&world, ours, "DEPLOY", Persona::Shared).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(first.state, AccessState::Waiting);
    assert_eq!(
        (first.reason.as_str(), first.seconds),
        ("to release", Some(600))
    );
    assert_eq!(first.asker, Persona::Shared.principal());
    let other = ask(&world, ours, "deploy", Persona::Isolated).await;
    assert_ne!(other.unwrap().id, first.id);
    for nth in 1..Limits::ACCESS_WAITING {
        let asked = ask(&world, ours, &format!("t{nth}"), Persona::Shared).await;
        assert!(asked.is_some(), "{nth}");
    }
    assert_eq!(ask(&world, ours, "more", Persona::Shared).await, None);
    let elsewhere = ask(&world, &world.theirs, "more", Persona::Shared).await;
    assert!(elsewhere.is_some());
    // Granting unasked answers what waits; after that it can be asked for again.
    let granted = grant(&world, ours, ("deploy", Some(Persona::Shared)), None).await;
    assert_eq!(granted.id, first.id);
    assert_eq!(granted.state, AccessState::Granted);
    let anew = ask(&world, ours, "deploy", Persona::Shared).await.unwrap();
    assert_ne!(anew.id, first.id);
    let settled = settle(&world, ours, anew.id, (AccessState::Refused, None)).await;
    let (by, _, why) = settled.unwrap().unwrap().decided.unwrap();
    assert_eq!(by, Persona::Human.principal());
    assert_eq!(why.as_deref(), Some("it is fine"));
    let mut tx: Tx<SecretList> = world.begin(ours, Persona::Isolated).await;
    let own = tx.list_access(Some(agent(Persona::Isolated)), EVERY).await;
    assert_eq!(own.unwrap().len(), 1, "an agent is told of its own");
    let all = tx.list_access(None, EVERY).await.unwrap();
    assert_eq!(all.len() as u64, Limits::ACCESS_WAITING + 2);
}
