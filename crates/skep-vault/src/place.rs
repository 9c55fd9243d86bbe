//! Where a record belongs: an organization, one of its workspaces, or an agent in it.

use skep_domain::{AgentId, Id, OrganizationId, WorkspaceId};

use crate::hex;

/// Which of the caller's places is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Every workspace of the organization.
    Organization,
    /// The caller's workspace.
    #[default]
    Workspace,
    /// One agent in it.
    Agent(AgentId),
}

/// A place, whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    organization: [u8; 16],
    workspace: Option<[u8; 16]>,
    agent: Option<[u8; 16]>,
}

impl Place {
    pub(crate) fn new(organization: OrganizationId, workspace: WorkspaceId, scope: Scope) -> Self {
        let workspace = workspace.to_bytes();
        let (workspace, agent) = match scope {
            Scope::Organization => (None, None),
            Scope::Workspace => (Some(workspace), None),
            Scope::Agent(agent) => (Some(workspace), Some(agent.to_bytes())),
        };
        Self {
            organization: organization.to_bytes(),
            workspace,
            agent,
        }
    }

    /// The daemon's own: of no organization, whose ids are never nothing but zeroes.
    pub(crate) const fn own() -> Self {
        Self {
            organization: [0; 16],
            workspace: None,
            agent: None,
        }
    }

    /// Whether it is in this workspace.
    pub(crate) fn is_of(&self, workspace: WorkspaceId) -> bool {
        self.workspace == Some(workspace.to_bytes())
    }

    /// The organization whose it is.
    pub(crate) const fn owner(&self) -> [u8; 16] {
        self.organization
    }

    /// What keys and names of files are derived from.
    pub(crate) fn parts(&self) -> [&[u8]; 3] {
        [
            &self.organization,
            self.workspace.as_ref().map_or(&[], |id| &id[..]),
            self.agent.as_ref().map_or(&[], |id| &id[..]),
        ]
    }

    /// The name of its directory. Ids are no secrets, and whoever runs the daemon wants to know whose
    /// it is.
    pub(crate) fn directory(&self) -> String {
        let ids = [
            ('o', Some(self.organization)),
            ('w', self.workspace),
            ('a', self.agent),
        ];
        let named = ids
            .into_iter()
            .filter_map(|(kind, id)| Some(format!("{kind}{}", hex::write(id?))));
        named.collect()
    }

    /// Reads the name of a directory back.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut ids = [None; 3];
        let mut rest = name;
        for (kind, id) in ['o', 'w', 'a'].into_iter().zip(&mut ids) {
            if rest.is_empty() {
                break;
            }
            let (hex, behind) = rest.strip_prefix(kind)?.split_at_checked(32)?;
            *id = Some(hex::parse(hex)?);
            rest = behind;
        }
        let place = Self {
            organization: ids[0]?,
            workspace: ids[1],
            agent: ids[2],
        };
        rest.is_empty().then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Scope};
    use skep_domain::{AgentId, Id, OrganizationId, WorkspaceId};

    #[test]
    fn the_name_of_a_directory_is_read_back() {
        let (organization, workspace) = (
            OrganizationId::from_bytes([0xAB; 16]),
            WorkspaceId::from_bytes([2; 16]),
        );
        let scopes = [
            Scope::Organization,
            Scope::Workspace,
            Scope::Agent(AgentId::from_bytes([3; 16])),
        ];
        let places = scopes.map(|scope| Place::new(organization, workspace, scope));
        for place in places {
            assert_eq!(Place::parse(&place.directory()), Some(place));
        }
        assert!(places[1].is_of(workspace) && places[2].is_of(workspace));
        assert!(!places[0].is_of(workspace));
        let name = places[2].directory();
        for name in [
            "",
            "o",
            "w00",
            &name[1..],
            &name[..98],
            &format!("{name}a"),
            &name.to_uppercase(),
        ] {
            assert_eq!(Place::parse(name), None, "{name}");
        }
    }
}
