//! Whom an issuer means: an account that is linked, whoever is linking theirs, or somebody new.

use skep_authz::{Caller, Denied};
use skep_domain::{CredentialKind, Id, OrganizationId, Principal, Standing, UserId, WorkspaceId};
use skep_jose::VerifiedIdToken;
use skep_store::{DoorTx, UserBody};

use super::super::account;
use super::settings::Provider;
use crate::AppError;

/// Why nobody came in: what is told, and what is recorded beside.
pub(super) struct Refusal {
    pub(super) told: AppError,
    pub(super) why: String,
}

/// The human who began to link, in the browser that they are still logged in with.
pub(super) fn linking(
    browser: Option<&Caller>,
    link: &str,
    organization: OrganizationId,
) -> Result<UserId, Refusal> {
    let caller = browser.filter(|caller| {
        caller.organization() == organization
            && !caller.is_confined()
            && caller.kind() == CredentialKind::Browser
    });
    match caller.map(Caller::principal) {
        Some(Principal::User(user)) if hex(user) == link => Ok(user),
        _ => Err(Refusal::of("whoever began to link is not logged in here")),
    }
}

/// Makes an account for somebody who comes for the first time. It has no address to be found by: what
/// an organization's issuer says of one must not stand in the way of whose address it is.
pub(super) async fn join(
    tx: &mut DoorTx,
    organization: OrganizationId,
    (provider, token): (&Provider, &VerifiedIdToken),
) -> Result<UserId, Refusal> {
    let said = |name: &str| token.claim(name).and_then(|value| value.as_str());
    let address = said("email").and_then(|text| account::address(text).ok());
    if let Some(address) = &address
        && let Some(user) = tx.get_user_of_address(address).await?
        && member(tx, organization, user.id).await?.is_some()
    {
        // Told to whom the address is; whoever only says that it is theirs learns nothing.
        let verified = token.verified_email().is_some();
        let told = verified.then_some(LINK_FIRST);
        return Err(Refusal {
            told: told.unwrap_or(Denied::InvalidCredential.into()),
            why: "a member has this address, and has not linked the sign-in".into(),
        });
    }
    let names = ["name", "preferred_username", "email"];
    let name = names
        .iter()
        .find_map(|claim| account::name(said(claim)?).ok());
    let body = UserBody {
        name: name.unwrap_or_else(|| "somebody".into()),
        vouched: Some(address.unwrap_or_default()),
        ..UserBody::default()
    };
    let user: UserId = tx.mint();
    tx.put_user(user, &body).await?;
    tx.put_member(organization, user, provider.role()).await?;
    let tenant = (organization, provider.workspace);
    tx.set_workspace_role(tenant, user, provider.workspace_role())
        .await?;
    Ok(user)
}

async fn member(
    tx: &mut DoorTx,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<Standing>, AppError> {
    let found = tx.list_organizations_of(user).await?;
    let found = found.into_iter().find(|(id, _)| *id == organization);
    Ok(found.map(|(_, member)| member.standing))
}

/// Where somebody who may act in the organization comes in.
pub(super) async fn may_enter(
    tx: &mut DoorTx,
    organization: OrganizationId,
    user: UserId,
) -> Result<WorkspaceId, Refusal> {
    let account = tx.get_user(user).await?;
    let standing = account.map(|account| account.standing);
    let here = member(tx, organization, user).await?;
    if [standing, here] != [Some(Standing::Active); 2] {
        return Err(Refusal::of("suspended here, or no member"));
    }
    let home = tx.home_of(organization, user).await?;
    home.ok_or(Refusal::of("no role in any workspace"))
}

impl Refusal {
    pub(super) fn of(why: &str) -> Self {
        Self {
            told: Denied::InvalidCredential.into(),
            why: why.to_owned(),
        }
    }
}

/// What failed on the way is told as it is, and recorded.
impl<E: Into<AppError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let told = error.into();
        Self {
            why: told.to_string(),
            told,
        }
    }
}

const LINK_FIRST: AppError = AppError::Conflict(
    "you have an account here: log in with it, and link this sign-in on your account page",
);

pub(super) fn hex<I: Id>(id: I) -> String {
    format!("{:032x}", u128::from_be_bytes(id.to_bytes()))
}
