//! Argon2id: published bytes, our cost, and stored hashes that must be refused.

use argon2::Params;

use super::{PasswordHash, hash_password, stretch};
use crate::hex::hex;
use crate::{CryptoError, SeededRandom};

/// The reference implementation's own test (phc-winner-argon2, `src/test.c`).
#[test]
fn argon2id_gives_the_published_hash() {
    let params = Params::new(256, 2, 1, Some(32)).unwrap();
    let expected = "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe";
    assert_eq!(
        stretch(&params, b"password", b"somesalt").unwrap().to_vec(),
        hex(expected)
    );
}

#[test]
fn a_hash_is_of_one_password_and_one_salt() {
    let random = SeededRandom::new(1);
    let hash = hash_password(b"correct horse", &random).unwrap();
    assert!(
        hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{}",
        hash.as_str()
    );
    let read = PasswordHash::parse(hash.as_str()).unwrap();
    assert!(read.verify(b"correct horse"));
    assert!(!read.verify(b"correct hearse"));
    assert!(!read.verify(b""));
    assert_ne!(hash, hash_password(b"correct horse", &random).unwrap());
    assert_eq!(format!("{hash:?}"), "PasswordHash");
}

#[test]
fn a_stored_hash_cannot_ask_for_another_algorithm_or_cost() {
    let hash = hash_password(b"x", &SeededRandom::new(1)).unwrap();
    let text = hash.as_str();
    let (_, tail) = text.split_once("p=1$").unwrap();
    let salt = tail.split_once('$').unwrap().0;
    let refused = [
        String::new(),
        "plain".to_owned(),
        text.replace("argon2id", "argon2i"),
        text.replace("v=19", "v=16"),
        text.replace("m=19456", "m=65537"),
        text.replace("m=19456", "m=4294967295"),
        text.replace("t=2", "t=9"),
        text.replace("p=1", "p=5"),
        format!("$argon2id$v=19$m=19456,t=2,p=1${salt}"),
        format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${}", "A".repeat(22)),
        text[..text.len() - 4].to_owned(),
    ];
    for stored in refused {
        let read = PasswordHash::parse(&stored);
        assert!(
            matches!(read, Err(CryptoError::Malformed { .. })),
            "{stored}"
        );
    }
    assert!(PasswordHash::parse(text).is_ok());
}
