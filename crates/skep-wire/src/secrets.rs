//! Whoever keeps the values, as this crate sees them.

use async_trait::async_trait;
use skep_crypto::Plain;

/// Gives values at the moment of use. Whoever implements it decides again at each call, and keeps the
/// record of it.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The value, which is wiped when the request is over and kept by nobody here.
    async fn value(&self, asked: &Asked<'_>) -> Result<Plain<String>, Withheld>;
}

/// What a value is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The name of the lease, as its terms have it.
    pub lease: &'a str,
    /// The name of the secret.
    pub secret: &'a str,
    /// What becomes of it.
    pub why: Why,
    /// Where it goes: host and port.
    pub host: &'a str,
    /// The method of the request.
    pub method: &'a str,
    /// The path of the request, without its query.
    pub path: &'a str,
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is sent to the origin: a use.
    Send,
    /// It stays here: the answer is looked through, so that the program does not get the value if the
    /// origin says it. No use.
    Scrub,
}

/// Why a value is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// It may not be used so, now or any more. The text goes to the program.
    Refused(String),
    /// It cannot be got at just now.
    Unavailable,
}
