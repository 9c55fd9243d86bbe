//! Typed client for the API over a Unix socket or loopback TCP.
