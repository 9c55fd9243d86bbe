//! People: setting up, logging in, second factors, sessions, invitations, members.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Instant;

/// `POST /setup`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// What the daemon printed at its first start.
    pub token: String,
    /// Your mail address; you log in with it.
    pub address: String,
    /// What you are called.
    pub name: String,
    /// 12 to 1024 characters.
    pub password: String,
}

/// `POST /auth/login`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// Your mail address.
    pub address: String,
    /// Your password.
    pub password: String,
}

/// `POST /auth/login/second` with a code.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondRequest {
    /// What the first step gave.
    pub pending: String,
    /// Six digits of an app, or a recovery code.
    pub code: String,
}

/// How far a login has come. The session's cookie is in the answer's `Set-Cookie`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct LoginResponse {
    /// `in` or `second_factor`.
    pub status: String,
    /// To be sent as `X-CSRF-Token` with every change that the cookie authorizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
    /// What the second step has to bring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    /// What can be shown: `totp`, `recovery`, `passkey`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
}

/// `POST /auth/register`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// Your mail address; a letter with a code goes there, and you log in with it.
    pub address: String,
    /// What you are called.
    pub name: String,
    /// 12 to 1024 characters.
    pub password: String,
}

/// `POST /auth/register/confirm`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    /// The code in the letter.
    pub code: String,
}

/// `POST /second-factor`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorRuleRequest {
    /// Whether every member has to have one.
    pub required: bool,
}

/// Whether an organization asks everybody for a second factor.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FactorRule {
    /// Whether every member has to have one.
    pub required: bool,
    /// Members without one, who may do nothing else than enrol one while it is asked for.
    pub without: u32,
}

/// Something that needs the password again, where there is no second factor yet.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgainRequest {
    /// The present password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A code of an app, or a recovery code.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// The code.
    pub code: String,
}

/// Begins a passkey ceremony.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginPasskeyRequest {
    /// What the first step of a login gave, if it is the second step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
}

/// A ceremony that has begun.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Ceremony {
    /// What the answer has to bring.
    pub ceremony: String,
    /// What to hand to `navigator.credentials`, in its JSON form.
    pub options: Value,
}

/// Ends a passkey ceremony.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishPasskeyRequest {
    /// What the beginning gave.
    pub ceremony: String,
    /// What the browser gave, in its JSON form.
    pub answer: Value,
    /// What the first step of a login gave, if it is the second step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    /// What to call the passkey, when one is enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// `POST /auth/password`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    /// The present password.
    pub old: String,
    /// The new one.
    pub new: String,
}

/// `POST /auth/reset`: either an address, to which a letter goes if it is somebody's, or the token of
/// one with the new password.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// Whose password is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the letter or the administrator gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// `POST /auth/invite`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// What the invitation gave.
    pub token: String,
    /// What you are called.
    pub name: String,
    /// A new password, or the one of the account that the address has.
    pub password: String,
}

/// It is done, and there is nothing to say of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// `ok`.
    pub status: String,
}

/// One of one's own sessions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Browser {
    /// `key_…`
    pub id: String,
    /// `browser` or `login`.
    pub kind: String,
    /// What it is called.
    pub label: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Since when.
    pub created_at: Instant,
    /// When it was last used, to a few minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Instant>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
}

/// `GET /auth/sessions`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Browsers {
    /// They, newest first.
    pub items: Vec<Browser>,
}

/// A second factor.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Factor {
    /// `fct_…`
    pub id: String,
    /// `totp`, `recovery` or `passkey`.
    pub kind: String,
    /// What it is called.
    pub label: String,
    /// Whether it counts yet.
    pub confirmed: bool,
    /// Recovery codes that are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
    /// Since when.
    pub created_at: Instant,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Instant>,
}

/// `GET /auth/mfa`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Factors {
    /// They, oldest first.
    pub items: Vec<Factor>,
}

/// `POST /auth/mfa/totp`: what to put into an app, shown once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct TotpEnrolment {
    /// `fct_…`
    pub id: String,
    /// What the app reads.
    pub uri: String,
    /// The seed, to be typed.
    pub secret: String,
    /// The link as a QR code.
    pub qr_svg: String,
    /// The same for a terminal.
    pub qr_terminal: String,
}

/// A factor that counts from now on, or was shown.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct FactorResponse {
    /// Codes to write down, shown once; with the first factor only, or when asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery_codes: Vec<String>,
    /// Of the session that takes the place of the browser's old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
}

/// `POST /invites`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// Where mail reaches them.
    pub address: String,
    /// `owner`, `admin` or `member`; `member` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// `operator` or `readonly` in this workspace, for members; `operator` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_role: Option<String>,
}

/// An invitation just made.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Invited {
    /// To be handed over; shown once.
    pub token: String,
    /// Whether a letter with it is on its way.
    pub mailed: bool,
    /// When it ends.
    pub expires_at: Instant,
}

/// An invitation that is open.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Invite {
    /// A name for it that lets nobody in.
    pub id: String,
    /// Whom it is for.
    pub address: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// When it ends.
    pub expires_at: Instant,
}

/// `GET /invites`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Invites {
    /// They.
    pub items: Vec<Invite>,
}

/// `POST /invites/withdraw`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawRequest {
    /// The invitation.
    pub id: String,
}

/// A member of the organization.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// `usr_…`
    pub id: String,
    /// What they are called.
    pub name: String,
    /// Where mail reaches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Their role in this workspace, beside what the organization lets them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_role: Option<String>,
    /// `active` or `suspended`.
    pub standing: String,
    /// Since when.
    pub created_at: Instant,
}

/// `PATCH /members/{id}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRequest {
    /// `owner`, `admin` or `member`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// `admin`, `operator`, `readonly`, or `none` for nothing in this workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_role: Option<String>,
    /// `active` or `suspended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
}

/// `POST /members/{id}/reset`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ResetToken {
    /// To be handed over; shown once.
    pub token: String,
    /// When it ends.
    pub expires_at: Instant,
}
