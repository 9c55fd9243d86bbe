//! A Redis of one's own: on a free port, in a scratch directory, gone with the test.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use skep_test_programs::program;

use crate::Scratch;

/// A running server.
#[derive(Debug)]
pub struct RedisServer {
    scratch: Scratch,
    port: u16,
    child: Child,
}

/// Tries at a free port, and waits of [`WAIT`] for the server to answer.
const TRIES: usize = 5;
const WAITS: usize = 500;
const WAIT: Duration = Duration::from_millis(10);

impl RedisServer {
    /// Starts one; installs the Debian package first where it is missing.
    ///
    /// # Panics
    /// When there is none to start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Self::start`], with further arguments.
    ///
    /// # Panics
    /// When there is none to start.
    #[must_use]
    #[expect(clippy::panic, reason = "a test without its server cannot go on")]
    pub fn start_with(arguments: &[&str]) -> Self {
        let program = program::find("redis-server", "redis-server");
        for _ in 0..TRIES {
            if let Some(server) = Self::try_start(&program, arguments) {
                return server;
            }
        }
        panic!("redis-server does not start: try `redis-server --port 0` by hand");
    }

    #[expect(clippy::expect_used, reason = "a test without its server cannot go on")]
    fn try_start(program: &PathBuf, arguments: &[&str]) -> Option<Self> {
        let scratch = Scratch::new();
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("its number").port();
        drop(free);
        let child = Command::new(program)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &port.to_string()])
            .arg("--unixsocket")
            .arg(scratch.path().join("redis.sock"))
            .arg("--dir")
            .arg(scratch.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server can be run");
        let mut server = Self {
            scratch,
            port,
            child,
        };
        for _ in 0..WAITS {
            if server.answers() {
                return Some(server);
            }
            if server.child.try_wait().ok().flatten().is_some() {
                return None; // somebody took the port in between
            }
            std::thread::sleep(WAIT);
        }
        None
    }

    /// Its URL over TCP.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its URL over its socket.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops it in its tracks: connections stay, answers do not come.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends one command as a line and gives the answer to it, as far as it came at once.
    ///
    /// # Panics
    /// When the server is not there.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its server cannot go on")]
    pub fn command(&self, line: &str) -> String {
        let mut stream = UnixStream::connect(self.socket()).expect("the server");
        write!(stream, "{line}\r\nQUIT\r\n").expect("room for a line");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Everything that the server is sent from now on, until the watch is read.
    ///
    /// # Panics
    /// When the server is not there.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its server cannot go on")]
    pub fn watch(&self) -> Watch {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server");
        stream.write_all(b"MONITOR\r\n").expect("room for a line");
        let mut ok = [0; 5];
        stream.read_exact(&mut ok).expect("+OK");
        Watch(stream)
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("redis.sock")
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(self.socket()) else {
            return false;
        };
        let mut pong = [0; 5];
        stream.write_all(b"PING\r\n").is_ok()
            && stream.read_exact(&mut pong).is_ok()
            && matches!(&pong, b"+PONG" | b"-NOAU")
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// What a server was sent, byte for byte as it shows it.
#[derive(Debug)]
pub struct Watch(TcpStream);

impl Watch {
    /// All of it, up to a line that contains `mark`.
    ///
    /// # Panics
    /// When that line does not come.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a test whose mark does not come has failed"
    )]
    pub fn until(mut self, mark: &str) -> String {
        let wait = Duration::from_secs(10);
        self.0.set_read_timeout(Some(wait)).expect("a timeout");
        let (mut seen, mut chunk) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&seen).contains(mark) {
            let read = self.0.read(&mut chunk).expect("the mark in time");
            assert_ne!(read, 0, "the server went away");
            seen.extend_from_slice(&chunk[..read]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
