//! Clients: the one that is built in, and those that registered themselves (RFC 7591).
//!
//! The name of a registered client *is* its registration, with our MAC over it: nothing is stored, so
//! that registering costs nothing and cannot fill anything. A name proves nothing of who uses it;
//! public clients have no secret, and what protects a login is the redirect URI, PKCE and the human.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use super::error::{OAuthCode, OAuthError};
use crate::App;

/// The client id of the program `skep`.
pub(super) const CLI: &str = "skep-cli";

const PREFIX: &str = "skep_client_";
const MAC_BYTES: usize = 16;
/// A longer name is refused unread.
const MAX_ID_BYTES: usize = 1_400;
const MAX_NAME_BYTES: usize = 100;
const MAX_REDIRECTS: usize = 5;
const MAX_REDIRECT_BYTES: usize = 300;
const MAX_REGISTRATION_BYTES: usize = 900;

/// A client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name on the wire.
    pub id: String,
    /// What it calls itself. Anybody can call themselves anything.
    pub name: String,
    /// Whether it is part of Skep.
    pub built_in: bool,
    redirects: Vec<String>,
    /// Whether every token of it is bound to a key.
    pub(super) bound: bool,
}

/// What a client says of itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Registration {
    /// What it calls itself.
    #[serde(rename = "n")]
    pub name: String,
    /// Where its user's browser may be sent.
    #[serde(rename = "r")]
    pub redirects: Vec<String>,
    /// Whether it always proves possession of a key.
    #[serde(rename = "b")]
    pub bound: bool,
}

impl App {
    /// Registers a client.
    ///
    /// # Errors
    /// [`OAuthError::Refused`] for metadata that cannot be.
    pub fn register_client(&self, new: &Registration) -> Result<Client, OAuthError> {
        const METADATA: OAuthCode = OAuthCode::InvalidClientMetadata;
        let shown = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
        if new.name.len() > MAX_NAME_BYTES || !shown(&new.name) {
            return Err(OAuthError::refused(
                METADATA,
                "client_name has 1 to 100 bytes and nothing that cannot be shown.",
            ));
        }
        if new.redirects.len() > MAX_REDIRECTS || !new.redirects.iter().all(|uri| is_fit(uri)) {
            return Err(OAuthError::refused(
                OAuthCode::InvalidRedirectUri,
                "At most five redirect URIs: https, http on a loopback address, or a scheme with a dot; no fragment.",
            ));
        }
        let body = serde_json::to_vec(new).unwrap_or_default();
        if body.len() > MAX_REGISTRATION_BYTES {
            return Err(OAuthError::refused(
                METADATA,
                "Too much for a registration.",
            ));
        }
        let tag = self.store.instance_keys().client.tag16(&[b"client", &body]);
        let id = Base64UrlUnpadded::encode_string(&[&body[..], &tag].concat());
        Ok(client(format!("{PREFIX}{id}"), new.clone()))
    }

    /// The client of a name.
    ///
    /// # Errors
    /// [`OAuthError::Refused`] when there is none.
    pub fn client(&self, id: &str) -> Result<Client, OAuthError> {
        if id == CLI {
            return Ok(Client {
                id: CLI.into(),
                name: "Skep command line".into(),
                built_in: true,
                redirects: vec!["http://127.0.0.1/callback".into()],
                bound: true,
            });
        }
        self.registered(id).ok_or(OAuthError::refused(
            OAuthCode::InvalidClient,
            "There is no such client: register it at /oauth/register.",
        ))
    }

    fn registered(&self, id: &str) -> Option<Client> {
        if id.len() > MAX_ID_BYTES {
            return None;
        }
        let bytes = Base64UrlUnpadded::decode_vec(id.strip_prefix(PREFIX)?).ok()?;
        let (body, tag) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        let tag = <&[u8; MAC_BYTES]>::try_from(tag).ok()?;
        let key = &self.store.instance_keys().client;
        if !key.verify(&[b"client", body], tag) {
            return None;
        }
        Some(client(id.to_owned(), serde_json::from_slice(body).ok()?))
    }
}

impl Client {
    /// Whether a browser may be sent there: to exactly what was registered, but for the port of a
    /// loopback address, which a program learns when it listens (RFC 8252, section 7.3).
    #[must_use]
    pub fn may_redirect_to(&self, uri: &str) -> bool {
        let wanted = portless(uri);
        self.redirects.iter().any(|registered| {
            registered == uri || (wanted.is_some() && portless(registered) == wanted)
        }) && is_fit(uri)
    }
}

fn client(id: String, registration: Registration) -> Client {
    Client {
        id,
        name: registration.name,
        built_in: false,
        redirects: registration.redirects,
        bound: registration.bound,
    }
}

/// Whether a redirect URI leads to a client and nobody else, as far as a URI can.
fn is_fit(uri: &str) -> bool {
    let graphic = uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains(['#', '\\']);
    if uri.len() > MAX_REDIRECT_BYTES || !graphic {
        return false;
    }
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    let host = rest.strip_prefix("//").map(host_of);
    match scheme {
        "https" => host.is_some_and(is_host),
        "http" => portless(uri).is_some(),
        // RFC 8252, section 7.1: the name of a domain, turned round.
        _ => {
            scheme.contains('.')
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
        }
    }
}

/// An `http` URI on a loopback address without its port: its host, and what follows.
fn portless(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let authority = host_of(rest);
    let tail = &rest[authority.len()..];
    let host = if authority.starts_with('[') {
        authority.split_inclusive(']').next()?
    } else {
        authority.split(':').next()?
    };
    let port = &authority[host.len()..];
    let port_is_fit = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok());
    (matches!(host, "127.0.0.1" | "[::1]" | "localhost") && port_is_fit).then_some((host, tail))
}

/// A host and perhaps a port, of letters that have no meaning in a header.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
}

fn host_of(rest: &str) -> &str {
    rest.split(['/', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Registration, client, is_fit};

    #[test]
    fn a_browser_is_sent_to_the_client_and_nowhere_else() {
        let client = client(
            "c".into(),
            Registration {
                name: "a".into(),
                redirects: vec![
                    "http://127.0.0.1/cb".into(),
                    "https://a.example/cb?x=1".into(),
                ],
                bound: false,
            },
        );
        let table = [
            ("http://127.0.0.1/cb", true),
            ("http://127.0.0.1:54321/cb", true),
            ("https://a.example/cb?x=1", true),
            ("http://127.0.0.1:54321/cb/", false),
            ("http://127.0.0.1:54321/cb?x", false),
            ("http://localhost:54321/cb", false),
            ("http://127.0.0.1:99999/cb", false),
            ("http://127.0.0.1:1@evil.example/cb", false),
            ("http://127.0.0.1.evil.example/cb", false),
            ("https://a.example/cb", false),
            ("https://a.example/cb?x=1&y", false),
            ("https://a.example:444/cb?x=1", false),
            ("https://a.example.evil/cb?x=1", false),
            ("HTTPS://a.example/cb?x=1", false),
            ("", false),
        ];
        for (uri, may) in table {
            assert_eq!(client.may_redirect_to(uri), may, "{uri}");
        }
    }

    #[test]
    fn a_redirect_uri_is_of_a_kind_that_reaches_a_client() {
        let table = [
            ("https://a.example/cb", true),
            ("http://[::1]:1/cb", true),
            ("http://localhost/", true),
            ("com.example.app:/cb", true),
            ("http://a.example/cb", false),
            ("http://10.0.0.1/cb", false),
            ("https://a.example/cb#f", false),
            ("https://user@a.example/cb", false),
            ("https:///cb", false),
            ("https://a.example;script-src/cb", false),
            ("https://a.example,b/cb", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("app:/cb", false),
            ("https://a.example/ cb", false),
            ("https://a.example\\@b/", false),
            ("", false),
        ];
        for (uri, fit) in table {
            assert_eq!(is_fit(uri), fit, "{uri}");
        }
        let long = format!("https://a.example/{}", "x".repeat(300));
        assert!(!is_fit(&long));
    }
}
