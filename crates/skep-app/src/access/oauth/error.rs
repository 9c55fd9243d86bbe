//! What a client is told, in the words of the RFCs.

use skep_jose::JoseError;
use skep_store::StoreError;

use crate::AppError;

/// The error codes of RFC 6749 and those that build on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthCode {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// There is no such client.
    InvalidClient,
    /// The code or token does not count, or no longer, or is another client's.
    InvalidGrant,
    /// The client may not do this.
    UnauthorizedClient,
    /// There is no such grant here.
    UnsupportedGrantType,
    /// There is no such response here.
    UnsupportedResponseType,
    /// A human said no.
    AccessDenied,
    /// A human has not decided yet (RFC 8628).
    AuthorizationPending,
    /// Ask less often: five seconds more between two polls (RFC 8628).
    SlowDown,
    /// The device code has ended (RFC 8628).
    ExpiredToken,
    /// The token is for another server (RFC 8707).
    InvalidTarget,
    /// The proof of possession does not hold (RFC 9449).
    InvalidProof,
    /// The proof must carry a nonce of this server (RFC 9449).
    UseNonce,
    /// A redirect URI that cannot be (RFC 7591).
    InvalidRedirectUri,
    /// Metadata that cannot be (RFC 7591).
    InvalidClientMetadata,
    /// Try again.
    TemporarilyUnavailable,
}

/// Why a request of a client was refused.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// It may not, for this reason.
    #[error("{}: {description}", .code.as_str())]
    Refused {
        /// The code.
        code: OAuthCode,
        /// One sentence, which repeats nothing of the request.
        description: &'static str,
    },
    /// It cannot be decided now.
    #[error("not available")]
    Unavailable,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever decides may not, or the decision cannot be recorded.
    #[error(transparent)]
    App(#[from] AppError),
}

impl OAuthCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidProof => "invalid_dpop_proof",
            Self::UseNonce => "use_dpop_nonce",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

impl OAuthError {
    pub(super) const fn refused(code: OAuthCode, description: &'static str) -> Self {
        Self::Refused { code, description }
    }

    pub(super) const fn grant() -> Self {
        Self::refused(
            OAuthCode::InvalidGrant,
            "The code or token does not count, or no longer.",
        )
    }
}

impl From<JoseError> for OAuthError {
    fn from(error: JoseError) -> Self {
        match error {
            JoseError::NonceNeeded => Self::refused(
                OAuthCode::UseNonce,
                "Repeat the request with the nonce of the DPoP-Nonce header in the proof.",
            ),
            JoseError::Refused(_) | JoseError::Key(_) => Self::refused(
                OAuthCode::InvalidProof,
                "The proof of possession does not hold for this request.",
            ),
            JoseError::ReplayAway => Self::Unavailable,
        }
    }
}
