//! Templates: what was drafted, what a human decided about it, and who may use it.

use skep_domain::{
    AccessId, AccessState, AgentId, Principal, RecordName, TemplateId, TemplateState, Timestamp,
};

/// A version of a template to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTemplate {
    /// Its id.
    pub id: TemplateId,
    /// What it is called.
    pub name: RecordName,
    /// Over all that it says.
    pub digest: String,
    /// All that it says.
    pub text: String,
    /// When it was drafted.
    pub at: Timestamp,
}

/// A version of a template as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateVersion {
    /// Its id.
    pub id: TemplateId,
    /// What it is called.
    pub name: RecordName,
    /// Which of the versions under this name.
    pub version: u32,
    /// How far it has come.
    pub state: TemplateState,
    /// Over all that it says, as it was when it was drafted.
    pub digest: String,
    /// All that it says.
    pub text: String,
    /// Who drafted it.
    pub drafter: Principal,
    /// When.
    pub at: Timestamp,
    /// What was decided, if it was.
    pub decided: Option<TemplateDecided>,
}

/// A decision about a version of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateDecided {
    /// Whose.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
    /// Why, if they said.
    pub reason: Option<String>,
    /// What they approved.
    pub digest: Option<String>,
    /// That they drafted it themselves, since there was nobody else to ask.
    pub alone: bool,
}

/// A request or a grant to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccess {
    /// Its id.
    pub id: AccessId,
    /// The template's name.
    pub template: RecordName,
    /// For whom; for every agent if for none.
    pub agent: Option<AgentId>,
    /// Why.
    pub reason: String,
    /// For how long it is asked for, in seconds; without an end if not.
    pub seconds: Option<u64>,
    /// When.
    pub at: Timestamp,
}

/// A request or a grant as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Its id.
    pub id: AccessId,
    /// The template's name.
    pub template: RecordName,
    /// For whom; for every agent if for none.
    pub agent: Option<AgentId>,
    /// How far it has come; a grant that has ended is still one.
    pub state: AccessState,
    /// Who asked, or granted it unasked.
    pub asker: Principal,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// For how long it was asked for, in seconds.
    pub seconds: Option<u64>,
    /// When a grant ends, if it does.
    pub until: Option<Timestamp>,
    /// Who decided last, when, and why if they said.
    pub decided: Option<(Principal, Timestamp, Option<String>)>,
}

/// What somebody decides about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessDecision<'a> {
    /// What becomes of it.
    pub state: AccessState,
    /// When a grant ends, if it does.
    pub until: Option<Timestamp>,
    /// Why, if they say.
    pub reason: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}
