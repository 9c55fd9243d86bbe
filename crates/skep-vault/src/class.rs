//! The classes as types: what may be done with a record follows from its class.

use skep_authz::{Right, rights};
use skep_domain::{ReadPosture, RecordClass};

mod sealed {
    pub trait Sealed {}
}

/// A class of records.
pub trait Class: sealed::Sealed + 'static {
    /// Its row in the table of classes.
    const CLASS: RecordClass;
    /// The right to see which there are.
    type Look: Right;
    /// The right to make, change and remove them.
    type Change: Right;
}

/// A class whose values are returned.
///
/// A secret is none, so that asking for one as for a setting does not compile:
///
/// ```compile_fail,E0277
/// fn read<C: skep_vault::Returned>() {}
/// read::<skep_vault::Secret>();
/// ```
///
/// ```
/// fn read<C: skep_vault::Returned>() {}
/// read::<skep_vault::Setting>();
/// ```
pub trait Returned: Class {}

/// Values that are used and never read.
#[derive(Debug)]
pub enum Secret {}

/// Values that whoever may read them gets.
#[derive(Debug)]
pub enum Setting {}

impl sealed::Sealed for Secret {}
impl Class for Secret {
    const CLASS: RecordClass = RecordClass::Secret;
    type Look = rights::SecretList;
    type Change = rights::SecretWrite;
}

impl sealed::Sealed for Setting {}
impl Class for Setting {
    const CLASS: RecordClass = RecordClass::Setting;
    type Look = rights::SettingRead;
    type Change = rights::SettingWrite;
}
impl Returned for Setting {}

// What the table says and what the types allow are one.
const _: () = assert!(matches!(Setting::CLASS.posture(), ReadPosture::Returned));
const _: () = assert!(matches!(Secret::CLASS.posture(), ReadPosture::Internal));
