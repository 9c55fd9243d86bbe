//! Single sign-on: an organization's own issuer (`OpenID` Connect) says who somebody is.
//!
//! What an issuer says counts in the organization that chose it and nowhere else. It makes accounts
//! of its own; one that is there already it may name only after whoever it is of has linked the two.

mod calls;
mod entry;
mod issuer;
mod settings;
mod whom;

pub use calls::IssuerCalls;
pub use entry::{SsoAnswer, SsoEnd, SsoStart};
pub(crate) use issuer::Issuers;
pub(in super::super) use settings::still_trusted;
pub use settings::{SsoChange, SsoReport, SsoView};
