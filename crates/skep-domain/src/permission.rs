//! Permissions as a 64-bit set with stable bit numbers, and the four roles.

/// A set of bits of which at least one has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown permission bits {0:#x}")]
pub struct UnknownPermission(pub u64);

macro_rules! permissions {
    ($($variant:ident = $bit:literal, $name:literal;)*) => {
        /// One right. The bit number is stored and never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Permission { $(#[doc = concat!("`", $name, "`")] $variant = $bit,)* }

        impl Permission {
            /// Every permission, by bit.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the API, `memory:read` style.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Reads the name back; `None` for one that does not exist.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

permissions! {
    MemoryRead = 0, "memory:read";
    MemoryWrite = 1, "memory:write";
    MemoryDelete = 2, "memory:delete";
    MemoryExport = 3, "memory:export";
    MemoryReview = 4, "memory:review";
    SessionCapture = 8, "session:capture";
    SessionRead = 9, "session:read";
    OntologyWrite = 10, "ontology:write";
    SkillRead = 11, "skill:read";
    SkillPublish = 12, "skill:publish";
    ParticipantSpeak = 13, "participant:speak";
    ParticipantSelf = 14, "participant:self";
    GatewayUse = 16, "gateway:use";
    GatewayConfigure = 17, "gateway:configure";
    BudgetManage = 18, "budget:manage";
    SecretList = 20, "secret:list";
    SecretWrite = 21, "secret:write";
    SecretUse = 22, "secret:use";
    SecretApprove = 23, "secret:approve";
    SettingRead = 24, "setting:read";
    SettingWrite = 25, "setting:write";
    TaskRead = 28, "task:read";
    TaskWrite = 29, "task:write";
    TaskRun = 30, "task:run";
    MemberManage = 32, "member:manage";
    TokenManage = 33, "token:manage";
    OrgManage = 34, "org:manage";
    WorkspaceManage = 35, "workspace:manage";
    ConnectorManage = 36, "connector:manage";
    SourceManage = 37, "source:manage";
    AuditRead = 40, "audit:read";
    AuditExport = 41, "audit:export";
    UsageRead = 42, "usage:read";
    AuditErase = 43, "audit:erase";
    DiagnosticsRead = 44, "diagnostics:read";
    FederationManage = 48, "federation:manage";
    FederationShare = 49, "federation:share";
    FederationCall = 50, "federation:call";
}

/// A set of permissions. A set read from outside is checked: unknown bits are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(u64);

impl PermissionSet {
    /// What a runner's key may do, which no role has.
    pub const RUNNER: Self = Self::of(&[
        Permission::TaskRead,
        Permission::TaskRun,
        Permission::SkillRead,
        Permission::SettingRead,
    ]);

    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The set of exactly these.
    #[must_use]
    pub const fn of(permissions: &[Permission]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < permissions.len() {
            bits |= 1 << permissions[at] as u64;
            at += 1;
        }
        Self(bits)
    }

    /// Reads stored bits.
    ///
    /// # Errors
    /// [`UnknownPermission`] when a bit has no meaning: a set is refused whole, never trimmed.
    pub const fn from_bits(bits: u64) -> Result<Self, UnknownPermission> {
        let unknown = bits & !Self::of(Permission::ALL).0;
        if unknown == 0 {
            Ok(Self(bits))
        } else {
            Err(UnknownPermission(unknown))
        }
    }

    /// The bits that storage keeps.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether the set holds a permission.
    #[must_use]
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u64) != 0
    }

    /// The set and one more.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | 1 << permission as u64)
    }

    /// Every permission of the set, by bit.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |permission| self.contains(*permission))
    }

    /// Whether every permission of the set is in the other one.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// What both sets hold: a credential only ever narrows its role.
    #[must_use]
    pub const fn narrowed_to(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// A named set of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs the organization.
    Admin,
    /// Runs a workspace day by day.
    Operator,
    /// An AI at work.
    Agent,
    /// Looks, touches nothing.
    Readonly,
}

impl Role {
    /// All four, widest first.
    pub const ALL: &'static [Self] = &[Self::Admin, Self::Operator, Self::Agent, Self::Readonly];

    /// The name in storage and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Agent => "agent",
            Self::Readonly => "readonly",
        }
    }

    /// Reads the name back; an unknown role is `None`, and grants nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }

    /// What the role allows.
    #[must_use]
    pub const fn permissions(self) -> PermissionSet {
        use Permission as P;
        match self {
            Self::Admin => PermissionSet(
                PermissionSet::of(Permission::ALL).0 & !PermissionSet::of(&[P::TaskRun]).0,
            ),
            Self::Operator => PermissionSet::of(&[
                P::MemoryRead,
                P::MemoryWrite,
                P::MemoryDelete,
                P::MemoryReview,
                P::SessionCapture,
                P::SessionRead,
                P::OntologyWrite,
                P::SkillRead,
                P::SkillPublish,
                P::ParticipantSpeak,
                P::ParticipantSelf,
                P::GatewayUse,
                P::GatewayConfigure,
                P::SecretList,
                P::SecretWrite,
                P::SecretUse,
                P::SettingRead,
                P::SettingWrite,
                P::TaskRead,
                P::TaskWrite,
                P::ConnectorManage,
                P::SourceManage,
                P::AuditRead,
                P::UsageRead,
                P::DiagnosticsRead,
                P::FederationCall,
            ]),
            Self::Agent => PermissionSet::of(&[
                P::MemoryRead,
                P::MemoryWrite,
                P::SessionCapture,
                P::SessionRead,
                P::SkillRead,
                P::ParticipantSelf,
                P::GatewayUse,
                P::SecretList,
                P::SecretUse,
                P::SettingRead,
                P::TaskRead,
                P::TaskWrite,
            ]),
            Self::Readonly => PermissionSet::of(&[
                P::MemoryRead,
                P::SessionRead,
                P::SkillRead,
                P::ParticipantSelf,
                P::SettingRead,
                P::TaskRead,
                P::UsageRead,
            ]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::{Permission, PermissionSet, Role};

    #[test]
    fn roles_match_the_published_table() {
        let mut table = String::from("bit name                admin operator agent readonly\n");
        for permission in Permission::ALL {
            let cells: Vec<&str> = Role::ALL
                .iter()
                .map(|role| {
                    if role.permissions().contains(*permission) {
                        "x"
                    } else {
                        "."
                    }
                })
                .collect();
            writeln!(
                table,
                "{:>3} {:20}{}",
                *permission as u8,
                permission.as_str(),
                cells.join("  ")
            )
            .unwrap();
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn l09_unknown_bits_refuse_the_whole_set() {
        for bit in 0..64u32 {
            let known = Permission::ALL
                .iter()
                .any(|permission| *permission as u32 == bit);
            assert_eq!(
                PermissionSet::from_bits(1 << bit).is_ok(),
                known,
                "bit {bit}"
            );
        }
        assert!(PermissionSet::from_bits(u64::MAX).is_err());
    }

    #[test]
    fn narrowing_never_widens() {
        let narrowed = Role::Readonly
            .permissions()
            .narrowed_to(Role::Admin.permissions());
        assert_eq!(narrowed, Role::Readonly.permissions());
    }
}
