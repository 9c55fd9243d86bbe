//! A01, A02, A03, A05, A08, A09: what a header, a key name or an encoding can try.

use base64ct::Encoding;
use serde_json::{Value, json};
use skep_crypto::SigningKey;
use skep_jose::Confirmation;

use crate::forge::{EXPECT, House, claims, encode, jwk, signed, with};

fn accepts(house: &House, header: &Value, body: &Value) -> bool {
    let token = signed(&header.to_string(), &body.to_string(), &house.key);
    house.verify(&token).is_ok()
}

#[test]
fn a_sound_token_passes_and_says_what_was_granted() {
    let house = House::new();
    let token = house.issue(Confirmation::Bearer);
    let token = house.verify(&token).unwrap().as_bearer().unwrap();
    assert_eq!(token.grant(), &crate::forge::grant(Confirmation::Bearer));
    assert!(accepts(&house, &house.header(), &claims()));
}

#[test]
fn a01_no_algorithm_is_no_signature() {
    let house = House::new();
    let sound = house.issue(Confirmation::Bearer);
    let (message, signature) = sound.rsplit_once('.').unwrap();
    for alg in [
        "none", "None", "NONE", "nOnE", "", "eddsa", "EDDSA", "Ed25519",
    ] {
        let header = with(house.header(), "alg", json!(alg));
        let forged = signed(&header.to_string(), &claims().to_string(), &house.key);
        assert!(house.verify(&forged).is_err(), "{alg}");
        let (message, _) = forged.rsplit_once('.').unwrap();
        for tail in [".", "", ".AA"] {
            assert!(
                house.verify(&format!("{message}{tail}")).is_err(),
                "{alg}{tail}"
            );
        }
    }
    for alg in [json!(null), json!(["EdDSA"]), json!({}), json!(0)] {
        assert!(!accepts(
            &house,
            &with(house.header(), "alg", alg),
            &claims()
        ));
    }
    for cut in [
        String::new(),
        signature[..85].to_owned(),
        format!("{signature}AA"),
    ] {
        assert!(house.verify(&format!("{message}.{cut}")).is_err());
    }
    assert!(house.verify(message).is_err());
}

#[test]
fn a02_our_public_key_is_no_secret_to_sign_with() {
    let house = House::new();
    let raw = house.key.public_key().to_bytes();
    let der = [
        b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
        &raw[..],
    ]
    .concat();
    let base64 = base64ct::Base64::encode_string(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----");
    let secrets = [
        raw.to_vec(),
        der,
        pem.clone().into_bytes(),
        format!("{pem}\n").into_bytes(),
        jwk(&house.key).to_string().into_bytes(),
        encode(&raw).into_bytes(),
    ];
    for alg in ["HS256", "HS384", "HS512", "RS256", "ES256", "PS256"] {
        let header = with(house.header(), "alg", json!(alg));
        let message = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims().to_string().as_bytes())
        );
        for secret in &secrets {
            let tag = hmac(secret, message.as_bytes());
            assert!(
                house
                    .verify(&format!("{message}.{}", encode(&tag)))
                    .is_err()
            );
        }
        // Even a sound signature does not help where the header names another algorithm.
        assert!(!accepts(&house, &header, &claims()), "{alg}");
    }
}

/// HMAC-SHA-256 (RFC 2104) over bare bytes: `MacKey` frames its parts.
fn hmac(secret: &[u8], message: &[u8]) -> [u8; 32] {
    use skep_crypto::sha256;
    let mut block = [0; 64];
    if secret.len() > 64 {
        block[..32].copy_from_slice(&sha256(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    let inner = sha256(&[&block.map(|byte| byte ^ 0x36)[..], message].concat());
    sha256(&[&block.map(|byte| byte ^ 0x5c)[..], &inner].concat())
}

#[test]
fn a03_a_kid_is_looked_up_in_a_map_and_nowhere_else() {
    let house = House::new();
    let long = "A".repeat(2_500);
    for kid in [
        "../../../../etc/passwd",
        "/dev/null",
        "' OR 1=1 --",
        "\0",
        "http://127.0.0.1/key",
        "",
        " ",
        long.as_str(),
        &house.kid[..42],
        &format!("{}A", house.kid),
        &house.kid.to_uppercase(),
    ] {
        assert!(
            !accepts(&house, &with(house.header(), "kid", json!(kid)), &claims()),
            "{kid}"
        );
    }
    for kid in [
        json!(null),
        json!(1),
        json!([house.kid]),
        json!({"kid": house.kid}),
    ] {
        assert!(!accepts(
            &house,
            &with(house.header(), "kid", kid),
            &claims()
        ));
    }
    let twice = format!(
        r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{0}","kid":"{0}"}}"#,
        house.kid
    );
    assert!(
        house
            .verify(&signed(&twice, &claims().to_string(), &house.key))
            .is_err()
    );
    let stranger = SigningKey::from_seed(&[1; 32]);
    let forged = signed(
        &house.header().to_string(),
        &claims().to_string(),
        &stranger,
    );
    assert!(
        house.verify(&forged).is_err(),
        "our kid, another's signature"
    );
}

#[test]
fn a05_extensions_are_refused_understood_or_not() {
    let house = House::new();
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!(["absent"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("cty", json!("JWT")),
        ("zip", json!("DEF")),
        ("x5t", json!("AA")),
        ("anything", json!(1)),
    ] {
        assert!(
            !accepts(&house, &with(house.header(), name, value), &claims()),
            "{name}"
        );
    }
    // RFC 7797 signs the bare payload.
    let header = r#"{"alg":"EdDSA","typ":"at+jwt","b64":false,"crit":["b64"]}"#;
    let payload = claims().to_string().replace('.', "");
    let message = format!("{}.{payload}", encode(header.as_bytes()));
    let signature = house.key.sign(message.as_bytes()).to_bytes();
    assert!(
        house
            .verify(&format!("{message}.{}", encode(&signature)))
            .is_err()
    );
}

#[test]
fn a08_issuer_and_audience_are_ours_to_the_byte() {
    let house = House::new();
    for (name, own) in [("iss", EXPECT.issuer), ("aud", EXPECT.audience)] {
        let others = [
            json!("https://other.example"),
            json!(format!("{own}/")),
            json!(own[..own.len() - 1]),
            json!(format!("{own}.evil.example")),
            json!(own.to_uppercase()),
            json!(format!(" {own}")),
            json!([own]),
            json!([own, "https://other.example"]),
            json!({own: true}),
            json!(""),
            json!(null),
        ];
        for other in others {
            let body = with(claims(), name, other.clone());
            assert!(!accepts(&house, &house.header(), &body), "{name} {other}");
        }
    }
}

#[test]
fn a10_every_claim_is_required_and_of_its_type() {
    let house = House::new();
    for name in [
        "iss",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "sub",
        "org",
        "sid",
        "client_id",
        "cnf",
    ] {
        for value in [
            json!(null),
            json!(""),
            json!([]),
            json!(true),
            json!(-1),
            json!(1.5),
        ] {
            let body = with(claims(), name, value.clone());
            assert!(!accepts(&house, &house.header(), &body), "{name} {value}");
        }
        let mut body = claims();
        body[name] = Value::Null;
        assert!(!accepts(&house, &house.header(), &body), "{name} null");
    }
    for (name, value) in [
        ("sub", json!("root:01010101-0101-0101-0101-010101010101")),
        ("sub", json!("01010101-0101-0101-0101-010101010101")),
        ("sub", json!("user:{01010101-0101-0101-0101-010101010101}")),
        ("org", json!("02020202020202020202020202020202")),
        ("ws", json!("")),
        ("ws", json!("*")),
        ("cnf", json!({"jkt": "short"})),
        ("cnf", json!({"jkt": encode(&[0; 32]), "jwk": {}})),
        ("cnf", json!({"x5t#S256": encode(&[0; 32])})),
        ("cnf", json!({"jkt": null})),
    ] {
        let body = with(claims(), name, value.clone());
        assert!(!accepts(&house, &house.header(), &body), "{name} {value}");
    }
    assert!(accepts(
        &house,
        &house.header(),
        &with(claims(), "ws", json!(null))
    ));
}

#[test]
fn a09_one_token_has_one_spelling() {
    let house = House::new();
    let (header, body) = (house.header().to_string(), claims().to_string());
    for (h, b) in [
        (header.replacen('{', r#"{"alg":"EdDSA","#, 1), body.clone()),
        (
            header.clone(),
            body.replacen('{', r#"{"iss":"https://other.example","#, 1),
        ),
        (
            header.clone(),
            body.replacen('{', r#"{"\u0069ss":"https://skep.example","#, 1),
        ),
        (
            header.clone(),
            body.replace(r#""cnf":{}"#, r#""cnf":{"jkt":1,"jkt":1}"#),
        ),
        (header.clone(), format!("{body}{body}")),
        (header.clone(), format!("[{body}]")),
        (header.clone(), format!("\u{feff}{body}")),
        (format!("{header},"), body.clone()),
    ] {
        assert!(
            house.verify(&signed(&h, &b, &house.key)).is_err(),
            "{h} {b}"
        );
    }
    let token = signed(&header, &body, &house.key);
    assert!(house.verify(&token).is_ok());
    let padded = format!("{token}==");
    let spaced = format!(" {token}");
    let newline = format!("{token}\n");
    let slashed = token.replace('-', "+").replace('_', "/");
    for other in [&padded, &spaced, &newline] {
        assert!(house.verify(other).is_err());
    }
    assert!(slashed == token || house.verify(&slashed).is_err());
    // 64 bytes leave four spare bits in the last character.
    let last = token.chars().last().unwrap();
    let spare = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .map(char::from)
        .filter(|c| *c != last);
    for other in spare {
        let respelt = format!("{}{other}", &token[..token.len() - 1]);
        assert!(house.verify(&respelt).is_err(), "{other}");
    }
}

#[test]
fn a_token_of_four_kibibytes_is_read_and_one_byte_more_is_not() {
    let house = House::new();
    let sized = |extra: usize| {
        let body = with(claims(), "pad", json!("x".repeat(extra)));
        signed(&house.header().to_string(), &body.to_string(), &house.key)
    };
    // Three bytes of the payload are four of the token.
    let start = (4096 - sized(0).len()) * 3 / 4 - 4;
    let tokens: Vec<_> = (start..start + 9).map(sized).collect();
    assert!(tokens.iter().any(|token| token.len() == 4096));
    assert!(tokens.iter().any(|token| token.len() == 4097));
    for token in tokens {
        assert_eq!(
            house.verify(&token).is_ok(),
            token.len() <= 4096,
            "{}",
            token.len()
        );
    }
}

#[test]
fn a_bound_token_is_nothing_to_whoever_only_carries_it() {
    let house = House::new();
    let token = house.issue(Confirmation::Key(house.jkt()));
    assert!(house.verify(&token).unwrap().as_bearer().is_err());
}
