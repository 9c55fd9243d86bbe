//! Proposals about names stay in their workspace and are decided once.

use skep_authz::rights::{MemoryWrite, OntologyWrite};
use skep_domain::{OntologyAction, ProposalId, ProposalState};
use skep_store::{NewProposal, PageOf, Tx};

use crate::Harness;
use crate::world::{Persona, Tenant, World};

const ALL: PageOf<ProposalId> = PageOf {
    limit: 200,
    before: None,
};

pub(crate) async fn propose<H: Harness>(world: &World<H>, tenant: &Tenant) -> NewProposal {
    let new = NewProposal {
        id: world.store().mint(),
        action: OntologyAction::Merge,
        name: "pool.rs".into(),
        other: Some("src/pool.rs".into()),
        reason: "one file".into(),
        at: world.store().now(),
    };
    let mut tx: Tx<MemoryWrite> = world.begin(tenant, Persona::Shared).await;
    tx.propose(&new).await.unwrap();
    tx.commit().await.unwrap();
    new
}

pub(crate) async fn t01_a_proposal_stays_in_its_workspace<H: Harness>() {
    let world = World::<H>::new().await;
    let theirs = propose(&world, &world.theirs).await;
    let mut tx: Tx<OntologyWrite> = world.begin(&world.ours, Persona::Human).await;
    let decided = tx.decide_proposal(theirs.id, true, world.store().now());
    assert!(!decided.await.unwrap());
    for state in ProposalState::ALL {
        let listed = tx.list_proposals(*state, ALL).await.unwrap();
        assert_eq!(listed, []);
    }
    drop(tx);
    let mut tx: Tx<OntologyWrite> = world.begin(&world.theirs, Persona::Human).await;
    let waiting = tx.list_proposals(ProposalState::Waiting, ALL).await;
    assert_eq!(waiting.unwrap()[0].proposal, theirs);
}

pub(crate) async fn a_proposal_is_decided_once<H: Harness>() {
    let world = World::<H>::new().await;
    let new = propose(&world, &world.ours).await;
    for (accepted, expected) in [(true, true), (true, false), (false, false)] {
        let mut tx: Tx<OntologyWrite> = world.begin(&world.ours, Persona::Human).await;
        let decided = tx.decide_proposal(new.id, accepted, world.store().now());
        assert_eq!(decided.await.unwrap(), expected);
        tx.commit().await.unwrap();
    }
    let rules = world.survey(&world.ours).await.list_name_rules().await;
    let rules = rules.unwrap();
    assert_eq!(rules[0].proposal, new);
    assert_eq!(rules[0].proposer, Persona::Shared.principal());
    assert_eq!(rules[0].decided.unwrap().0, Persona::Human.principal());
}
