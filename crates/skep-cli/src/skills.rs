//! Skills on this machine: reading a folder to propose, where harnesses look for skills, and what was put
//! there. Nothing is put anywhere that a known key has not signed, and nothing of anybody else's is touched.

mod folder;
mod installed;
mod keys;
mod place;

pub(crate) use folder::read as read_folder;
pub(crate) use installed::{Found, Shelf, there, what_is};
pub(crate) use keys::Keys;
pub(crate) use place::{Place, places};
