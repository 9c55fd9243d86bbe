//! The installation's own rows: what one organization has, another does not; a ticket is taken as often
//! as it may be; a record has no gaps.

use std::sync::Arc;

use skep_authz::Caller;
use skep_authz::rights::{AuditRead, MemberManage, TokenManage};
use skep_crypto::BearerKind;
use skep_domain::{AgentId, CredentialId, Id, Name, Principal, ReadPolicy, Standing, Timestamp};
use skep_store::row::TicketKind;
use skep_store::{
    CredentialBody, CredentialFilter, DoorTx, Mode, NewAgent, NewAudit, NewBearer, NewTicket,
    OrgTx, Outcome, PageOf, Store, StoreError,
};
use tokio::task::JoinSet;

use crate::Harness;
use crate::world::{Persona, Tenant, World};

#[expect(
    clippy::disallowed_methods,
    reason = "the suite stands in the door to see what it lets through"
)]
async fn door(store: &Store, mode: Mode) -> DoorTx {
    store.begin_door(mode).await.unwrap()
}

async fn admin<H: Harness>(world: &World<H>, tenant: &Tenant) -> Caller {
    world.caller(tenant.token(Persona::Human)).await.unwrap()
}

async fn manage<H: Harness>(world: &World<H>, tenant: &Tenant) -> OrgTx<MemberManage> {
    let right = admin(world, tenant).await.authorize().unwrap();
    world.store().begin_org(right).await.unwrap()
}

async fn tokens<H: Harness>(world: &World<H>, tenant: &Tenant) -> OrgTx<TokenManage> {
    let right = admin(world, tenant).await.authorize().unwrap();
    world.store().begin_org(right).await.unwrap()
}

fn all<I>() -> PageOf<I> {
    PageOf {
        limit: 200,
        before: None,
    }
}

async fn agent<H: Harness>(world: &World<H>, tenant: &Tenant, name: &str) -> AgentId {
    let mut tx = manage(world, tenant).await;
    let new = NewAgent {
        name: Name::parse(name).unwrap(),
        policy: ReadPolicy::Isolated,
    };
    let id = tx.put_agent(new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn key<H: Harness>(world: &World<H>, tenant: &Tenant, agent: AgentId) -> CredentialId {
    let minted = world.store().mint_bearer(BearerKind::ApiKey).unwrap();
    let mut tx = tokens(world, tenant).await;
    let new = NewBearer {
        minted,
        body: CredentialBody {
            label: "the same label".into(),
            ..CredentialBody::default()
        },
        expires_at: None,
        idle_at: None,
        stepped_up_at: None,
        confined: false,
        created_by: None,
    };
    let made = tx.put_bearer(Principal::Agent(agent), new).await.unwrap();
    tx.commit().await.unwrap();
    made.id
}

pub(crate) async fn t01_another_organizations_agents_and_keys_do_not_exist<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = agent(&world, &world.ours, "deckhand").await;
    let theirs = agent(&world, &world.theirs, "deckhand").await;
    let (our_key, their_key) = (
        key(&world, &world.ours, ours).await,
        key(&world, &world.theirs, theirs).await,
    );
    let mut tx = manage(&world, &world.ours).await;
    assert!(tx.get_agent(theirs).await.unwrap().is_none());
    let changed = tx.set_agent_standing(theirs, Standing::Suspended).await;
    assert!(!changed.unwrap());
    assert!(
        !tx.set_agent_policy(theirs, ReadPolicy::Shared)
            .await
            .unwrap()
    );
    let listed = tx.list_agents(None, 10).await.unwrap();
    let listed: Vec<AgentId> = listed.iter().map(|agent| agent.id).collect();
    assert_eq!(listed, [ours]);
    tx.commit().await.unwrap();
    let mut tx = tokens(&world, &world.ours).await;
    assert!(tx.get_credential(their_key).await.unwrap().is_none());
    assert!(!tx.revoke_credential(their_key).await.unwrap());
    let listed = tx
        .list_credentials(&CredentialFilter::default(), all())
        .await;
    let listed: Vec<CredentialId> = listed.unwrap().iter().map(|key| key.id).collect();
    assert!(listed.contains(&our_key) && !listed.contains(&their_key));
    tx.commit().await.unwrap();
    let mut tx = tokens(&world, &world.theirs).await;
    let untouched = tx.get_credential(their_key).await.unwrap().unwrap();
    assert!(untouched.revoked_at.is_none());
}

pub(crate) async fn t20_names_of_agents_that_look_alike_are_one<H: Harness>() {
    let world = World::<H>::new().await;
    agent(&world, &world.ours, "deckhand").await;
    let mut tx = manage(&world, &world.ours).await;
    // The third letter is Cyrillic.
    for twin in ["Deckhand", "de\u{0441}khand"] {
        let new = NewAgent {
            name: Name::parse(twin).unwrap(),
            policy: ReadPolicy::Shared,
        };
        let taken = tx.put_agent(new).await;
        assert!(matches!(taken, Err(StoreError::Conflict(_))), "{twin}");
        drop(tx);
        tx = manage(&world, &world.ours).await;
    }
    let first = tx.put_policy_group(&Name::parse("deck").unwrap()).await;
    let again = tx.put_policy_group(&Name::parse("Deck").unwrap()).await;
    assert_eq!(first.unwrap(), again.unwrap());
}

fn ticket(uses: u32, expires_at: Timestamp) -> NewTicket {
    NewTicket {
        uses,
        ..NewTicket::once(TicketKind::Setup, expires_at, b"what it is about".to_vec())
    }
}

const LONG: Timestamp = Timestamp::from_micros(i64::MAX);

pub(crate) async fn a19_of_fifty_takers_as_many_get_a_ticket_as_it_has_uses<H: Harness>() {
    let world = Arc::new(World::<H>::new().await);
    let secrets = [(b"once".to_vec(), 1_usize), (b"three times".to_vec(), 3)];
    for (secret, uses) in secrets {
        let mut tx = door(world.store(), Mode::Write).await;
        tx.put_ticket(&secret, None, ticket(uses as u32, LONG))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut takers = JoinSet::new();
        for _ in 0..50 {
            let (world, secret) = (Arc::clone(&world), secret.clone());
            takers.spawn(async move {
                let mut tx = door(world.store(), Mode::Write).await;
                let taken = tx.take_ticket(TicketKind::Setup, &secret).await.unwrap();
                tx.commit().await.unwrap();
                taken.is_some()
            });
        }
        let outcomes = takers.join_all().await;
        assert_eq!(outcomes.iter().filter(|taken| **taken).count(), uses);
    }
}

pub(crate) async fn a15_a_ticket_is_there_for_its_own_secret_kind_and_time<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx = door(store, Mode::Write).await;
    tx.put_ticket(b"long secret", Some(b"SHORT"), ticket(2, LONG))
        .await
        .unwrap();
    let again = tx.put_ticket(b"long secret", None, ticket(1, LONG)).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    drop(tx);
    let mut tx = door(store, Mode::Write).await;
    tx.put_ticket(b"long secret", Some(b"SHORT"), ticket(2, LONG))
        .await
        .unwrap();
    for (kind, secret, there) in [
        (TicketKind::Setup, &b"long secret"[..], true),
        (TicketKind::Invite, b"long secret", false),
        (TicketKind::Setup, b"SHORT", false),
        (TicketKind::Setup, b"long secre", false),
        (TicketKind::Setup, b"", false),
    ] {
        let found = tx.get_ticket(kind, secret).await.unwrap();
        assert_eq!(found.is_some(), there, "{kind:?} {secret:?}");
    }
    let by_second = tx.get_ticket_by_second(TicketKind::Setup, b"SHORT").await;
    let held = by_second.unwrap().unwrap();
    assert_eq!(held.body.expose(), b"what it is about");
    let none = tx
        .get_ticket_by_second(TicketKind::Setup, b"long secret")
        .await;
    assert!(none.unwrap().is_none(), "the first is not the second");
    assert!(tx.update_ticket(&held, b"changed", 1).await.unwrap());
    let stale = tx.update_ticket(&held, b"changed again", 1).await.unwrap();
    assert!(!stale, "changed by somebody else meanwhile");
    let ended = ticket(1, Timestamp::from_micros(1));
    tx.put_ticket(b"ended", None, ended).await.unwrap();
    assert!(
        tx.get_ticket(TicketKind::Setup, b"ended")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        tx.take_ticket(TicketKind::Setup, b"ended")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(tx.count_tickets(TicketKind::Setup).await.unwrap(), 1);
    assert_eq!(tx.sweep_tickets(10).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

pub(crate) async fn l01_each_organization_has_a_record_of_its_own_without_gaps<H: Harness>() {
    let world = World::<H>::new().await;
    let entry = |tenant: Option<&Tenant>, action: &str| NewAudit {
        at: Timestamp::from_micros(7),
        action: action.into(),
        outcome: Outcome::Denied,
        organization: tenant.map(|tenant| tenant.organization),
        workspace: tenant.map(|tenant| tenant.workspace),
        credential: None,
        reason: "of the suite".into(),
        request: String::new(),
        peer: None,
        target: Some("mem_of_the_suite".into()),
        shown: Vec::new(),
    };
    for round in 0..3 {
        let entries = [
            (entry(Some(&world.ours), &format!("a{round}")), None, 1),
            (entry(Some(&world.theirs), "theirs"), None, 2),
            (entry(None, "nobody's"), None, 3),
            (entry(Some(&world.ours), &format!("b{round}")), None, 4),
        ];
        let mut tx = door(world.store(), Mode::Write).await;
        tx.append_audit(&entries).await.unwrap();
        // What is given up leaves no gap.
        if round == 1 {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
        }
    }
    let right = admin(&world, &world.ours).await.authorize::<AuditRead>();
    let mut tx = world.store().begin_org(right.unwrap()).await.unwrap();
    let record = tx.list_audit(all()).await.unwrap();
    let lines: Vec<(u64, &str, u32)> = record
        .iter()
        .map(|entry| (entry.seq, entry.decision.action.as_str(), entry.times))
        .collect();
    assert_eq!(
        lines,
        [(4, "b2", 4), (3, "a2", 1), (2, "b0", 4), (1, "a0", 1)]
    );
    assert!(record.iter().all(|entry| entry.id.to_bytes() != [0; 16]));
}
