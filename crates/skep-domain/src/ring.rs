//! The inner ring: which memories of a workspace a principal may read.
//!
//! [`ReadingRing::allows`] is the reference; every backend compiles the same predicate to its own
//! language, and a test holds the two together over random cases.

use crate::{AgentId, Id, ProjectBounds, ProjectId, UserId};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A human.
    User(UserId),
    /// An AI in a workspace.
    Agent(AgentId),
}

impl Principal {
    /// The 16 bytes of the id, whichever kind it is.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        match self {
            Self::User(id) => id.to_bytes(),
            Self::Agent(id) => id.to_bytes(),
        }
    }
}

/// Agents with the same group read each other's shared memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyGroupId(pub [u8; 16]);

/// What an agent may read beside its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadPolicy {
    /// Nothing. Also the meaning of anything malformed.
    #[default]
    Isolated,
    /// Whatever is shared with the workspace.
    Shared,
    /// Whatever agents of this group shared with the workspace.
    Group(PolicyGroupId),
}

crate::memory::coded! {
    /// Who may read a memory, before the reader's own policy narrows it.
    Visibility {
        /// Its owner alone, even among humans.
        Private = 0, "private";
        /// The agent that made it, and the humans of the workspace.
        Own = 1, "own";
        /// The workspace.
        Workspace = 2, "workspace";
    }
}

/// A reader whose rights are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A human reads by role; only `private` memories of others are closed.
    Human(UserId),
    /// An agent reads by policy.
    Agent(AgentId, ReadPolicy),
    /// The daemon's own upkeep serves nobody, so nothing passes.
    Nobody,
}

/// The compiled reading rule of one principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingRing {
    reader: Reader,
    projects: ProjectBounds,
}

/// The facts of a row that the ring looks at, all kept in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingFacts {
    /// Who made the memory.
    pub owner: Principal,
    /// The policy group of the owner when it was written, if the owner is an agent in one.
    pub owner_group: Option<PolicyGroupId>,
    /// Who may see it.
    pub visibility: Visibility,
    /// The project it belongs to.
    pub project: Option<ProjectId>,
}

impl RingFacts {
    /// Whether this row may take another's place, so that nobody loses what they read for something
    /// that they cannot read: it is the same owner's, or a human's and the other one was open to
    /// humans; and it is no less visible.
    ///
    /// An agent that may not read a human's correction loses the statement that was corrected.
    #[must_use]
    pub fn may_replace(&self, older: &Self) -> bool {
        let same_owner = self.owner == older.owner;
        let by_human =
            matches!(self.owner, Principal::User(_)) && older.visibility != Visibility::Private;
        (same_owner || by_human) && self.visibility >= older.visibility
    }
}

impl ReadingRing {
    /// Compiles the rule for a reader.
    #[must_use]
    pub const fn new(reader: Reader) -> Self {
        Self {
            reader,
            projects: ProjectBounds::NONE,
        }
    }

    /// The same rule, confined to some projects.
    #[must_use]
    pub const fn within(mut self, projects: ProjectBounds) -> Self {
        self.projects = projects;
        self
    }

    /// The projects it is confined to.
    #[must_use]
    pub const fn projects(&self) -> &ProjectBounds {
        &self.projects
    }

    /// The reader it was compiled for.
    #[must_use]
    pub const fn reader(&self) -> Reader {
        self.reader
    }

    /// The group that the reader's own writing belongs to; `None` for all but agents in one.
    #[must_use]
    pub const fn group(&self) -> Option<PolicyGroupId> {
        match self.reader {
            Reader::Agent(_, ReadPolicy::Group(group)) => Some(group),
            Reader::Agent(..) | Reader::Human(_) | Reader::Nobody => None,
        }
    }

    /// Whether the reader may see a row with these facts.
    #[must_use]
    pub fn allows(&self, row: &RingFacts) -> bool {
        self.projects.allow(row.project) && self.reader_allows(row)
    }

    fn reader_allows(&self, row: &RingFacts) -> bool {
        match self.reader {
            Reader::Nobody => false,
            Reader::Human(user) => {
                row.owner == Principal::User(user) || row.visibility != Visibility::Private
            }
            Reader::Agent(agent, policy) => {
                row.owner == Principal::Agent(agent)
                    || (row.visibility == Visibility::Workspace
                        && match policy {
                            ReadPolicy::Isolated => false,
                            ReadPolicy::Shared => true,
                            ReadPolicy::Group(group) => row.owner_group == Some(group),
                        })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::{PolicyGroupId, Principal, ReadPolicy, Reader, ReadingRing, RingFacts, Visibility};
    use crate::{AgentId, Id, UserId};

    const G: PolicyGroupId = PolicyGroupId([7; 16]);

    #[test]
    fn t10_what_replaces_is_read_by_every_human_who_read_the_replaced() {
        let me = UserId::from_bytes([2; 16]);
        let owners = [
            Principal::User(me),
            Principal::User(UserId::from_bytes([3; 16])),
            Principal::Agent(AgentId::from_bytes([1; 16])),
            Principal::Agent(AgentId::from_bytes([4; 16])),
        ];
        let mut rows = Vec::new();
        for owner in owners {
            for visibility in Visibility::ALL {
                rows.push(RingFacts {
                    owner,
                    owner_group: None,
                    visibility: *visibility,
                    project: None,
                });
            }
        }
        let humans = [me, UserId::from_bytes([3; 16]), UserId::from_bytes([9; 16])];
        let mut replaced = 0;
        for (newer, older) in rows.iter().flat_map(|a| rows.iter().map(move |b| (a, b))) {
            if !newer.may_replace(older) {
                continue;
            }
            replaced += 1;
            for human in humans {
                let ring = ReadingRing::new(Reader::Human(human));
                assert!(
                    !ring.allows(older) || ring.allows(newer),
                    "{newer:?} {older:?}"
                );
            }
            if let Principal::Agent(agent) = newer.owner {
                assert_eq!(older.owner, Principal::Agent(agent));
            }
        }
        assert_eq!(replaced, 42);
    }

    #[test]
    fn t10_each_policy_reads_exactly_its_set() {
        let me = AgentId::from_bytes([1; 16]);
        let human = UserId::from_bytes([2; 16]);
        let mine = Principal::Agent(me);
        let theirs = Principal::User(human);
        let readers = [
            Reader::Human(human),
            Reader::Agent(me, ReadPolicy::Isolated),
            Reader::Agent(me, ReadPolicy::Shared),
            Reader::Agent(me, ReadPolicy::Group(G)),
            Reader::Nobody,
        ];
        let mut table = String::new();
        for (owner, name) in [
            (mine, "mine"),
            (theirs, "human's"),
            (
                Principal::Agent(AgentId::from_bytes([3; 16])),
                "other agent's",
            ),
        ] {
            for visibility in Visibility::ALL {
                for group in [None, Some(G)] {
                    let row = RingFacts {
                        owner,
                        owner_group: group,
                        visibility: *visibility,
                        project: None,
                    };
                    let marks: String = readers
                        .iter()
                        .map(|reader| {
                            if ReadingRing::new(*reader).allows(&row) {
                                'x'
                            } else {
                                '.'
                            }
                        })
                        .collect();
                    let group = if group.is_some() { "group" } else { "-" };
                    writeln!(table, "{name:14}{:10}{group:6}{marks}", visibility.as_str()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }
}
