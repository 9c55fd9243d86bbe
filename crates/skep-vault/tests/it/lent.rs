//! Records of an organization that keeps a key of its own, and lends it.

use std::fs;

use skep_authz::rights::{SecretList, SecretUse, SecretWrite};
use skep_crypto::{SeededRandom, VaultKey};
use skep_domain::{Id, OrganizationId};
use skep_vault::{Scope, Secret, Vault, VaultError, Wanted};

use crate::house::{House, NOW, held, name, plain, right};

/// The organization of everybody in the house.
fn ours() -> OrganizationId {
    OrganizationId::from_bytes([1; 16])
}

fn own(seed: u64) -> VaultKey {
    VaultKey::generate(&SeededRandom::new(seed))
}

fn put(vault: &Vault, called: &str) -> Result<(), VaultError> {
    let right = right::<SecretWrite>(2);
    let value = plain("a-long-value");
    let done = vault.put::<Secret>(&right, Scope::Workspace, &name(called), value, NOW);
    done.map(|_| ())
}

#[expect(clippy::disallowed_methods, reason = "the test of what is released")]
fn release(vault: &Vault, called: &str) -> Result<Option<String>, VaultError> {
    let right = right::<SecretUse>(2);
    Wanted::new(&right, Scope::Workspace, &name(called))
        .and_then(|wanted| vault.release(&wanted))
        .map(held)
}

fn is_closed<T>(outcome: &Result<T, VaultError>) -> bool {
    matches!(outcome, Err(VaultError::Closed))
}

/// How many files need the organization's key.
fn enclosed(house: &House) -> usize {
    let files = house.files();
    let owned = |path: &&std::path::PathBuf| fs::read(path).unwrap().starts_with(b"skepvlt2");
    files.iter().filter(owned).count()
}

#[test]
fn x09_records_of_an_organization_open_with_the_key_that_it_lends_and_not_without() {
    let house = House::new();
    let vault = house.open();
    for called in ["A", "B", "C"] {
        put(&vault, called).unwrap();
    }
    assert_eq!(enclosed(&house), 0);
    vault.lend(ours(), own(5));
    // A kill may come after any record.
    assert_eq!(vault.go_on_enclosing(2).unwrap().sealed, 2);
    assert_eq!(enclosed(&house), 2);
    drop(vault);
    let vault = house.open();
    vault.lend(ours(), own(5));
    let found: Vec<_> = ["A", "B", "C"]
        .map(|called| release(&vault, called).unwrap())
        .into();
    assert!(
        found
            .iter()
            .all(|value| value.as_deref() == Some("a-long-value"))
    );
    let rest = vault.go_on_enclosing(64).unwrap();
    assert_eq!(
        (rest.sealed, rest.under_way, enclosed(&house)),
        (1, false, 3)
    );
    assert_eq!(vault.go_on_enclosing(64).unwrap().sealed, 0);
    put(&vault, "D").unwrap();
    assert_eq!(enclosed(&house), 4, "what is set later is under it at once");

    vault.take_back(ours());
    assert!(is_closed(&release(&vault, "A")));
    assert!(is_closed(&put(&vault, "A")) && is_closed(&put(&vault, "E")));
    assert!(is_closed(
        &vault.list::<Secret>(&right::<SecretList>(2), Scope::Workspace)
    ));
    // The host's key changes without it, and the older one stays until it is lent again.
    vault.rotate().unwrap();
    let done = vault.go_on_rotating(64).unwrap();
    assert_eq!((done.closed, done.under_way), (4, true));
    vault.lend(ours(), own(5));
    let done = vault.go_on_rotating(64).unwrap();
    assert_eq!((done.sealed, done.under_way), (4, false));
    assert_eq!(enclosed(&house), 4);
    assert!(release(&vault, "D").unwrap().is_some());
    drop(vault);

    // The host's keys and all files alone, and with another one's key.
    let vault = house.open();
    assert!(is_closed(&release(&vault, "A")));
    vault.lend(ours(), own(6));
    assert!(matches!(
        release(&vault, "A"),
        Err(VaultError::Damaged { .. })
    ));
    // Nor does it help to say that a file needs none.
    for path in house.files() {
        let mut bytes = fs::read(&path).unwrap();
        bytes[7] = b'1';
        fs::write(&path, bytes).unwrap();
    }
    let vault = house.open();
    assert!(matches!(
        release(&vault, "A"),
        Err(VaultError::Damaged { .. })
    ));
}
