//! People and agents with rows of their own, as a team has them, and keys that prove them.

use skep_authz::rights::TokenManage;
use skep_crypto::BearerKind;
use skep_domain::{
    AgentId, Bindings, CredentialId, Id, OrganizationId, OrganizationRole, PermissionSet,
    Principal, Role, Timestamp, UserId, WorkspaceId,
};
use skep_store::{
    CredentialBody, DoorTx, Minted, Mode, NewBearer, NewWorkspace, Store, StoreError, UserBody,
};

use crate::TestDaemon;

/// Somebody to let in.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// What they are to the organization.
    pub organization: OrganizationRole,
    /// What they are in the workspace.
    pub workspace: Option<Role>,
    /// What their key is narrowed to.
    pub permissions: Option<PermissionSet>,
    /// When their key ends.
    pub expires_at: Option<Timestamp>,
    /// Where mail reaches them, who can log in then.
    pub address: Option<String>,
    /// Whether they showed a second factor just now.
    pub stepped_up: bool,
}

/// A key and what it belongs to.
#[derive(Clone, Debug)]
pub struct Pass {
    /// The bearer token.
    pub token: String,
    /// The key.
    pub credential: CredentialId,
    /// Whom it proves.
    pub principal: Principal,
}

impl Newcomer {
    /// A member of the organization with a role in the workspace.
    #[must_use]
    pub fn with(role: Role) -> Self {
        Self {
            organization: OrganizationRole::Member,
            workspace: Some(role),
            permissions: None,
            expires_at: None,
            address: None,
            stepped_up: false,
        }
    }
}

impl TestDaemon {
    /// Lets a human into a workspace, with a key.
    ///
    /// # Panics
    /// When the store refuses it.
    #[expect(clippy::expect_used, reason = "a test without its people cannot go on")]
    pub async fn admit(&self, tenant: (OrganizationId, WorkspaceId), who: Newcomer) -> Pass {
        let user: UserId = self.store.mint();
        let minted = self.store.mint_bearer(BearerKind::ApiKey).expect("a key");
        let mut tx = door(&self.store).await;
        let body = UserBody {
            name: format!("u-{}", hex(user.to_bytes())),
            address: who.address.clone(),
            ..UserBody::default()
        };
        tx.put_user(user, &body).await.expect("a user");
        let made = tx.put_member(tenant.0, user, who.organization).await;
        made.expect("a member");
        let role = tx.set_workspace_role(tenant, user, who.workspace).await;
        role.expect("a role");
        let principal = Principal::User(user);
        let minted = (minted, self.store.now());
        let pass = put(&mut tx, tenant, principal, minted, &who).await;
        tx.commit().await.expect("it is durable");
        pass.expect("a pass")
    }

    /// Gives an agent of a tenant a key.
    ///
    /// # Panics
    /// When the store refuses it.
    #[expect(clippy::expect_used, reason = "a test without its agents cannot go on")]
    pub async fn admit_agent(&self, tenant: (OrganizationId, WorkspaceId), agent: AgentId) -> Pass {
        let minted = self.store.mint_bearer(BearerKind::ApiKey).expect("a key");
        let mut tx = door(&self.store).await;
        let who = Newcomer::with(Role::Agent);
        let minted = (minted, self.store.now());
        let pass = put(&mut tx, tenant, Principal::Agent(agent), minted, &who).await;
        tx.commit().await.expect("it is durable");
        pass.expect("a pass")
    }

    /// Another workspace of the same organization.
    ///
    /// # Panics
    /// When the store refuses it.
    #[expect(
        clippy::expect_used,
        reason = "a test without its workspace cannot go on"
    )]
    pub async fn another_workspace(&self, organization: OrganizationId) -> WorkspaceId {
        let workspace = self.store.mint();
        let new = NewWorkspace {
            organization,
            workspace,
            name: "another".into(),
            credentials: Vec::new(),
        };
        self.store.put_workspace(new).await.expect("a workspace");
        workspace
    }

    /// Revokes a key as the owner of a tenant.
    ///
    /// # Panics
    /// When the store refuses it.
    #[expect(clippy::expect_used, reason = "a test that cannot revoke cannot go on")]
    pub async fn revoke(&self, tenant: &crate::Tenant, id: CredentialId) {
        let owner = tenant.caller(&self.store, "owner").await;
        let right = owner.authorize::<TokenManage>().expect("an owner may");
        self.app.revoke_key(right, id).await.expect("it was there");
    }
}

#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "tests let people in without their having to log in"
)]
async fn door(store: &Store) -> DoorTx {
    store.begin_door(Mode::Write).await.expect("a transaction")
}

async fn put(
    tx: &mut DoorTx,
    tenant: (OrganizationId, WorkspaceId),
    principal: Principal,
    (minted, now): (Minted, Timestamp),
    who: &Newcomer,
) -> Result<Pass, StoreError> {
    let new = NewBearer {
        minted,
        body: CredentialBody {
            label: "of a test".into(),
            bindings: Bindings {
                permissions: who.permissions,
                ..Bindings::default()
            },
            ..CredentialBody::default()
        },
        expires_at: who.expires_at,
        idle_at: None,
        stepped_up_at: who.stepped_up.then_some(now),
        confined: false,
        created_by: None,
    };
    let made = tx.put_bearer(tenant, principal, new).await?;
    Ok(Pass {
        token: made.text.expose().clone(),
        credential: made.id,
        principal,
    })
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}
