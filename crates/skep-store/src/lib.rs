//! `Store`, `Tx<P>`, `ScopeKey` and the `Backend` port.
