//! What may happen to the files of a vault: copied away, swapped, cut, put where they do not belong.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use skep_authz::rights::{SecretList, SecretUse, SecretWrite};
use skep_vault::{Scope, Secret, Vault, VaultError, Wanted};

use crate::house::{House, NOW, held, name, plain, right};

fn put(vault: &Vault, workspace: u8, called: &str, value: &str) {
    let right = right::<SecretWrite>(workspace);
    let value = plain(value);
    vault
        .put::<Secret>(&right, Scope::Workspace, &name(called), value, NOW)
        .unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the test of what is released")]
fn release(vault: &Vault, workspace: u8, called: &str) -> Result<Option<String>, VaultError> {
    let right = right::<SecretUse>(workspace);
    Wanted::new(&right, Scope::Workspace, &name(called))
        .and_then(|wanted| vault.release(&wanted))
        .map(held)
}

fn copy_into(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_into(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn x06_a_copy_opens_nowhere_else() {
    let house = House::new();
    put(&house.open(), 2, "TOKEN", "a-long-value");
    for (root, machine, opens) in [
        (1, &b"here"[..], true),
        (1, b"elsewhere", false),
        (1, b"", false),
        // Whoever has the tree and knows the machine still lacks the root key.
        (2, b"here", false),
    ] {
        let mut copy = House::new();
        copy_into(&house.path(), &copy.path());
        (copy.root, copy.machine) = (root, machine);
        match copy.try_open() {
            Ok(vault) => {
                assert!(opens);
                assert_eq!(
                    release(&vault, 2, "TOKEN").unwrap().unwrap(),
                    "a-long-value"
                );
            }
            Err(error) => {
                assert!(!opens, "{error}");
                assert!(matches!(error, VaultError::WrongKey), "{error}");
                assert!(error.to_string().contains("bring back the root key"));
            }
        }
    }
}

#[test]
fn x08_a_file_opens_nowhere_but_in_its_place() {
    let house = House::new();
    let vault = house.open();
    put(&vault, 2, "A", "value-of-two-a");
    put(&vault, 2, "B", "value-of-two-b");
    put(&vault, 5, "A", "value-of-five-a");
    let files = house.files();
    let good: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (at, file) in files.iter().enumerate() {
        for (from, other) in good.iter().enumerate() {
            if from == at {
                continue;
            }
            fs::write(file, other).unwrap();
            let mut damaged = 0;
            for (workspace, called) in [(2, "A"), (2, "B"), (5, "A")] {
                match release(&vault, workspace, called) {
                    Err(VaultError::Damaged { .. }) => damaged += 1,
                    found => {
                        let value = found.unwrap().unwrap();
                        let whose = ["two", "five"][usize::from(workspace == 5)];
                        assert!(value.contains(whose) && value.ends_with(&called.to_lowercase()));
                    }
                }
            }
            assert_eq!(damaged, 1);
        }
        fs::write(file, &good[at]).unwrap();
    }
}

#[test]
fn x08_a_changed_byte_or_a_cut_is_damage_and_never_a_value() {
    let house = House::new();
    let vault = house.open();
    put(&vault, 2, "A", "a-long-value");
    put(&vault, 2, "B", "another-value");
    let listed = || {
        vault
            .list::<Secret>(&right::<SecretList>(2), Scope::Workspace)
            .unwrap()
    };
    for file in house.files() {
        let good = fs::read(&file).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&file, &bad).unwrap();
            assert_eq!(listed().damaged.len(), 1, "byte {at}");
            assert_eq!(listed().records.len(), 1, "the other one is there");
        }
        for length in 0..good.len() {
            fs::write(&file, &good[..length]).unwrap();
            assert_eq!(listed().damaged.len(), 1, "cut at {length}");
        }
        fs::write(&file, vec![0; 1 << 20]).unwrap();
        assert_eq!(listed().damaged.len(), 1);
        fs::write(&file, &good).unwrap();
    }
    // What is damaged can be set anew.
    fs::write(&house.files()[0], "").unwrap();
    put(&vault, 2, "A", "a-third-value");
    put(&vault, 2, "B", "a-third-value");
    assert_eq!(release(&vault, 2, "A").unwrap().unwrap(), "a-third-value");
}

#[test]
fn x08_keys_that_were_changed_open_nothing_and_are_never_made_anew() {
    let house = House::new();
    put(&house.open(), 2, "A", "a-long-value");
    let path = house.path().join("keys");
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert!(house.try_open().is_err(), "byte {at}");
    }
    let lines: Vec<&[u8]> = good.split_inclusive(|byte| *byte == b'\n').collect();
    for lines in [
        vec![lines[0]],
        vec![lines[0], lines[1]],
        vec![lines[0], lines[2]],
        vec![lines[0], lines[1], lines[2], lines[2]],
        vec![],
    ] {
        fs::write(&path, lines.concat()).unwrap();
        assert!(house.try_open().is_err());
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(house.try_open(), Err(VaultError::Damaged { .. })));
    assert!(
        !path.exists(),
        "keys that are lost are told of, not replaced"
    );
    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(
        release(&house.open(), 2, "A").unwrap().unwrap(),
        "a-long-value"
    );
}

#[test]
fn x05_modes_hold_whatever_the_umask_and_what_is_planted_is_refused() {
    let house = House::new();
    let before = rustix_umask(0);
    let vault = house.open();
    put(&vault, 2, "A", "a-long-value");
    rustix_umask(before);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&house.path()), 0o700);
    let file = &house.files()[0];
    assert_eq!(mode(file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    assert_eq!(mode(&house.path().join("keys")), 0o600);

    let away = file.with_extension("away");
    fs::rename(file, &away).unwrap();
    symlink(&away, file).unwrap();
    let refused = release(&vault, 2, "A").unwrap_err();
    assert!(matches!(refused, VaultError::File(_)), "{refused}");
    assert!(!refused.to_string().contains("a-long-value"));
    fs::remove_file(file).unwrap();
    fs::hard_link(&away, file).unwrap();
    assert!(release(&vault, 2, "A").is_err());
    fs::remove_file(&away).unwrap();
    assert_eq!(release(&vault, 2, "A").unwrap().unwrap(), "a-long-value");
    fs::set_permissions(file.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    assert!(release(&vault, 2, "A").is_err());
    drop(vault);
    fs::set_permissions(file.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(house.path(), Permissions::from_mode(0o750)).unwrap();
    assert!(house.try_open().is_err());
}

fn rustix_umask(mask: u32) -> u32 {
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
    before.as_raw_mode()
}
