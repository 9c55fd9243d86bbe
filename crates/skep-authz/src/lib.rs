//! Authentication results and policy as pure functions; the sole mint of `Authorized<P>`.
