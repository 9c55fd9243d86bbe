//! Humans: how the first one comes, how others are let in, log in, prove a second factor, and go.

mod account;
mod factors;
mod hashing;
mod invite;
mod login;
mod members;
mod passkeys;
mod post;
mod qr;
mod register;
mod reset;
mod sessions;
mod setup;
mod sso;
mod ticket;

use std::sync::Arc;

use skep_crypto::PasswordCost;
use skep_egress::Mailer;

use super::passkey::RelyingParty;

pub use factors::{FactorView, NewTotp, RecoveryCodes};
pub(crate) use hashing::Hashing;
pub use invite::{Accepted, InviteView, Invited, NewInvite};
pub use login::{Credentials, LoggedIn, LoginStep, SecondFactor};
pub use members::{MemberChange, MemberView};
pub use passkeys::Ceremony;
pub use post::MailDesk;
pub(crate) use post::Outbox;
pub use register::Newcomer;
pub use reset::NewReset;
pub use sessions::{Browser, SessionView};
pub use setup::FirstAdmin;
pub(crate) use sso::Issuers;
pub(super) use sso::still_trusted;
pub use sso::{IssuerCalls, SsoAnswer, SsoChange, SsoEnd, SsoReport, SsoStart, SsoView};

/// What may be set of how people come in.
#[derive(Clone, Default)]
pub struct PeopleSettings {
    /// Where browsers reach this daemon, such as `https://skep.example.org`: letters name it, and
    /// cookies demand TLS if it has it.
    pub public_url: Option<String>,
    /// The same, where it has a name that passkeys are made for.
    pub party: Option<RelyingParty>,
    /// Whether anybody may make an account.
    pub public_registration: bool,
    /// How issuers of organizations are asked.
    pub issuers: IssuerCalls,
    /// What letters are sent through.
    pub mailer: Option<Arc<Mailer>>,
    /// What a password's hash costs.
    pub cost: PasswordCost,
}

impl std::fmt::Debug for PeopleSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeopleSettings")
            .field("party", &self.party)
            .finish_non_exhaustive()
    }
}
