//! The service from outside: over its socket, over TLS, asked by another daemon, by others' clients.
#![expect(
    clippy::too_many_lines,
    reason = "one walk all the way through reads better in one piece"
)]

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod house;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod mtls;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod third_party;
#[cfg(test)]
mod validate;
#[cfg(test)]
mod watch;
