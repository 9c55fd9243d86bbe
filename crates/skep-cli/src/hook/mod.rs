//! `skep hook <harness> <event>`: what a harness says of a session to the daemon, and back what its
//! model should know.

pub mod table;
