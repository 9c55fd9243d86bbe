//! A client that makes its own proofs of possession.

use std::sync::atomic::{AtomicU64, Ordering};

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use skep_crypto::{SigningKey, sha256};
use skep_domain::Clock;
use skep_test_support::{Reply, Request, TestDaemon};

/// A device that waits to be let in.
pub(crate) struct Device {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
}

/// A program with a key.
pub(crate) struct Program {
    key: SigningKey,
    issuer: String,
    clock: std::sync::Arc<skep_test_support::ManualClock>,
    proofs: AtomicU64,
}

impl Device {
    pub(crate) async fn start(daemon: &TestDaemon) -> Self {
        let fields = [("client_id", "skep-cli"), ("device_name", "a laptop")];
        let request = Request::new("POST", "/oauth/device_authorization").form(&fields);
        let reply = request.send(daemon.address).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        let text = |name: &str| reply.json()[name].as_str().unwrap().to_owned();
        assert!(text("verification_uri_complete").ends_with(&text("user_code")));
        Self {
            device_code: text("device_code"),
            user_code: text("user_code"),
        }
    }
}

impl Program {
    pub(crate) fn new(daemon: &TestDaemon) -> Self {
        Self::with_key(daemon, 8)
    }

    pub(crate) fn with_key(daemon: &TestDaemon, seed: u8) -> Self {
        Self {
            key: SigningKey::from_seed(&[seed; 32]),
            issuer: format!("http://{}", daemon.address),
            clock: std::sync::Arc::clone(&daemon.clock),
            proofs: AtomicU64::new(0),
        }
    }

    pub(crate) fn verifier(&self) -> &'static str {
        assert!(!self.issuer.is_empty());
        "a-verifier-of-forty-three-characters-or-more"
    }

    /// The thumbprint of its key (RFC 7638).
    pub(crate) fn thumbprint(&self) -> String {
        let x = encode(&self.key.public_key().to_bytes());
        encode(&sha256(
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes(),
        ))
    }

    pub(crate) fn authorize_path(&self, client: &str, redirect: &str) -> String {
        let challenge = encode(&sha256(self.verifier().as_bytes()));
        let redirect = redirect.replace(':', "%3A").replace('/', "%2F");
        format!(
            "/oauth/authorize?response_type=code&client_id={client}&redirect_uri={redirect}&state=s%20t&code_challenge={challenge}&code_challenge_method=S256"
        )
    }

    pub(crate) fn proof(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        nonce: Option<&str>,
        jti: &str,
    ) -> String {
        let jwk =
            json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&self.key.public_key().to_bytes())});
        let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk});
        let now = self.clock.now().as_micros() / 1_000_000;
        let url = format!("{}{path}", self.issuer);
        let mut body = json!({"htm": method, "htu": url, "iat": now, "jti": jti});
        if let Some(nonce) = nonce {
            body["nonce"] = json!(nonce);
        }
        if let Some(token) = token {
            body["ath"] = json!(encode(&sha256(token.as_bytes())));
        }
        let message = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(body.to_string().as_bytes())
        );
        let signature = self.key.sign(message.as_bytes()).to_bytes();
        format!("{message}.{}", encode(&signature))
    }

    /// One request to the token endpoint, repeated with a nonce when it is asked for.
    pub(crate) async fn token(
        &self,
        daemon: &TestDaemon,
        fields: &[(&str, &str)],
        proves: bool,
    ) -> (Value, String) {
        let mut nonce = None;
        loop {
            let mut request = Request::new("POST", "/oauth/token");
            if proves {
                let jti = format!("t{}", self.proofs.fetch_add(1, Ordering::SeqCst));
                let proof = self.proof("POST", "/oauth/token", None, nonce.as_deref(), &jti);
                request = request.header("DPoP", &proof);
            }
            let reply = request.form(fields).send(daemon.address).await.unwrap();
            let body = reply.json();
            let error = body["error"].as_str().unwrap_or_default().to_owned();
            if error == "use_dpop_nonce" && nonce.is_none() {
                nonce = Some(reply.header("DPoP-Nonce"));
                continue;
            }
            return (body, error);
        }
    }

    pub(crate) async fn poll(&self, daemon: &TestDaemon, device: &Device) -> (Value, String) {
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", "skep-cli"),
            ("device_code", &device.device_code),
        ];
        self.token(daemon, &fields, true).await
    }

    pub(crate) async fn refresh(&self, daemon: &TestDaemon, tokens: &Value) -> (Value, String) {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", "skep-cli"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        self.token(daemon, &fields, true).await
    }

    /// A call with a bound token, with a fresh nonce.
    pub(crate) async fn call(
        &self,
        daemon: &TestDaemon,
        method: &str,
        path: &str,
        token: &str,
    ) -> Reply {
        let nonce = daemon.app.proof_nonce();
        let jti = format!("c{}", self.proofs.fetch_add(1, Ordering::SeqCst));
        let proof = self.proof(method, path, Some(token), Some(&nonce), &jti);
        Request::new(method, path)
            .header("Authorization", &format!("DPoP {token}"))
            .header("DPoP", &proof)
            .send(daemon.address)
            .await
            .unwrap()
    }
}

/// A part of a token with its text changed.
pub(crate) fn respelt(part: &str, from: &str, to: &str) -> String {
    let text = String::from_utf8(Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap();
    assert!(text.contains(from));
    encode(text.replacen(from, to, 1).as_bytes())
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
