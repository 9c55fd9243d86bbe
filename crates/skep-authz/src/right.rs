//! Rights as types: one marker per permission, sealed, so that none can be declared outside.

use skep_domain::Permission;

mod sealed {
    pub trait Sealed {}
}

/// A right that a transaction can be opened with.
pub trait Right: sealed::Sealed + Send + Sync + 'static {
    /// The permission behind it; `None` for the daemon's own upkeep.
    const PERMISSION: Option<Permission>;
    /// Whether its transactions write.
    const WRITES: bool;
}

/// A right whose transactions may read.
pub trait CanRead: Right {}

/// A right whose transactions may write, and read what they need for it.
pub trait CanWrite: CanRead {}

macro_rules! upkeep {
    ($($(#[$doc:meta])* $name:ident $writes:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name(());
            impl sealed::Sealed for $name {}
            impl Right for $name {
                const PERMISSION: Option<Permission> = None;
                const WRITES: bool = $writes;
            }
            impl CanRead for $name {}
        )*
    };
}

upkeep! {
    /// The daemon looks over a workspace: indexing, counting. No permission grants it.
    Survey false;
    /// The daemon works on a workspace: embedding, distilling. No permission grants it.
    Maintain true;
}

impl CanWrite for Maintain {}

/// The daemon's own rights, which see every row and serve nobody.
pub trait Upkeep: CanRead {}
impl Upkeep for Survey {}
impl Upkeep for Maintain {}

macro_rules! rights {
    (read: $($read:ident)*; write: $($write:ident)*) => {
        /// The markers, named as the permissions are.
        pub mod rights {
            use super::{CanRead, CanWrite, Permission, Right, sealed};
            $(
                #[doc = concat!("The right behind [`Permission::", stringify!($read), "`].")]
                #[derive(Debug)]
                pub struct $read(());
                impl sealed::Sealed for $read {}
                impl Right for $read { const PERMISSION: Option<Permission> = Some(Permission::$read); const WRITES: bool = false; }
                impl CanRead for $read {}
            )*
            $(
                #[doc = concat!("The right behind [`Permission::", stringify!($write), "`].")]
                #[derive(Debug)]
                pub struct $write(());
                impl sealed::Sealed for $write {}
                impl Right for $write { const PERMISSION: Option<Permission> = Some(Permission::$write); const WRITES: bool = true; }
                impl CanRead for $write {}
                impl CanWrite for $write {}
            )*
        }
    };
}

rights! {
    read: MemoryRead SessionRead SettingRead DiagnosticsRead AuditRead SkillRead SecretList AuditExport UsageRead GatewayUse;
    write: MemoryWrite MemoryDelete MemoryReview OntologyWrite SessionCapture SettingWrite SourceManage SkillPublish SecretWrite SecretUse SecretApprove ParticipantSpeak ParticipantSelf MemberManage TokenManage OrgManage WorkspaceManage BudgetManage GatewayConfigure AuditErase
}
