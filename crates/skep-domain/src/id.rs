//! One registry of typed ids: every kind is a `UUIDv7` in a type of its own.
//!
//! The text form (`mem_…`, with a keyed tag of the tenant) exists only at the edge, in `skep-api`.

use uuid::{Builder, Uuid};

use crate::Timestamp;

/// What every typed id can do. Storage and the edge are generic over it.
pub trait Id: Copy + Eq + Ord + std::hash::Hash + Send + Sync + 'static {
    /// The kind, which carries the text prefix.
    const KIND: IdKind;
    /// Wraps the 16 stored bytes.
    fn from_bytes(bytes: [u8; 16]) -> Self;
    /// The 16 bytes that storage keeps.
    fn to_bytes(self) -> [u8; 16];
    /// Mints a `UUIDv7` (RFC 9562 §5.7) from a time and 10 random bytes.
    #[must_use]
    fn mint(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
        Self::from_bytes(
            Builder::from_unix_timestamp_millis(millis, &random)
                .into_uuid()
                .into_bytes(),
        )
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $kind:ident, $prefix:literal, $tenant:ident;)*) => {
        /// The kind of an id: its prefix in text and the tenant that its tag is bound to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum IdKind { $($(#[$doc])* $kind,)* }

        impl IdKind {
            /// Every kind, in the order of the registry.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The text before the underscore, three letters or fewer.
            #[must_use]
            pub const fn prefix(self) -> &'static str {
                match self { $(Self::$kind => $prefix,)* }
            }

            /// Whether the tag is bound to the workspace (or, if not, to the organization).
            #[must_use]
            pub const fn is_workspace_scoped(self) -> bool {
                match self { $(Self::$kind => ids!(@tenant $tenant),)* }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(Uuid);

            impl Id for $name {
                const KIND: IdKind = IdKind::$kind;
                fn from_bytes(bytes: [u8; 16]) -> Self { Self(Uuid::from_bytes(bytes)) }
                fn to_bytes(self) -> [u8; 16] { self.0.into_bytes() }
            }
        )*
    };
    (@tenant workspace) => { true };
    (@tenant organization) => { false };
}

ids! {
    /// A tenant.
    OrganizationId, Organization, "org", organization;
    /// A partition of an organization; never shares a row or an index with another.
    WorkspaceId, Workspace, "ws", organization;
    /// A human.
    UserId, User, "usr", organization;
    /// An AI in a workspace, with a read policy.
    AgentId, Agent, "agt", workspace;
    /// Anyone who takes part in a session.
    ParticipantId, Participant, "prt", workspace;
    /// A tag by repository; not a security boundary.
    ProjectId, Project, "prj", workspace;
    /// One conversation of one harness.
    SessionId, Session, "ses", workspace;
    /// One event of a session.
    TurnId, Turn, "trn", workspace;
    /// One distilled statement.
    MemoryId, Memory, "mem", workspace;
    /// One answered recall, as long as it can be explained.
    RecallId, Recall, "rcl", workspace;
    /// What was put in front of a model at one moment.
    InjectionId, Injection, "inj", workspace;
    /// Two memories of which at most one can be true.
    ConflictId, Conflict, "cnf", workspace;
    /// Where memories were imported from.
    SourceId, Source, "src", workspace;
    /// A proposal about the names that memories speak of.
    ProposalId, Proposal, "prp", workspace;
    /// One version of a skill.
    SkillId, Skill, "skl", workspace;
    /// One version of a template.
    TemplateId, Template, "tpl", workspace;
    /// A request for a template, or the grant that came of it.
    AccessId, Access, "acc", workspace;
    /// One run of a program with secrets.
    ExecId, Exec, "exe", workspace;
    /// Anything that proves a principal: a key, a token, a login, a browser session.
    CredentialId, Credential, "key", organization;
    /// Something that a human proves themselves with beside a password.
    FactorId, Factor, "fct", organization;
    /// One entry of the record of who was allowed what.
    AuditId, Audit, "aud", organization;
    /// A bound on what calls of models may cost.
    BudgetId, Budget, "bgt", organization;
    /// One entry of the record of what was used.
    UsageId, Usage, "use", organization;
    /// One piece of background work.
    JobId, Job, "job", organization;
    /// One version of a standing text.
    DirectiveId, Directive, "dir", organization;
    /// What one program may do with secrets that it never holds, until it ends.
    LeaseId, Lease, "lse", workspace;
}

#[cfg(test)]
mod tests {
    use super::{Id, IdKind, MemoryId};
    use crate::Timestamp;

    #[test]
    fn prefixes_are_unique_and_short() {
        let mut prefixes: Vec<_> = IdKind::ALL.iter().map(|kind| kind.prefix()).collect();
        prefixes.sort_unstable();
        let count = prefixes.len();
        prefixes.dedup();
        assert_eq!(count, prefixes.len());
        assert!(prefixes.iter().all(|prefix| prefix.len() <= 3));
    }

    #[test]
    fn minted_ids_sort_by_time() {
        let early = MemoryId::mint(Timestamp::from_micros(1_000_000), [0xFF; 10]);
        let late = MemoryId::mint(Timestamp::from_micros(1_001_000), [0; 10]);
        assert!(early < late);
        assert_eq!(MemoryId::from_bytes(early.to_bytes()), early);
    }
}
