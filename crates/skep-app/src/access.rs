//! Who may enter, and what is recorded of it: the check of credentials, keys and tokens, tenancy,
//! logins of programs, the record of decisions.

mod agents;
mod alerts;
mod audit;
mod check;
mod deletion;
mod denied;
mod elsewhere;
mod erasing;
mod keys;
mod ledger;
mod limits;
mod news;
mod oauth;
mod organizations;
mod own_key;
pub mod passkey;
mod people;
mod reads;
mod rotation;
mod witness;

pub use agents::{AgentEdit, AgentView, Policy};
pub use alerts::{AlertSettings, FOREIGN};
pub use audit::{Asked, AuditDesk, AuditPage, Decision, answering};
pub(crate) use audit::{Desk, Whom};
pub(crate) use check::Remembered;
pub(crate) use denied::Standing;
pub use elsewhere::Elsewhere;
pub use erasing::EntriesToErase;
pub use keys::{Created, KeyKind, KeyPage, NewKey, NewToken};
pub use ledger::{CheckpointPage, LedgerDesk, LogExport, Proved, ToProve};
pub(crate) use limits::OwnLimits;
pub use limits::OwnQuotas;
pub use news::Revocations;
pub(crate) use oauth::OAuth;
pub use oauth::{
    AuthorizeRefusal, AuthorizeRequest, Client, DeviceGrant, DeviceReview, DeviceStart, Home,
    OAuthCode, OAuthError, Registration, Resource, Shown, ShownError, TokenRequest, Tokens,
};
pub use organizations::{OrganizationView, WorkspaceView};
pub use own_key::{KeyChange, OwnKeyView, Whose};
pub use people::{
    Accepted, Browser, Ceremony, Credentials, FactorView, FirstAdmin, InviteView, Invited,
    IssuerCalls, LoggedIn, LoginStep, MailDesk, MemberChange, MemberView, NewInvite, NewReset,
    NewTotp, Newcomer, PeopleSettings, RecoveryCodes, SecondFactor, SessionView, SsoAnswer,
    SsoChange, SsoEnd, SsoReport, SsoStart, SsoView,
};
pub(crate) use people::{Hashing, Issuers, Outbox};
pub use reads::{Reads, show, show_memory, showing};
pub use rotation::RotationView;
pub use witness::WitnessHook;

/// A transaction for those not yet known. The doors are the modules beneath this one; each use is
/// what lets somebody in, or records that it did not.
macro_rules! door {
    ($app:expr, $mode:expr) => {{
        #[expect(
            clippy::disallowed_methods,
            reason = "one of the doors: whoever is behind it is not known yet"
        )]
        let opening = $app.store.begin_door($mode);
        opening
    }};
}
pub(crate) use door;
