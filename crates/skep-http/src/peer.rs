//! Who is at the other end of a connection, as the kernel says.

use std::net::SocketAddr;

/// The other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A process of this user, over the Unix socket.
    Socket {
        /// Its user id, from `SO_PEERCRED`.
        uid: u32,
    },
    /// Anybody, over TCP.
    Tcp(SocketAddr),
}
