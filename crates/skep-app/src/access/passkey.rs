//! Passkeys: the two ceremonies of `WebAuthn` level 3, seen from the server.
//!
//! Pure: a ceremony takes the challenge that was handed out and what came back, and says what may be
//! kept or who signed. Whoever calls hands each challenge out once, for a while, and to one browser
//! (a ticket), and keeps the counter it is told. The user is verified on the device in every
//! ceremony (`userVerification: required`), so a passkey is two factors: the device, and what unlocks
//! it. No attestation is asked for.

mod cbor;
mod data;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use serde_json::{Value, json};
use skep_crypto::{Random, sha256};

use data::{AuthenticatorData, unwrap_attestation};

pub use data::PasskeyKey;

/// Bytes that the id of a credential has at most (`WebAuthn`, section 4).
pub const MAX_CREDENTIAL_ID: usize = 1_023;
/// Bytes of what a browser sends back that are decoded.
const MAX_FIELD: usize = 16 << 10;
/// How long a browser may take, in milliseconds.
const PATIENCE: u32 = 300_000;

/// Why a ceremony failed. For the log and for the person at the browser; nothing in it is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// What the browser sent cannot be read.
    #[error("the browser's answer is malformed: {0}")]
    Malformed(&'static str),
    /// It answers another question: another ceremony, challenge or page.
    #[error("the browser's answer is to something else: {0}")]
    NotThis(&'static str),
    /// Nobody touched the device, or it did not check who.
    #[error("the device did not verify its user")]
    NotVerified,
    /// A key of a kind that we do not take.
    #[error("the device offers no kind of key that is taken here")]
    Algorithm,
    /// The signature is not the passkey's.
    #[error("the signature is not this passkey's")]
    Signature,
    /// The counter went back: there are two of this device.
    #[error("the device's counter went back: the passkey may have been copied")]
    Copied,
}

/// Who asks: a web page's origin, and the host that passkeys are made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    origin: String,
    id: String,
}

/// What a browser is asked to answer. Handed out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

/// For whom a passkey is made.
#[derive(Clone, Copy, Debug)]
pub struct For<'a> {
    /// What the device gives back at login: opaque, not the address.
    pub handle: &'a [u8; 16],
    /// The address, shown by the device.
    pub address: &'a str,
    /// The name, shown by the device.
    pub name: &'a str,
}

/// A passkey to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// What it is found by.
    pub id: Vec<u8>,
    /// What its signatures are checked with.
    pub key: PasskeyKey,
    /// Its counter, 0 for devices that keep none.
    pub counter: u32,
    /// The model of the device, or zeros.
    pub aaguid: [u8; 16],
    /// Whether it may be on several devices.
    pub may_be_backed_up: bool,
}

/// What a browser's answer to a login says before anything is checked: what to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The credential.
    pub id: Vec<u8>,
    /// The handle of the user, which devices give when they were not told whom to ask for.
    pub handle: Option<[u8; 16]>,
    client_data: Vec<u8>,
    data: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential<R> {
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: R,
}

#[derive(Deserialize)]
struct MadeResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "attestationObject")]
    attestation: String,
}

#[derive(Deserialize)]
struct AssertedResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "authenticatorData")]
    data: String,
    signature: String,
    #[serde(rename = "userHandle", default)]
    handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<Value>,
}

impl RelyingParty {
    /// The party behind an origin: `https://host`, with a port if it is not 443; on this machine
    /// `http://localhost` with a port, which browsers count as safe too.
    #[must_use]
    pub fn of(origin: &str) -> Option<Self> {
        let (host, own_machine) = match origin.strip_prefix("https://") {
            Some(host) => (host, false),
            None => (origin.strip_prefix("http://")?, true),
        };
        let (id, port) = host
            .split_once(':')
            .map_or((host, None), |(id, port)| (id, Some(port)));
        let sound = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
            && !id.is_empty()
            && id.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b".-".contains(&c))
            // An address is no domain, and browsers make no passkeys for it.
            && id.parse::<std::net::IpAddr>().is_err()
            && (!own_machine || id == "localhost");
        sound.then(|| Self {
            origin: origin.to_owned(),
            id: id.to_owned(),
        })
    }

    /// The origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What to hand to `navigator.credentials.create`, in its JSON form.
    #[must_use]
    pub fn creation(&self, challenge: &Challenge, whom: For<'_>, known: &[Vec<u8>]) -> Value {
        let algorithms: Vec<_> = PasskeyKey::ALGORITHMS
            .iter()
            .map(|name| json!({"type": "public-key", "alg": name}))
            .collect();
        json!({
            "rp": {"id": self.id, "name": "Skep"},
            "user": {"id": encode(whom.handle), "name": whom.address, "displayName": whom.name},
            "challenge": encode(&challenge.0),
            "pubKeyCredParams": algorithms,
            "timeout": PATIENCE,
            "excludeCredentials": listed(known),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "attestation": "none",
        })
    }

    /// What to hand to `navigator.credentials.get`, in its JSON form; without `known`, the device
    /// offers whatever it has for us.
    #[must_use]
    pub fn request(&self, challenge: &Challenge, known: &[Vec<u8>]) -> Value {
        let mut request = json!({
            "challenge": encode(&challenge.0),
            "timeout": PATIENCE,
            "rpId": self.id,
            "userVerification": "required",
        });
        if !known.is_empty() {
            request["allowCredentials"] = listed(known).into();
        }
        request
    }

    /// Takes what `create` gave (section 7.1).
    ///
    /// # Errors
    /// [`PasskeyError`]; nothing is to be kept.
    pub fn made(&self, challenge: &Challenge, answer: &Value) -> Result<Passkey, PasskeyError> {
        let credential: Credential<MadeResponse> = read(answer)?;
        let client_data = decode(&credential.response.client_data, "client data")?;
        self.check_client("webauthn.create", challenge, &client_data)?;
        let attestation = decode(&credential.response.attestation, "attestation object")?;
        let data = AuthenticatorData::read(unwrap_attestation(&attestation)?)?;
        self.check_data(&data)?;
        let may_be_backed_up = data.may_be_backed_up();
        let made = data
            .made
            .ok_or(PasskeyError::Malformed("no credential in it"))?;
        if decode(&credential.raw_id, "id")? != made.id {
            return Err(PasskeyError::NotThis("another credential's id"));
        }
        Ok(Passkey {
            id: made.id.to_vec(),
            key: made.key,
            counter: data.counter,
            aaguid: made.aaguid,
            may_be_backed_up,
        })
    }

    /// Checks what `get` gave against the passkey it names (section 7.2), and says the counter to
    /// keep.
    ///
    /// # Errors
    /// [`PasskeyError`]; nobody is to be let in.
    pub fn asserted(
        &self,
        challenge: &Challenge,
        passkey: &Passkey,
        assertion: &Assertion,
    ) -> Result<u32, PasskeyError> {
        if passkey.id != assertion.id {
            return Err(PasskeyError::NotThis("another passkey"));
        }
        self.check_client("webauthn.get", challenge, &assertion.client_data)?;
        let data = AuthenticatorData::read(&assertion.data)?;
        self.check_data(&data)?;
        if data.may_be_backed_up() != passkey.may_be_backed_up {
            return Err(PasskeyError::NotThis("another kind of passkey"));
        }
        let signed = [&assertion.data[..], &sha256(&assertion.client_data)].concat();
        passkey
            .key
            .verify(&signed, &assertion.signature)
            .map_err(|_| PasskeyError::Signature)?;
        if (data.counter, passkey.counter) != (0, 0) && data.counter <= passkey.counter {
            return Err(PasskeyError::Copied);
        }
        Ok(data.counter)
    }

    fn check_client(
        &self,
        kind: &str,
        challenge: &Challenge,
        bytes: &[u8],
    ) -> Result<(), PasskeyError> {
        let client: ClientData =
            serde_json::from_slice(bytes).map_err(|_| PasskeyError::Malformed("client data"))?;
        let not = |what| Err(PasskeyError::NotThis(what));
        if client.kind != kind {
            return not("another ceremony");
        }
        if client.challenge != encode(&challenge.0) {
            return not("another challenge");
        }
        if client.origin != self.origin {
            return not("another page");
        }
        // A page inside another's frame asks for nothing here.
        if client.cross_origin || client.top_origin.is_some() {
            return not("a page in a frame");
        }
        Ok(())
    }

    fn check_data(&self, data: &AuthenticatorData<'_>) -> Result<(), PasskeyError> {
        if data.party_hash != sha256(self.id.as_bytes()) {
            return Err(PasskeyError::NotThis("another host"));
        }
        if !(data.user_present() && data.user_verified()) {
            return Err(PasskeyError::NotVerified);
        }
        if data.is_backed_up() && !data.may_be_backed_up() {
            return Err(PasskeyError::Malformed("a copy that may not be"));
        }
        Ok(())
    }
}

impl Challenge {
    /// A fresh challenge.
    #[must_use]
    pub fn mint(random: &dyn Random) -> Self {
        Self(random.array())
    }

    /// Takes a stored one.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl Passkey {
    /// The form to seal and store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend((self.id.len() as u16).to_be_bytes());
        bytes.extend(&self.id);
        bytes.extend(self.counter.to_be_bytes());
        bytes.extend(self.aaguid);
        bytes.push(self.may_be_backed_up.into());
        bytes.extend(self.key.to_bytes());
        bytes
    }

    /// Reads the stored form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (length, bytes) = bytes.split_at_checked(2)?;
        let length = u16::from_be_bytes([length[0], length[1]]);
        let (id, bytes) = bytes.split_at_checked(length.into())?;
        let (head, key) = bytes.split_at_checked(21)?;
        Some(Self {
            id: id.to_vec(),
            key: PasskeyKey::from_bytes(key)?,
            counter: u32::from_be_bytes(std::array::from_fn(|i| head[i])),
            aaguid: std::array::from_fn(|i| head[4 + i]),
            may_be_backed_up: head[20] == 1,
        })
    }
}

impl Assertion {
    /// Reads what `get` gave; nothing is checked yet.
    ///
    /// # Errors
    /// [`PasskeyError::Malformed`].
    pub fn read(answer: &Value) -> Result<Self, PasskeyError> {
        let credential: Credential<AssertedResponse> = read(answer)?;
        let response = credential.response;
        let id = decode(&credential.raw_id, "id")?;
        if id.is_empty() || id.len() > MAX_CREDENTIAL_ID {
            return Err(PasskeyError::Malformed("id"));
        }
        let handle = match response.handle.as_deref() {
            None | Some("") => None,
            Some(text) => {
                let bytes = decode(text, "user handle")?;
                Some(
                    bytes
                        .try_into()
                        .map_err(|_| PasskeyError::Malformed("user handle"))?,
                )
            }
        };
        Ok(Self {
            id,
            handle,
            client_data: decode(&response.client_data, "client data")?,
            data: decode(&response.data, "authenticator data")?,
            signature: decode(&response.signature, "signature")?,
        })
    }
}

fn listed(known: &[Vec<u8>]) -> Vec<Value> {
    known
        .iter()
        .map(|id| json!({"type": "public-key", "id": encode(id)}))
        .collect()
}

fn read<R: for<'de> Deserialize<'de>>(answer: &Value) -> Result<Credential<R>, PasskeyError> {
    let credential = Credential::<R>::deserialize(answer)
        .map_err(|_| PasskeyError::Malformed("no public-key credential"))?;
    if credential.kind != "public-key" {
        return Err(PasskeyError::Malformed("no public-key credential"));
    }
    Ok(credential)
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, PasskeyError> {
    if text.len() > MAX_FIELD {
        return Err(PasskeyError::Malformed(what));
    }
    // Some browsers' scripts pad.
    Base64UrlUnpadded::decode_vec(text.trim_end_matches('='))
        .map_err(|_| PasskeyError::Malformed(what))
}
