//! A home with a vault, and callers of two workspaces.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use skep_authz::{
    Authorized, Caller, Checked, CredentialFacts, CredentialKey, Presented, Proof, Right,
    RoleSource, StoredCredential, authenticate,
};
use skep_crypto::{InstanceSecret, KeyEncryptionKey, Plain, RootKey, SeededRandom};
use skep_domain::{
    AgentId, Bindings, CredentialId, CredentialKind, Id, OrganizationId, OrganizationRole,
    Principal, ReadPolicy, RecordName, Role, Standing, Timestamp, UserId, WorkspaceId,
};
use skep_vault::{Held, Vault, VaultError};
use tempfile::TempDir;

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
pub(crate) const AGENT: [u8; 16] = [0xA1; 16];

pub(crate) struct House {
    home: TempDir,
    pub(crate) root: u64,
    pub(crate) machine: &'static [u8],
    /// Another one each time the vault is opened, so that no nonce comes twice.
    opened: std::cell::Cell<u64>,
}

impl House {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
        Self {
            home,
            root: 1,
            machine: b"here",
            opened: std::cell::Cell::new(100),
        }
    }

    pub(crate) fn try_open(&self) -> Result<Vault, VaultError> {
        self.opened.set(self.opened.get() + 1);
        let root = RootKey::generate(&SeededRandom::new(self.root));
        let lock = KeyEncryptionKey::derive_vault(&root, [7; 16], self.machine);
        let random = SeededRandom::new(self.opened.get());
        Vault::open(self.home.path(), lock, Arc::new(random))
    }

    pub(crate) fn open(&self) -> Vault {
        self.try_open().unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.home.path().join("vault")
    }

    /// Every file of the vault but its keys.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .flat_map(|path| {
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
            })
            .collect();
        files.sort();
        files
    }
}

/// Somebody of workspace `workspace`: the human there, or the agent [`AGENT`].
#[expect(
    clippy::disallowed_methods,
    reason = "a test makes the rows that a backend would"
)]
fn caller(workspace: u8, principal: Principal) -> Caller {
    let keys = InstanceSecret::generate(&SeededRandom::new(9)).keys();
    let facts = CredentialFacts {
        id: CredentialId::from_bytes([9; 16]),
        kind: CredentialKind::SocketOwner,
        proof: Proof::Found,
        organization: OrganizationId::from_bytes([1; 16]),
        workspace: WorkspaceId::from_bytes([workspace; 16]),
        principal,
        role: RoleSource::Membership(Some((OrganizationRole::Owner, Some(Role::Admin)))),
        policy: ReadPolicy::Isolated,
        standing: [Standing::Active, Standing::Active],
        narrowed_to: None,
        expires_at: None,
        revoked_at: None,
        stepped_up_at: None,
        used_at: None,
        confined: false,
        owes_factor: false,
        body: None,
    };
    let row = StoredCredential::from_row(CredentialKey::SocketOwner, facts);
    let presented = Presented::socket_peer(1, 1).unwrap();
    let bindings = Arc::new(Bindings::default());
    match authenticate(presented, Some(row), bindings, &keys, NOW).unwrap() {
        Checked::Caller(caller) => *caller,
        Checked::Slow(_) => unreachable!("a socket is no slow proof"),
    }
}

pub(crate) fn right<P: Right>(workspace: u8) -> Authorized<P> {
    let human = Principal::User(UserId::from_bytes([3; 16]));
    caller(workspace, human).authorize().unwrap()
}

pub(crate) fn right_of_agent<P: Right>(agent: [u8; 16]) -> Authorized<P> {
    let agent = Principal::Agent(AgentId::from_bytes(agent));
    caller(2, agent).authorize().unwrap()
}

pub(crate) fn name(text: &str) -> RecordName {
    RecordName::parse(text).unwrap()
}

pub(crate) fn plain(text: &str) -> Plain<Vec<u8>> {
    Plain::new(text.as_bytes().to_vec())
}

/// What a use gets: a value, or the reference behind an arrow.
pub(crate) fn held(held: Option<Held>) -> Option<String> {
    match held? {
        Held::Value(value) => text(Some(value)),
        Held::Elsewhere(reference) => Some(format!("→ {reference}")),
    }
}

pub(crate) fn text(value: Option<Plain<Vec<u8>>>) -> Option<String> {
    value.map(|value| String::from_utf8(value.expose().clone()).unwrap())
}
