//! A reading ring as a backend asks with it.

use skep_domain::{AgentId, Id, Principal, ReadPolicy, Reader, ReadingRing, UserId, Visibility};

use crate::column::principal_kind;

/// A reading ring as values: what the predicate that every statement on memories, sessions and turns carries for
/// a caller is asked with.
#[derive(Clone, Debug)]
pub struct RingValues {
    /// The kind of whoever reads.
    pub kind: i64,
    /// Who reads.
    pub owner: [u8; 16],
    /// The least visibility of what others wrote.
    pub least: i64,
    /// The policy group that others have to have written it in, if that counts.
    pub group: Option<[u8; 16]>,
    /// The projects that the reader is confined to, if they are.
    pub projects: Option<Vec<[u8; 16]>>,
}

/// Above every visibility: nothing of others passes.
const NOTHING: i64 = 3;
/// No principal has this kind.
const NOBODY: i64 = -1;

impl RingValues {
    /// Of a ring.
    #[must_use]
    pub fn of(ring: &ReadingRing) -> Self {
        let bounds = ring.projects();
        let projects = bounds
            .is_bound()
            .then(|| bounds.iter().map(Id::to_bytes).collect());
        Self {
            projects,
            ..Self::of_reader(ring)
        }
    }

    /// The ids of the projects, one after the other.
    #[must_use]
    pub fn packed_projects(&self) -> Option<&[u8]> {
        self.projects.as_deref().map(<[_]>::as_flattened)
    }

    fn of_reader(ring: &ReadingRing) -> Self {
        let workspace = i64::from(Visibility::Workspace.code());
        match ring.reader() {
            Reader::Human(user) => Self::human(user),
            Reader::Agent(agent, ReadPolicy::Isolated) => Self::agent(agent, NOTHING, None),
            Reader::Agent(agent, ReadPolicy::Shared) => Self::agent(agent, workspace, None),
            Reader::Agent(agent, ReadPolicy::Group(group)) => {
                Self::agent(agent, workspace, Some(group.0))
            }
            Reader::Nobody => Self {
                kind: NOBODY,
                owner: [0; 16],
                least: NOTHING,
                group: None,
                projects: None,
            },
        }
    }

    fn human(user: UserId) -> Self {
        Self {
            kind: principal_kind(Principal::User(user)).into(),
            owner: user.to_bytes(),
            least: Visibility::Own.code().into(),
            group: None,
            projects: None,
        }
    }

    fn agent(agent: AgentId, least: i64, group: Option<[u8; 16]>) -> Self {
        Self {
            kind: principal_kind(Principal::Agent(agent)).into(),
            owner: agent.to_bytes(),
            least,
            group,
            projects: None,
        }
    }
}
