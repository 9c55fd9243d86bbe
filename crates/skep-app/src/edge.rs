//! What an edge needs of the keys: tags for ids, seals for cursors, credentials to callers.

use skep_authz::{Caller, VouchedTag};
use skep_crypto::MacKey;
use skep_domain::{Id, IdKind, JobId, OrganizationId, WorkspaceId};

use crate::App;

/// Tags for the ids of one tenant.
#[derive(Clone, Copy)]
pub struct IdTags<'a> {
    app: &'a App,
    organization: OrganizationId,
    workspace: WorkspaceId,
    /// All the tags that there are, when another daemon makes them.
    vouched: Option<&'a [VouchedTag]>,
}

/// Opaque paging cursors, bound to their workspace and listing.
#[derive(Clone, Copy)]
pub struct Cursors<'a> {
    app: &'a App,
    workspace: WorkspaceId,
}

impl App {
    /// The present time.
    #[must_use]
    pub fn now(&self) -> skep_domain::Timestamp {
        self.store.now()
    }

    /// The key under which whoever is counted is known to a store that nodes share.
    #[must_use]
    pub fn limit_key(&self) -> &MacKey {
        &self.store.instance_keys().limit
    }

    /// Random bits for the marks around stored text.
    #[must_use]
    pub fn nonce(&self) -> [u8; 16] {
        self.store.nonce()
    }

    /// A fresh id for a request, as a hyphenated UUID.
    #[must_use]
    pub fn new_request_id(&self) -> String {
        let id = u128::from_be_bytes(self.store.mint::<JobId>().to_bytes());
        let hex = format!("{id:032x}");
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }

    /// Tags for the ids of the caller's tenant.
    #[must_use]
    pub fn id_tags<'a>(&'a self, caller: &'a Caller) -> IdTags<'a> {
        IdTags {
            app: self,
            organization: caller.organization(),
            workspace: caller.workspace(),
            vouched: caller.vouched_tags(),
        }
    }

    /// Cursors for the caller's listings.
    #[must_use]
    pub fn cursors(&self, caller: &Caller) -> Cursors<'_> {
        Cursors {
            app: self,
            workspace: caller.workspace(),
        }
    }
}

impl IdTags<'_> {
    /// The tag of an id of this tenant.
    #[must_use]
    pub fn tag(&self, kind: IdKind, uuid: &[u8; 16]) -> [u8; 4] {
        if let Some(vouched) = self.vouched {
            return Self::told(vouched, kind, uuid).unwrap_or_default();
        }
        self.app
            .store
            .instance_keys()
            .id_tag
            .tag4(&Self::parts(kind, uuid, &self.tenant(kind)))
    }

    /// Whether a tag is right, in constant time.
    #[must_use]
    pub fn verify(&self, kind: IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
        if let Some(vouched) = self.vouched {
            return Self::told(vouched, kind, uuid) == Some(tag);
        }
        self.app
            .store
            .instance_keys()
            .id_tag
            .verify(&Self::parts(kind, uuid, &self.tenant(kind)), &tag)
    }

    fn told(vouched: &[VouchedTag], kind: IdKind, uuid: &[u8; 16]) -> Option<[u8; 4]> {
        let mut told = vouched.iter();
        let found = told.find(|told| told.kind == kind && told.uuid == *uuid);
        found.map(|told| told.tag)
    }

    fn tenant(&self, kind: IdKind) -> [u8; 16] {
        if kind.is_workspace_scoped() {
            self.workspace.to_bytes()
        } else {
            self.organization.to_bytes()
        }
    }

    fn parts<'b>(kind: IdKind, uuid: &'b [u8; 16], tenant: &'b [u8; 16]) -> [&'b [u8]; 3] {
        [kind.prefix().as_bytes(), tenant, uuid]
    }
}

impl Cursors<'_> {
    /// Seals a position of a listing.
    #[must_use]
    pub fn seal(&self, listing: &[u8], position: &[u8; 16]) -> [u8; 32] {
        let tag = self.app.store.instance_keys().cursor.tag16(&[
            &self.workspace.to_bytes(),
            listing,
            position,
        ]);
        let mut cursor = [0; 32];
        cursor[..16].copy_from_slice(position);
        cursor[16..].copy_from_slice(&tag);
        cursor
    }

    /// Opens a cursor; `None` for one of another workspace, listing or filter.
    #[must_use]
    pub fn open(&self, listing: &[u8], cursor: &[u8; 32]) -> Option<[u8; 16]> {
        let (position, tag) = cursor.split_at(16);
        let (position, tag): ([u8; 16], [u8; 16]) =
            (position.try_into().ok()?, tag.try_into().ok()?);
        let parts: [&[u8]; 3] = [&self.workspace.to_bytes(), listing, &position];
        self.app
            .store
            .instance_keys()
            .cursor
            .verify(&parts, &tag)
            .then_some(position)
    }
}
