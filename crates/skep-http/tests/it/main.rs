//! The edge from outside: real store, real listeners, requests byte by byte.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod panics;
