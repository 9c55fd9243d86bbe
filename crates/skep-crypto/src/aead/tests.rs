//! Sealing: published and frozen bytes, and every way a ciphertext must not open.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{DataKey, Identity, SEALED_OVERHEAD};
use crate::frame::tests::short_words;
use crate::hex::hex;
use crate::{CryptoError, Sealed, SeededRandom};

const HERE: Identity<'static> = Identity {
    table: "memory",
    column: "text",
    workspace: [1; 16],
    row: [2; 16],
};

const TEXT: &[u8] = b"hives are built of straw";

fn key() -> DataKey {
    DataKey::generate(&SeededRandom::new(7))
}

fn sealed() -> Sealed {
    key().seal(&SeededRandom::new(8), &HERE, TEXT)
}

/// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
#[test]
fn xchacha20_poly1305_opens_the_published_vector() {
    let bytes: Vec<u8> = (0x80..=0x9f).collect();
    let cipher = chacha20poly1305::KeyInit::new_from_slice(&bytes).unwrap();
    let nonce: Vec<u8> = (0x40..=0x57).collect();
    let body = hex(concat!(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb",
        "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452",
        "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9",
        "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780a",
        "cf49"
    ));
    let mut out = Vec::new();
    let aad = hex("50515253c0c1c2c3c4c5c6c7");
    super::open(&cipher, &[], &aad, &[nonce, body].concat(), &mut out).unwrap();
    let expected = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip \
                    for the future, sunscreen would be it.";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

/// Stored rows outlive this code: these bytes must open for ever.
#[test]
fn x08_a_frozen_ciphertext_still_opens() {
    let frozen = hex(FROZEN);
    assert_eq!(
        sealed().as_bytes(),
        frozen,
        "the format changed: add a version, keep this one"
    );
    assert_eq!(key().open(&HERE, &frozen).unwrap().expose(), TEXT);
}

const FROZEN: &str = concat!(
    "015f2a70e9f2d2385affadc127c75a2d275b338c3f4660feb7236827f6f3e75c",
    "189dab16ede0158b0de18bbf263183bba3b95d079c0b4996d8d2e18685e97c8f",
    "69"
);

#[test]
fn x08_swapped_rows_do_not_open() {
    let other = DataKey::generate(&SeededRandom::new(9));
    let places = [
        (
            "table",
            Identity {
                table: "turn",
                ..HERE
            },
        ),
        (
            "column",
            Identity {
                column: "summary",
                ..HERE
            },
        ),
        (
            "names cut elsewhere",
            Identity {
                table: "memor",
                column: "ytext",
                ..HERE
            },
        ),
        (
            "workspace",
            Identity {
                workspace: [3; 16],
                ..HERE
            },
        ),
        (
            "row",
            Identity {
                row: [3; 16],
                ..HERE
            },
        ),
        (
            "ids exchanged",
            Identity {
                workspace: HERE.row,
                row: HERE.workspace,
                ..HERE
            },
        ),
    ];
    for (name, place) in places {
        let opened = key().open(&place, &sealed());
        assert!(matches!(opened, Err(CryptoError::Damaged)), "{name}");
    }
    assert!(
        matches!(other.open(&HERE, &sealed()), Err(CryptoError::Damaged)),
        "key"
    );
    assert!(key().open(&HERE, &sealed()).is_ok());
}

#[test]
fn x08_no_changed_byte_opens() {
    let sealed = sealed();
    for at in 0..sealed.as_bytes().len() {
        for change in 1..=255 {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= change;
            let opened = key().open(&HERE, &bytes);
            assert!(
                matches!(opened, Err(CryptoError::Damaged)),
                "byte {at} ^ {change}"
            );
        }
    }
}

#[test]
fn x08_no_cut_or_grown_ciphertext_opens() {
    let sealed = sealed();
    for len in 0..sealed.as_bytes().len() {
        assert!(
            key().open(&HERE, &sealed.as_bytes()[..len]).is_err(),
            "cut to {len}"
        );
        assert!(
            key().open(&HERE, &sealed.as_bytes()[len + 1..]).is_err(),
            "begun after {len}"
        );
    }
    let grown = [sealed.as_bytes(), &[0]].concat();
    assert!(key().open(&HERE, &grown).is_err());
}

#[test]
fn t13_no_two_identities_share_their_associated_data() {
    let words: Vec<String> = short_words()
        .into_iter()
        .map(|word| String::from_utf8(word).unwrap())
        .collect();
    let mut seen = HashSet::new();
    for table in &words {
        for column in &words {
            for (workspace, row) in [([1; 16], [2; 16]), ([2; 16], [1; 16])] {
                let id = Identity {
                    table,
                    column,
                    workspace,
                    row,
                };
                assert!(seen.insert(id.encode()), "{id:?}");
            }
        }
    }
}

#[test]
fn the_same_text_is_sealed_differently_each_time() {
    let random = SeededRandom::new(8);
    let sealed: HashSet<Vec<u8>> = (0..100)
        .map(|_| key().seal(&random, &HERE, TEXT).into_bytes())
        .collect();
    assert_eq!(sealed.len(), 100);
}

#[test]
fn a_reused_buffer_holds_the_last_text_or_nothing() {
    let (key, random) = (key(), SeededRandom::new(8));
    let short = key.seal(&random, &HERE, b"short");
    let mut buffer = Vec::new();
    key.open_into(&HERE, &sealed(), &mut buffer).unwrap();
    assert_eq!(buffer, TEXT);
    key.open_into(&HERE, &short, &mut buffer).unwrap();
    assert_eq!(buffer, b"short");
    let elsewhere = Identity {
        row: [9; 16],
        ..HERE
    };
    assert!(key.open_into(&elsewhere, &short, &mut buffer).is_err());
    assert!(buffer.is_empty());
}

#[test]
fn a_sealed_value_shows_its_length_alone() {
    let sealed = sealed();
    assert_eq!(
        format!("{sealed:?}"),
        format!("Sealed({} bytes)", TEXT.len() + SEALED_OVERHEAD)
    );
}

proptest! {
    #[test]
    fn any_text_opens_where_it_was_sealed(
        text in prop::collection::vec(any::<u8>(), 0..2_000),
        table in ".{0,8}",
        column in ".{0,8}",
        workspace: [u8; 16],
        row: [u8; 16],
    ) {
        let id = Identity { table: &table, column: &column, workspace, row };
        let sealed = key().seal(&SeededRandom::new(8), &id, &text);
        prop_assert_eq!(sealed.as_bytes().len(), text.len() + SEALED_OVERHEAD);
        let opened = key().open(&id, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &text);
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(key().open(&HERE, &bytes).is_err());
    }
}
