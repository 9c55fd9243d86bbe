//! A06: no kind of token passes for another.

use std::fmt::Write as _;

use serde_json::{Value, json};
use skep_crypto::{BearerKind, MacKey, SeededRandom};
use skep_domain::Timestamp;
use skep_jose::{
    Confirmation, ForeignKeys, IdTokenExpect, LocalReplay, NonceRule, Nonces, ProofRequest, Prover,
};

use crate::forge::{EXPECT, House, NOW, at, claims, jwk, signed, with};

const URL: &str = "https://skep.example/api/v1/recall";
const NONCE: &str = "n-0S6_WzA2Mj";

/// Every claim of every kind at once, under one key: only the type tells them apart.
fn everything(house: &House, kind: Option<&str>) -> String {
    let header = with(house.header(), "typ", json!(kind));
    let header = match kind {
        Some("dpop+jwt") => with(header, "jwk", jwk(&house.key)),
        _ => header,
    };
    let mut body = claims();
    for (name, value) in [
        ("htm", json!("GET")),
        ("htu", json!(URL)),
        ("nonce", json!(NONCE)),
    ] {
        body[name] = value;
    }
    if kind == Some("dpop+jwt") {
        body = with(body, "nonce", Value::Null);
    }
    signed(&header.to_string(), &body.to_string(), &house.key)
}

#[test]
fn a06_all_pairs_of_kind_and_place() {
    let house = House::new();
    let random = SeededRandom::new(2);
    let refresh = skep_crypto::Bearer::mint(
        BearerKind::Refresh,
        [4; 16],
        &MacKey::from_bytes(&[1; 32]),
        &random,
    );
    let tokens = [
        ("access token", everything(&house, Some("at+jwt"))),
        ("access token, ours", house.issue(Confirmation::Bearer)),
        (
            "application/at+jwt",
            everything(&house, Some("application/at+jwt")),
        ),
        ("AT+JWT", everything(&house, Some("AT+JWT"))),
        ("ID token", everything(&house, Some("JWT"))),
        ("untyped", everything(&house, None)),
        ("proof", everything(&house, Some("dpop+jwt"))),
        ("logout token", everything(&house, Some("logout+jwt"))),
        ("refresh token", refresh.1.expose().clone()),
    ];
    let replay = LocalReplay::new(8, Timestamp::default());
    let prover = Prover::new(Nonces::new(&house.nonce), NonceRule::WhenGiven, &replay);
    let mut document = jwk(&house.key);
    document["kid"] = json!(house.kid);
    let keys = json!({"keys": [document]}).to_string();
    let keys = ForeignKeys::parse(keys.as_bytes()).unwrap();
    let expect = IdTokenExpect {
        issuer: EXPECT.issuer,
        client: EXPECT.audience,
        nonce: NONCE,
    };
    let request = ProofRequest {
        method: "GET",
        url: URL,
        token: None,
    };
    let mut table = String::from("shown as               access token   proof   ID token\n");
    for (name, token) in tokens {
        let taken = [
            house.verify(&token).is_ok(),
            prover.check(&token, &request, at(NOW)).is_ok(),
            keys.verify(&token, &expect, at(NOW)).is_ok(),
        ]
        .map(|taken| if taken { "taken" } else { "-" });
        writeln!(
            table,
            "{name:22} {:>12} {:>7} {:>10}",
            taken[0], taken[1], taken[2]
        )
        .unwrap();
    }
    insta::assert_snapshot!(table);
}
