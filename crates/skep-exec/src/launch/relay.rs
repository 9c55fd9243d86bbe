//! From a port of the program's own 127.0.0.1 to the Unix socket of the daemon's proxy.
//!
//! One thread for all connections: a process that has entered a process namespace for its children
//! may not start threads.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType};

/// Connections at the same time; more wait.
const MOST: usize = 64;
const BUFFER: usize = 16 << 10;

/// What listens, and what it forwards.
pub(super) struct Relay {
    listener: TcpListener,
    socket: PathBuf,
    pairs: Vec<Pair>,
}

/// A connection of the program and its other half.
struct Pair {
    client: TcpStream,
    proxy: OwnedFd,
    up: Flow,
    down: Flow,
}

/// One direction of a connection.
struct Flow {
    bytes: Vec<u8>,
    /// Read and not yet written.
    held: std::ops::Range<usize>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing more will be read.
    Ending,
    Closed,
}

impl Relay {
    pub(super) fn listen(port: u16, socket: PathBuf) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            socket,
            pairs: Vec::new(),
        })
    }

    /// What is waited for. Nothing else is looked at, so that what has hung up does not wake us.
    pub(super) fn interest<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        let mut want = |fd, flags| fds.push(PollFd::from_borrowed_fd(fd, flags));
        if self.pairs.len() < MOST {
            want(self.listener.as_fd(), PollFlags::IN);
        }
        for pair in &self.pairs {
            for (flow, from, to) in [
                (&pair.up, pair.client.as_fd(), pair.proxy.as_fd()),
                (&pair.down, pair.proxy.as_fd(), pair.client.as_fd()),
            ] {
                if !flow.held.is_empty() {
                    want(to, PollFlags::OUT);
                } else if flow.state == State::Open {
                    want(from, PollFlags::IN);
                }
            }
        }
    }

    /// Takes new connections and moves what can be moved.
    pub(super) fn turn(&mut self) {
        while self.pairs.len() < MOST {
            let Ok((client, _)) = self.listener.accept() else {
                break;
            };
            // Where there is no proxy, the connection is closed.
            if let Ok(pair) = Pair::new(client, &self.socket) {
                self.pairs.push(pair);
            }
        }
        for pair in &mut self.pairs {
            pair.up.turn(&pair.client, &pair.proxy);
            pair.down.turn(&pair.proxy, &pair.client);
        }
        self.pairs
            .retain(|pair| pair.up.state != State::Closed || pair.down.state != State::Closed);
    }
}

impl Pair {
    fn new(client: TcpStream, socket: &PathBuf) -> io::Result<Self> {
        client.set_nonblocking(true)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let proxy = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&proxy, &SocketAddrUnix::new(socket)?)?;
        Ok(Self {
            client,
            proxy,
            up: Flow::new(),
            down: Flow::new(),
        })
    }
}

impl Flow {
    fn new() -> Self {
        Self {
            bytes: vec![0; BUFFER],
            held: 0..0,
            state: State::Open,
        }
    }

    fn turn(&mut self, from: impl AsFd, to: impl AsFd) {
        if self.state == State::Closed {
            return;
        }
        if self.held.is_empty() && self.state == State::Open {
            match rustix::io::read(&from, &mut self.bytes[..]) {
                Ok(0) => self.state = State::Ending,
                Ok(len) => self.held = 0..len,
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => self.state = State::Ending,
            }
        }
        if !self.held.is_empty() {
            match rustix::io::write(&to, &self.bytes[self.held.clone()]) {
                Ok(len) => self.held.start += len,
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => {
                    self.held = 0..0;
                    self.state = State::Ending;
                    let _ = rustix::net::shutdown(&from, Shutdown::Read);
                }
            }
        }
        if self.held.is_empty() && self.state == State::Ending {
            let _ = rustix::net::shutdown(&to, Shutdown::Write);
            self.state = State::Closed;
        }
    }
}
