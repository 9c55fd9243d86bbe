//! A prompt that belongs to no dialect, and the request that is made of it.

use serde_json::Value;

use crate::dialect::KeyHeader;

/// What a model is asked.
#[derive(Clone)]
pub struct Prompt {
    /// What it is to do.
    pub system: String,
    /// What it is to do it with.
    pub user: String,
    /// The form of the answer, told to endpoints that can hold a model to one.
    pub schema: Schema,
    /// Tokens of the answer at most.
    pub max_output: u32,
}

/// The form of an answer, as a JSON schema.
#[derive(Clone)]
pub struct Schema {
    /// A name of letters, digits and `_`.
    pub name: &'static str,
    /// What an answer of this form is for.
    pub purpose: &'static str,
    /// The schema.
    pub json: Value,
}

/// What to send.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// Below the endpoint's base address.
    pub path: &'static str,
    /// Headers beside the key's.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Where the key goes.
    pub key: KeyHeader,
    /// JSON.
    pub body: Vec<u8>,
}

/// Tokens that templates put around messages, and descriptions around a schema: more than any
/// endpoint that was looked at takes.
const AROUND: u64 = 1_000;

impl Prompt {
    /// Tokens that this can cost at most, answer included: no vocabulary in use makes more tokens
    /// of a text than it has bytes.
    #[must_use]
    pub fn most_tokens(&self) -> u64 {
        self.most_input() + u64::from(self.max_output)
    }

    /// The part of [`Prompt::most_tokens`] that is not the answer.
    #[must_use]
    pub fn most_input(&self) -> u64 {
        let schema = self.schema.json.to_string().len() + self.schema.purpose.len();
        (self.system.len() + self.user.len() + schema) as u64 + AROUND
    }

    /// Tokens that this costs at least. A vocabulary makes a token of about four bytes; an endpoint
    /// that counts less than one in sixteen does not count.
    #[must_use]
    pub fn least_input(&self) -> u64 {
        (self.system.len() + self.user.len()) as u64 / 16
    }
}

/// Sizes only: the body holds what people said.
impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("system", &self.system.len())
            .field("user", &self.user.len())
            .finish_non_exhaustive()
    }
}

/// Sizes only: the body holds what people said.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}
