//! Every JOSE vector of Wycheproof, and the published examples of Ed25519.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::Compact;
use crate::JoseError;
use crate::id_token::ForeignKeys;
use crate::key::VerifyingKey;
use crate::strict::object;

const SIGNATURES: &str =
    include_str!("../../tests/fixtures/wycheproof/json_web_signature_test.json");
const KEYS: &str = include_str!("../../tests/fixtures/wycheproof/json_web_key_test.json");
const CRYPTO: &str = include_str!("../../tests/fixtures/wycheproof/json_web_crypto_test.json");

/// What became of the vectors of one group.
#[derive(Default)]
struct Outcome {
    accepted: usize,
    unsupported: usize,
    refused: usize,
}

/// The token of a vector under the key, or the set of keys, of its group.
fn open(group: &Value, token: &str) -> Result<Vec<u8>, JoseError> {
    let key = group.get("public").unwrap_or(&group["private"]);
    let token = Compact::read(token, 16 * 1024)?;
    if key.get("keys").is_some() {
        let keys = ForeignKeys::parse(key.to_string().as_bytes())?;
        let key = keys.find(&token).ok_or(JoseError::Key("not there"))?;
        return token.verify(key);
    }
    let key = VerifyingKey::from_members(&object(key.to_string().as_bytes())?)?;
    token.verify(&key)
}

/// The algorithms that a vector's group is about.
fn is_supported(token: &str) -> bool {
    Compact::read(token, 16 * 1024).is_ok_and(|token| {
        let alg = token.header().get("alg").and_then(Value::as_str);
        matches!(alg, Some("ES256" | "RS256" | "EdDSA"))
    })
}

fn outcomes(file: &str) -> String {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut groups = BTreeMap::<String, Outcome>::new();
    let mut seen = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let name = group["comment"].as_str().unwrap();
        let outcome = groups.entry(name.to_owned()).or_default();
        for test in group["tests"].as_array().unwrap() {
            seen += 1;
            let token = match test.get("jws").or_else(|| test.get("jwe")).unwrap() {
                Value::String(token) => token.clone(),
                json => json.to_string(),
            };
            let (id, accepted) = (&test["tcId"], open(group, &token).is_ok());
            match test["result"].as_str().unwrap() {
                "invalid" => {
                    assert!(
                        !accepted,
                        "{name} {id} must be refused: {}",
                        test["comment"]
                    );
                    outcome.refused += 1;
                }
                _ if is_supported(&token) => {
                    assert!(accepted, "{name} {id} must be accepted");
                    outcome.accepted += 1;
                }
                _ => {
                    assert!(!accepted, "{name} {id} is of an algorithm we do not take");
                    outcome.unsupported += 1;
                }
            }
        }
    }
    assert_eq!(file["numberOfTests"], seen);
    let mut table =
        String::from("group                      valid: taken  not supported   invalid: refused\n");
    for (name, outcome) in groups {
        let Outcome {
            accepted,
            unsupported,
            refused,
        } = outcome;
        writeln!(
            table,
            "{name:26} {accepted:12} {unsupported:14} {refused:18}"
        )
        .unwrap();
    }
    table
}

#[test]
fn a01_a02_a05_a09_wycheproof_signatures() {
    insta::assert_snapshot!(outcomes(SIGNATURES));
}

#[test]
fn a03_wycheproof_keys() {
    insta::assert_snapshot!(outcomes(KEYS));
}

#[test]
fn a01_wycheproof_signatures_and_encryption() {
    insta::assert_snapshot!(outcomes(CRYPTO));
}

/// RFC 8037, appendices A.2 and A.4.
#[test]
fn ed25519_takes_the_published_token_and_no_other() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let token = concat!(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    let key = VerifyingKey::from_members(&object(jwk.as_bytes()).unwrap()).unwrap();
    let open = |token: &str| Compact::read(token, 4096).and_then(|token| token.verify(&key));
    assert_eq!(open(token).unwrap(), b"Example of Ed25519 signing");
    for at in 0..token.len() {
        let mut changed = token.to_owned().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(open(&changed).is_err(), "character {at}");
    }
}

#[test]
fn a_header_that_asks_for_more_is_refused_by_name() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for name in ["jku", "x5u", "x5c", "crit", "b64"] {
        for value in ["null", "[]", "\"\"", "false", jwk] {
            let header = format!(r#"{{"alg":"EdDSA","{name}":{value}}}"#);
            let token = format!("{}.e30.AA", crate::strict::encode(header.as_bytes()));
            let read = Compact::read(&token, 4096).map(|_| ());
            assert_eq!(
                read,
                Err(JoseError::Refused("a header we do not follow")),
                "{name}"
            );
        }
    }
}
