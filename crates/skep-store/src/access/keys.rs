//! The keys of the installation's own rows.

use std::sync::Arc;

use skep_crypto::{DataKey, Identity, InstanceSecret, MacKey, Plain, Random, Sealed, SigningKey};
use skep_domain::{Id, Name, OrganizationId};

use crate::StoreError;
use crate::row::{Fingerprint, TicketKind};

/// A sealed column of the installation's own tables: the names are part of each ciphertext's
/// identity.
#[derive(Clone, Copy)]
pub(crate) struct Column(&'static str, &'static str);

pub(crate) const ORGANIZATION_NAME: Column = Column("organization", "name");
pub(crate) const AGENT_NAME: Column = Column("agent", "name");
pub(crate) const GROUP_NAME: Column = Column("policy_group", "name");
pub(crate) const USER_BODY: Column = Column("user_account", "body");
pub(crate) const CREDENTIAL_BODY: Column = Column("credential", "body");
pub(crate) const FACTOR_BODY: Column = Column("factor", "body");
pub(crate) const TICKET_BODY: Column = Column("ticket", "body");
pub(crate) const JOB_NOTE: Column = Column("job", "note");
pub(crate) const AUDIT_BODY: Column = Column("audit", "body");
pub(crate) const USAGE_BODY: Column = Column("usage", "body");
pub(crate) const RESERVATION_BODY: Column = Column("reservation", "body");
pub(crate) const SINK_BODY: Column = Column("sink", "body");
pub(crate) const DIRECTIVE_BODY: Column = Column("directive", "body");
pub(crate) const SETTING_VALUE: Column = Column("setting", "value");

/// Seals and opens the installation's own rows, and finds them by keyed fingerprints.
pub(crate) struct ControlKeys {
    data: DataKey,
    fingerprint: MacKey,
    digest: MacKey,
    ledger: SigningKey,
    random: Arc<dyn Random>,
}

impl ControlKeys {
    pub(crate) fn new(secret: &InstanceSecret, random: Arc<dyn Random>) -> Self {
        let data = secret.control_key();
        let fingerprint = data.fingerprint_key();
        Self {
            data,
            fingerprint,
            digest: secret.keys().pepper,
            ledger: secret.ledger_key(),
            random,
        }
    }

    /// The key that signs the heads of logs.
    pub(crate) fn ledger(&self) -> &SigningKey {
        &self.ledger
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// Seals for a place: the organization that owns the row (zeros for none), and the row's id.
    pub(crate) fn seal(&self, column: Column, at: ([u8; 16], [u8; 16]), plain: &[u8]) -> Sealed {
        self.data.seal(&*self.random, &identity(column, at), plain)
    }

    pub(crate) fn open(
        &self,
        column: Column,
        at: ([u8; 16], [u8; 16]),
        sealed: &Sealed,
    ) -> Result<Plain<Vec<u8>>, StoreError> {
        Ok(self.data.open(&identity(column, at), sealed)?)
    }

    pub(crate) fn open_text(
        &self,
        column: Column,
        at: ([u8; 16], [u8; 16]),
        sealed: &Sealed,
    ) -> Result<String, StoreError> {
        String::from_utf8(self.open(column, at, sealed)?.expose().clone())
            .map_err(|_| StoreError::Damaged("a sealed text is not text"))
    }

    pub(crate) fn fingerprint(&self, parts: &[&[u8]]) -> Fingerprint {
        self.fingerprint.tag16(parts)
    }

    /// What a workspace's name is unique by: its skeleton, within the organization. A text that is no
    /// name, which no edge lets through, counts as it is.
    pub(crate) fn workspace_name(&self, organization: OrganizationId, name: &str) -> Fingerprint {
        let skeleton = Name::parse(name).map_or_else(|_| name.to_owned(), |name| name.skeleton());
        let organization = organization.to_bytes();
        self.fingerprint(&[b"workspace", &organization, skeleton.as_bytes()])
    }

    /// What a ticket's secret is kept as.
    pub(crate) fn ticket(&self, kind: TicketKind, place: &[u8], secret: &[u8]) -> [u8; 32] {
        self.digest
            .tag32(&[b"ticket", &[kind as u8], place, secret])
    }
}

fn identity(column: Column, (owner, row): ([u8; 16], [u8; 16])) -> Identity<'static> {
    Identity {
        table: column.0,
        column: column.1,
        workspace: owner,
        row,
    }
}
