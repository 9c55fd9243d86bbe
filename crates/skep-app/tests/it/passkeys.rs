//! Passkeys with an authenticator that others wrote (1Password's), and every lie told about them.

use base64ct::{Base64UrlUnpadded, Encoding};
use passkey_authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey_client::{Client, DefaultClientData};
use passkey_crypto::AvailableBackend;
use passkey_types::ctap2::{Aaguid, Ctap2Error};
use passkey_types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use serde_json::{Value, json};
use skep_app::passkey::{Assertion, Challenge, For, Passkey, PasskeyError, RelyingParty};
use skep_crypto::SeededRandom;
use url::Url;

pub(crate) const ORIGIN: &str = "https://skep.example.org";

pub(crate) type Device = Client<
    Option<passkey_types::Passkey>,
    Finger,
    AvailableBackend,
    public_suffix::PublicSuffixList,
    (),
>;

/// A person who touches the device, and unlocks it when asked.
pub(crate) struct Finger;

#[async_trait::async_trait]
impl UserValidationMethod for Finger {
    type PasskeyItem = passkey_types::Passkey;

    async fn check_user<'a>(
        &self,
        _: UiHint<'a, Self::PasskeyItem>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck {
            presence,
            verification,
        })
    }
    fn is_presence_enabled(&self) -> bool {
        true
    }
    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

pub(crate) fn device(counts: bool) -> Device {
    let mut inside = Authenticator::new(Aaguid::new_empty(), None, Finger, AvailableBackend);
    inside.set_make_credentials_with_signature_counter(counts);
    Client::new(inside)
}

pub(crate) fn party() -> RelyingParty {
    RelyingParty::of(ORIGIN).unwrap()
}

fn challenge(seed: u64) -> Challenge {
    Challenge::mint(&SeededRandom::new(seed))
}

fn whom() -> For<'static> {
    For {
        handle: &[7; 16],
        address: "maria@example.org",
        name: "Maria",
    }
}

pub(crate) async fn create(device: &mut Device, origin: &str, options: &Value) -> Value {
    let options = json!({ "publicKey": options });
    let options: CredentialCreationOptions = serde_json::from_value(options).unwrap();
    let origin = Url::parse(origin).unwrap();
    let made = device.register(&origin, options, DefaultClientData).await;
    serde_json::to_value(made.unwrap()).unwrap()
}

pub(crate) async fn get(device: &mut Device, origin: &str, options: &Value) -> Value {
    let options = json!({ "publicKey": options });
    let options: CredentialRequestOptions = serde_json::from_value(options).unwrap();
    let origin = Url::parse(origin).unwrap();
    let got = device
        .authenticate(&origin, options, DefaultClientData)
        .await;
    serde_json::to_value(got.unwrap()).unwrap()
}

async fn registered(device: &mut Device) -> (Passkey, Value) {
    let answer = create(
        device,
        ORIGIN,
        &party().creation(&challenge(1), whom(), &[]),
    )
    .await;
    (party().made(&challenge(1), &answer).unwrap(), answer)
}

/// The answer with one base64url field of its response rewritten.
fn with(answer: &Value, field: &str, change: impl Fn(&mut Vec<u8>)) -> Value {
    let mut answer = answer.clone();
    let place = &mut answer["response"][field];
    let mut bytes = Base64UrlUnpadded::decode_vec(place.as_str().unwrap()).unwrap();
    change(&mut bytes);
    *place = Base64UrlUnpadded::encode_string(&bytes).into();
    answer
}

/// The answer with a member of its client data rewritten.
fn client(answer: &Value, member: &str, value: &Value) -> Value {
    with(answer, "clientDataJSON", |bytes| {
        let mut data: Value = serde_json::from_slice(bytes).unwrap();
        data[member] = value.clone();
        *bytes = data.to_string().into_bytes();
    })
}

#[tokio::test]
async fn a_passkey_of_another_makers_device_is_made_kept_and_used() {
    for counts in [false, true] {
        let mut device = device(counts);
        let (passkey, _) = registered(&mut device).await;
        let stored = Passkey::from_bytes(&passkey.to_bytes());
        assert_eq!(stored.as_ref(), Some(&passkey));
        let mut passkey = stored.unwrap();
        for round in 2..5 {
            // With and without being told which passkey is meant.
            let known = if round == 2 {
                vec![]
            } else {
                vec![passkey.id.clone()]
            };
            let options = party().request(&challenge(round), &known);
            let answer = get(&mut device, ORIGIN, &options).await;
            let assertion = Assertion::read(&answer).unwrap();
            assert_eq!(assertion.id, passkey.id);
            assert_eq!(assertion.handle, Some([7; 16]));
            let counter = party().asserted(&challenge(round), &passkey, &assertion);
            let counter = counter.unwrap();
            assert_eq!(counter > passkey.counter, counts, "{counter}");
            passkey.counter = counter;
        }
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one line for each lie")]
async fn a19_an_answer_to_anything_else_makes_no_passkey() {
    let mut device = device(false);
    let (_, answer) = registered(&mut device).await;
    let at = |mut answer: Value, path: &str, value: Value| {
        *answer.pointer_mut(path).unwrap() = value;
        answer
    };
    let other = registered(&mut device).await.1["rawId"].clone();
    let cases = [
        ("challenge", client(&answer, "challenge", &"AAAA".into())),
        (
            "origin",
            client(&answer, "origin", &"https://evil.example".into()),
        ),
        (
            "subdomain",
            client(&answer, "origin", &"https://a.skep.example.org".into()),
        ),
        (
            "scheme",
            client(&answer, "origin", &"http://skep.example.org".into()),
        ),
        ("ceremony", client(&answer, "type", &"webauthn.get".into())),
        ("framed", client(&answer, "crossOrigin", &true.into())),
        ("host", with_data(&answer, 0, |byte| byte ^ 1)),
        (
            "in a page",
            client(&answer, "topOrigin", &"https://evil.example".into()),
        ),
        (
            "no json",
            with(&answer, "clientDataJSON", |data| data.truncate(5)),
        ),
        ("another id", at(answer.clone(), "/rawId", other)),
        ("no key", at(answer.clone(), "/type", "password".into())),
        (
            "cut",
            with(&answer, "attestationObject", |data| data.truncate(120)),
        ),
        (
            "longer",
            with(&answer, "attestationObject", |data| data.push(0)),
        ),
        (
            "base64",
            at(answer.clone(), "/response/attestationObject", "%%".into()),
        ),
        (
            "huge",
            at(
                answer.clone(),
                "/response/attestationObject",
                "A".repeat(20_000).into(),
            ),
        ),
        ("empty", json!({})),
    ];
    for (lie, answer) in cases {
        assert!(party().made(&challenge(1), &answer).is_err(), "{lie}");
    }
    assert!(
        party().made(&challenge(2), &answer).is_err(),
        "another's challenge"
    );
    let elsewhere = RelyingParty::of("https://example.org").unwrap();
    assert!(
        elsewhere.made(&challenge(1), &answer).is_err(),
        "another host"
    );
    party().made(&challenge(1), &answer).unwrap();
}

/// A byte of the authenticator data inside an attestation object, which begins with the host's hash.
fn with_data(answer: &Value, at: usize, change: impl Fn(u8) -> u8) -> Value {
    let hash = skep_crypto::sha256(b"skep.example.org");
    with(answer, "attestationObject", |data| {
        let begin = data.windows(32).position(|part| part == hash).unwrap();
        data[begin + at] = change(data[begin + at]);
    })
}

fn flags(answer: &Value, change: impl Fn(u8) -> u8) -> Value {
    with_data(answer, 32, change)
}

#[tokio::test]
async fn a19_a_device_that_did_not_check_its_user_makes_no_passkey() {
    let mut device = device(false);
    let (_, answer) = registered(&mut device).await;
    let made = |change: fn(u8) -> u8| party().made(&challenge(1), &flags(&answer, change));
    assert_eq!(made(|f| f & !4), Err(PasskeyError::NotVerified));
    assert_eq!(made(|f| f & !1), Err(PasskeyError::NotVerified));
    assert!(
        made(|f| f & !8 | 16).is_err(),
        "a copy of what may not be copied"
    );
    assert!(made(|f| f & !0x40).is_err(), "no credential in it");
    assert!(made(|f| f | 0x80).is_err(), "extensions that are not there");
    made(|f| f).unwrap();
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one line for each lie")]
async fn a19_a_login_with_anything_changed_lets_nobody_in() {
    let mut device = device(true);
    let (passkey, _) = registered(&mut device).await;
    let options = party().request(&challenge(2), std::slice::from_ref(&passkey.id));
    let answer = get(&mut device, ORIGIN, &options).await;
    let check = |passkey: &Passkey, answer: &Value| {
        let assertion = Assertion::read(answer)?;
        party().asserted(&challenge(2), passkey, &assertion)
    };
    let counter = check(&passkey, &answer).unwrap();
    let cases = [
        ("challenge", client(&answer, "challenge", &"AAAA".into())),
        (
            "origin",
            client(&answer, "origin", &"https://evil.example".into()),
        ),
        (
            "ceremony",
            client(&answer, "type", &"webauthn.create".into()),
        ),
        ("framed", client(&answer, "crossOrigin", &true.into())),
        ("one more member", client(&answer, "more", &1.into())),
        (
            "host",
            with(&answer, "authenticatorData", |data| data[0] ^= 1),
        ),
        (
            "present",
            with(&answer, "authenticatorData", |data| data[32] &= !1),
        ),
        (
            "verified",
            with(&answer, "authenticatorData", |data| data[32] &= !4),
        ),
        (
            "backup",
            with(&answer, "authenticatorData", |data| data[32] ^= 8),
        ),
        (
            "counter",
            with(&answer, "authenticatorData", |data| data[36] ^= 1),
        ),
        (
            "longer",
            with(&answer, "authenticatorData", |data| data.push(0)),
        ),
        (
            "cut",
            with(&answer, "authenticatorData", |data| data.truncate(36)),
        ),
        (
            "signature",
            with(&answer, "signature", |data| *data.last_mut().unwrap() ^= 1),
        ),
        ("no signature", with(&answer, "signature", Vec::clear)),
    ];
    for (lie, answer) in cases {
        assert!(check(&passkey, &answer).is_err(), "{lie}");
    }
    let (other, _) = registered(&mut device).await;
    assert!(check(&other, &answer).is_err(), "another's passkey");
    let swapped = Passkey {
        key: other.key,
        ..passkey.clone()
    };
    assert_eq!(check(&swapped, &answer), Err(PasskeyError::Signature));
    let used = Passkey { counter, ..passkey };
    assert_eq!(check(&used, &answer), Err(PasskeyError::Copied), "replayed");
}

#[test]
fn only_an_origin_that_browsers_make_passkeys_for_is_a_party() {
    let good = [
        "https://skep.example.org",
        "https://skep.example.org:8443",
        "http://localhost:3850",
    ];
    for origin in good {
        assert_eq!(RelyingParty::of(origin).unwrap().origin(), origin);
    }
    let bad = [
        "",
        "skep.example.org",
        "http://skep.example.org",
        "https://",
        "https://a/b",
        "https://A.example",
        "https://user@example.org",
        "https://127.0.0.1:3850",
        "http://127.0.0.1:3850",
        "https://a:0",
        "https://a:x",
        "https://[::1]",
    ];
    for origin in bad {
        assert_eq!(RelyingParty::of(origin), None, "{origin}");
    }
}
