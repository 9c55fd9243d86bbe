//! The service from outside: over its socket, over TLS, asked by another daemon, by others' clients.
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
