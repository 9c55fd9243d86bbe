//! The second version of the key-value store of Vault and `OpenBao`.
//!
//! <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use skep_crypto::Plain;
use skep_domain::Reference;
use skep_egress::Target;

use crate::Unresolved;
use crate::remote::{Answer, Asked, Remote, Token, text};

/// A server, and what of it may be referred to.
pub struct Server {
    name: String,
    remote: Remote,
    namespace: Option<String>,
    paths: Vec<String>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    data: Version<'a>,
}

#[derive(Deserialize)]
struct Version<'a> {
    #[serde(borrow)]
    data: Option<BTreeMap<String, &'a RawValue>>,
}

impl Server {
    /// What references call it, its address, the certificates of its own authority, in DER, and its token.
    #[must_use]
    pub fn new(name: String, address: Target, authorities: Vec<Vec<u8>>, token: Token) -> Self {
        let remote = Remote::new(format!("Vault {name}"), address, authorities, token);
        Self {
            name,
            remote,
            namespace: None,
            paths: Vec::new(),
        }
    }

    /// In this namespace of the server.
    #[must_use]
    pub fn in_namespace(mut self, namespace: String) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// Only what is at or below one of these, each as `mount/path`; everything if none is named, as far as
    /// the token goes.
    #[must_use]
    pub fn below(mut self, paths: Vec<String>) -> Self {
        self.paths = paths;
        self
    }

    pub(crate) fn has(&self, server: &str, mount: &str, path: &str) -> bool {
        let whole = format!("{mount}/{path}");
        let is_below = |prefix: &String| {
            let prefix = prefix.trim_matches('/');
            let rest = whole.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        server == self.name && (self.paths.is_empty() || self.paths.iter().any(is_below))
    }

    pub(crate) async fn look_up(
        &self,
        reference: &Reference,
    ) -> Result<Plain<Vec<u8>>, Unresolved> {
        let Reference::Vault {
            mount,
            path,
            version,
            field,
            ..
        } = reference
        else {
            return Err(Unresolved::NotAllowed);
        };
        let mut url = format!("/v1/{mount}/data/{path}");
        if let Some(version) = version {
            url.push_str(&format!("?version={version}"));
        }
        let namespace = self.namespace.as_deref();
        let mut headers = vec![("x-vault-request", "true")];
        headers.extend(namespace.map(|namespace| ("x-vault-namespace", namespace)));
        let asked = Asked {
            path: &url,
            token: ("x-vault-token", ""),
            headers: &headers,
        };
        let missing = || Unresolved::Missing(reference.to_string());
        let Answer::Found(body) = self.remote.ask(&asked).await? else {
            return Err(missing());
        };
        let said: Said<'_> = body.read().ok_or_else(|| self.remote.odd())?;
        let fields = said.data.data.ok_or_else(missing)?;
        let raw = fields.get(field).ok_or_else(missing)?;
        text(raw).ok_or_else(|| Unresolved::Unfit(reference.to_string()))
    }
}
