//! One short function per route: extract, call `app`, convert.

pub(crate) mod access;
pub(crate) mod agents;
pub(crate) mod auth;
pub(crate) mod capture;
pub(crate) mod explain;
pub(crate) mod inject;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod members;
pub(crate) mod memories;
pub(crate) mod oauth;
pub(crate) mod ontology;
pub(crate) mod organizations;
pub(crate) mod own;
pub(crate) mod page;
pub(crate) mod participants;
pub(crate) mod people;
pub(crate) mod posture;
pub(crate) mod recall;
pub(crate) mod removal;
pub(crate) mod review;
pub(crate) mod rotation;
pub(crate) mod sessions;
pub(crate) mod sources;
pub(crate) mod sso;
pub(crate) mod system;
