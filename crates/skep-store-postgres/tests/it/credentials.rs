//! Credential rows that do not make sense.

use std::sync::Arc;

use skep_conformance::Harness as _;
use skep_crypto::{InstallToken, InstanceSecret, SeededRandom};
use skep_domain::{CredentialId, CredentialKind, Id};
use skep_store::backend::{Backend, CredentialKey, StoredCredential};

use crate::place::Place;

/// An installation with one workspace, and rows that its administrator wrote.
struct Written {
    place: Place,
    backend: Arc<dyn Backend>,
}

const ORGANIZATION: &str = "01010101-0101-0101-0101-010101010101";
const WORKSPACE: &str = "02020202-0202-0202-0202-020202020202";
const PERSON: &str = "03030303-0303-0303-0303-030303030303";

impl Written {
    async fn new() -> Self {
        let place = Place::new().await;
        let backend = place.open().await;
        place.database.run(&format!(
            "INSERT INTO skep.organization (id, created_at) VALUES ('{ORGANIZATION}', 0);
             INSERT INTO skep.workspace (organization, id, wrapped_key, name, created_at)
             VALUES ('{ORGANIZATION}', '{WORKSPACE}', '\\x00', '\\x00', 0);
             INSERT INTO skep.user_account (id, created_at) VALUES ('{PERSON}', 0);
             INSERT INTO skep.member (organization, user_id, role, created_at)
             VALUES ('{ORGANIZATION}', '{PERSON}', 0, 0)"
        ));
        Self { place, backend }
    }

    /// Puts a credential in the place of those there are: kind, proof, and what else is said of it.
    fn put(&self, kind: CredentialKind, proof: &[u8], columns: &str, values: &str) {
        let (kind, proof) = (kind.code(), hex(proof));
        self.place.database.run(&format!(
            "DELETE FROM skep.credential;
             INSERT INTO skep.credential (id, kind, proof, pepper, organization, workspace, principal,
                 created_at, {columns})
             VALUES ('{PERSON}', {kind}, '\\x{proof}', 1, '{ORGANIZATION}', '{WORKSPACE}', '{PERSON}',
                 0, {values})"
        ));
    }

    async fn find(&self, key: CredentialKey) -> Option<StoredCredential> {
        self.backend.credential(&key).await.unwrap()
    }

    async fn owner(&self, columns: &str, values: &str) -> Option<StoredCredential> {
        self.put(CredentialKind::SocketOwner, &[], columns, values);
        self.find(CredentialKey::SocketOwner).await
    }
}

#[tokio::test]
async fn a10_unknown_roles_bits_and_principals_are_no_credential() {
    let written = Written::new().await;
    let found = async |role: &str, kind: u8, permissions: Option<i64>| {
        let bits = permissions.map_or("NULL".into(), |bits| bits.to_string());
        let values = format!("'{role}', {kind}, {bits}");
        written
            .owner("role, principal_kind, permissions", &values)
            .await
            .is_some()
    };
    assert!(found("admin", 0, None).await);
    assert!(found("agent", 1, Some(1)).await);
    for role in ["", "Admin", "root", "admin "] {
        assert!(!found(role, 0, None).await, "{role:?}");
    }
    for kind in [2, 255] {
        assert!(!found("admin", kind, None).await, "{kind}");
    }
    for bits in [1 << 5, i64::MIN, -1] {
        assert!(!found("admin", 0, Some(bits)).await, "{bits:x}");
    }
}

#[tokio::test]
async fn a10_a_member_of_an_unknown_role_is_nobody_whatever_else_they_are() {
    let written = Written::new().await;
    let counts_with = async |role: &str| {
        written.place.database.run(&format!(
            "DELETE FROM skep.workspace_member;
             INSERT INTO skep.workspace_member (organization, workspace, user_id, role, created_at)
             VALUES ('{ORGANIZATION}', '{WORKSPACE}', '{PERSON}', '{role}', 0)"
        ));
        written.put(CredentialKind::Browser, &[0; 32], "principal_kind", "0");
        let id = CredentialId::from_bytes([3; 16]);
        let found = written.find(CredentialKey::Row(CredentialKind::Browser, id));
        found.await.is_some()
    };
    assert!(counts_with("readonly").await);
    for role in ["", "Admin", "root", "admin "] {
        assert!(!counts_with(role).await, "{role:?}");
    }
}

#[tokio::test]
async fn a_key_finds_its_own_row_only() {
    let written = Written::new().await;
    let pepper = InstanceSecret::generate(&SeededRandom::new(1))
        .keys()
        .pepper;
    let token = |seed| InstallToken::mint(&SeededRandom::new(seed)).stored_form(&pepper);
    let columns = "role, principal_kind";
    written.put(
        CredentialKind::InstallToken,
        &token(2),
        columns,
        "'admin', 0",
    );
    assert!(
        written
            .find(CredentialKey::InstallToken(token(2)))
            .await
            .is_some()
    );
    assert!(
        written
            .find(CredentialKey::InstallToken(token(3)))
            .await
            .is_none()
    );
    assert!(written.find(CredentialKey::SocketOwner).await.is_none());
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
