//! Standing texts: versions that never change, and which of them counts.

use skep_authz::CanRead;
use skep_authz::rights::{GatewayConfigure, WorkspaceManage};
use skep_domain::{DirectiveId, Id, OrganizationId, Principal, Timestamp, WorkspaceId};

use super::keys::DIRECTIVE_BODY;
use super::{DoorTx, OrgTx};
use crate::StoreError;
use crate::body::{BodyReader, BodyWriter};
use crate::row::{DirectiveRow, PromotionRow};

/// Where a standing text counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DirectivePlace {
    /// In every workspace of the organization.
    Organization,
    /// In one workspace.
    Workspace,
}

/// A version of a standing text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Where it counts once it does.
    pub place: DirectivePlace,
    /// Counted from one for each place.
    pub version: u32,
    /// Who wrote it.
    pub drafter: Principal,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the text, in hex.
    pub sha256: String,
    /// What it says.
    pub text: String,
}

/// That a version counts from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Which; 0 for none.
    pub version: u32,
    /// Who said so.
    pub promoter: Principal,
    /// When.
    pub at: Timestamp,
}

/// Stands where a workspace does in the rows of what counts in all of them.
fn everywhere() -> WorkspaceId {
    WorkspaceId::from_bytes([0; 16])
}

impl DirectivePlace {
    const fn of(workspace: WorkspaceId, place: Self, everywhere: WorkspaceId) -> WorkspaceId {
        match place {
            Self::Organization => everywhere,
            Self::Workspace => workspace,
        }
    }
}

impl DoorTx {
    /// The standing texts that count in a workspace: its organization's first, then its own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_directives_in_force(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
    ) -> Result<Vec<Directive>, StoreError> {
        let mut found = Vec::new();
        for place in [DirectivePlace::Organization, DirectivePlace::Workspace] {
            let at = (
                organization,
                DirectivePlace::of(workspace, place, everywhere()),
            );
            let last = self.rows.promotions(at, 1).await?;
            let version = last.first().map_or(0, |last| last.version);
            if version == 0 {
                continue;
            }
            let row = self.rows.directive(at, version).await?;
            let row = row.ok_or(StoreError::Damaged("a standing text that counts is gone"))?;
            found.push(self.open_directive(organization, place, &row)?);
        }
        Ok(found)
    }

    fn open_directive(
        &self,
        organization: OrganizationId,
        place: DirectivePlace,
        row: &DirectiveRow,
    ) -> Result<Directive, StoreError> {
        let at = (organization.to_bytes(), row.id.to_bytes());
        let body = self.keys.open(DIRECTIVE_BODY, at, &row.body)?;
        let mut reader = BodyReader(body.expose());
        let (text, sha256) = (reader.text()?, reader.text()?);
        reader.end()?;
        Ok(Directive {
            place,
            version: row.version,
            drafter: row.drafter,
            at: row.at,
            sha256,
            text,
        })
    }
}

impl<P: CanRead> OrgTx<P> {
    fn place_of(&self, place: DirectivePlace) -> (OrganizationId, WorkspaceId) {
        let at = DirectivePlace::of(self.workspace, place, everywhere());
        (self.organization, at)
    }

    /// The versions of the organization's standing text, or of the workspace's, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_directives(
        &mut self,
        place: DirectivePlace,
        limit: u32,
    ) -> Result<Vec<Directive>, StoreError> {
        let at = self.place_of(place);
        let rows = self.door.rows.directives(at, limit).await?;
        rows.iter()
            .map(|row| self.door.open_directive(self.organization, place, row))
            .collect()
    }

    /// One version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_directive(
        &mut self,
        place: DirectivePlace,
        version: u32,
    ) -> Result<Option<Directive>, StoreError> {
        let at = self.place_of(place);
        let row = self.door.rows.directive(at, version).await?;
        row.map(|row| self.door.open_directive(self.organization, place, &row))
            .transpose()
    }

    /// What was said of which version counts, newest first: the first one counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_promotions(
        &mut self,
        place: DirectivePlace,
        limit: u32,
    ) -> Result<Vec<Promotion>, StoreError> {
        let at = self.place_of(place);
        let rows = self.door.rows.promotions(at, limit).await?;
        let said = rows.into_iter().map(|row| Promotion {
            version: row.version,
            promoter: row.promoter,
            at: row.at,
        });
        Ok(said.collect())
    }
}

impl OrgTx<GatewayConfigure> {
    /// Adds a version, which counts for nothing before it is promoted; says its number.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when another one was added just then.
    pub async fn put_directive(
        &mut self,
        place: DirectivePlace,
        (text, sha256): (&str, &str),
    ) -> Result<u32, StoreError> {
        let drafter = self.principal.ok_or(NOBODY)?;
        let id: DirectiveId = self.mint();
        let body = BodyWriter::default().text(text).text(sha256).finish();
        let at = (self.organization.to_bytes(), id.to_bytes());
        let row = DirectiveRow {
            id,
            workspace: self.place_of(place).1,
            version: 0,
            drafter,
            at: self.now(),
            body: self.door.keys.seal(DIRECTIVE_BODY, at, &body),
        };
        self.door.rows.put_directive(self.organization, row).await
    }
}

impl OrgTx<WorkspaceManage> {
    /// Says which version counts from now on; none for 0.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when somebody else said so just then.
    pub async fn put_promotion(
        &mut self,
        place: DirectivePlace,
        version: u32,
    ) -> Result<(), StoreError> {
        let promoter = self.principal.ok_or(NOBODY)?;
        let row = PromotionRow {
            workspace: self.place_of(place).1,
            ordinal: 0,
            version,
            promoter,
            at: self.now(),
        };
        self.door.rows.put_promotion(self.organization, row).await?;
        Ok(())
    }
}

const NOBODY: StoreError = StoreError::OutOfBounds("nobody says so");
