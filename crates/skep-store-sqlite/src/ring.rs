//! The reading ring as SQL: the one predicate that every statement on memories, sessions and turns
//! carries for a caller.
//!
//! Convention of all statements here: `?1` is the workspace, `?2` to `?5` are the ring.

use skep_domain::{AgentId, Id, ReadPolicy, Reader, ReadingRing, UserId, Visibility};

use crate::column::principal_kind;

/// Whether the ring in `?2` to `?5` lets a row of the given alias through.
///
/// A row passes for its owner (`?2`, `?3`), or when its visibility lies between what the reader
/// may see at the least (`?4`) and `workspace`, and, for a reader by group (`?5`), its owner wrote
/// it in that group. A visibility or a kind of principal that nobody knows passes for nobody.
macro_rules! ring_predicate {
    ($alias:literal) => {
        concat!(
            "((",
            $alias,
            ".owner_kind = ?2 AND ",
            $alias,
            ".owner = ?3) OR (",
            $alias,
            ".visibility BETWEEN ?4 AND 2 AND (?5 IS NULL OR ",
            $alias,
            ".owner_group = ?5)))"
        )
    };
}
pub(crate) use ring_predicate;

/// The values for `?2` to `?5`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingValues {
    pub(crate) kind: i64,
    pub(crate) owner: [u8; 16],
    pub(crate) least: i64,
    pub(crate) group: Option<[u8; 16]>,
}

/// Above every visibility: nothing of others passes.
const NOTHING: i64 = 3;
/// No principal has this kind.
const NOBODY: i64 = -1;

impl RingValues {
    pub(crate) fn of(ring: &ReadingRing) -> Self {
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
            },
        }
    }

    fn human(user: UserId) -> Self {
        Self {
            kind: principal_kind(skep_domain::Principal::User(user)).into(),
            owner: user.to_bytes(),
            least: Visibility::Own.code().into(),
            group: None,
        }
    }

    fn agent(agent: AgentId, least: i64, group: Option<[u8; 16]>) -> Self {
        Self {
            kind: principal_kind(skep_domain::Principal::Agent(agent)).into(),
            owner: agent.to_bytes(),
            least,
            group,
        }
    }
}

#[cfg(test)]
mod tests;
