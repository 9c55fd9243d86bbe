//! `skep run` against a real daemon, with real programs, and an origin over TLS that records what it got.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod program;
#[cfg(test)]
mod record;
#[cfg(test)]
mod whose;
#[cfg(test)]
mod world;
