//! A human with a browser, who belongs to a tenant.

use skep_app::App;
use skep_crypto::BearerKind;
use skep_domain::{OrganizationRole, Principal, Timestamp, UserId};
use skep_store::{CredentialBody, Mode, NewBearer, Store, StoreError, UserBody};

use crate::Tenant;

/// A human who has logged in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who.
    pub user: UserId,
    /// What their browser sends as the `Cookie` header.
    pub cookie: String,
}

impl Visitor {
    /// Makes a member of a tenant's organization, and a session of theirs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of(store: &Store, tenant: &Tenant) -> Result<Self, StoreError> {
        Self::with(store, tenant, (OrganizationRole::Owner, None)).await
    }

    /// The same of a member of another kind, who showed a second factor at a time.
    ///
    /// # Errors
    /// [`StoreError`].
    #[expect(
        clippy::disallowed_methods,
        reason = "what a login does, without its password"
    )]
    pub async fn with(
        store: &Store,
        tenant: &Tenant,
        (role, stepped_up_at): (OrganizationRole, Option<Timestamp>),
    ) -> Result<Self, StoreError> {
        let mut door = store.begin_door(Mode::Write).await?;
        let user = door.mint();
        let body = UserBody {
            name: "somebody".into(),
            ..UserBody::default()
        };
        door.put_user(user, &body).await?;
        door.put_member(tenant.organization, user, role).await?;
        let session = NewBearer {
            minted: store.mint_bearer(BearerKind::Browser)?,
            body: CredentialBody::default(),
            expires_at: Some(Timestamp::from_micros(
                store.now().as_micros() + 7 * 86_400_000_000,
            )),
            idle_at: None,
            stepped_up_at,
            confined: false,
            created_by: Some(user),
        };
        let home = (tenant.organization, tenant.workspace);
        let made = door
            .put_bearer(home, Principal::User(user), session)
            .await?;
        door.commit().await?;
        Ok(Self {
            user,
            cookie: format!("__Host-skep={}", made.text.expose()),
        })
    }

    /// Makes them a member of another tenant's organization too.
    ///
    /// # Errors
    /// [`StoreError`].
    #[expect(
        clippy::disallowed_methods,
        reason = "an invitation's end, without the invitation"
    )]
    pub async fn joins(&self, store: &Store, tenant: &Tenant) -> Result<(), StoreError> {
        let mut door = store.begin_door(Mode::Write).await?;
        let role = OrganizationRole::Owner;
        door.put_member(tenant.organization, self.user, role)
            .await?;
        door.commit().await
    }

    /// Lets a device act for them, whose code somebody typed.
    ///
    /// # Panics
    /// When the daemon refuses it.
    #[expect(clippy::expect_used, reason = "a test without its login cannot go on")]
    pub async fn approve(&self, app: &App, code: &str, tenant: &Tenant) {
        let cookie = self.cookie.trim_start_matches("__Host-skep=").as_bytes();
        let caller = app.authenticate_browser(cookie).await;
        let caller = caller.expect("a session");
        let home = Some((tenant.organization, tenant.workspace));
        let decided = app.decide_device(&caller, code, home);
        decided.await.expect("a device that waits");
    }
}
