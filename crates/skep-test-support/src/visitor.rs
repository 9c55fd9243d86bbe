//! A human with a browser, who belongs to a tenant.

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
    #[expect(
        clippy::disallowed_methods,
        reason = "what a login does, without its password"
    )]
    pub async fn of(store: &Store, tenant: &Tenant) -> Result<Self, StoreError> {
        let mut door = store.begin_door(Mode::Write).await?;
        let user = door.mint();
        let body = UserBody {
            name: "somebody".into(),
            ..UserBody::default()
        };
        door.put_user(user, &body).await?;
        let role = OrganizationRole::Owner;
        door.put_member(tenant.organization, user, role).await?;
        let session = NewBearer {
            minted: store.mint_bearer(BearerKind::Browser)?,
            body: CredentialBody::default(),
            expires_at: Some(Timestamp::from_micros(
                store.now().as_micros() + 7 * 86_400_000_000,
            )),
            idle_at: None,
            stepped_up_at: None,
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
}
