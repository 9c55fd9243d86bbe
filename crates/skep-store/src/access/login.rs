//! Logins of clients: one row a login, whose refresh token is another after each use.

use skep_crypto::{Bearer, InstanceKeys, Plain};
use skep_domain::{
    CredentialId, CredentialKind, Id, OrganizationId, Standing, Timestamp, UserId, WorkspaceId,
};

use super::{Credential, DoorTx, Minted};
use crate::StoreError;
use crate::backend::CredentialKey;
use crate::row::{Rotated, TicketKind};

/// What came of a refresh token that was presented.
pub enum Renewal {
    /// It was the present one; here is the next.
    Renewed {
        /// Whose login it is.
        organization: OrganizationId,
        /// The login.
        login: Box<Credential>,
        /// The refresh token that counts from now on.
        next: Plain<String>,
    },
    /// It is not the present one, though the login is there: it was used before, or made up by
    /// somebody who knows the login. The login has to go.
    Reused {
        /// Whose login it is.
        organization: OrganizationId,
        /// Which.
        login: Box<Credential>,
    },
    /// There is no such login, or no longer.
    Unknown,
}

impl DoorTx {
    /// Puts the next refresh token in the place of the one presented. Of callers at once with the
    /// same one, one gets it; nothing counts before [`DoorTx::commit`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_login(
        &mut self,
        presented: &Bearer,
        next: Minted,
        keys: &InstanceKeys,
        expires_at: Timestamp,
    ) -> Result<Renewal, StoreError> {
        let id = CredentialId::from_bytes(presented.id());
        let key = CredentialKey::Row(CredentialKind::Login, id);
        let Some(found) = self.rows.credential(key).await? else {
            return Ok(Renewal::Unknown);
        };
        let organization = found.organization();
        let login = self.get_credential(organization, id).await?;
        let now = self.now;
        let counts = |login: &Credential| {
            login.revoked_at.is_none() && login.expires_at.is_none_or(|end| now < end)
        };
        let Some(login) = login.filter(counts) else {
            return Ok(Renewal::Unknown);
        };
        let text = next.text;
        // The row says under which pepper its proof is, but not to us: newest first, they are few.
        for number in (1..=self.rows.pepper().await?).rev() {
            let old = presented.stored_form(&keys.peppers.get(number));
            let proof = next.proof.clone();
            let outcome = self
                .rows
                .rotate_credential(id, old, proof, Some(expires_at));
            match outcome.await? {
                Rotated::Done => {
                    return Ok(Renewal::Renewed {
                        organization,
                        login: Box::new(login),
                        next: text,
                    });
                }
                Rotated::Stale => {}
                Rotated::Gone => return Ok(Renewal::Unknown),
            }
        }
        Ok(Renewal::Reused {
            organization,
            login: Box::new(login),
        })
    }
}

impl DoorTx {
    /// Every workspace that a human may enter: where they have a role, in organizations where both
    /// may act.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_homes_of(
        &mut self,
        user: UserId,
    ) -> Result<Vec<(OrganizationId, WorkspaceId)>, StoreError> {
        let mut homes = Vec::new();
        for (organization, member) in self.rows.organizations_of(user).await? {
            let suspended = self
                .rows
                .organization(organization)
                .await?
                .is_none_or(|row| row.standing == Standing::Suspended);
            if suspended || member.standing == Standing::Suspended {
                continue;
            }
            let roles = self.rows.workspace_roles(organization, user).await?;
            for workspace in self.rows.workspaces_of(organization).await? {
                let held = roles.iter().find(|(id, _)| *id == workspace.id);
                if member
                    .role
                    .in_workspace(held.map(|(_, role)| *role))
                    .is_some()
                {
                    homes.push((organization, workspace.id));
                }
            }
        }
        Ok(homes)
    }

    /// Takes one use from every open ticket of a kind: somebody guessed, and nobody knows at which.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn charge_tickets(&mut self, kind: TicketKind) -> Result<u64, StoreError> {
        let now = self.now;
        self.rows.charge_tickets(kind, now).await
    }
}

/// Shows what came of it, never the token.
impl std::fmt::Debug for Renewal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Renewed { .. } => "Renewed",
            Self::Reused { .. } => "Reused",
            Self::Unknown => "Unknown",
        })
    }
}
