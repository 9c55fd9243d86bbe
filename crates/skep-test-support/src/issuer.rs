//! An issuer of ID tokens on this machine that says whatever a test makes it say.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use skep_app::IssuerCalls;
use skep_crypto::SigningKey;
use skep_egress::{Egress, Patience, Reach, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a path answers.
#[derive(Clone, Debug)]
pub enum Say {
    /// A document.
    Json(Value),
    /// A status, and a sentence.
    Status(u16),
    /// Somewhere else.
    Redirect(String),
    /// So many bytes.
    Large(usize),
    /// Nothing, for as long as somebody waits.
    Nothing,
}

#[derive(Default)]
struct State {
    says: HashMap<String, Say>,
    asked: Vec<(String, String)>,
}

type Shared = Arc<Mutex<State>>;

/// An issuer; it ends when dropped.
pub struct Issuer {
    /// Where it is.
    pub address: SocketAddr,
    state: Shared,
    _server: JoinSet<()>,
}

impl Issuer {
    /// Starts one that publishes an honest configuration and one key.
    ///
    /// # Panics
    /// When there is no port for it.
    #[expect(clippy::expect_used, reason = "a test without its issuer cannot go on")]
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let state = Shared::default();
        let mut server = JoinSet::new();
        let shared = Arc::clone(&state);
        server.spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                visits.spawn(async move {
                    let _hung_up = answer(stream, &shared).await;
                });
            }
        });
        let issuer = Self {
            address,
            state,
            _server: server,
        };
        issuer.say(
            "/.well-known/openid-configuration",
            Say::Json(issuer.configuration()),
        );
        issuer.say("/jwks", Say::Json(json!({ "keys": [jwk(&key(1), "one")] })));
        issuer
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it says of itself.
    #[must_use]
    pub fn configuration(&self) -> Value {
        let at = self.name();
        json!({
            "issuer": at,
            "authorization_endpoint": format!("{at}/authorize"),
            "token_endpoint": format!("{at}/token"),
            "jwks_uri": format!("{at}/jwks"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        })
    }

    /// Makes a path answer so.
    pub fn say(&self, path: &str, say: Say) {
        self.state().says.insert(path.to_owned(), say);
    }

    /// First lines and heads with bodies of all requests so far, to a path.
    #[must_use]
    pub fn asked(&self, path: &str) -> Vec<String> {
        let state = self.state();
        let to = state.asked.iter().filter(|(held, _)| held == path);
        to.map(|(_, request)| request.clone()).collect()
    }

    /// Calls that reach these issuers and nothing else, and do not wait long.
    ///
    /// # Panics
    /// Never: an address of ours is a URL.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an address of ours is a URL")]
    pub fn calls(issuers: &[&str]) -> IssuerCalls {
        let origin = |name: &&str| Target::parse(name).expect("a URL").origin().clone();
        let origins: Vec<_> = issuers.iter().map(origin).collect();
        let short = Duration::from_millis(700);
        let patience = Patience {
            connect: short,
            first_byte: short,
            idle: short,
            whole: short * 2,
        };
        let egress = Egress::new(Reach::Listed(origins.clone())).with_patience(patience);
        IssuerCalls::default().with_listed(origins, egress)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key that signs, by its number.
#[must_use]
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32])
}

/// Its public half.
#[must_use]
pub fn jwk(key: &SigningKey, kid: &str) -> Value {
    let x = Base64UrlUnpadded::encode_string(&key.public_key().to_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA" })
}

/// A token with this header and these claims, signed with the key whatever the header says.
#[must_use]
pub fn token(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature))
}

async fn answer(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let request = read(&mut stream).await?;
    let path = request.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    let say = {
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.push((path.clone(), request));
        state.says.get(&path).cloned()
    };
    let (status, more, body) = match say.unwrap_or(Say::Status(404)) {
        Say::Json(value) => (
            200,
            "content-type: application/json\r\n".into(),
            value.to_string(),
        ),
        Say::Status(status) => (status, String::new(), "no".into()),
        Say::Redirect(to) => (302, format!("location: {to}\r\n"), String::new()),
        Say::Large(bytes) => (200, String::new(), " ".repeat(bytes)),
        Say::Nothing => {
            // Until whoever asked has enough of it.
            let _gone = stream.read(&mut [0; 1]).await?;
            return Ok(());
        }
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

/// A request with its body, as long as it says.
async fn read(stream: &mut TcpStream) -> io::Result<String> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap_or("0");
            let length = length.split("\r\n").next().unwrap_or("0");
            if body.len() >= length.parse().unwrap_or(0) {
                return Ok(text);
            }
        }
        match stream.read(&mut part).await? {
            0 => return Ok(text),
            read => bytes.extend_from_slice(&part[..read]),
        }
    }
}
