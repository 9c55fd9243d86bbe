//! The edge from outside: real store, real listeners, requests byte by byte.

mod bad_input;
mod bodies;
mod canary;
mod flow;
mod foreign;
mod gates;
mod panics;
