//! Credentials: forms, and everything that must not be taken for one of ours.

use proptest::prelude::*;

use super::{Bearer, BearerKind, InstallToken, MAX_CREDENTIAL_BYTES};
use crate::{CryptoError, MacKey, Random, SeededRandom};

const ROW: [u8; 16] = [7; 16];

fn check() -> MacKey {
    MacKey::from_bytes(&[1; 32])
}

fn pepper() -> MacKey {
    MacKey::from_bytes(&[2; 32])
}

fn mint(kind: BearerKind, seed: u64) -> (Bearer, String) {
    let (bearer, text) = Bearer::mint(kind, ROW, &check(), &SeededRandom::new(seed));
    (bearer, text.expose().clone())
}

fn refused<T>(outcome: &Result<T, CryptoError>) -> bool {
    matches!(outcome, Err(CryptoError::BadCredential))
}

#[test]
fn an_install_token_matches_itself_alone() {
    let random = SeededRandom::new(1);
    let (token, other) = (InstallToken::mint(&random), InstallToken::mint(&random));
    let text = token.text();
    assert_eq!((text.expose().len(), &text.expose()[..8]), (51, "skep_it_"));
    let read = InstallToken::parse(text.expose().as_bytes()).unwrap();
    assert!(read.matches(&token));
    assert!(!read.matches(&other));
    for at in 0..32 {
        let mut near = InstallToken::parse(text.expose().as_bytes()).unwrap();
        near.0[at] ^= 1;
        assert!(!near.matches(&token), "byte {at}");
    }
}

#[test]
fn a_minted_credential_reads_back() {
    for (seed, kind) in (0_u64..).zip(BearerKind::ALL) {
        let (bearer, text) = mint(kind, seed);
        let check_len = if kind == BearerKind::Refresh { 0 } else { 12 };
        assert_eq!(text.len(), kind.prefix().len() + 22 + 1 + 43 + check_len);
        assert!(text.len() <= MAX_CREDENTIAL_BYTES);
        let read = Bearer::parse(text.as_bytes(), &check()).unwrap();
        assert_eq!(
            (read.kind(), read.id(), read.secret()),
            (kind, ROW, bearer.secret())
        );
        assert!(read.matches(&pepper(), &bearer.stored_form(&pepper())));
    }
}

#[test]
fn a_stored_form_is_of_one_kind_id_secret_and_pepper() {
    let random = SeededRandom::new(3);
    let (bearer, _) = Bearer::mint(BearerKind::ApiKey, ROW, &check(), &random);
    let stored = bearer.stored_form(&pepper());
    assert!(!bearer.matches(&check(), &stored), "pepper");
    let same = |kind, id| Bearer {
        kind,
        id,
        secret: bearer.secret.clone(),
    };
    assert!(same(BearerKind::ApiKey, ROW).matches(&pepper(), &stored));
    assert!(
        !same(BearerKind::RunnerKey, ROW).matches(&pepper(), &stored),
        "kind"
    );
    assert!(
        !same(BearerKind::ApiKey, [8; 16]).matches(&pepper(), &stored),
        "id"
    );
    let (other, _) = Bearer::mint(BearerKind::ApiKey, ROW, &check(), &random);
    assert!(!other.matches(&pepper(), &stored), "secret");
}

#[test]
fn no_changed_character_passes_the_check() {
    let (_, text) = mint(BearerKind::PersonalAccess, 4);
    for at in 0..text.len() {
        for byte in (0..=255).filter(|byte| *byte != text.as_bytes()[at]) {
            let mut changed = text.clone().into_bytes();
            changed[at] = byte;
            assert!(
                refused(&Bearer::parse(&changed, &check())),
                "character {at} as {byte}"
            );
        }
    }
    assert!(
        refused(&Bearer::parse(text.as_bytes(), &pepper())),
        "another check key"
    );
}

#[test]
fn a_refresh_token_has_one_spelling() {
    let (bearer, text) = mint(BearerKind::Refresh, 5);
    for at in 0..text.len() {
        for byte in (0..=255).filter(|byte| *byte != text.as_bytes()[at]) {
            let mut changed = text.clone().into_bytes();
            changed[at] = byte;
            if let Ok(read) = Bearer::parse(&changed, &check()) {
                assert_ne!(
                    (read.id(), read.secret()),
                    (ROW, bearer.secret()),
                    "character {at}"
                );
            }
        }
    }
}

#[test]
fn malformed_credentials_are_refused_alike() {
    let (_, good) = mint(BearerKind::ApiKey, 6);
    let install = InstallToken::mint(&SeededRandom::new(6))
        .text()
        .expose()
        .clone();
    let table = [
        String::new(),
        "skep_".to_owned(),
        "skep_sk_".to_owned(),
        "skep_xx_".to_owned() + &good[8..],
        good.to_uppercase(),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}="),
        good[..good.len() - 12].to_owned(),
        good.replace("skep_sk_", "skep_rk_"),
        "skep_it_AAAA".to_owned(),
        install.clone(),
        "skep_sk_".to_owned() + &"A".repeat(MAX_CREDENTIAL_BYTES),
    ];
    for text in table {
        assert!(refused(&Bearer::parse(text.as_bytes(), &check())), "{text}");
        assert_eq!(
            refused(&InstallToken::parse(text.as_bytes())),
            text != install,
            "{text}"
        );
    }
}

#[test]
fn every_mint_is_new() {
    let random = SeededRandom::new(1);
    let random: &dyn Random = &random;
    let mut texts: Vec<String> = (0..1_000)
        .map(|_| {
            Bearer::mint(BearerKind::ApiKey, ROW, &check(), random)
                .1
                .expose()
                .clone()
        })
        .collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 1_000);
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(
        prefix in prop::sample::select(vec!["", "skep_rt_", "skep_pat_", "skep_it_"]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let text = [prefix.as_bytes(), &rest].concat();
        prop_assert!(refused(&Bearer::parse(&text, &check())));
        prop_assert!(refused(&InstallToken::parse(&text)));
    }
}
