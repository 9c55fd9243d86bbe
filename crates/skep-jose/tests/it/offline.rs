//! A04: a header that names a place to fetch a key from makes nobody go there.

use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::json;
use skep_crypto::SigningKey;
use skep_domain::Timestamp;
use skep_jose::{ForeignKeys, IdTokenExpect, LocalReplay, NonceRule, Nonces, ProofRequest, Prover};

use crate::forge::{House, NOW, at, claims, encode, jwk, signed, with};

#[test]
fn a04_no_header_makes_us_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let house = House::new();
    let attacker = SigningKey::from_seed(&[66; 32]);
    let replay = LocalReplay::new(8, Timestamp::default());
    let prover = Prover::new(Nonces::new(&house.nonce), NonceRule::WhenGiven, &replay);
    let keys = json!({"keys": [jwk(&house.key)]}).to_string();
    let keys = ForeignKeys::parse(keys.as_bytes()).unwrap();
    let (mut chain, mut embedded) = (json!([encode(b"certificate")]), jwk(&attacker));
    chain[0] = json!(url);
    embedded["kid"] = json!(house.kid);
    for (name, value) in [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("x5c", chain),
        ("jwk", embedded),
        ("kid", json!(url)),
    ] {
        for key in [&attacker, &house.key] {
            let header = with(house.header(), name, value.clone());
            let token = signed(&header.to_string(), &claims().to_string(), key);
            assert!(house.verify(&token).is_err(), "{name}");
            let expect = IdTokenExpect {
                issuer: "https://skep.example",
                client: "https://skep.example/api",
                nonce: "n",
            };
            let id_token = signed(
                &with(header.clone(), "typ", json!("JWT")).to_string(),
                &with(claims(), "nonce", json!("n")).to_string(),
                key,
            );
            assert!(keys.verify(&id_token, &expect, at(NOW)).is_err(), "{name}");
            let request = ProofRequest {
                method: "GET",
                url: "https://skep.example/",
                token: None,
            };
            if name != "jwk" && name != "kid" {
                let header = with(with(header, "typ", json!("dpop+jwt")), "jwk", jwk(key));
                let body = json!({"htm": "GET", "htu": request.url, "iat": NOW, "jti": "1"});
                let proof = signed(&header.to_string(), &body.to_string(), key);
                assert!(prover.check(&proof, &request, at(NOW)).is_err(), "{name}");
            }
        }
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
