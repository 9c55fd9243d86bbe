//! A13: proofs of possession.

use futures_util::FutureExt;
use serde_json::{Value, json};
use skep_crypto::{SigningKey, sha256};
use skep_domain::Timestamp;
use skep_jose::{
    Confirmation, JoseError, LocalReplay, NonceRule, Nonces, Proof, ProofRequest, Prover, Replay,
    VerifiedToken,
};

use crate::forge::{House, NOW, at, encode, jwk, signed, with};

const URL: &str = "https://skep.example/api/v1/recall";
const LONG_AGO: i64 = NOW - 100_000;

/// One proof as the client would make it for this token.
fn body(token: Option<&str>) -> Value {
    let mut body = json!({"htm": "POST", "htu": URL, "iat": NOW, "jti": "one"});
    if let Some(token) = token {
        body["ath"] = json!(encode(&sha256(token.as_bytes())));
    }
    body
}

fn header(key: &SigningKey) -> Value {
    json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk(key)})
}

fn proof(body: &Value, key: &SigningKey) -> String {
    signed(&header(key).to_string(), &body.to_string(), key)
}

struct Server {
    house: House,
    replay: LocalReplay,
    rule: NonceRule,
}

impl Server {
    fn new(rule: NonceRule) -> Self {
        Self {
            house: House::new(),
            replay: LocalReplay::new(1_000, at(LONG_AGO)),
            rule,
        }
    }

    fn check(&self, proof: &str, token: Option<&str>, now: Timestamp) -> Result<Proof, JoseError> {
        let request = ProofRequest {
            method: "POST",
            url: URL,
            token,
        };
        Prover::new(Nonces::new(&self.house.nonce), self.rule, &self.replay)
            .check(proof, &request, now)
    }

    /// What a resource does with a token and a proof.
    fn show(&self, token: &str, proof: &str, now: Timestamp) -> Result<VerifiedToken, JoseError> {
        let proof = self.check(proof, Some(token), now)?;
        let token = self.house.verify(token)?;
        token
            .with_proof(proof, &self.replay, now)
            .now_or_never()
            .unwrap()
    }

    fn nonce(&self, made: Timestamp) -> String {
        Nonces::new(&self.house.nonce).mint(made)
    }
}

#[test]
fn a13_a_stolen_token_is_worth_nothing_without_its_key() {
    let server = Server::new(NonceRule::WhenGiven);
    let house = &server.house;
    let token = house.issue(Confirmation::Key(house.jkt()));
    let sound = proof(&body(Some(&token)), &house.client);
    assert!(server.show(&token, &sound, at(NOW)).is_ok());
    // As a bearer's, without any proof.
    assert!(house.verify(&token).unwrap().as_bearer().is_err());
    let thief = SigningKey::from_seed(&[66; 32]);
    let stolen = proof(&with(body(Some(&token)), "jti", json!("two")), &thief);
    assert!(server.show(&token, &stolen, at(NOW)).is_err());
    // The owner's key in the header, the thief's signature.
    let forged = signed(
        &header(&house.client).to_string(),
        &body(Some(&token)).to_string(),
        &thief,
    );
    assert!(server.show(&token, &forged, at(NOW)).is_err());
    // A token that is bound to nothing is not shown with a proof.
    let free = house.issue(Confirmation::Bearer);
    let own = proof(
        &with(body(Some(&free)), "jti", json!("three")),
        &house.client,
    );
    assert!(server.show(&free, &own, at(NOW)).is_err());
    // A proof that was checked for no token at all binds none.
    let bare = proof(&with(body(None), "jti", json!("four")), &house.client);
    let bare = server.check(&bare, None, at(NOW)).unwrap();
    let verified = house.verify(&token).unwrap();
    assert!(
        verified
            .with_proof(bare, &server.replay, at(NOW))
            .now_or_never()
            .unwrap()
            .is_err()
    );
}

#[test]
fn a13_a_proof_is_for_one_method_url_and_token() {
    let server = Server::new(NonceRule::WhenGiven);
    let key = &server.house.client;
    let good = body(Some("token"));
    let passes = |body: &Value| {
        server
            .check(&proof(body, key), Some("token"), at(NOW))
            .is_ok()
    };
    assert!(passes(&good));
    assert!(passes(&with(
        good.clone(),
        "htu",
        json!("HTTPS://SKEP.example:443/api/v1/recall?q=1")
    )));
    for (name, value) in [
        ("htm", json!("GET")),
        ("htm", json!("post")),
        ("htm", json!(null)),
        ("htu", json!("https://skep.example/api/v1/recal")),
        ("htu", json!("https://skep.example/api/v1/recall/")),
        ("htu", json!("http://skep.example/api/v1/recall")),
        ("htu", json!("https://skep.example.evil/api/v1/recall")),
        ("htu", json!("https://u@skep.example/api/v1/recall")),
        ("htu", json!("/api/v1/recall")),
        ("htu", json!([URL])),
        ("htu", json!(null)),
        ("ath", json!(encode(&sha256(b"token2")))),
        ("ath", json!("token")),
        ("ath", json!(null)),
        ("jti", json!(null)),
        ("jti", json!("")),
        ("jti", json!("x".repeat(257))),
        ("jti", json!(1)),
        ("iat", json!(null)),
        ("iat", json!(NOW.to_string())),
        ("nonce", json!(1)),
    ] {
        assert!(
            !passes(&with(good.clone(), name, value.clone())),
            "{name} {value}"
        );
    }
    // With no token, a hash of one is a proof for something else.
    assert!(server.check(&proof(&good, key), None, at(NOW)).is_err());
    assert!(
        server
            .check(&proof(&body(None), key), None, at(NOW))
            .is_ok()
    );
}

#[test]
fn a13_the_key_of_a_proof_is_public_and_of_a_kind_we_take() {
    let server = Server::new(NonceRule::WhenGiven);
    let key = &server.house.client;
    let body = body(None).to_string();
    let passes = |header: Value| {
        server
            .check(&signed(&header.to_string(), &body, key), None, at(NOW))
            .is_ok()
    };
    assert!(passes(header(key)));
    let private = with(jwk(key), "d", json!(encode(&[8; 32])));
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", json!(null)),
        ("alg", json!("ES256")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("jwk", json!(null)),
        ("jwk", json!("key")),
        ("jwk", private),
        ("jwk", with(jwk(key), "crv", json!("X25519"))),
        ("jwk", with(jwk(key), "alg", json!("ES256"))),
        ("jwk", with(jwk(key), "use", json!("enc"))),
        ("jwk", with(jwk(key), "x", json!(encode(&[0; 32])))),
        ("jwk", with(jwk(key), "x", json!(encode(&[8; 31])))),
        ("jwk", json!({"kty": "oct", "k": "AA"})),
        ("crit", json!(["nonce"])),
        ("jku", json!("http://127.0.0.1/")),
    ] {
        assert!(
            !passes(with(header(key), name, value.clone())),
            "{name} {value}"
        );
    }
}

#[test]
fn a13_a_proof_is_good_once() {
    let server = Server::new(NonceRule::WhenGiven);
    let house = &server.house;
    let token = house.issue(Confirmation::Key(house.jkt()));
    let one = proof(&body(Some(&token)), &house.client);
    assert!(server.show(&token, &one, at(NOW)).is_ok());
    for later in [0, 1, 59, 89] {
        assert!(
            server.show(&token, &one, at(NOW + later)).is_err(),
            "{later}"
        );
    }
    // The same id with other claims is the same proof to us.
    let again = proof(
        &with(body(Some(&token)), "iat", json!(NOW + 1)),
        &house.client,
    );
    assert!(server.show(&token, &again, at(NOW + 1)).is_err());
    let other = proof(
        &with(body(Some(&token)), "jti", json!("two")),
        &house.client,
    );
    assert!(server.show(&token, &other, at(NOW + 1)).is_ok());
}

#[test]
fn a13_a_proof_is_remembered_as_long_as_it_would_pass() {
    let server = Server::new(NonceRule::WhenGiven);
    let key = &server.house.client;
    for issued in [NOW - 59, NOW, NOW + 30] {
        for nonce in [None, Some(NOW - 299), Some(NOW)] {
            let named = format!("{issued} {nonce:?}");
            let mut body = with(with(body(None), "iat", json!(issued)), "jti", json!(named));
            if let Some(made) = nonce {
                body["nonce"] = json!(server.nonce(at(made)));
            }
            let proof = proof(&body, key);
            let first = server.check(&proof, None, at(NOW)).unwrap();
            assert!(
                first
                    .spend(&server.replay, at(NOW))
                    .now_or_never()
                    .unwrap()
                    .is_ok()
            );
            for later in (0..700)
                .step_by(7)
                .chain([59, 60, 61, 89, 90, 299, 300, 301])
            {
                let now = at(NOW + later);
                let again = server
                    .check(&proof, None, now)
                    .and_then(|proof| proof.spend(&server.replay, now).now_or_never().unwrap());
                assert!(again.is_err(), "{named} after {later} s");
            }
        }
    }
}

#[test]
fn a13_the_window_of_a_proof() {
    const OLD: Result<(), JoseError> = Err(JoseError::Refused("expired"));
    const EARLY: Result<(), JoseError> = Err(JoseError::Refused("from the future"));
    const ANOTHER: Result<(), JoseError> = Err(JoseError::NonceNeeded);
    let server = Server::new(NonceRule::WhenGiven);
    let key = &server.house.client;
    let passes = |issued: i64, nonce: Option<i64>| {
        let mut body = with(body(None), "iat", json!(issued));
        if let Some(made) = nonce {
            body["nonce"] = json!(server.nonce(at(made)));
        }
        server.check(&proof(&body, key), None, at(NOW)).map(|_| ())
    };
    for (issued, nonce, expected) in [
        (NOW - 60, None, OLD),
        (NOW - 59, None, Ok(())),
        (NOW + 30, None, Ok(())),
        (NOW + 31, None, EARLY),
        (NOW - 300, Some(NOW), OLD),
        (NOW - 299, Some(NOW), Ok(())),
        (NOW + 300, Some(NOW), Ok(())),
        (NOW + 301, Some(NOW), EARLY),
        (NOW, Some(NOW - 300), ANOTHER),
        (NOW, Some(NOW - 299), Ok(())),
        (NOW, Some(NOW + 1), ANOTHER),
    ] {
        assert_eq!(
            passes(issued, nonce),
            expected,
            "{} {nonce:?}",
            issued - NOW
        );
    }
}

#[test]
fn a13_a_missing_or_made_up_nonce_asks_for_one() {
    let server = Server::new(NonceRule::Required);
    let key = &server.house.client;
    let check = |nonce: Value| {
        let body = with(body(None), "nonce", nonce);
        server.check(&proof(&body, key), None, at(NOW)).map(|_| ())
    };
    let own = server.nonce(at(NOW - 1));
    assert_eq!(check(json!(own)), Ok(()));
    let mut changed = own.clone().into_bytes();
    changed[3] ^= 1;
    for nonce in [
        json!(null),
        json!(""),
        json!("eyJ7S_zG.eyJH0-Z.HX4w-7v"),
        json!(String::from_utf8(changed).unwrap()),
        json!(own[..31]),
        json!(format!("{own}A")),
        json!(server.nonce(at(NOW - 301))),
        json!(server.nonce(Timestamp::from_micros(i64::MAX))),
        json!(server.nonce(Timestamp::from_micros(i64::MIN))),
    ] {
        assert_eq!(check(nonce.clone()), Err(JoseError::NonceNeeded), "{nonce}");
    }
    let other = skep_crypto::MacKey::from_bytes(&[1; 32]);
    let foreign = Nonces::new(&other).mint(at(NOW));
    assert_eq!(check(json!(foreign)), Err(JoseError::NonceNeeded));
}

#[test]
fn a13_after_a_restart_what_may_have_been_used_is_refused() {
    let mut server = Server::new(NonceRule::WhenGiven);
    let key = SigningKey::from_seed(&[8; 32]);
    let nonce = server.nonce(at(NOW));
    let with_nonce = proof(&with(body(None), "nonce", json!(nonce)), &key);
    let ahead = proof(&with(body(None), "iat", json!(NOW + 29)), &key);
    let check = |server: &Server, proof: &str, now: i64| {
        let proof = server.check(proof, None, at(now))?;
        proof
            .spend(&server.replay, at(now))
            .now_or_never()
            .unwrap()
            .map(|_| ())
    };
    assert_eq!(check(&server, &with_nonce, NOW), Ok(()));
    server.replay = LocalReplay::new(1_000, at(NOW + 1));
    assert_eq!(
        check(&server, &with_nonce, NOW + 2),
        Err(JoseError::NonceNeeded)
    );
    // Its clock is ahead of ours: it may have been used before the start all the same.
    assert_eq!(check(&server, &ahead, NOW + 2), Err(JoseError::NonceNeeded));
    let fresh = server.nonce(at(NOW + 2));
    let again = proof(&with(body(None), "nonce", json!(fresh)), &key);
    assert_eq!(
        check(&server, &again, NOW + 2),
        Ok(()),
        "a fresh nonce mends it at once"
    );
    let later = with(body(None), "iat", json!(NOW + 40));
    let later = proof(&with(later, "jti", json!("later")), &key);
    assert_eq!(check(&server, &later, NOW + 40), Ok(()));
}

#[test]
fn a13_a_full_memory_refuses_and_forgets_nothing() {
    let mut server = Server::new(NonceRule::WhenGiven);
    server.replay = LocalReplay::new(3, at(LONG_AGO));
    let key = SigningKey::from_seed(&[8; 32]);
    let spend = |jti: &str, issued: i64, now: i64| {
        let body = with(with(body(None), "jti", json!(jti)), "iat", json!(issued));
        let proof = server.check(&proof(&body, &key), None, at(now)).unwrap();
        proof
            .spend(&server.replay, at(now))
            .now_or_never()
            .unwrap()
            .map(|_| ())
    };
    for jti in ["a", "b", "c"] {
        assert_eq!(spend(jti, NOW, NOW), Ok(()));
    }
    assert_eq!(spend("d", NOW, NOW), Err(JoseError::ReplayAway));
    assert!(matches!(spend("a", NOW, NOW), Err(JoseError::Refused(_))));
    assert_eq!(
        spend("d", NOW + 60, NOW + 60),
        Ok(()),
        "there is room when proofs have ended"
    );
}

#[test]
fn a13_of_many_at_once_one_proof_wins() {
    let server = Server::new(NonceRule::WhenGiven);
    let proof = proof(&body(None), &server.house.client);
    let won: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let proof = server.check(&proof, None, at(NOW)).unwrap();
                    let spent = proof.spend(&server.replay, at(NOW)).now_or_never().unwrap();
                    usize::from(spent.is_ok())
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(won, 1);
    assert_eq!(server.replay.knows_since(), at(LONG_AGO));
}

/// RFC 9449, section 4.1: a proof by ES256, as other implementations make it.
#[test]
fn the_published_proof_passes_and_has_the_published_thumbprint() {
    let proof = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMz",
        "R0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFq",
        "SG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwia",
        "HRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY",
        "yNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV3",
        "7xRZT3Lg"
    );
    let house = House::new();
    let replay = LocalReplay::new(8, at(0));
    let prover = Prover::new(Nonces::new(&house.nonce), NonceRule::WhenGiven, &replay);
    let request = ProofRequest {
        method: "POST",
        url: "https://server.example.com/token",
        token: None,
    };
    let proof = prover.check(proof, &request, at(1_562_262_616)).unwrap();
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    assert_eq!(proof.thumbprint().to_string(), jkt);
}
