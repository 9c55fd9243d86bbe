//! What can go wrong with a use case, named for what the caller can do about it.

use skep_authz::Denied;
use skep_domain::Timestamp;
use skep_store::{AuthenticateError, Closing, StoreError};

/// Every failure of a use case.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A field is not as it must be; nothing was stored.
    #[error("{0}")]
    Invalid(Invalid),
    /// There is no such thing that the caller may see.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The caller may not, for a reason that no permission of theirs changes.
    #[error("{0}")]
    Forbidden(&'static str),
    /// No template is approved under this name.
    #[error(
        "no template {0} is approved: `skep template list` shows those that are, and `skep template draft` \
         proposes one"
    )]
    NoTemplate(String),
    /// An agent has no grant for this template that is in force.
    #[error(
        "this agent has no grant for the template {0}: ask for one with `skep access ask {0} --reason …`, a \
         human decides on it, and `skep access list` shows what came of it"
    )]
    AccessRequired(String),
    /// Something is there, or is so, that stands against it.
    #[error("{0}")]
    Conflict(&'static str),
    /// A key cannot be given another while the one before it still counts, since whoever checks by that would find
    /// nothing of theirs.
    #[error("the key before this one still counts")]
    KeyCounts(Timestamp),
    /// Whom it is about has not agreed, or no longer.
    #[error("whom this is about has not agreed to it")]
    ConsentRequired,
    /// Too often; asking again later helps.
    #[error("too often: try again in {retry_after_ms} ms")]
    RateLimited {
        /// How much later.
        retry_after_ms: u64,
    },
    /// As many tokens as its callers may take in a while are taken.
    #[error("too many tokens: try again in {} ms", .0.standing.next_in / 1_000)]
    TokensLimited(skep_limit::Taken),
    /// The organization keeps the key of this itself, and does not give it now.
    #[error("{0}")]
    Closed(Closing),
    /// The store failed or refused.
    #[error(transparent)]
    Store(StoreError),
    /// A credential could not be checked: refuse, and say that trying again may help.
    #[error("credentials cannot be checked: {0}")]
    AuthUnavailable(StoreError),
    /// Another daemon checks credentials, and cannot be asked: as [`AppError::AuthUnavailable`].
    #[error("the daemon that checks credentials cannot be asked")]
    AuthServiceAway,
    /// A decision could not be recorded: what it allowed must not happen.
    #[error("decisions cannot be recorded")]
    AuditUnavailable,
    /// A page could not be fetched.
    #[error(transparent)]
    Egress(skep_egress::EgressError),
    /// Its server did not give it.
    #[error("the server answered {status}")]
    Upstream {
        /// What it answered.
        status: u16,
    },
    /// A model call came to nothing.
    #[error(transparent)]
    Gateway(#[from] crate::GatewayFault),
    /// A secret that is kept elsewhere cannot be had from there.
    #[error(transparent)]
    Elsewhere(#[from] skep_reference::Unresolved),
    /// What is there cannot be taken in.
    #[error("{0}")]
    Unfit(String),
    /// More work is queued than will be done soon; trying again later helps.
    #[error("too much is queued: {0}")]
    Overloaded(&'static str),
    /// A budget has no room for a call, or does not know what it costs.
    #[error("{0}")]
    BudgetExceeded(crate::meter::Refusal),
    /// What a call may cost could not be set aside: it must not be made.
    #[error("what calls cost cannot be counted now")]
    BudgetUnavailable,
    /// As many runs wait as may; trying again in a moment helps.
    #[error("as many runs wait as may")]
    QueueFull,
    /// A defect: a part of the daemon ended that should not have.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Its path in the request.
    pub field: String,
    /// Which rule it breaks.
    pub rule: Rule,
    /// One sentence for a person.
    pub message: String,
}

/// The rules that a field can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It must be there.
    Required,
    /// More than the published limit.
    TooLong,
    /// More items than the published limit.
    TooMany,
    /// Not one of the values that mean something.
    Invalid,
}

impl Invalid {
    pub(crate) fn required(field: impl Into<String>) -> AppError {
        let field = field.into();
        let message = format!("{field} must not be empty");
        AppError::Invalid(Self {
            field,
            rule: Rule::Required,
            message,
        })
    }

    pub(crate) fn unknown(field: &str, message: &str) -> AppError {
        AppError::Invalid(Self {
            field: field.into(),
            rule: Rule::Invalid,
            message: message.into(),
        })
    }

    /// Checks a text against its limit in bytes.
    pub(crate) fn check_length(field: &str, text: &str, limit: usize) -> Result<(), AppError> {
        if text.len() <= limit {
            return Ok(());
        }
        let message = format!(
            "{field} has {} bytes; at most {limit} are allowed",
            text.len()
        );
        Err(AppError::Invalid(Self {
            field: field.into(),
            rule: Rule::TooLong,
            message,
        }))
    }

    pub(crate) fn check_count(field: &str, count: usize, limit: usize) -> Result<(), AppError> {
        if count <= limit {
            return Ok(());
        }
        let message = format!("{field} has {count} items; at most {limit} are allowed");
        Err(AppError::Invalid(Self {
            field: field.into(),
            rule: Rule::TooMany,
            message,
        }))
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OutOfBounds(why) => Self::Forbidden(why),
            // It was deleted since the credential was checked, which is of it and is none now.
            StoreError::Gone => Self::Denied(Denied::InvalidCredential),
            StoreError::Closed(closing) => Self::Closed(closing),
            other => Self::Store(other),
        }
    }
}

impl From<AuthenticateError> for AppError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Denied(denied) => Self::Denied(denied),
            AuthenticateError::Store(store) => Self::Store(store),
        }
    }
}
