//! No bytes make anything panic, and what was changed anywhere does not pass.

use proptest::prelude::*;
use serde_json::json;
use skep_domain::Timestamp;
use skep_jose::{
    Confirmation, ForeignKeys, IdTokenExpect, LocalReplay, NonceRule, Nonces, ProofRequest, Prover,
    Thumbprint,
};

use crate::forge::{House, NOW, at, claims, signed, with};

fn try_everywhere(house: &House, text: &str) -> bool {
    let replay = LocalReplay::new(8, Timestamp::default());
    let prover = Prover::new(Nonces::new(&house.nonce), NonceRule::WhenGiven, &replay);
    let request = ProofRequest {
        method: text,
        url: text,
        token: Some(text),
    };
    let keys = ForeignKeys::parse(house.ring.jwks(at(NOW)).to_string().as_bytes()).unwrap();
    let expect = IdTokenExpect {
        issuer: text,
        client: text,
        nonce: text,
    };
    let _ = keys.lacks_key_of(text);
    house.verify(text).is_ok()
        || prover.check(text, &request, at(NOW)).is_ok()
        || keys.verify(text, &expect, at(NOW)).is_ok()
        || ForeignKeys::parse(text.as_bytes()).is_ok()
        || Thumbprint::parse(text).is_ok()
}

/// Pieces of which headers and claims are made, and what does not belong there.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{}".to_owned()),
        Just(r#"{"alg":"EdDSA"}"#.to_owned()),
        Just(r#"{"alg":"none","typ":"at+jwt","kid":""}"#.to_owned()),
        Just(r#"{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256"}}"#.to_owned()),
        Just(claims().to_string()),
        "\\PC{0,40}",
        "[\\[\\]{}\":,0-9a-z\\\\]{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a09_no_text_panics_or_passes(text in "\\PC{0,200}") {
        prop_assert!(!try_everywhere(&House::new(), &text));
    }

    #[test]
    fn a09_no_signed_pieces_panic(header in piece(), body in piece()) {
        let house = House::new();
        try_everywhere(&house, &signed(&header, &body, &house.key));
    }

    #[test]
    fn a09_a_changed_byte_is_seen(at in 0_usize..700, to in 0_u8..=127) {
        let house = House::new();
        let sound = house.issue(Confirmation::Bearer);
        let mut bytes = sound.clone().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(house.verify(&changed).is_err());
    }

    #[test]
    fn a07_random_instants_agree_with_the_rule(
        exp in -700_i64..700, nbf in -700_i64..700, iat in -700_i64..700,
    ) {
        let house = House::new();
        let mut body = claims();
        for (name, offset) in [("exp", exp), ("nbf", nbf), ("iat", iat)] {
            body = with(body, name, json!(NOW + offset));
        }
        let token = signed(&house.header().to_string(), &body.to_string(), &house.key);
        prop_assert_eq!(house.verify(&token).is_ok(), exp > -30 && nbf <= 30 && iat <= 30);
    }
}
