//! The proxy's authority: made once, kept sealed, and made anew before it ends.

use std::fs;
use std::sync::Arc;

use skep_app::{Vault, wire_authority};
use skep_crypto::{KeyEncryptionKey, RootKey, SeededRandom, SystemRandom};
use skep_domain::Timestamp;
use skep_test_support::Scratch;

const DAY: i64 = 24 * 3_600 * 1_000_000;
const NOW: i64 = 1_790_000_000_000_000;

fn open(home: &std::path::Path) -> Vault {
    let root = RootKey::generate(&SeededRandom::new(1));
    let lock = KeyEncryptionKey::derive_vault(&root, [1; 16], b"here");
    Vault::open(home, lock, Arc::new(SystemRandom)).unwrap()
}

fn certificate(vault: &Vault, days: i64) -> String {
    let now = Timestamp::from_micros(NOW + days * DAY);
    wire_authority(vault, now).unwrap().certificate().to_owned()
}

#[test]
fn x06_the_proxys_authority_outlives_the_daemon_and_is_renewed_before_it_ends() {
    let home = Scratch::new();
    let vault = open(home.path());
    let first = certificate(&vault, 0);
    assert_eq!(certificate(&vault, 1), first);
    drop(vault);
    // The next start finds the same, until its last year.
    let vault = open(home.path());
    assert_eq!(certificate(&vault, 9 * 365 - 1), first);
    let second = certificate(&vault, 9 * 365 + 1);
    assert_ne!(second, first);
    assert_eq!(certificate(&vault, 9 * 365 + 2), second);
    // One that does not hold yet, by a clock that was set back, is none.
    assert_ne!(certificate(&vault, 365), second);
    // What is damaged is made anew: no program that runs now trusts it.
    let kept = certificate(&vault, 366);
    let mut files = Vec::new();
    for place in fs::read_dir(home.path().join("vault")).unwrap().flatten() {
        if place.file_type().unwrap().is_dir() {
            let inside = fs::read_dir(place.path()).unwrap().flatten();
            files.extend(inside.map(|file| file.path()));
        }
    }
    let [file] = &files[..] else {
        panic!("one record: {files:?}")
    };
    let mut bytes = fs::read(file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(file, bytes).unwrap();
    let anew = certificate(&vault, 367);
    assert_ne!(anew, kept);
    assert_eq!(certificate(&vault, 368), anew);
}
