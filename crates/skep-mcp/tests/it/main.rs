//! The protocol as a client of the official SDK speaks it, against a daemon that the test scripts.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod told;
#[cfg(test)]
mod tools;
