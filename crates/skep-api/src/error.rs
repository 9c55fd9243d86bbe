//! The closed list of error codes, one status each, and the envelope that carries them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($variant:ident = $status:literal, $text:literal;)*) => {
        /// Why a request failed. Callers match on this; messages may change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorCode { $(#[serde(rename = $text)] $variant,)* }

        impl ErrorCode {
            /// Every code, by status.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The one HTTP status of the code.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The text in the envelope.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    InvalidJson = 400, "INVALID_JSON";
    ValidationError = 400, "VALIDATION_ERROR";
    MissingCredential = 401, "MISSING_CREDENTIAL";
    InvalidCredential = 401, "INVALID_CREDENTIAL";
    BudgetExceeded = 402, "BUDGET_EXCEEDED";
    PermissionDenied = 403, "PERMISSION_DENIED";
    OrgMismatch = 403, "ORG_MISMATCH";
    StepUpRequired = 403, "STEP_UP_REQUIRED";
    OrgSuspended = 403, "ORG_SUSPENDED";
    AgentSuspended = 403, "AGENT_SUSPENDED";
    AccessRequired = 403, "ACCESS_REQUIRED";
    NotServedHere = 403, "NOT_SERVED_HERE";
    ModelNotAllowed = 403, "MODEL_NOT_ALLOWED";
    NotFound = 404, "NOT_FOUND";
    MethodNotAllowed = 405, "METHOD_NOT_ALLOWED";
    Conflict = 409, "CONFLICT";
    IdempotencyKeyReuse = 409, "IDEMPOTENCY_KEY_REUSE";
    AlreadyClaimed = 409, "ALREADY_CLAIMED";
    LeaseLost = 409, "LEASE_LOST";
    PayloadTooLarge = 413, "PAYLOAD_TOO_LARGE";
    UnsupportedMediaType = 415, "UNSUPPORTED_MEDIA_TYPE";
    Unprocessable = 422, "UNPROCESSABLE";
    KeyWithdrawn = 423, "KEY_WITHDRAWN";
    ConsentRequired = 428, "CONSENT_REQUIRED";
    RateLimited = 429, "RATE_LIMITED";
    QueueFull = 429, "QUEUE_FULL";
    Internal = 500, "INTERNAL";
    UpstreamError = 502, "UPSTREAM_ERROR";
    AuthUnavailable = 503, "AUTH_UNAVAILABLE";
    StorageUnavailable = 503, "STORAGE_UNAVAILABLE";
    AuditUnavailable = 503, "AUDIT_UNAVAILABLE";
    Overloaded = 503, "OVERLOADED";
    UpstreamTimeout = 504, "UPSTREAM_TIMEOUT";
}

/// The body of every failed native request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorEnvelope {
    /// The error.
    pub error: ErrorBody,
}

/// What went wrong, and with which request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// The code to match on.
    pub code: ErrorCode,
    /// One sentence for a person: what is wrong and what to do.
    pub message: String,
    /// The id to quote; also in `X-Request-Id`.
    pub request_id: String,
    /// The fields at fault, if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<FieldError>,
    /// When to try again, if that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// Path of the field, such as `turns[3].text`.
    pub field: String,
    /// `REQUIRED`, `TOO_LONG`, `TOO_MANY`, `INVALID`, `UNKNOWN`.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
}
