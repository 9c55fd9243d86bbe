//! Credentials, memberships and standing: who somebody is to an installation.

use crate::memory::coded;
use crate::{Harness, PermissionSet, ProjectId, Role};

coded! {
    /// What proves a principal.
    CredentialKind {
        /// The user who runs the daemon, on its own socket.
        SocketOwner = 0, "socket";
        /// The token of a local installation.
        InstallToken = 1, "install";
        /// A human's scripts.
        PersonalAccess = 2, "personal";
        /// A connector, a harness, an agent.
        ApiKey = 3, "api";
        /// One runner device.
        RunnerKey = 4, "runner";
        /// A login of a client: refresh tokens that rotate, and the access tokens they bring.
        Login = 5, "login";
        /// A browser that somebody logged in with.
        Browser = 6, "browser";
    }
}

coded! {
    /// What a human is to an organization.
    OrganizationRole {
        /// May do everything, and cannot be removed while the last one.
        Owner = 0, "owner";
        /// Runs the organization.
        Admin = 1, "admin";
        /// Works in the workspaces that they are a member of.
        Member = 2, "member";
    }
}

coded! {
    /// Whether somebody may act at all.
    Standing {
        /// Yes.
        Active = 0, "active";
        /// Not until somebody lets them again.
        Suspended = 1, "suspended";
    }
}

coded! {
    /// What a human proves themselves with beside a password.
    FactorKind {
        /// One-time passwords from an app.
        Totp = 0, "totp";
        /// Codes written down for when a device is lost.
        Recovery = 1, "recovery";
        /// A device that signs, once it has been unlocked.
        Passkey = 2, "passkey";
    }
}

impl OrganizationRole {
    /// Whether it administers every workspace of the organization.
    #[must_use]
    pub const fn administers(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// The role in a workspace of the organization, given the membership there.
    #[must_use]
    pub const fn in_workspace(self, membership: Option<Role>) -> Option<Role> {
        match self {
            Self::Owner | Self::Admin => Some(Role::Admin),
            Self::Member => membership,
        }
    }
}

impl CredentialKind {
    /// Whether it stands for a human in person, rather than for a script or a device: only such a
    /// one may make further credentials for itself.
    #[must_use]
    pub const fn is_in_person(self) -> bool {
        matches!(
            self,
            Self::SocketOwner | Self::InstallToken | Self::Login | Self::Browser
        )
    }

    /// Whether only whoever runs the daemon has it.
    #[must_use]
    pub const fn is_of_the_installation(self) -> bool {
        matches!(self, Self::SocketOwner | Self::InstallToken)
    }
}

/// Projects that a credential may be bound to, at most.
pub const BOUND_PROJECTS: usize = 12;

/// The projects that something is confined to; all of them if there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProjectBounds(Option<([ProjectId; BOUND_PROJECTS], u8)>);

impl ProjectBounds {
    /// No bounds.
    pub const NONE: Self = Self(None);

    /// Exactly these; `None` for none at all or more than [`BOUND_PROJECTS`].
    #[must_use]
    pub fn only(projects: &[ProjectId]) -> Option<Self> {
        let first = *projects.first()?;
        if projects.len() > BOUND_PROJECTS {
            return None;
        }
        let mut held = [first; BOUND_PROJECTS];
        held[..projects.len()].copy_from_slice(projects);
        Some(Self(Some((held, projects.len() as u8))))
    }

    /// Whether there are bounds.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.0.is_some()
    }

    /// The projects, in the order given; none if there are no bounds.
    pub fn iter(&self) -> impl Iterator<Item = ProjectId> + '_ {
        self.0
            .iter()
            .flat_map(|(held, count)| held[..usize::from(*count)].iter().copied())
    }

    /// Whether a row of this project lies within. What belongs to no project lies outside any
    /// bounds.
    #[must_use]
    pub fn allow(&self, project: Option<ProjectId>) -> bool {
        !self.is_bound() || project.is_some_and(|project| self.iter().any(|held| held == project))
    }
}

/// What a credential is narrowed to beside its principal's role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// The connector that it is for.
    pub connector: Option<String>,
    /// The harness that it is for: capture in another's name is refused.
    pub harness: Option<Harness>,
    /// The projects that it may read and write.
    pub projects: ProjectBounds,
    /// The permissions that it may use, of those its role has.
    pub permissions: Option<PermissionSet>,
}

#[cfg(test)]
mod tests {
    use super::{BOUND_PROJECTS, OrganizationRole, ProjectBounds};
    use crate::{Id, ProjectId, Role};

    fn project(n: u8) -> ProjectId {
        ProjectId::from_bytes([n; 16])
    }

    #[test]
    fn a11_bounds_hold_what_they_name_and_nothing_without_a_project() {
        let bounds = ProjectBounds::only(&[project(1), project(2)]).unwrap();
        for (asked, allowed) in [
            (Some(project(1)), true),
            (Some(project(2)), true),
            (Some(project(3)), false),
            (None, false),
        ] {
            assert_eq!(bounds.allow(asked), allowed, "{asked:?}");
            assert!(ProjectBounds::NONE.allow(asked));
        }
        assert_eq!(bounds.iter().collect::<Vec<_>>(), [project(1), project(2)]);
        assert!(ProjectBounds::only(&[]).is_none(), "no project is not all");
        let full = [project(1); BOUND_PROJECTS];
        assert!(ProjectBounds::only(&full).is_some());
        let more = [project(1); BOUND_PROJECTS + 1];
        assert!(ProjectBounds::only(&more).is_none());
    }

    #[test]
    fn a_member_has_no_role_where_nobody_let_them_in() {
        use OrganizationRole as O;
        for (role, membership, expected) in [
            (O::Owner, None, Some(Role::Admin)),
            (O::Admin, Some(Role::Readonly), Some(Role::Admin)),
            (O::Member, None, None),
            (O::Member, Some(Role::Operator), Some(Role::Operator)),
        ] {
            assert_eq!(role.in_workspace(membership), expected);
        }
    }
}
