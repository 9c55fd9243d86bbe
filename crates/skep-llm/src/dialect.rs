//! The two dialects, and what an operator says about the endpoint that speaks one.

use crate::prompt::{Prompt, Request};
use crate::reply::{Reply, Response};
use crate::{Failure, anthropic, openai};

/// Which requests an endpoint understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `POST {base}/chat/completions`: OpenAI, Ollama, vLLM, llama.cpp and many more.
    OpenAi,
    /// `POST {base}/v1/messages`: Anthropic.
    Anthropic,
}

/// The header that carries the key, and what stands before the key in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHeader {
    /// Its name, in lower case.
    pub name: &'static str,
    /// `Bearer ` or nothing.
    pub prefix: &'static str,
}

/// A model behind an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What the endpoint understands.
    pub dialect: Dialect,
    /// The model's name there.
    pub model: String,
    /// Whether the endpoint can hold a model to a schema. The answer is checked either way.
    pub structured: bool,
    /// Whether the model reasons before it answers: OpenAI's newer models call the limit of an
    /// answer otherwise, and take no temperature.
    pub reasoning: bool,
}

impl Dialect {
    /// Its name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// What an error with this status is called.
    #[must_use]
    pub const fn fault_kind(self, status: u16) -> &'static str {
        match (self, status) {
            (_, 401) => "authentication_error",
            (_, 403) => "permission_error",
            (_, 429) => "rate_limit_error",
            (Self::OpenAi, 402) => "insufficient_quota",
            (Self::OpenAi, 500..) => "server_error",
            (Self::Anthropic, 402) => "billing_error",
            (Self::Anthropic, 404) => "not_found_error",
            (Self::Anthropic, 413) => "request_too_large",
            (Self::Anthropic, 503 | 529) => "overloaded_error",
            (Self::Anthropic, 504) => "timeout_error",
            (Self::Anthropic, 500..) => "api_error",
            (_, _) => "invalid_request_error",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::OpenAi, Self::Anthropic]
            .into_iter()
            .find(|dialect| dialect.as_str() == name)
    }
}

impl Target {
    /// What to send.
    #[must_use]
    pub fn request(&self, prompt: &Prompt) -> Request {
        match self.dialect {
            Dialect::OpenAi => openai::request(self, prompt),
            Dialect::Anthropic => anthropic::request(self, prompt),
        }
    }

    /// What came back.
    ///
    /// # Errors
    /// [`Failure`]: an error of the endpoint, or an answer that is none of its dialect.
    pub fn read(&self, response: &Response) -> Result<Reply, Failure> {
        if !(200..300).contains(&response.status) {
            return Err(Failure::of(response));
        }
        match self.dialect {
            Dialect::OpenAi => openai::read(&response.body),
            Dialect::Anthropic => anthropic::read(&response.body),
        }
        .ok_or(Failure::Unreadable)
    }
}
