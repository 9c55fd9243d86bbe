//! Failures as gRPC has them, with the code that HTTP has for the same.

use skep_api::ErrorCode;
use skep_api::id::IdError;
use skep_app::{AppError, ShownError};
use skep_authz::Denied;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};

/// The code that HTTP has.
pub(crate) const CODE: &str = "skep-code";
/// When asking again helps.
pub(crate) const RETRY: &str = "retry-after-ms";
/// A proof has to be made again, with this nonce.
pub(crate) const NONCE: &str = "dpop-nonce";
/// After a 503 without a better estimate, as over HTTP.
const RETRY_AFTER_MS: u64 = 1_000;

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) retry_after_ms: Option<u64>,
    pub(crate) nonce: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_ms: (code.status() == 503).then_some(RETRY_AFTER_MS),
            nonce: None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ValidationError, message)
    }

    /// Whether it belongs into the record of decisions.
    pub(crate) fn is_decision(&self) -> bool {
        matches!(self.code.status(), 401 | 403)
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code.status() {
            401 => Code::Unauthenticated,
            402 | 429 => Code::ResourceExhausted,
            403 => Code::PermissionDenied,
            404 => Code::NotFound,
            409 | 423 => Code::FailedPrecondition,
            400..500 => Code::InvalidArgument,
            503 => Code::Unavailable,
            _ => Code::Internal,
        };
        let mut metadata = MetadataMap::new();
        metadata.insert(CODE, AsciiMetadataValue::from_static(refusal.code.as_str()));
        if let Some(millis) = refusal.retry_after_ms {
            metadata.insert(RETRY, millis.into());
        }
        if let Some(nonce) = refusal.nonce.and_then(|nonce| nonce.parse().ok()) {
            metadata.insert(NONCE, nonce);
        }
        Self::with_metadata(code, refusal.message, metadata)
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let code = match denied {
            Denied::MissingCredential => ErrorCode::MissingCredential,
            Denied::InvalidCredential => ErrorCode::InvalidCredential,
            Denied::MissingPermission(_) | Denied::NotTheInstallation | Denied::NotInPerson => {
                ErrorCode::PermissionDenied
            }
            Denied::OrganizationSuspended => ErrorCode::OrgSuspended,
            Denied::AgentSuspended => ErrorCode::AgentSuspended,
            Denied::StepUpRequired | Denied::FactorOwed => ErrorCode::StepUpRequired,
            Denied::OrganizationMismatch => ErrorCode::OrgMismatch,
            Denied::KeptElsewhere => ErrorCode::NotServedHere,
        };
        let message = match denied {
            // One text whatever is wrong with it.
            Denied::InvalidCredential => "The credential is not valid.".to_owned(),
            denied => denied.to_string(),
        };
        Self::new(code, message)
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Denied(denied) => denied.into(),
            AppError::Invalid(invalid) => Self::invalid(invalid.message),
            AppError::NotFound(what) => {
                Self::new(ErrorCode::NotFound, format!("There is no such {what}."))
            }
            AppError::Forbidden(why) => Self::new(ErrorCode::PermissionDenied, why),
            AppError::NoTemplate(_) => Self::new(ErrorCode::NotFound, error.to_string()),
            AppError::AccessRequired(_) => Self::new(ErrorCode::AccessRequired, error.to_string()),
            AppError::Conflict(why) => Self::new(ErrorCode::Conflict, why),
            AppError::KeyCounts(_) => Self::new(ErrorCode::Conflict, error.to_string()),
            AppError::RateLimited { retry_after_ms } => Self {
                retry_after_ms: Some(retry_after_ms),
                ..Self::new(ErrorCode::RateLimited, "Too often in a short time.")
            },
            AppError::TokensLimited(_) => {
                Self::new(ErrorCode::RateLimited, "Too many tokens in a short time.")
            }
            AppError::BudgetExceeded(refusal) => {
                Self::new(ErrorCode::BudgetExceeded, refusal.to_string())
            }
            AppError::QueueFull => Self::new(ErrorCode::QueueFull, "as many runs wait as may"),
            AppError::Closed(_) => Self::new(
                ErrorCode::KeyWithdrawn,
                "The organization does not give the key of this workspace now.",
            ),
            AppError::Overloaded(what) => Self::new(ErrorCode::Overloaded, what),
            error => unavailable(&error),
        }
    }
}

/// What cannot be done now: the cause is logged, and not sent.
fn unavailable(error: &AppError) -> Refusal {
    tracing::error!(error = error as &dyn std::error::Error, "not available");
    match error {
        AppError::AuthUnavailable(_) | AppError::AuthServiceAway => Refusal::new(
            ErrorCode::AuthUnavailable,
            "Credentials cannot be checked now; nothing was done.",
        ),
        AppError::AuditUnavailable => Refusal::new(
            ErrorCode::AuditUnavailable,
            "The decision cannot be recorded now, so nothing was done.",
        ),
        AppError::Store(_) => Refusal::new(
            ErrorCode::StorageUnavailable,
            "Storage is not available; the daemon's log says why.",
        ),
        _ => Refusal::new(ErrorCode::Internal, "Something went wrong here."),
    }
}

impl From<ShownError> for Refusal {
    fn from(error: ShownError) -> Self {
        match error {
            ShownError::NonceNeeded => Denied::InvalidCredential.into(),
            ShownError::App(error) => error.into(),
        }
    }
}

impl From<IdError> for Refusal {
    fn from(error: IdError) -> Self {
        match error {
            IdError::Malformed(_) => Self::invalid(error.to_string()),
            // One answer for another tenant's id and for an invented one.
            IdError::Foreign => Self::new(
                ErrorCode::PermissionDenied,
                "This id is not of your workspace.",
            ),
        }
    }
}
