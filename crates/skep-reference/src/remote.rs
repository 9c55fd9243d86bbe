//! Asking a store over HTTP.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use skep_crypto::Plain;
use skep_egress::{Egress, EgressError, Patience, Reach, Request, Secret, Target};
use zeroize::Zeroizing;

use crate::Unresolved;

/// Reads the token that a store wants, at each use: whoever renews it writes it into a file.
pub type Token = Arc<dyn Fn() -> Result<Plain<String>, String> + Send + Sync>;

/// A server that the operator named. Nothing else is asked, and no redirect is followed elsewhere.
pub(crate) struct Remote {
    /// What it is called in errors.
    name: String,
    base: Target,
    egress: Egress,
    token: Token,
}

/// What is asked for.
pub(crate) struct Asked<'a> {
    /// From the root of the server.
    pub(crate) path: &'a str,
    /// The header that the token goes into, and what it stands behind there.
    pub(crate) token: (&'a str, &'a str),
    /// Beside that.
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

/// How a store answered.
pub(crate) enum Answer {
    Found(Body),
    /// 404; Vault says more about what was deleted.
    Missing,
}

/// An answer that may hold values.
pub(crate) struct Body(skep_egress::Response);

/// Calls to one server at a time.
const CALLS: usize = 16;
/// Bytes of an answer.
const ANSWER: usize = 1 << 20;
/// Somebody waits for the secret.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    whole: Duration::from_secs(15),
};

impl Remote {
    /// A server with its address, which is the root of its paths, and the certificates of its own
    /// authority, in DER, beside those that the system trusts.
    pub(crate) fn new(name: String, base: Target, authorities: Vec<Vec<u8>>, token: Token) -> Self {
        let egress = Egress::new(Reach::Listed(vec![base.origin().clone()]))
            .with_patience(PATIENCE)
            .with_calls(CALLS)
            .also_trusting(authorities);
        Self {
            name,
            base,
            egress,
            token,
        }
    }

    pub(crate) async fn ask(&self, asked: &Asked<'_>) -> Result<Answer, Unresolved> {
        let token = (self.token)().map_err(|problem| self.away(&problem))?;
        let request = self.request(asked, &token);
        let answer = match request {
            Ok(request) => self.egress.send(&request).await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|error| self.away(&error.to_string()))?;
        match answer.status() {
            200 => Ok(Answer::Found(Body(answer))),
            404 => Ok(Answer::Missing),
            401 | 403 => Err(Unresolved::Refused {
                store: self.name.clone(),
            }),
            status => Err(self.away(&format!("it answered with status {status}"))),
        }
    }

    fn request(&self, asked: &Asked<'_>, token: &Plain<String>) -> Result<Request, EgressError> {
        let root = self.base.path().trim_end_matches('/');
        let url = format!("{}{root}{}", self.base.origin(), asked.path);
        let (header, before) = asked.token;
        let value = Zeroizing::new(format!("{before}{}", token.expose()));
        let mut request = Request::get(Target::parse(&url)?)
            .at_most(ANSWER)
            .secret(header, &Secret::new(value.to_string()))?;
        for (name, value) in asked.headers {
            request = request.header(name, value)?;
        }
        Ok(request)
    }

    /// An answer that is not what such a server says.
    pub(crate) fn odd(&self) -> Unresolved {
        self.away("its answer was not understood")
    }

    fn away(&self, problem: &str) -> Unresolved {
        Unresolved::Away {
            store: self.name.clone(),
            problem: problem.to_owned(),
        }
    }
}

impl Body {
    /// What it says, as far as it is of use.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(self.0.body()).ok()
    }
}

/// A text in JSON, wiped when dropped.
pub(crate) fn text(raw: &serde_json::value::RawValue) -> Option<Plain<Vec<u8>>> {
    let text: String = serde_json::from_str(raw.get()).ok()?;
    Some(Plain::new(text.into_bytes()))
}
