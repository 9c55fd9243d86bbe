//! Credential rows that do not make sense.

use rusqlite::{Connection, params};
use skep_crypto::{InstallToken, InstanceSecret, SeededRandom};
use skep_domain::{CredentialId, CredentialKind, Id};
use skep_store::backend::{CredentialKey, Mode};

use super::{SqliteControlTx, credential};
use crate::Options;
use crate::database::Database;
use crate::migration::CONTROL;

const TENANT: ([u8; 16], [u8; 16]) = ([1; 16], [2; 16]);

fn connection() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    for migration in &CONTROL.migrations {
        connection.execute_batch(migration.sql()).unwrap();
    }
    connection
        .execute(
            "INSERT INTO organization (id, created_at) VALUES (?1, 0)",
            [TENANT.0],
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO workspace (organization, id, wrapped_key, name, created_at)
             VALUES (?1, ?2, x'00', x'00', 0)",
            [TENANT.0, TENANT.1],
        )
        .unwrap();
    connection
}

fn found(role: &str, principal_kind: u8, permissions: Option<i64>) -> bool {
    let connection = connection();
    connection
        .execute(
            "INSERT INTO credential (id, kind, proof, pepper, organization, workspace,
                 principal_kind, principal, role, permissions, created_at)
             VALUES (x'00000000000000000000000000000009', 0, x'', 0, ?1, ?2, ?3, ?4, ?5, ?6, 0)",
            params![
                TENANT.0,
                TENANT.1,
                principal_kind,
                [3_u8; 16],
                role,
                permissions
            ],
        )
        .unwrap();
    credential(&connection, &CredentialKey::SocketOwner)
        .unwrap()
        .is_some()
}

#[tokio::test]
async fn a12_a_transaction_of_counts_changes_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("control.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE member (n INTEGER) STRICT")
        .unwrap();
    let database = Database::new(path, Options::default());
    for (mode, is_allowed) in [(Mode::Swift, false), (Mode::Write, true)] {
        let mut tx = SqliteControlTx::new(database.lease(mode).await.unwrap());
        let count = tx.count(|connection| Ok(connection.execute("SELECT 1 WHERE 0", [])?));
        assert!(count.await.is_ok());
        let add =
            |connection: &Connection| Ok(connection.execute("INSERT INTO member VALUES (1)", [])?);
        assert_eq!(tx.run(add).await.is_ok(), is_allowed, "{mode:?}");
    }
}

#[test]
fn a10_unknown_roles_bits_and_principals_are_no_credential() {
    assert!(found("admin", 0, None));
    assert!(found("agent", 1, Some(1)));
    for role in ["", "Admin", "root", "admin "] {
        assert!(!found(role, 0, None), "{role:?}");
    }
    for kind in [2, 255] {
        assert!(!found("admin", kind, None), "{kind}");
    }
    for bits in [1 << 5, i64::MIN, -1] {
        assert!(!found("admin", 0, Some(bits)), "{bits:x}");
    }
}

/// Whether a browser of an owner proves anybody, with this role in the workspace.
fn counts_with(role: &str) -> bool {
    let connection = connection();
    for sql in [
        "INSERT INTO user_account (id, created_at) VALUES (?3, 0)",
        "INSERT INTO member (organization, user, role, created_at) VALUES (?1, ?3, 0, 0)",
        "INSERT INTO workspace_member (organization, workspace, user, role, created_at)
         VALUES (?1, ?2, ?3, ?4, 0)",
        "INSERT INTO credential (id, kind, proof, pepper, organization, workspace,
             principal_kind, principal, created_at)
         VALUES (?3, 6, zeroblob(32), 1, ?1, ?2, 0, ?3, 0)",
    ] {
        let mut statement = connection.prepare(sql).unwrap();
        let values: [&dyn rusqlite::ToSql; 4] = [&TENANT.0, &TENANT.1, &[3_u8; 16], &role];
        for at in 1..=4 {
            if statement.parameter_count() >= at {
                statement.raw_bind_parameter(at, values[at - 1]).unwrap();
            }
        }
        statement.raw_execute().unwrap();
    }
    let id = CredentialId::from_bytes([3; 16]);
    credential(
        &connection,
        &CredentialKey::Row(CredentialKind::Browser, id),
    )
    .unwrap()
    .is_some()
}

#[test]
fn a10_a_member_of_an_unknown_role_is_nobody_whatever_else_they_are() {
    assert!(counts_with("readonly"));
    for role in ["", "Admin", "root", "admin "] {
        assert!(!counts_with(role), "{role:?}");
    }
}

#[test]
fn a_key_finds_its_own_row_only() {
    let connection = connection();
    let pepper = InstanceSecret::generate(&SeededRandom::new(1))
        .keys()
        .pepper;
    let token = |seed| InstallToken::mint(&SeededRandom::new(seed)).stored_form(&pepper);
    connection
        .execute(
            "INSERT INTO credential (id, kind, proof, pepper, organization, workspace,
                 principal_kind, principal, role, created_at)
             VALUES (x'00000000000000000000000000000009', 1, ?1, 0, ?2, ?3, 0, ?4, 'admin', 0)",
            params![token(2), TENANT.0, TENANT.1, [3_u8; 16]],
        )
        .unwrap();
    let find = |key| credential(&connection, &key).unwrap();
    assert!(find(CredentialKey::InstallToken(token(2))).is_some());
    assert!(find(CredentialKey::InstallToken(token(3))).is_none());
    assert!(find(CredentialKey::SocketOwner).is_none());
}
