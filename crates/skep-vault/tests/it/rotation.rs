//! New keys while everything is used, and a stop at every step.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use skep_authz::rights::{SecretUse, SecretWrite};
use skep_vault::{Scope, Secret, Vault, Wanted};

use crate::house::{House, NOW, held, name, plain, right};

const RECORDS: u64 = 12;

fn filled() -> House {
    let house = House::new();
    let vault = house.open();
    for number in 0..RECORDS {
        put(&vault, number, &format!("value-of-{number}"));
    }
    house
}

fn put(vault: &Vault, number: u64, value: &str) {
    let right = right::<SecretWrite>(2 + u8::try_from(number % 3).unwrap());
    let called = name(&format!("N{number}"));
    vault
        .put::<Secret>(&right, Scope::Workspace, &called, plain(value), NOW)
        .unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the test of what is released")]
fn value(vault: &Vault, number: u64) -> Option<String> {
    let right = right::<SecretUse>(2 + u8::try_from(number % 3).unwrap());
    let called = name(&format!("N{number}"));
    held(
        Wanted::new(&right, Scope::Workspace, &called)
            .and_then(|wanted| vault.release(&wanted))
            .unwrap(),
    )
}

fn all_readable(vault: &Vault) {
    for number in 0..RECORDS {
        assert_eq!(value(vault, number).unwrap(), format!("value-of-{number}"));
    }
}

fn keys(house: &House) -> Vec<String> {
    let text = fs::read_to_string(house.path().join("keys")).unwrap();
    let lines = text.lines().skip(1);
    lines
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn x09_a_rotation_that_stops_at_any_step_goes_on() {
    for steps in 0..=RECORDS + 1 {
        let house = filled();
        let vault = house.open();
        assert_eq!(keys(&house), ["0", "1"]);
        assert!(vault.rotate().unwrap().under_way);
        for _ in 0..steps {
            vault.go_on_rotating(1).unwrap();
            all_readable(&vault);
        }
        // Whatever is in memory is gone; only files are left.
        drop(vault);
        let vault = house.open();
        all_readable(&vault);
        // A second rotation before the first one is done adds no third key.
        assert_eq!(
            vault.rotate().unwrap().number,
            if steps >= RECORDS { 3 } else { 2 }
        );
        while vault.go_on_rotating(5).unwrap().under_way {
            all_readable(&vault);
        }
        let last = if steps >= RECORDS { "3" } else { "2" };
        assert_eq!(keys(&house), ["0", last], "after {steps} steps");
        all_readable(&vault);
        all_readable(&house.open());
    }
}

#[test]
fn x09_what_was_sealed_with_a_key_that_is_retired_opens_no_more() {
    let house = filled();
    let vault = house.open();
    let file = house.files()[0].clone();
    let old = fs::read(&file).unwrap();
    vault.rotate().unwrap();
    while vault.go_on_rotating(100).unwrap().under_way {}
    assert_ne!(fs::read(&file).unwrap(), old);
    fs::write(&file, &old).unwrap();
    let broken = (0..RECORDS).filter(|number| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| value(&vault, *number))).is_err()
    });
    assert_eq!(broken.count(), 1, "an error, and never an empty value");
}

#[test]
fn x09_no_read_fails_and_no_write_is_lost_while_keys_change() {
    let house = filled();
    let vault = house.open();
    let (stop, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let written = std::thread::scope(|scope| {
        for reader in 0..2 {
            let (vault, stop, reads) = (&vault, &stop, &reads);
            scope.spawn(move || {
                let mut number = reader;
                while !stop.load(Ordering::Relaxed) {
                    number = (number + 1) % (RECORDS - 1);
                    assert_eq!(value(vault, number).unwrap(), format!("value-of-{number}"));
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let writer = scope.spawn(|| {
            let mut written = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                written += 1;
                put(&vault, RECORDS - 1, &format!("written-{written}"));
            }
            written
        });
        for _ in 0..5 {
            vault.rotate().unwrap();
            while vault.go_on_rotating(4).unwrap().under_way {}
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    assert!(reads.load(Ordering::Relaxed) > 0 && written > 0);
    assert_eq!(
        value(&house.open(), RECORDS - 1).unwrap(),
        format!("written-{written}")
    );
    assert_eq!(keys(&house), ["0", "6"]);
}

#[test]
fn x09_a_damaged_record_keeps_its_key_until_it_is_set_anew_or_removed() {
    let house = filled();
    let vault = house.open();
    let file = house.files()[0].clone();
    let good = fs::read(&file).unwrap();
    fs::write(&file, &good[..good.len() - 1]).unwrap();
    vault.rotate().unwrap();
    let told = vault.go_on_rotating(100).unwrap();
    assert!(
        told.under_way && told.damaged == 1 && told.sealed == RECORDS - 1,
        "{told:?}"
    );
    assert_eq!(keys(&house), ["0", "1", "2"]);
    fs::write(&file, &good).unwrap();
    assert!(!vault.go_on_rotating(100).unwrap().under_way);
    all_readable(&vault);
    assert_eq!(keys(&house), ["0", "2"]);
}
