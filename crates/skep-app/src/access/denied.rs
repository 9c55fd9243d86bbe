//! Refusals of what somebody began earlier: a lease, a run. Whose it is was known then, and is told, though they
//! ask nothing just now.

use skep_domain::{CredentialId, OrganizationId, Principal, WorkspaceId};
use skep_store::{NewAudit, Outcome};

use super::Decision;
use crate::App;

/// Whose something is that goes on by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) organization: OrganizationId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) principal: Principal,
    pub(crate) credential: CredentialId,
}

impl App {
    /// Records that what somebody began earlier was refused, under their name.
    pub(crate) fn record_denied_to(&self, decision: Decision, whose: &Standing) {
        let entry = NewAudit {
            organization: Some(whose.organization),
            workspace: Some(whose.workspace),
            credential: Some(whose.credential),
            ..self.entry(decision, None, Outcome::Denied)
        };
        self.desk.deny(entry, Some(whose.principal));
    }
}
