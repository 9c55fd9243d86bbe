//! Callers that another daemon vouches for.

use std::sync::Arc;

use skep_domain::{
    Bindings, CredentialId, CredentialKind, IdKind, OrganizationId, PermissionSet, Principal,
    Reader, ReadingRing, Role, Timestamp, WorkspaceId,
};

use crate::caller::{Caller, Denied};

/// What another daemon says that a credential proves.
#[derive(Clone, Debug)]
pub struct Vouched {
    /// The credential.
    pub credential: CredentialId,
    /// Its kind.
    pub kind: CredentialKind,
    /// The tenant.
    pub organization: OrganizationId,
    /// The partition.
    pub workspace: WorkspaceId,
    /// Whom it proves.
    pub principal: Principal,
    /// Their role.
    pub role: Role,
    /// What they may do.
    pub permissions: PermissionSet,
    /// What the credential is narrowed to beside that.
    pub bindings: Arc<Bindings>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// The tags of the ids above in the other daemon's text form, which nobody else can make.
    pub tags: Vec<VouchedTag>,
}

/// The tag of one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VouchedTag {
    /// Its kind.
    pub kind: IdKind,
    /// The id.
    pub uuid: [u8; 16],
    /// The tag.
    pub tag: [u8; 4],
}

impl Caller {
    /// A caller that another daemon vouches for. Banned by `clippy.toml` outside the module that asks
    /// one, because whoever can call it can make a principal up. Such a caller may be asked for their
    /// permissions, and opens no transaction: whatever is theirs is kept where they are known.
    ///
    /// # Errors
    /// [`Denied::InvalidCredential`] for a credential that is good on its own machine only, and for
    /// more permissions than the role has.
    pub fn vouched(facts: Vouched) -> Result<Self, Denied> {
        let most = match facts.kind {
            CredentialKind::PersonalAccess | CredentialKind::ApiKey | CredentialKind::Login => {
                facts.role.permissions()
            }
            CredentialKind::RunnerKey => PermissionSet::RUNNER,
            CredentialKind::SocketOwner
            | CredentialKind::InstallToken
            | CredentialKind::Browser => {
                return Err(Denied::InvalidCredential);
            }
        };
        if !facts.permissions.is_within(most) {
            return Err(Denied::InvalidCredential);
        }
        // What they may read is decided where it is kept: here, nothing.
        let ring = ReadingRing::new(Reader::Nobody);
        Ok(Self::elsewhere(facts, ring))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use skep_domain::{
        CredentialId, CredentialKind, Id, OrganizationId, Permission, PermissionSet, Principal,
        Role, UserId, WorkspaceId,
    };

    use super::Vouched;
    use crate::{Caller, Denied, rights};

    fn facts(kind: CredentialKind, role: Role, permissions: PermissionSet) -> Vouched {
        Vouched {
            credential: CredentialId::from_bytes([1; 16]),
            kind,
            organization: OrganizationId::from_bytes([2; 16]),
            workspace: WorkspaceId::from_bytes([3; 16]),
            principal: Principal::User(UserId::from_bytes([4; 16])),
            role,
            permissions,
            bindings: Arc::default(),
            expires_at: None,
            tags: Vec::new(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is what is tested")]
    fn vouched(
        kind: CredentialKind,
        role: Role,
        permissions: PermissionSet,
    ) -> Result<Caller, Denied> {
        Caller::vouched(facts(kind, role, permissions))
    }

    #[test]
    fn f02_nobody_is_vouched_for_beyond_their_role_or_as_a_machine() {
        use CredentialKind as K;
        for role in Role::ALL {
            for kind in K::ALL {
                let whole = match kind {
                    K::RunnerKey => PermissionSet::RUNNER,
                    _ => role.permissions(),
                };
                let more = Permission::ALL.iter().find(|one| !whole.contains(**one));
                let fits = !matches!(kind, K::SocketOwner | K::InstallToken | K::Browser);
                assert_eq!(
                    vouched(*kind, *role, whole).is_ok(),
                    fits,
                    "{kind:?} {role:?}"
                );
                let Some(more) = more else { continue };
                let beyond = vouched(*kind, *role, whole.with(*more));
                assert_eq!(
                    beyond.err(),
                    Some(Denied::InvalidCredential),
                    "{kind:?} {role:?}"
                );
            }
        }
    }

    #[test]
    fn f02_a_vouched_caller_has_permissions_and_opens_nothing() {
        let all = Role::Admin.permissions();
        let caller = vouched(CredentialKind::ApiKey, Role::Admin, all).unwrap();
        assert!(caller.is_vouched());
        assert_eq!(caller.require(Permission::TokenManage), Ok(()));
        let right = caller.authorize::<rights::MemoryRead>();
        assert_eq!(right.err(), Some(Denied::KeptElsewhere));
        let right = caller.authorize::<rights::TokenManage>();
        assert_eq!(right.err(), Some(Denied::KeptElsewhere));
        assert!(caller.require_installation().is_err());
        let none = vouched(CredentialKind::ApiKey, Role::Admin, PermissionSet::EMPTY).unwrap();
        let right = none.authorize::<rights::MemoryRead>().err();
        assert_eq!(
            right,
            Some(Denied::MissingPermission(Permission::MemoryRead))
        );
    }
}
