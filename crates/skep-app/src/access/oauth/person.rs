//! The human who decides: with a browser's session, where they may decide, and proof that the form
//! they sent is one we showed them.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use skep_authz::{Caller, Denied};
use skep_domain::{CredentialKind, Id, OrganizationId, Principal, UserId, WorkspaceId};
use skep_store::{DoorTx, Mode};

use super::error::{OAuthCode, OAuthError};
use super::resource::Resource;
use crate::access::door;
use crate::{App, AppError};

/// A workspace that a human may let a client into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Its organization.
    pub organization: OrganizationId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// What the organization is called.
    pub organization_name: String,
    /// What the workspace is called.
    pub workspace_name: String,
}

/// For whom a client may act, as a human decided.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Approved {
    pub(super) organization: [u8; 16],
    pub(super) workspace: [u8; 16],
    pub(super) user: [u8; 16],
    /// Whether an issuer that one organization trusts had let them in.
    #[serde(default)]
    pub(super) confined: bool,
    /// What the client asked for.
    #[serde(default)]
    pub(super) resource: Resource,
}

impl App {
    /// The workspaces that a human may let a client into.
    ///
    /// # Errors
    /// [`OAuthError::App`] for a caller who is not a human at a browser.
    pub async fn list_homes(&self, caller: &Caller) -> Result<Vec<Home>, OAuthError> {
        let user = human(caller)?;
        let mut door = door!(self, Mode::Read).await?;
        let mut homes = Vec::new();
        for (organization, workspace) in homes_of(&mut door, caller, user).await? {
            let named = door.get_organization(organization).await?;
            homes.push(Home {
                organization,
                workspace,
                organization_name: named
                    .and_then(|organization| organization.name)
                    .unwrap_or_else(|| "(no name)".into()),
                workspace_name: String::new(),
            });
        }
        drop(door);
        for home in &mut homes {
            let tenant = (home.organization, home.workspace);
            home.workspace_name = self.store.name_for_member(tenant).await?;
        }
        Ok(homes)
    }

    /// What a form of ours carries, so that no other page can send it for this human. `about` is
    /// what the form is about.
    ///
    /// # Errors
    /// [`OAuthError::App`] for a caller who is not a human at a browser.
    pub fn form_token(&self, caller: &Caller, about: &str) -> Result<String, OAuthError> {
        human(caller)?;
        let session = caller.credential().to_bytes();
        let tag = &self.store.instance_keys().client;
        let tag = tag.tag32(&[b"form", &session, about.as_bytes()]);
        Ok(Base64UrlUnpadded::encode_string(&tag))
    }

    /// Refuses a form that we did not show to this human for this purpose.
    ///
    /// # Errors
    /// [`OAuthError::Refused`].
    pub fn check_form(&self, caller: &Caller, about: &str, token: &str) -> Result<(), OAuthError> {
        const FORGED: OAuthError = OAuthError::refused(
            OAuthCode::AccessDenied,
            "This form was not shown to you here: open the page again.",
        );
        let session = caller.credential().to_bytes();
        human(caller)?;
        let tag = Base64UrlUnpadded::decode_vec(token).map_err(|_| FORGED)?;
        let tag = <[u8; 32]>::try_from(tag).map_err(|_| FORGED)?;
        let key = &self.store.instance_keys().client;
        if key.verify(&[b"form", &session, about.as_bytes()], &tag) {
            Ok(())
        } else {
            Err(FORGED)
        }
    }
}

/// The human behind a browser's session. Keys, tokens and other logins decide nothing: whoever holds
/// one could make themselves another.
pub(super) fn human(caller: &Caller) -> Result<UserId, OAuthError> {
    caller.require_factor().map_err(AppError::from)?;
    match (caller.kind(), caller.principal()) {
        (CredentialKind::Browser, Principal::User(user)) => Ok(user),
        _ => Err(AppError::Denied(Denied::InvalidCredential).into()),
    }
}

/// Whoever was let in by an organization's issuer is at home there and nowhere else.
async fn homes_of(
    door: &mut DoorTx,
    caller: &Caller,
    user: UserId,
) -> Result<Vec<(OrganizationId, WorkspaceId)>, OAuthError> {
    let mut homes = door.list_homes_of(user).await?;
    homes.retain(|(organization, _)| {
        !caller.is_confined() || *organization == caller.organization()
    });
    Ok(homes)
}

/// Refuses a home that is not the human's.
pub(super) async fn approve(
    door: &mut DoorTx,
    caller: &Caller,
    (organization, workspace): (OrganizationId, WorkspaceId),
) -> Result<Approved, OAuthError> {
    let user = human(caller)?;
    let homes = homes_of(door, caller, user).await?;
    if homes.contains(&(organization, workspace)) {
        Ok(Approved {
            organization: organization.to_bytes(),
            workspace: workspace.to_bytes(),
            user: user.to_bytes(),
            confined: caller.is_confined(),
            resource: Resource::Api,
        })
    } else {
        Err(AppError::Denied(Denied::OrganizationMismatch).into())
    }
}
