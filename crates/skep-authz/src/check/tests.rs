//! One table of what a presented credential and its row come to.

use std::sync::Arc;

use skep_crypto::{
    Bearer, BearerKind, InstanceKeys, InstanceSecret, Plain, SeededRandom, hash_password,
};
use skep_domain::{
    AgentId, Bindings, CredentialId, CredentialKind, Id, OrganizationId, OrganizationRole,
    Permission, PermissionSet, Principal, ReadPolicy, Role, Standing, Timestamp, UserId,
    WorkspaceId,
};

use skep_jose::Grant;

use super::{Checked, authenticate};
use crate::stored::{CredentialFacts, Proof, RoleSource, StoredCredential};
use crate::{Caller, CredentialKey, Denied, Presented};

type Change = fn(&mut CredentialFacts);

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const ID: [u8; 16] = [9; 16];

struct Stage {
    keys: InstanceKeys,
    bearer: Bearer,
    text: Plain<String>,
    /// A credential of the same id with another secret, and a check of its own that is right.
    twin: Plain<String>,
}

fn stage(kind: BearerKind) -> Stage {
    let random = SeededRandom::new(7);
    let keys = InstanceSecret::generate(&random).keys();
    let (bearer, text) = Bearer::mint(kind, ID, &keys.credential, &random);
    let (_, twin) = Bearer::mint(kind, ID, &keys.credential, &random);
    Stage {
        keys,
        bearer,
        text,
        twin,
    }
}

fn facts(stage: &Stage, kind: CredentialKind) -> CredentialFacts {
    let proof = match kind {
        CredentialKind::PersonalAccess => {
            let hash = hash_password(stage.bearer.secret(), &SeededRandom::new(1)).unwrap();
            Proof::Stretched(hash)
        }
        _ => Proof::Peppered(3, stage.bearer.stored_form(&stage.keys.peppers.get(3))),
    };
    CredentialFacts {
        id: CredentialId::from_bytes(ID),
        kind,
        proof,
        organization: OrganizationId::from_bytes([1; 16]),
        workspace: WorkspaceId::from_bytes([2; 16]),
        principal: Principal::User(UserId::from_bytes([3; 16])),
        role: RoleSource::Membership(Some((OrganizationRole::Member, Some(Role::Operator)))),
        policy: ReadPolicy::Isolated,
        standing: [Standing::Active, Standing::Active],
        narrowed_to: None,
        expires_at: None,
        revoked_at: None,
        stepped_up_at: None,
        used_at: None,
        confined: false,
        owes_factor: false,
        body: None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test makes the rows that a backend would"
)]
fn check(
    stage: &Stage,
    text: &str,
    facts: CredentialFacts,
    bindings: Bindings,
) -> Result<Caller, Denied> {
    let presented = Presented::token(text.as_bytes(), &stage.keys)?;
    let row = StoredCredential::from_row(CredentialKey::Row(facts.kind, facts.id), facts);
    let bindings = Arc::new(bindings);
    match authenticate(presented, Some(row), bindings, &stage.keys, NOW)? {
        Checked::Caller(caller) => Ok(*caller),
        Checked::Slow(slow) => slow.run(),
    }
}

#[test]
fn a19_whoever_owes_a_second_factor_is_known_and_may_nothing() {
    let stage = stage(BearerKind::ApiKey);
    for owes in [false, true] {
        let mut facts = facts(&stage, CredentialKind::ApiKey);
        facts.owes_factor = owes;
        let caller = check(&stage, stage.text.expose(), facts, Bindings::default()).unwrap();
        assert_eq!(caller.require_factor().is_err(), owes);
        assert_eq!(caller.permissions() == PermissionSet::EMPTY, owes);
        let read = caller.require(Permission::MemoryRead);
        assert_eq!(
            read,
            if owes {
                Err(Denied::FactorOwed)
            } else {
                Ok(())
            }
        );
    }
}

#[test]
fn a11_only_the_secret_that_was_minted_holds_against_its_row() {
    for (bearer, kind) in [
        (BearerKind::ApiKey, CredentialKind::ApiKey),
        (BearerKind::RunnerKey, CredentialKind::RunnerKey),
        (BearerKind::PersonalAccess, CredentialKind::PersonalAccess),
    ] {
        let stage = stage(bearer);
        let try_with = |text: &str, facts| check(&stage, text, facts, Bindings::default());
        assert!(try_with(stage.text.expose(), facts(&stage, kind)).is_ok());
        let twin = try_with(stage.twin.expose(), facts(&stage, kind));
        assert_eq!(twin.err(), Some(Denied::InvalidCredential), "{kind:?}");
        // The pepper of another number, and a row that wants no secret or another kind of one.
        let mut other = facts(&stage, kind);
        other.proof = Proof::Peppered(4, stage.bearer.stored_form(&stage.keys.peppers.get(3)));
        assert!(try_with(stage.text.expose(), other).is_err(), "{kind:?}");
        let mut open = facts(&stage, kind);
        open.proof = Proof::Found;
        assert!(try_with(stage.text.expose(), open).is_err(), "{kind:?}");
    }
}

#[test]
fn a11_what_passed_a_slow_check_lets_nothing_else_pass() {
    let stage = stage(BearerKind::PersonalAccess);
    let slow = |text: &str| {
        let facts = facts(&stage, CredentialKind::PersonalAccess);
        let presented = Presented::token(text.as_bytes(), &stage.keys).unwrap();
        let key = presented.key();
        #[expect(clippy::disallowed_methods, reason = "a test makes the rows")]
        let row = StoredCredential::from_row(key, facts);
        let bindings = Arc::new(Bindings::default());
        match authenticate(presented, Some(row), bindings, &stage.keys, NOW).unwrap() {
            Checked::Slow(slow) => slow,
            Checked::Caller(_) => panic!("a token is stretched"),
        }
    };
    let mark = slow(stage.text.expose()).mark();
    assert!(slow(stage.text.expose()).recall(Some(mark)).is_ok());
    assert!(slow(stage.text.expose()).recall(None).is_err());
    assert!(slow(stage.twin.expose()).recall(Some(mark)).is_err());
}

#[test]
fn each_standing_end_and_role_comes_to_its_own_answer() {
    let stage = stage(BearerKind::ApiKey);
    let cases: &[(&str, Change, Option<Denied>)] = &[
        ("as it is", |_| {}, None),
        (
            "ends later",
            |f| f.expires_at = Some(Timestamp::from_micros(1_000_001)),
            None,
        ),
        (
            "ends now",
            |f| f.expires_at = Some(NOW),
            Some(Denied::InvalidCredential),
        ),
        (
            "revoked",
            |f| f.revoked_at = Some(NOW),
            Some(Denied::InvalidCredential),
        ),
        (
            "no member",
            |f| f.role = RoleSource::Membership(None),
            Some(Denied::InvalidCredential),
        ),
        (
            "no role there",
            |f| f.role = RoleSource::Membership(Some((OrganizationRole::Member, None))),
            Some(Denied::InvalidCredential),
        ),
        (
            "an owner needs none",
            |f| f.role = RoleSource::Membership(Some((OrganizationRole::Owner, None))),
            None,
        ),
        (
            "a suspended member",
            |f| f.standing[1] = Standing::Suspended,
            Some(Denied::InvalidCredential),
        ),
        (
            "a suspended agent",
            |f| {
                f.standing[1] = Standing::Suspended;
                f.principal = Principal::Agent(AgentId::from_bytes([4; 16]));
                f.role = RoleSource::Agent;
            },
            Some(Denied::AgentSuspended),
        ),
        (
            "a suspended organization",
            |f| f.standing[0] = Standing::Suspended,
            Some(Denied::OrganizationSuspended),
        ),
    ];
    for (what, change, expected) in cases {
        let mut facts = facts(&stage, CredentialKind::ApiKey);
        change(&mut facts);
        let found = check(&stage, stage.text.expose(), facts, Bindings::default());
        assert_eq!(found.err(), *expected, "{what}");
    }
}

#[test]
fn a_second_factor_counts_for_five_minutes() {
    let stage = stage(BearerKind::ApiKey);
    let at = Timestamp::from_micros;
    let caller = check(
        &stage,
        stage.text.expose(),
        facts(&stage, CredentialKind::ApiKey),
        Bindings::default(),
    );
    let caller = caller.unwrap();
    assert_eq!(caller.require_step_up(NOW), Err(Denied::StepUpRequired));
    for (shown, lately) in [
        (at(1_000_000), true),
        (at(1_000_001), false),
        (at(-299_000_001), false),
        (at(-299_000_000), true),
    ] {
        let mut facts = facts(&stage, CredentialKind::ApiKey);
        facts.stepped_up_at = Some(shown);
        let caller = check(&stage, stage.text.expose(), facts, Bindings::default()).unwrap();
        assert_eq!(caller.require_step_up(NOW).is_ok(), lately, "{shown:?}");
    }
}

#[test]
fn a11_a_role_is_narrowed_by_the_row_and_by_its_bindings_and_never_widened() {
    let stage = stage(BearerKind::ApiKey);
    let sets = [
        PermissionSet::of(&[Permission::MemoryRead, Permission::MemoryWrite]),
        PermissionSet::of(&[
            Permission::MemoryRead,
            Permission::MemoryDelete,
            Permission::TokenManage,
        ]),
    ];
    let mut facts = facts(&stage, CredentialKind::ApiKey);
    facts.narrowed_to = Some(sets[0]);
    let bindings = Bindings {
        permissions: Some(sets[1]),
        ..Bindings::default()
    };
    let caller = check(&stage, stage.text.expose(), facts, bindings).unwrap();
    let left: Vec<Permission> = caller.permissions().iter().collect();
    assert_eq!(left, [Permission::MemoryRead]);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test makes the rows that a backend would"
)]
fn a18_a_login_is_whose_its_token_says_or_nobodys() {
    let stage = stage(BearerKind::ApiKey);
    let cases: &[(&str, Change, bool)] = &[
        ("as it is", |_| {}, true),
        (
            "another organization",
            |f| f.organization = OrganizationId::from_bytes([5; 16]),
            false,
        ),
        (
            "another workspace",
            |f| f.workspace = WorkspaceId::from_bytes([5; 16]),
            false,
        ),
        (
            "another human",
            |f| f.principal = Principal::User(UserId::from_bytes([5; 16])),
            false,
        ),
        (
            "an agent of the same id",
            |f| f.principal = Principal::Agent(AgentId::from_bytes([3; 16])),
            false,
        ),
    ];
    for (what, change, counts) in cases {
        let mut facts = facts(&stage, CredentialKind::Login);
        facts.proof = Proof::Found;
        let presented = Presented::of_grant(Grant {
            principal: facts.principal,
            organization: facts.organization,
            workspace: Some(facts.workspace),
            session: ID,
            client: "skep-cli".into(),
            confirmation: skep_jose::Confirmation::Bearer,
        });
        change(&mut facts);
        let row = StoredCredential::from_row(presented.key(), facts);
        let bindings = Arc::new(Bindings::default());
        let outcome = authenticate(presented, Some(row), bindings, &stage.keys, NOW);
        assert_eq!(outcome.is_ok(), *counts, "{what}");
    }
}

#[test]
fn n02_the_peer_of_the_socket_is_the_daemons_own_user() {
    assert!(Presented::socket_peer(1_000, 1_000).is_ok());
    for other in [0, 1_001, u32::MAX] {
        let refused = Presented::socket_peer(other, 1_000);
        assert_eq!(refused.err(), Some(Denied::InvalidCredential), "{other}");
    }
}

#[test]
fn a06_what_is_for_the_token_endpoint_or_a_browser_is_no_bearer_token() {
    for kind in [BearerKind::Refresh, BearerKind::Browser] {
        let stage = stage(kind);
        let text = stage.text.expose().as_bytes();
        let presented = Presented::token(text, &stage.keys);
        assert_eq!(presented.err(), Some(Denied::InvalidCredential), "{kind:?}");
        let cookie = Presented::browser(text, &stage.keys).is_ok();
        assert_eq!(cookie, kind == BearerKind::Browser);
    }
}

#[test]
fn a10_a_role_may_what_it_may_and_nothing_else() {
    let stage = stage(BearerKind::ApiKey);
    for role in Role::ALL.iter().copied() {
        let mut facts = facts(&stage, CredentialKind::ApiKey);
        facts.role = RoleSource::Membership(Some((OrganizationRole::Member, Some(role))));
        let caller = check(&stage, stage.text.expose(), facts, Bindings::default()).unwrap();
        for permission in Permission::ALL.iter().copied() {
            let may = role.permissions().contains(permission);
            assert_eq!(caller.require(permission).is_ok(), may, "{permission:?}");
        }
    }
}
