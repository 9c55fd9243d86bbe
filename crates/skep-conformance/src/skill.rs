//! Skills stay in their workspace; of each at most one version is approved.

use skep_authz::rights::{MemoryWrite, SkillPublish, SkillRead};
use skep_domain::{Limits, SkillId, SkillName, SkillState};
use skep_store::{NewSkill, PageOf, SkillFile, StoreError, Tx};

use crate::Harness;
use crate::world::{Persona, Tenant, World};

const ALL: PageOf<SkillId> = PageOf {
    limit: 200,
    before: None,
};

/// A proposal, which waits.
pub(crate) async fn propose<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    name: &str,
) -> (NewSkill, u32) {
    let new = NewSkill {
        id: world.store().mint(),
        name: SkillName::parse(name).unwrap(),
        description: "How to release".into(),
        note: Some("we forget the changelog".into()),
        digest: "sha256:00".into(),
        findings: vec!["SKILL.md: speaks to a model".into()],
        files: vec![SkillFile {
            path: "SKILL.md".into(),
            text: "Write the changelog first.".into(),
        }],
        at: world.store().now(),
    };
    let mut tx: Tx<MemoryWrite> = world.begin(tenant, Persona::Shared).await;
    let version = tx.propose_skill(&new).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    (new, version)
}

/// A decision, whatever the state before.
pub(crate) async fn decide<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    id: SkillId,
    state: SkillState,
) -> Result<(), StoreError> {
    let mut tx: Tx<SkillPublish> = world.begin(tenant, Persona::Human).await;
    let why = (Some("read it"), Some("{}"));
    tx.decide_skill(id, state, why, world.store().now()).await?;
    tx.commit().await.map(|_| ())
}

async fn approved<H: Harness>(world: &World<H>, tenant: &Tenant) -> Vec<(SkillId, u32)> {
    let mut tx: Tx<SkillRead> = world.begin(tenant, Persona::Shared).await;
    let found = tx.list_approved_skills(ALL).await.unwrap();
    found
        .into_iter()
        .map(|skill| (skill.id, skill.version))
        .collect()
}

pub(crate) async fn t01_a_skill_stays_in_its_workspace<H: Harness>() {
    let world = World::<H>::new().await;
    let (theirs, _) = propose(&world, &world.theirs, "release").await;
    let refused = decide(&world, &world.ours, theirs.id, SkillState::Approved).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    // The same name here begins at 1 again: nothing tells how many they have.
    let (ours, version) = propose(&world, &world.ours, "release").await;
    assert_eq!(version, 1);
    decide(&world, &world.ours, ours.id, SkillState::Approved)
        .await
        .unwrap();
    let mut tx: Tx<SkillPublish> = world.begin(&world.theirs, Persona::Human).await;
    let waiting = tx.list_skills(SkillState::Waiting, ALL).await.unwrap();
    assert_eq!(waiting.len(), 1, "what we decided touched none of theirs");
    assert_eq!(tx.get_skill(ours.id).await.unwrap(), None);
    drop(tx);
    assert_eq!(approved(&world, &world.theirs).await, []);
    assert_eq!(approved(&world, &world.ours).await, [(ours.id, 1)]);
}

pub(crate) async fn a_skill_is_read_as_it_was_proposed<H: Harness>() {
    let world = World::<H>::new().await;
    let (new, version) = propose(&world, &world.ours, "release").await;
    let mut tx: Tx<SkillPublish> = world.begin(&world.ours, Persona::Human).await;
    let (skill, files) = tx.get_skill(new.id).await.unwrap().unwrap();
    assert_eq!(files, new.files);
    assert_eq!((skill.name, skill.version), (new.name, version));
    assert_eq!((skill.description, skill.note), (new.description, new.note));
    assert_eq!((skill.digest, skill.findings), (new.digest, new.findings));
    assert_eq!(skill.proposer, Persona::Shared.principal());
    assert_eq!((skill.state, skill.decided), (SkillState::Waiting, None));
}

pub(crate) async fn only_what_was_approved_last_is_handed_out<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = &world.ours;
    let (first, _) = propose(&world, ours, "release").await;
    let (second, version) = propose(&world, ours, "release").await;
    let (other, _) = propose(&world, ours, "review").await;
    assert_eq!(version, 2);
    assert_eq!(approved(&world, ours).await, []);
    let mut tx: Tx<SkillRead> = world.begin(ours, Persona::Shared).await;
    assert_eq!(tx.get_approved_skill(first.id).await.unwrap(), None);
    drop(tx);
    for id in [first.id, other.id, second.id] {
        decide(&world, ours, id, SkillState::Approved)
            .await
            .unwrap();
    }
    let now = approved(&world, ours).await;
    assert_eq!(now, [(other.id, 1), (second.id, 2)]);
    let mut tx: Tx<SkillPublish> = world.begin(ours, Persona::Human).await;
    let (replaced, _) = tx.get_skill(first.id).await.unwrap().unwrap();
    assert_eq!(replaced.state, SkillState::Superseded);
    let (holding, _) = tx.get_skill(second.id).await.unwrap().unwrap();
    let decided = holding.decided.unwrap();
    assert_eq!(decided.by, Persona::Human.principal());
    assert_eq!(decided.approval.as_deref(), Some("{}"));
    drop(tx);
    decide(&world, ours, second.id, SkillState::Withdrawn)
        .await
        .unwrap();
    assert_eq!(approved(&world, ours).await, [(other.id, 1)]);
}

pub(crate) async fn so_many_skills_wait_and_no_more<H: Harness>() {
    let world = World::<H>::new().await;
    for _ in 0..Limits::SKILLS_WAITING {
        propose(&world, &world.ours, "release").await;
    }
    let (theirs, _) = propose(&world, &world.theirs, "release").await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, Persona::Shared).await;
    let new = NewSkill {
        id: world.store().mint(),
        ..theirs
    };
    assert_eq!(tx.propose_skill(&new).await.unwrap(), None);
}
