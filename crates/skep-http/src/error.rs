//! Failures as the envelope. Causes are logged with their chain and never sent.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use skep_api::id::IdError;
use skep_api::{ErrorBody, ErrorCode, ErrorEnvelope, FieldError, Instant};
use skep_app::{AppError, Closing, EgressError, GatewayFault, Rule, ShownError};
use skep_authz::Denied;
use skep_domain::Permission;
use skep_limit::Taken;

use crate::dialect::{self, Dialect};
use crate::request_id::RequestId;

/// A failed request, before it has its request id.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) details: Vec<FieldError>,
    /// When to try again, if that is known.
    pub(crate) retry_after_ms: Option<u64>,
    /// Whether a proof of possession has to be made again, with a nonce of ours.
    pub(crate) wants_nonce: bool,
    /// Whether it was about an id of somewhere else: the answer does not say, the record does.
    pub(crate) is_foreign: bool,
}

/// What whoever is observed has to do first.
const CONSENT: &str = "Whom this is about has not agreed to be observed, or no longer: they agree with `skep consent give`, or POST /api/v1/consents.";
/// How long to wait before trying again after a 503.
const RETRY_AFTER_MS: u64 = 1_000;

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after_ms: None,
            wants_nonce: false,
            is_foreign: false,
        }
    }

    pub(crate) fn field(field: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        let detail = FieldError {
            field: field.into(),
            code: code.into(),
            message: message.into(),
        };
        let message = detail.message.clone();
        Self {
            code: ErrorCode::ValidationError,
            message,
            details: vec![detail],
            retry_after_ms: None,
            wants_nonce: false,
            is_foreign: false,
        }
    }

    /// The answer, in our own envelope.
    pub(crate) fn respond(self, id: &RequestId) -> Response {
        self.respond_in(None, id)
    }

    /// The answer, as whoever asked understands it.
    pub(crate) fn respond_in(self, dialect: Option<Dialect>, id: &RequestId) -> Response {
        let retry_after_ms = self
            .retry_after_ms
            .or((self.code.status() == 503).then_some(RETRY_AFTER_MS));
        let (code, wants_nonce) = (self.code, self.wants_nonce);
        let body = match dialect {
            Some(dialect) => dialect::body(dialect, &self, &id.0),
            None => self.envelope(id, retry_after_ms),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if code.status() == 401 {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(if wants_nonce {
                    "DPoP realm=\"skep\", error=\"use_dpop_nonce\", algs=\"EdDSA ES256\""
                } else {
                    "Bearer realm=\"skep\""
                }),
            );
        }
        if let Some(millis) = retry_after_ms {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(millis.div_ceil(1_000)),
            );
        }
        response
    }

    fn envelope(self, id: &RequestId, retry_after_ms: Option<u64>) -> Vec<u8> {
        let envelope = ErrorEnvelope {
            error: ErrorBody {
                code: self.code,
                message: self.message,
                request_id: id.0.clone(),
                details: self.details,
                retry_after_ms,
            },
        };
        serde_json::to_vec(&envelope).unwrap_or_default()
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Denied(denied) => denied.into(),
            AppError::Invalid(invalid) => {
                let code = match invalid.rule {
                    Rule::Required => "REQUIRED",
                    Rule::TooLong => "TOO_LONG",
                    Rule::TooMany => "TOO_MANY",
                    Rule::Invalid => "INVALID",
                };
                Self::field(invalid.field, code, invalid.message)
            }
            AppError::NotFound(what) => {
                Self::new(ErrorCode::NotFound, format!("There is no such {what}."))
            }
            AppError::Forbidden(why) => Self::new(
                ErrorCode::PermissionDenied,
                format!("This is not yours: {why}."),
            ),
            AppError::NoTemplate(_) => Self::new(ErrorCode::NotFound, sentence(&error)),
            AppError::AccessRequired(_) => Self::new(ErrorCode::AccessRequired, sentence(&error)),
            AppError::Conflict(why) => {
                Self::new(ErrorCode::Conflict, format!("This cannot be: {why}."))
            }
            AppError::KeyCounts(until) => {
                let why = format!("the key before this one counts until {}", Instant(until));
                Self::new(ErrorCode::Conflict, format!("This cannot be: {why}."))
            }
            AppError::ConsentRequired => Self::new(ErrorCode::ConsentRequired, CONSENT),
            AppError::RateLimited { retry_after_ms } => later(
                retry_after_ms,
                "Too often in a short time: wait as long as it says.",
            ),
            AppError::TokensLimited(taken) => too_many_tokens(taken),
            AppError::Closed(closing) => Self::new(ErrorCode::KeyWithdrawn, closed(closing)),
            AppError::Egress(error) => error.into(),
            AppError::Upstream { status } => Self::new(
                ErrorCode::UpstreamError,
                format!(
                    "The server answered {status}: look at the page yourself, or try again later."
                ),
            ),
            AppError::Gateway(fault) => fault.into(),
            AppError::Elsewhere(why) => Self::new(ErrorCode::UpstreamError, why.to_string()),
            AppError::Unfit(why) => unfit(&why),
            AppError::BudgetExceeded(_) => Self::new(ErrorCode::BudgetExceeded, sentence(&error)),
            AppError::QueueFull => queue_full(),
            AppError::Overloaded(what) => Self::new(
                ErrorCode::Overloaded,
                format!("Too much is queued: {what}."),
            ),
            AppError::Store(_)
            | AppError::AuthUnavailable(_)
            | AppError::AuthServiceAway
            | AppError::AuditUnavailable
            | AppError::BudgetUnavailable => unavailable(&error),
            AppError::Internal(cause) => {
                tracing::error!(cause, "a part of the daemon failed");
                Self::internal()
            }
        }
    }
}

/// What it says, as a sentence.
fn sentence(error: &AppError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

fn queue_full() -> ApiError {
    let told = "As many runs wait as may: try again when one has ended. Nothing was accepted.";
    ApiError {
        retry_after_ms: Some(RETRY_AFTER_MS),
        ..ApiError::new(ErrorCode::QueueFull, told)
    }
}

fn unfit(why: &str) -> ApiError {
    let told = format!("This cannot be taken in: {why}.");
    ApiError::new(ErrorCode::Unprocessable, told)
}

/// Why nothing opens, and who can do something about it.
fn closed(closing: Closing) -> &'static str {
    match closing {
        Closing::Withdrawn => {
            "The organization has withdrawn its own key: nothing here can be read or written until an owner gives \
             it back with skep org key restore."
        }
        Closing::Refused => {
            "Whoever keeps the organization's own key does not give it any more: nothing here can be read or \
             written until they do."
        }
        Closing::Away => {
            "Whoever keeps the organization's own key has not answered for too long: nothing here can be read or \
             written until they do. Whoever runs the daemon sees why with skepd key status."
        }
        Closing::Unnamed => {
            "This daemon was not told where the organization's own key is kept: nothing here can be read or written \
             until whoever runs it adds the section to its configuration."
        }
    }
}

/// What cannot be reached now: the cause is logged, and not sent.
fn unavailable(error: &AppError) -> ApiError {
    // Whoever asks that daemon says once that it is away, not with each request.
    if !matches!(error, AppError::AuthServiceAway) {
        tracing::error!(error = error as &dyn std::error::Error, "not available");
    }
    match error {
        AppError::AuthUnavailable(_) | AppError::AuthServiceAway => ApiError::new(
            ErrorCode::AuthUnavailable,
            "Credentials cannot be checked now; nothing was done.",
        ),
        AppError::AuditUnavailable => ApiError::new(
            ErrorCode::AuditUnavailable,
            "The decision cannot be recorded now, so nothing was done.",
        ),
        _ => ApiError::new(
            ErrorCode::StorageUnavailable,
            "Storage is not available; the daemon's log says why.",
        ),
    }
}

impl From<GatewayFault> for ApiError {
    fn from(fault: GatewayFault) -> Self {
        let code = match &fault {
            GatewayFault::NoModel(_) => ErrorCode::NotFound,
            GatewayFault::NotAllowed(_) => ErrorCode::ModelNotAllowed,
            GatewayFault::Hops(_) => ErrorCode::ValidationError,
            GatewayFault::Setup { .. }
            | GatewayFault::KeyRefused(_)
            | GatewayFault::NoAnswer { .. }
            | GatewayFault::Answered { .. } => ErrorCode::UpstreamError,
            GatewayFault::Late(_) => ErrorCode::UpstreamTimeout,
            GatewayFault::UnderWay => ErrorCode::Conflict,
            GatewayFault::KeyReused => ErrorCode::IdempotencyKeyReuse,
            GatewayFault::Busy(_) | GatewayFault::Resting { .. } => ErrorCode::Overloaded,
        };
        let retry_after_ms = match fault {
            GatewayFault::Resting { wait_ms, .. } => Some(wait_ms),
            GatewayFault::UnderWay => Some(1_000),
            _ => None,
        };
        let text = fault.to_string();
        let (first, rest) = text.split_at(text.len().min(1));
        Self {
            retry_after_ms,
            ..Self::new(code, format!("{}{rest}.", first.to_ascii_uppercase()))
        }
    }
}

impl From<ShownError> for ApiError {
    fn from(error: ShownError) -> Self {
        match error {
            ShownError::NonceNeeded => Self {
                wants_nonce: true,
                ..Denied::InvalidCredential.into()
            },
            ShownError::App(error) => error.into(),
        }
    }
}

impl From<EgressError> for ApiError {
    fn from(error: EgressError) -> Self {
        let code = match &error {
            EgressError::Url(_) => ErrorCode::ValidationError,
            EgressError::Forbidden { .. }
            | EgressError::Redirect(_)
            | EgressError::TooLarge { .. }
            | EgressError::Answer(_) => ErrorCode::Unprocessable,
            EgressError::Unreachable { .. } | EgressError::Tls { .. } => ErrorCode::UpstreamError,
            EgressError::Late { .. } => ErrorCode::UpstreamTimeout,
            EgressError::Busy => ErrorCode::Overloaded,
            EgressError::Request(cause) => {
                tracing::error!(cause, "a call could not be made");
                return Self::internal();
            }
        };
        Self::new(code, format!("{error}."))
    }
}

impl ApiError {
    pub(crate) fn internal() -> Self {
        Self::new(
            ErrorCode::Internal,
            "Something went wrong here; the daemon's log has this request id.",
        )
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::MissingCredential => Self::new(
                ErrorCode::MissingCredential,
                "This needs a credential: use the Unix socket, or send the install token as a bearer token.",
            ),
            Denied::InvalidCredential => {
                Self::new(ErrorCode::InvalidCredential, "The credential is not valid.")
            }
            Denied::MissingPermission(permission) => Self::forbidden(permission),
            Denied::NotTheInstallation => Self::new(
                ErrorCode::PermissionDenied,
                "This is for whoever runs the daemon: use its Unix socket or the install token.",
            ),
            Denied::NotInPerson => Self::new(
                ErrorCode::PermissionDenied,
                "This is done by a human who logged in, not with a key or a token.",
            ),
            Denied::OrganizationSuspended => Self::new(
                ErrorCode::OrgSuspended,
                "The organization is suspended: whoever runs this installation can lift that.",
            ),
            Denied::AgentSuspended => Self::new(
                ErrorCode::AgentSuspended,
                "This agent is suspended: an administrator of the workspace can lift that.",
            ),
            Denied::StepUpRequired => Self::new(
                ErrorCode::StepUpRequired,
                "Show your second factor first, it counts for five minutes: `skep mfa confirm`, or enter a code on the page /account. Without one, enrol one: `skep mfa enrol`.",
            ),
            Denied::FactorOwed => Self::new(
                ErrorCode::StepUpRequired,
                "Your organization asks everybody for a second factor: enrol one on the page /account or with `skep mfa enrol`, and nothing else works until then.",
            ),
            Denied::KeptElsewhere => crate::elsewhere::not_here(),
            Denied::OrganizationMismatch => Self::new(
                ErrorCode::OrgMismatch,
                "The request names another organization or workspace than the credential is for: switch with `skep org switch`, or log in there.",
            ),
        }
    }
}

impl ApiError {
    fn forbidden(permission: Permission) -> Self {
        Self::new(
            ErrorCode::PermissionDenied,
            format!("This needs the permission {}.", permission.as_str()),
        )
    }
}

impl From<IdError> for ApiError {
    fn from(error: IdError) -> Self {
        match error {
            IdError::Malformed(prefix) => Self::field(
                "id",
                "INVALID",
                format!("expected an id such as {prefix}_ and 32 characters"),
            ),
            // One answer for another tenant's id and for an invented one.
            IdError::Foreign => Self {
                is_foreign: true,
                ..Self::new(
                    ErrorCode::PermissionDenied,
                    "This id is not of your workspace.",
                )
            },
        }
    }
}

fn later(retry_after_ms: u64, message: impl Into<String>) -> ApiError {
    ApiError {
        retry_after_ms: Some(retry_after_ms),
        ..ApiError::new(ErrorCode::RateLimited, message)
    }
}

fn too_many_tokens(taken: Taken) -> ApiError {
    let wait = taken.standing.next_in.max(0).unsigned_abs();
    let whose = taken.key.as_str();
    let message =
        format!("Too many tokens of this {whose} in a short time: wait as long as it says.");
    later(wait.div_ceil(1_000), message)
}
