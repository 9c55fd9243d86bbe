//! Rights as types: one marker per permission, sealed, so that none can be declared outside.

use skep_domain::Permission;

mod sealed {
    pub trait Sealed {}
}

/// A right that a transaction can be opened with.
pub trait Right: sealed::Sealed + Send + Sync + 'static {
    /// The permission behind it; `None` for the daemon's own upkeep.
    const PERMISSION: Option<Permission>;
}

/// A right whose transactions may read.
pub trait CanRead: Right {}

/// A right whose transactions may write, and read what they need for it.
pub trait CanWrite: CanRead {}

/// The daemon's own upkeep of a workspace. No permission grants it.
#[derive(Debug)]
pub struct Maintain(());

impl sealed::Sealed for Maintain {}
impl Right for Maintain {
    const PERMISSION: Option<Permission> = None;
}
impl CanRead for Maintain {}
impl CanWrite for Maintain {}

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
                impl Right for $read { const PERMISSION: Option<Permission> = Some(Permission::$read); }
                impl CanRead for $read {}
            )*
            $(
                #[doc = concat!("The right behind [`Permission::", stringify!($write), "`].")]
                #[derive(Debug)]
                pub struct $write(());
                impl sealed::Sealed for $write {}
                impl Right for $write { const PERMISSION: Option<Permission> = Some(Permission::$write); }
                impl CanRead for $write {}
                impl CanWrite for $write {}
            )*
        }
    };
}

rights! {
    read: MemoryRead SessionRead SettingRead DiagnosticsRead;
    write: MemoryWrite MemoryDelete SessionCapture
}
