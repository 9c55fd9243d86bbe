//! ID tokens that another implementation (Node's `crypto`) signed.

use serde_json::{Value, json};
use skep_jose::{ForeignKeys, IdTokenExpect};

use crate::forge::at;

const EXPECT: IdTokenExpect<'static> = IdTokenExpect {
    issuer: "https://login.example",
    client: "skep",
    nonce: "n-0S6_WzA2Mj",
};

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/id_tokens.json")).unwrap()
}

fn keys(jwks: &Value) -> ForeignKeys {
    ForeignKeys::parse(jwks.to_string().as_bytes()).unwrap()
}

#[test]
fn each_algorithm_is_taken_and_each_fault_refused() {
    let fixture = fixture();
    let keys = keys(&fixture["jwks"]);
    let now = at(fixture["now"].as_i64().unwrap());
    for (name, token) in fixture["good"].as_object().unwrap() {
        let token = keys.verify(token.as_str().unwrap(), &EXPECT, now);
        let token = token.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(token.subject(), "248289761001");
        assert_eq!(token.verified_email(), Some("ada@example.org"));
    }
    let bad = fixture["bad"].as_object().unwrap();
    assert_eq!(bad.len(), 28);
    for (name, token) in bad {
        let token = token.as_str().unwrap();
        assert!(keys.verify(token, &EXPECT, now).is_err(), "{name}");
    }
    let two = fixture["good_two_audiences"].as_str().unwrap();
    assert!(keys.verify(two, &EXPECT, now).is_ok());
    let unchecked = fixture["good_unverified_mail"].as_str().unwrap();
    let unchecked = keys.verify(unchecked, &EXPECT, now).unwrap();
    assert_eq!(unchecked.verified_email(), None);
    assert_eq!(unchecked.claim("email"), Some(&json!("ada@example.org")));
}

#[test]
fn a_key_that_was_exchanged_is_asked_for_again() {
    let fixture = fixture();
    let token = fixture["good"]["rsa"].as_str().unwrap();
    assert!(!keys(&fixture["jwks"]).lacks_key_of(token));
    let mut others = fixture["jwks"].clone();
    others["keys"].as_array_mut().unwrap().remove(0);
    assert!(keys(&others).lacks_key_of(token));
    assert!(
        !keys(&others).lacks_key_of("nonsense"),
        "nothing to fetch for what is no token"
    );
    others["keys"].as_array_mut().unwrap().truncate(1);
    let now = at(fixture["now"].as_i64().unwrap());
    assert!(keys(&others).verify(token, &EXPECT, now).is_err());
}

#[test]
fn a_doubtful_set_of_keys_is_no_set() {
    let set = fixture()["jwks"].clone();
    let parse = |set: &Value| ForeignKeys::parse(set.to_string().as_bytes());
    let mut twice = set.clone();
    twice["keys"][1]["kid"] = json!("rsa");
    assert!(parse(&twice).is_err());
    let mut symmetric = set.clone();
    symmetric["keys"][0] = json!({"kty": "oct", "k": "AA", "kid": "s"});
    assert!(parse(&symmetric).is_err());
    let mut many = set.clone();
    let one = set["keys"][2].clone();
    many["keys"] = (0..65)
        .map(|n| {
            let mut key = one.clone();
            key["kid"] = json!(n.to_string());
            key
        })
        .collect();
    assert!(parse(&many).is_err());
    let mut strange = set;
    strange["keys"][0]["kty"] = json!("XYZ");
    assert!(
        parse(&strange).is_ok(),
        "a key of the next decade is passed over"
    );
    for text in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[],"keys":[]}"#,
    ] {
        assert!(ForeignKeys::parse(text.as_bytes()).is_err(), "{text}");
    }
}
