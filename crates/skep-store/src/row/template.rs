//! What a backend stores about templates and who may use them.

use skep_crypto::Sealed;
use skep_domain::{
    AccessId, AccessState, AgentId, Principal, TemplateId, TemplateState, Timestamp,
};

use super::Fingerprint;

/// A version of a template.
#[derive(Clone, Debug)]
pub struct TemplateRow {
    /// Its id.
    pub id: TemplateId,
    /// Of the template's name.
    pub name: Fingerprint,
    /// Which of the versions under this name; unique among them.
    pub version: u32,
    /// How far it has come.
    pub state: TemplateState,
    /// Who drafted it.
    pub drafter: Principal,
    /// When.
    pub at: Timestamp,
    /// Who decided last, and when.
    pub decided: Option<(Principal, Timestamp)>,
    /// Name, digest and all that it says.
    pub body: Sealed,
    /// Why, and what was approved.
    pub decision: Option<Sealed>,
}

/// A request for a template, or a grant.
#[derive(Clone, Debug)]
pub struct AccessRow {
    /// Its id.
    pub id: AccessId,
    /// Of the template's name.
    pub template: Fingerprint,
    /// For whom; for every agent if for none.
    pub agent: Option<AgentId>,
    /// How far it has come.
    pub state: AccessState,
    /// Who asked, or granted it unasked.
    pub asker: Principal,
    /// When.
    pub at: Timestamp,
    /// When a grant ends, if it does.
    pub until: Option<Timestamp>,
    /// Who decided last, and when.
    pub decided: Option<(Principal, Timestamp)>,
    /// The template's name, why it is asked for and for how long.
    pub body: Sealed,
    /// Why it was decided so.
    pub decision: Option<Sealed>,
}
