//! OAuth on the wire: RFC 6749, 7009, 7591, 8414, 8628, 9728. Forms go in, JSON comes out, and errors
//! have the RFCs' own shape.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `POST /oauth/device_authorization`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceAuthorizationForm {
    /// Which client.
    pub client_id: String,
    /// What to call the device when a human is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// For which server (RFC 8707).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// What a device is given (RFC 8628, section 3.2).
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeviceAuthorization {
    /// What it polls with: a secret.
    pub device_code: String,
    /// What it shows to the human.
    pub user_code: String,
    /// Where the human types it.
    pub verification_uri: String,
    /// The same with the code filled in.
    pub verification_uri_complete: String,
    /// Seconds for which the code counts.
    pub expires_in: u64,
    /// Seconds between two polls.
    pub interval: u64,
}

/// `POST /oauth/token`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct TokenForm {
    /// `authorization_code`, `refresh_token` or `urn:ietf:params:oauth:grant-type:device_code`.
    pub grant_type: String,
    /// Which client.
    pub client_id: String,
    /// The authorization code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where the code was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// What the challenge was made of (RFC 7636).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_verifier: Option<String>,
    /// The device code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_code: Option<String>,
    /// The refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// For which server (RFC 8707).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// What a client is given.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// `DPoP` if it is bound to the client's key, else `Bearer`.
    pub token_type: String,
    /// Seconds for which it counts.
    pub expires_in: u64,
    /// What gives the next one, once.
    pub refresh_token: String,
}

/// `POST /oauth/revoke`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RevokeForm {
    /// A refresh or an access token: its whole login ends.
    pub token: String,
    /// Which client.
    pub client_id: String,
}

/// `POST /oauth/register`; whatever else a client says is not looked at.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RegistrationRequest {
    /// Where its user's browser may be sent.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// What it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// `none`: clients are public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<String>,
    /// Which grants it uses; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<String>>,
    /// `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_types: Option<Vec<String>>,
    /// Whether it always proves possession of a key (RFC 9449).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
}

/// A registered client.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RegistrationResponse {
    /// Its name from now on.
    pub client_id: String,
    /// What it calls itself.
    pub client_name: String,
    /// Where its user's browser may be sent.
    pub redirect_uris: Vec<String>,
    /// `none`.
    pub token_endpoint_auth_method: String,
    /// Which grants it may use.
    pub grant_types: Vec<String>,
    /// `code`.
    pub response_types: Vec<String>,
    /// Whether every token of it is bound to a key.
    pub dpop_bound_access_tokens: bool,
}

/// What the server offers (RFC 8414).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServerMetadata {
    /// Its name, and the beginning of every URL of it.
    pub issuer: String,
    /// Where a browser is sent.
    pub authorization_endpoint: String,
    /// Where tokens come from.
    pub token_endpoint: String,
    /// Where a device begins.
    pub device_authorization_endpoint: String,
    /// Where a client registers.
    pub registration_endpoint: String,
    /// Where a login ends.
    pub revocation_endpoint: String,
    /// Where the public keys are.
    pub jwks_uri: String,
    /// `code`.
    pub response_types_supported: Vec<String>,
    /// `query`.
    pub response_modes_supported: Vec<String>,
    /// The grants.
    pub grant_types_supported: Vec<String>,
    /// `S256`.
    pub code_challenge_methods_supported: Vec<String>,
    /// `none`.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// `none`.
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// Algorithms of proofs.
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// That `iss` comes with every authorization response (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
}

/// Who guards this resource (RFC 9728).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ResourceMetadata {
    /// The resource: what tokens are for.
    pub resource: String,
    /// Who issues them.
    pub authorization_servers: Vec<String>,
    /// Where the public keys are.
    pub jwks_uri: String,
    /// `header`.
    pub bearer_methods_supported: Vec<String>,
    /// Algorithms of proofs.
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// What humans call it.
    pub resource_name: String,
}

/// An error (RFC 6749, section 5.2).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OAuthFault {
    /// The code.
    pub error: String,
    /// One sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}
