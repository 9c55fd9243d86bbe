//! A server that is one test's alone: it may be stopped at any moment, and be reached over TLS by rules of
//! the test's own.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{FlockOperation, flock};

use super::{Server, hand_over, programs};

/// A server that goes with the test, whatever becomes of it.
#[derive(Debug)]
pub struct Alone {
    server: Server,
    options: String,
}

impl Alone {
    /// Starts one on 127.0.0.1 that logs every statement, with a certificate and its key in PEM if it shall
    /// speak TLS, and with these lines on who may log in how from there. Whoever comes over the socket is
    /// believed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[expect(clippy::panic, reason = "a test without its server cannot go on")]
    pub fn start(tls: Option<(&str, &str)>, rules: &str) -> Self {
        Self::try_start(tls, rules).unwrap_or_else(|why| panic!("PostgreSQL does not start: {why}"))
    }

    fn try_start(tls: Option<(&str, &str)>, rules: &str) -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("skep-postgres-alone-{}-{number}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let failed = |error: std::io::Error| error.to_string();
        std::fs::create_dir_all(&place).map_err(failed)?;
        let users = File::create(place.join("users")).map_err(failed)?;
        flock(&users, FlockOperation::LockShared).map_err(|error| error.to_string())?;
        // Somebody else may take the port in between, which then shows.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let server = Server {
            place,
            programs: programs(),
            port: port.map_err(failed)?.port(),
            _users: users,
        };
        server.make()?;
        let put = |name: &str, text: &str| {
            let path = server.place.join("data").join(name);
            std::fs::write(&path, text).and_then(|()| hand_over(&path, 0o600))
        };
        put("pg_hba.conf", &format!("local all all trust\n{rules}\n")).map_err(failed)?;
        let mut options = "-c listen_addresses=127.0.0.1 -c log_statement=all".to_owned();
        if let Some((certificate, key)) = tls {
            put("server.crt", certificate).map_err(failed)?;
            put("server.key", key).map_err(failed)?;
            options.push_str(" -c ssl=on");
        }
        server.start(&options, None)?;
        server.keep("alone").map_err(failed)?;
        Ok(Self { server, options })
    }

    /// Its port, over TCP and in the name of its socket.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The folder of its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.server.socket()
    }

    /// What a statement says, as its administrator.
    #[must_use]
    pub fn query(&self, database: &str, statement: &str) -> String {
        self.server.query(database, statement)
    }

    /// Has a statement done, as its administrator.
    pub fn run(&self, database: &str, statement: &str) {
        self.server.run(database, statement);
    }

    /// Ends it as a crash would: nothing is finished, nothing is written.
    ///
    /// # Panics
    /// When it cannot be stopped.
    pub fn crash(&self) {
        self.server.kill();
    }

    /// Starts it again with all that it had.
    ///
    /// # Panics
    /// When it does not start.
    #[expect(clippy::panic, reason = "a test without its server cannot go on")]
    pub fn resume(&self) {
        let started = self.server.start(&self.options, None);
        started.unwrap_or_else(|why| panic!("PostgreSQL does not start again: {why}"));
    }

    /// All that it has written into its log.
    #[must_use]
    pub fn log(&self) -> String {
        let log = std::fs::read(self.server.place.join("socket/log"));
        String::from_utf8_lossy(&log.unwrap_or_default()).into_owned()
    }
}
