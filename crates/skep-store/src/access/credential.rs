//! Credentials: made, listed, revoked. A secret is in the answer of its making and nowhere after.

use skep_authz::rights::TokenManage;
use skep_crypto::{Bearer, BearerKind, InstanceKeys, Plain, Random, Sealed, hash_password};
use skep_domain::{
    Bindings, CredentialId, CredentialKind, Harness, Id, OrganizationId, PermissionSet, Principal,
    ProjectBounds, ProjectId, Timestamp, UserId, WorkspaceId,
};

use super::keys::CREDENTIAL_BODY;
use super::{ControlKeys, DoorTx, OrgTx, Revoked};
use crate::StoreError;
use crate::backend::PageOf;
use crate::backend::control::CredentialFilter;
use crate::body::{BodyReader, BodyWriter};
use crate::row::{CredentialSummaryRow, NewCredentialRow, ProofRow};

/// What is kept sealed of a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialBody {
    /// What its maker calls it.
    pub label: String,
    /// What it is narrowed to; the permissions of it stand in a column of their own.
    pub bindings: Bindings,
    /// The names of the projects that it is bound to, in the order of the bindings.
    pub project_names: Vec<String>,
    /// The client that it was given to, for logins.
    pub client: Option<String>,
    /// The thumbprint of the key that a client has to prove it holds (RFC 7638), for logins.
    pub key_thumbprint: Option<String>,
    /// Which part of the server a login is for, if not for all of the interface.
    pub resource: Option<String>,
}

/// A credential that was minted, and that nobody knows of yet.
pub struct Minted {
    id: CredentialId,
    kind: CredentialKind,
    pub(super) proof: ProofRow,
    pub(super) text: Plain<String>,
}

/// A credential to keep.
pub struct NewBearer {
    /// What was minted for it.
    pub minted: Minted,
    /// Label and bindings.
    pub body: CredentialBody,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it ends unless it is used.
    pub idle_at: Option<Timestamp>,
    /// When a second factor was shown.
    pub stepped_up_at: Option<Timestamp>,
    /// Whether it came of the word of an issuer that one organization trusts.
    pub confined: bool,
    /// Who makes it.
    pub created_by: Option<UserId>,
}

/// A credential just made: the only time that its secret is seen.
pub struct NewSecret {
    /// Its id.
    pub id: CredentialId,
    /// The text to hand over.
    pub text: Plain<String>,
}

/// A credential as it is listed.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Its kind.
    pub kind: CredentialKind,
    /// The partition.
    pub workspace: WorkspaceId,
    /// Whom it proves.
    pub principal: Principal,
    /// Label and bindings.
    pub body: CredentialBody,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<UserId>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to a few minutes.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl DoorTx {
    /// Keeps a credential for a principal of a workspace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_bearer(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        principal: Principal,
        new: NewBearer,
    ) -> Result<NewSecret, StoreError> {
        let Minted {
            id,
            kind,
            proof,
            text,
        } = new.minted;
        let row = NewCredentialRow {
            id,
            kind,
            proof,
            organization,
            workspace,
            principal,
            permissions: new.body.bindings.permissions,
            created_at: self.now,
            created_by: new.created_by,
            expires_at: new.expires_at,
            idle_at: new.idle_at,
            stepped_up_at: new.stepped_up_at,
            confined: new.confined,
            body: new.body.seal(&self.keys, organization, id),
        };
        self.rows.put_credential(row).await?;
        Ok(NewSecret { id, text })
    }

    pub(super) async fn list_credentials(
        &mut self,
        organization: OrganizationId,
        filter: &CredentialFilter,
        page: PageOf<CredentialId>,
    ) -> Result<Vec<Credential>, StoreError> {
        let rows = self.rows.credentials(organization, filter, page).await?;
        rows.into_iter()
            .map(|row| open(&self.keys, organization, &row))
            .collect()
    }

    /// One credential of an organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_credential(
        &mut self,
        organization: OrganizationId,
        id: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        let row = self.rows.credential_of(organization, id).await?;
        row.map(|row| open(&self.keys, organization, &row))
            .transpose()
    }

    /// Revokes one credential; `false` when it is not there, or no longer counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_credential(
        &mut self,
        organization: OrganizationId,
        id: CredentialId,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        self.news.add(Revoked::Credential);
        self.rows.revoke_credential(organization, id, now).await
    }

    /// Revokes all that proves a principal, in one organization or in all; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_credentials_of(
        &mut self,
        organization: Option<OrganizationId>,
        principal: Principal,
    ) -> Result<u64, StoreError> {
        let now = self.now;
        self.news.add(Revoked::Credential);
        self.rows
            .revoke_credentials_of(organization, principal, now)
            .await
    }

    /// Notes a use, and puts the idle end off where there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn touch_credential(
        &mut self,
        id: CredentialId,
        idle_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let now = self.now;
        self.rows.touch_credential(id, now, idle_at).await
    }

    /// Notes that a second factor was shown with this credential.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn step_up(&mut self, id: CredentialId) -> Result<bool, StoreError> {
        let now = self.now;
        self.rows.step_up_credential(id, now).await
    }
}

impl OrgTx<TokenManage> {
    /// Makes a credential for a principal of the workspace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_bearer(
        &mut self,
        principal: Principal,
        new: NewBearer,
    ) -> Result<NewSecret, StoreError> {
        let tenant = self.tenant();
        self.door.put_bearer(tenant, principal, new).await
    }

    /// Credentials of the organization, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_credentials(
        &mut self,
        filter: &CredentialFilter,
        page: PageOf<CredentialId>,
    ) -> Result<Vec<Credential>, StoreError> {
        self.door
            .list_credentials(self.organization, filter, page)
            .await
    }

    /// One credential of the organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_credential(
        &mut self,
        id: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        self.door.get_credential(self.organization, id).await
    }

    /// Revokes one; `false` when it is not there, or no longer counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_credential(&mut self, id: CredentialId) -> Result<bool, StoreError> {
        self.door.revoke_credential(self.organization, id).await
    }
}

fn open(
    keys: &ControlKeys,
    organization: OrganizationId,
    row: &CredentialSummaryRow,
) -> Result<Credential, StoreError> {
    let mut body = row
        .body
        .as_ref()
        .map(|sealed| CredentialBody::open(keys, organization, row.id, sealed))
        .transpose()?
        .unwrap_or_default();
    body.bindings.permissions = row.permissions;
    Ok(Credential {
        id: row.id,
        kind: row.kind,
        workspace: row.workspace,
        principal: row.principal,
        body,
        created_at: row.created_at,
        created_by: row.created_by,
        expires_at: row.expires_at,
        used_at: row.used_at,
        revoked_at: row.revoked_at,
    })
}

const fn kind_of(kind: BearerKind) -> CredentialKind {
    match kind {
        BearerKind::Refresh => CredentialKind::Login,
        BearerKind::PersonalAccess => CredentialKind::PersonalAccess,
        BearerKind::ApiKey => CredentialKind::ApiKey,
        BearerKind::RunnerKey => CredentialKind::RunnerKey,
        BearerKind::Browser => CredentialKind::Browser,
    }
}

impl CredentialBody {
    pub(crate) fn seal(
        &self,
        keys: &ControlKeys,
        organization: OrganizationId,
        id: CredentialId,
    ) -> Sealed {
        let projects: Vec<String> = self
            .bindings
            .projects
            .iter()
            .map(|project| hex(project.to_bytes()))
            .collect();
        let mut body = BodyWriter::default()
            .text(&self.label)
            .option(self.bindings.connector.as_deref())
            .option(self.bindings.harness.map(Harness::as_str))
            .texts(&projects)
            .texts(&self.project_names)
            .option(self.client.as_deref())
            .option(self.key_thumbprint.as_deref());
        if self.resource.is_some() {
            body = body.option(self.resource.as_deref());
        }
        let bytes = body.finish();
        keys.seal(
            CREDENTIAL_BODY,
            (organization.to_bytes(), id.to_bytes()),
            &bytes,
        )
    }

    pub(crate) fn open(
        keys: &ControlKeys,
        organization: OrganizationId,
        id: CredentialId,
        sealed: &Sealed,
    ) -> Result<Self, StoreError> {
        let at = (organization.to_bytes(), id.to_bytes());
        let plain = keys.open(CREDENTIAL_BODY, at, sealed)?;
        let mut reader = BodyReader(plain.expose());
        let label = reader.text()?;
        let connector = reader.option()?;
        let harness = reader.option()?;
        let projects = reader.texts()?;
        let project_names = reader.texts()?;
        let body = Self {
            label,
            bindings: Bindings {
                connector,
                harness: harness
                    .map(|name| Harness::parse(&name).ok_or(DAMAGED))
                    .transpose()?,
                projects: bounds(&projects)?,
                permissions: None::<PermissionSet>,
            },
            project_names,
            client: reader.option()?,
            key_thumbprint: reader.option()?,
            // One that is for the interface, and each of an earlier version, ends here.
            resource: if reader.is_empty() {
                None
            } else {
                reader.option()?
            },
        };
        reader.end()?;
        Ok(body)
    }
}

const DAMAGED: StoreError = StoreError::Damaged("the bindings of a credential");

/// Bounds that cannot be read are damage, never "no bounds".
fn bounds(projects: &[String]) -> Result<ProjectBounds, StoreError> {
    if projects.is_empty() {
        return Ok(ProjectBounds::NONE);
    }
    let ids: Vec<ProjectId> = projects
        .iter()
        .map(|text| {
            let bits = u128::from_str_radix(text, 16).map_err(|_| DAMAGED)?;
            Ok(ProjectId::from_bytes(bits.to_be_bytes()))
        })
        .collect::<Result<_, StoreError>>()?;
    ProjectBounds::only(&ids).ok_or(DAMAGED)
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

impl Minted {
    /// Mints a credential. A personal access token is stretched, which takes tens of milliseconds
    /// and 19 MiB: do that where blocking is fine.
    ///
    /// # Errors
    /// [`StoreError::Crypto`].
    pub(crate) fn new(
        kind: BearerKind,
        id: CredentialId,
        keys: &InstanceKeys,
        pepper: u32,
        random: &dyn Random,
    ) -> Result<Self, StoreError> {
        let (bearer, text) = Bearer::mint(kind, id.to_bytes(), &keys.credential, random);
        let proof = if kind == BearerKind::PersonalAccess {
            let hash = hash_password(bearer.secret(), random)?;
            ProofRow::Stretched(hash.as_str().to_owned())
        } else {
            ProofRow::Peppered(pepper, bearer.stored_form(&keys.peppers.get(pepper)))
        };
        Ok(Self {
            id,
            kind: kind_of(kind),
            proof,
            text,
        })
    }

    /// The id that it will have.
    #[must_use]
    pub fn id(&self) -> CredentialId {
        self.id
    }
}

/// Shows the id, never the secret.
impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Shows the id, never the secret.
impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSecret")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
