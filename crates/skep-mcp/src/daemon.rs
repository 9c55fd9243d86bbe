//! The one way from a tool to the daemon: a route of the table, asked as whoever asks the tool.

use serde::Serialize;
use serde_json::Value;
use skep_api::{ErrorCode, ErrorEnvelope, RouteId};

/// One question.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Which row of the route table.
    pub route: RouteId,
    /// The `{id}` of its path.
    pub id: Option<String>,
    /// Its query string.
    pub query: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Option<Value>,
}

/// Why a question was not answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The daemon's code; none if it was not reached.
    pub code: Option<ErrorCode>,
    /// What is wrong, for a reader.
    pub message: String,
    /// When to try again, if that helps.
    pub retry_after_ms: Option<u64>,
}

/// Whoever answers: with the caller's own credential, past every gate that there is for it.
pub trait Daemon: Send + Sync + 'static {
    /// Asks one route.
    fn ask(&self, ask: Ask) -> impl Future<Output = Result<Value, Refusal>> + Send;

    /// 128 random bits, for the marks around stored text.
    fn nonce(&self) -> [u8; 16];
}

impl Ask {
    /// A route without anything.
    pub(crate) fn of(route: RouteId) -> Self {
        Self {
            route,
            id: None,
            query: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn about(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Result<Self, Refusal> {
        let value = serde_json::to_value(body).map_err(|error| Refusal::here(&error))?;
        self.body = Some(value);
        Ok(self)
    }
}

impl From<ErrorEnvelope> for Refusal {
    fn from(ErrorEnvelope { error }: ErrorEnvelope) -> Self {
        let mut message = error.message.clone();
        for field in &error.details {
            if field.message != error.message {
                message.push(' ');
                message.push_str(&field.message);
            }
        }
        Self {
            code: Some(error.code),
            message,
            retry_after_ms: error.retry_after_ms,
        }
    }
}

impl Refusal {
    /// Something at this end.
    pub(crate) fn here(problem: &dyn std::fmt::Display) -> Self {
        Self {
            message: problem.to_string(),
            ..Self::default()
        }
    }

    /// What is wrong and what to do about it, for a model.
    pub(crate) fn told(&self) -> String {
        let mut told = self.message.clone();
        if let Some(code) = self.code {
            told = format!("{}: {told}", code.as_str());
        }
        if let Some(advice) = self.advice() {
            told.push(' ');
            told.push_str(advice);
        }
        if let Some(wait) = self.retry_after_ms {
            told.push_str(&format!(" Try again in {} s.", wait.div_ceil(1_000)));
        }
        told
    }

    fn advice(&self) -> Option<&'static str> {
        Some(match self.code? {
            ErrorCode::MissingCredential | ErrorCode::InvalidCredential => {
                "Tell the user that the login or key that Skep is asked with does not count (any more)."
            }
            ErrorCode::PermissionDenied | ErrorCode::StepUpRequired => {
                "Do not try again: the credential does not allow it, or the id is not of this workspace."
            }
            ErrorCode::NotFound => "Find the id with memory_search.",
            ErrorCode::StorageUnavailable
            | ErrorCode::AuthUnavailable
            | ErrorCode::AuditUnavailable
            | ErrorCode::Overloaded => "Go on without it, and try once more later.",
            _ => return None,
        })
    }
}
