//! A PostgreSQL server for as long as tests run, whoever of them came first, and a database for each.
//!
//! Tests are processes of their own, and a server takes a second to start: so the first starts one, all
//! hold a lock that they share, and a keeper beside the server stops it and removes its files once nobody
//! holds that lock any more.

use std::fs::File;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{FlockOperation, flock};
use rustix::process::Pid;

use crate::program;

mod alone;

pub use alone::Alone;

/// Where Debian keeps the server's own programs, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Names another folder of programs, such as those of another version.
const PROGRAMS: &str = "SKEP_TEST_POSTGRES_PROGRAMS";
/// Has databases spread over machines, if it says anything: Citus has to be among the programs.
const SPREAD: &str = "SKEP_TEST_POSTGRES_CITUS";
/// The server refuses to run as root: then it runs as this user, whom Debian's package makes.
const SERVANT: &str = "postgres";
/// Where a server is reached if nothing else is said.
pub const PORT: u16 = 5_432;

/// Stops the server when the shared lock is free, and removes what it kept. One look a second; it holds
/// the other lock meanwhile, so that nobody comes to a server that is about to go.
const KEEPER: &str = r#"
cd "$1" || exit 0
while ! flock -x start flock -n -x users sh -c '
    server=$(head -n 1 data/postmaster.pid)
    kill -QUIT "$server"
    while kill -0 "$server"; do sleep 0.1; done
    rm -rf data socket template-*
'; do
    sleep 1
done
[ -z "$2" ] || rm -rf "$1"
"#;

/// Nobody comes over TCP.
const SOCKET_ONLY: &str = "-c listen_addresses=";

/// A running server.
#[derive(Debug)]
pub struct Server {
    place: PathBuf,
    programs: PathBuf,
    port: u16,
    /// Held for as long as the process lives.
    _users: File,
}

/// A database that is ours alone, and goes away.
#[derive(Debug)]
pub struct Database {
    server: &'static Server,
    name: String,
}

impl Server {
    /// The server of this run; starts it if nobody has. Installs the Debian package where it is missing.
    ///
    /// # Panics
    /// When there is none to start.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| {
            let programs = programs();
            Self::join(place(&programs), programs, "")
        })
    }

    /// A server that no other test uses, to be stopped at will; there until the process ends.
    ///
    /// # Panics
    /// When there is none to start.
    #[must_use]
    pub fn own() -> &'static Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("skep-postgres-own-{}-{number}", std::process::id());
        let place = std::env::temp_dir().join(name);
        Box::leak(Box::new(Self::join(place, programs(), "own")))
    }

    /// Stops it as a power cut would: nothing is finished, and nobody is told.
    ///
    /// # Panics
    /// When it is a shared one, or does not stop.
    #[expect(clippy::panic, reason = "a test without its server cannot go on")]
    pub fn kill(&self) {
        assert!(
            self.place != place(&self.programs),
            "others use this server"
        );
        let mut stop = self.as_servant("pg_ctl");
        stop.args(["-w", "-m", "immediate", "-D"])
            .arg(self.place.join("data"))
            .arg("stop");
        output(&mut stop).unwrap_or_else(|why| panic!("PostgreSQL does not stop: {why}"));
    }

    /// Starts it again, with what it had.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&self) {
        self.restart_with("", None);
    }

    /// The same with other options, such as `-c fsync=on`, and with files that may not grow beyond so many bytes.
    ///
    /// # Panics
    /// When it does not start.
    #[expect(clippy::panic, reason = "a test without its server cannot go on")]
    pub fn restart_with(&self, options: &str, room: Option<u64>) {
        let started = self.start(&format!("{SOCKET_ONLY} {options}"), room);
        started.unwrap_or_else(|why| panic!("PostgreSQL does not start: {why}"));
    }

    /// The process that all connections come from.
    ///
    /// # Panics
    /// When it is a shared one, or does not run.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its server cannot go on")]
    pub fn process(&self) -> Pid {
        assert!(
            self.place != place(&self.programs),
            "others use this server"
        );
        let file = std::fs::read_to_string(self.place.join("data/postmaster.pid"));
        let number = file.expect("a server that runs");
        let number = number.lines().next().and_then(|line| line.parse().ok());
        number
            .and_then(Pid::from_raw)
            .expect("the number of a process")
    }

    #[expect(
        clippy::panic,
        clippy::expect_used,
        reason = "a test without its server cannot go on"
    )]
    fn join(place: PathBuf, programs: PathBuf, alone: &str) -> Self {
        std::fs::create_dir_all(&place).expect("a folder for the server");
        let start = File::create(place.join("start")).expect("a lock");
        flock(&start, FlockOperation::LockExclusive).expect("the lock");
        let users = File::create(place.join("users")).expect("a lock");
        flock(&users, FlockOperation::LockShared).expect("the shared lock");
        let server = Self {
            place,
            programs,
            port: PORT,
            _users: users,
        };
        if !server.answers() {
            let started = server.make().and_then(|()| server.start(SOCKET_ONLY, None));
            started
                .and_then(|()| server.keep(alone).map_err(|error| error.to_string()))
                .unwrap_or_else(|why| panic!("PostgreSQL does not start: {why}"));
        }
        server
    }

    /// The folder of its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.place.join("socket")
    }

    /// Its version, such as `15`.
    #[must_use]
    pub fn version(&self) -> String {
        self.query("postgres", "SHOW server_version")
    }

    /// A copy of the database of a name, which `make` fills the first time that anybody asks for it. A name
    /// stands for one filling: another needs another name.
    ///
    /// # Panics
    /// When the server refuses.
    #[expect(
        clippy::expect_used,
        reason = "a test without its database cannot go on"
    )]
    pub async fn database<F>(
        &'static self,
        template: &str,
        make: impl FnOnce(PathBuf, String) -> F + Send,
    ) -> Database
    where
        F: Future<Output = ()> + Send,
    {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let template = format!("template_{template}");
        let lock = self.place.join(format!("template-{template}"));
        let lock = File::options().create(true).append(true).open(lock);
        let lock = lock.expect("a lock");
        flock(&lock, FlockOperation::LockExclusive).expect("the lock");
        let known =
            format!("SELECT 1 FROM pg_database WHERE datname = '{template}' AND datistemplate");
        if self.query("postgres", &known).is_empty() {
            self.run("postgres", &format!("DROP DATABASE IF EXISTS {template}"));
            self.run("postgres", &format!("CREATE DATABASE {template}"));
            if is_spread() {
                self.spread(&template);
            }
            make(self.socket(), template.clone()).await;
            self.run(
                "postgres",
                &format!("ALTER DATABASE {template} IS_TEMPLATE true ALLOW_CONNECTIONS false"),
            );
            // Citus has something at work in each of its databases, and nobody may be in one that is copied.
            let leave = format!(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{template}'"
            );
            self.run("postgres", &leave);
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        self.run(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        );
        drop(lock);
        Database { server: self, name }
    }

    /// What a statement says, by the server's own client as its administrator.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    #[expect(clippy::panic, reason = "a test without its database cannot go on")]
    pub fn query(&self, database: &str, statement: &str) -> String {
        match self.ask(database, statement) {
            Ok(said) => said,
            Err(why) => panic!("PostgreSQL refuses `{statement}`: {why}"),
        }
    }

    /// Has a statement done.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn run(&self, database: &str, statement: &str) {
        let _ = self.query(database, statement);
    }

    /// The same, with what the server says when it refuses.
    ///
    /// # Errors
    /// The server's words.
    pub fn ask(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut command = Command::new(self.programs.join("psql"));
        command
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", SERVANT, "-d", database, "-c", statement])
            .arg("-h")
            .arg(self.socket())
            .args(["-p", &self.port.to_string()]);
        output(&mut command)
    }

    fn answers(&self) -> bool {
        self.place.join("data/postmaster.pid").exists() && self.ask("postgres", "SELECT 1").is_ok()
    }

    fn make(&self) -> Result<(), String> {
        for left in ["data", "socket"] {
            let _ = std::fs::remove_dir_all(self.place.join(left));
        }
        for folder in ["data", "socket"] {
            let folder = self.place.join(folder);
            let made = std::fs::create_dir(&folder);
            made.and_then(|()| hand_over(&folder, 0o700))
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        output(
            self.as_servant("initdb")
                .args([
                    "-A",
                    "trust",
                    "-E",
                    "UTF8",
                    "--locale=C.UTF-8",
                    "-U",
                    SERVANT,
                ])
                .args(["--no-sync", "-D"])
                .arg(self.place.join("data")),
        )
        .map(|_| ())
    }

    /// This server is the only machine, under another name: what is said to the others goes over a
    /// connection all the same.
    fn spread(&self, database: &str) {
        let socket = self.socket();
        let (socket, port) = (socket.display(), self.port);
        let alone = format!(
            "CREATE EXTENSION citus; SELECT citus_set_coordinator_host('{socket}', {port});
             SELECT citus_set_node_property('{socket}', {port}, 'shouldhaveshards', true)"
        );
        self.run(database, &alone);
    }

    fn start(&self, more: &str, room: Option<u64>) -> Result<(), String> {
        let preloaded = if is_spread() {
            "-c shared_preload_libraries=citus -c citus.shard_count=2 -c max_prepared_transactions=100 \
             -c citus.enable_local_execution=off -c citus.node_conninfo=sslmode=prefer"
        } else {
            ""
        };
        // Nothing here outlives the run, so nothing waits for a disk.
        let options = format!(
            "-F -k {} -p {} -c max_connections=300 -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 {preloaded} {more}",
            self.socket().display(),
            self.port
        );
        // In units of half a kilobyte.
        let room = room.map_or("unlimited".to_owned(), |bytes| (bytes / 512).to_string());
        output(
            self.as_servant("/bin/sh")
                .args(["-c", "ulimit -S -f \"$0\"; exec \"$@\"", &room])
                .arg(self.programs.join("pg_ctl"))
                .args(["-w", "-t", "60", "-o", &options, "-D"])
                .arg(self.place.join("data"))
                .arg("-l")
                .arg(self.place.join("socket/log"))
                .arg("start"),
        )
        .map(|_| ())
    }

    /// Removes the whole folder in the end if `alone` says anything.
    fn keep(&self, alone: &str) -> std::io::Result<()> {
        Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&self.place)
            .arg(alone)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map(|_| ())
    }

    /// One of the server's programs, or any other by its path.
    fn as_servant(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command;
        if rustix::process::geteuid().is_root() {
            command = Command::new("runuser");
            command.args(["-u", SERVANT, "--"]).arg(program);
        } else {
            command = Command::new(program);
        }
        command.current_dir(&self.place);
        command
    }
}

impl Database {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is on.
    #[must_use]
    pub fn server(&self) -> &'static Server {
        self.server
    }

    /// What a statement says, as the server's administrator, whom no wall stops.
    #[must_use]
    pub fn query(&self, statement: &str) -> String {
        self.server.query(&self.name, statement)
    }

    /// Has a statement done, as the server's administrator.
    pub fn run(&self, statement: &str) {
        self.server.run(&self.name, statement);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let gone = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = self.server.ask("postgres", &gone);
    }
}

/// What it wrote, without the last line's end; or what it complained of.
fn output(command: &mut Command) -> Result<String, String> {
    let done = command.stdin(Stdio::null()).output();
    let done = done.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).trim_end().to_owned())
    }
}

/// The folder of the server's own programs.
fn programs() -> PathBuf {
    if let Some(named) = std::env::var_os(PROGRAMS) {
        return named.into();
    }
    let newest = || {
        let versions = std::fs::read_dir(DEBIAN).ok()?;
        let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
        programs.filter(|bin| bin.join("initdb").exists()).max()
    };
    newest().unwrap_or_else(|| {
        // Its tools are found on the path only through this one, which the package brings.
        let _ = program::find("pg_createcluster", "postgresql");
        newest().unwrap_or_else(|| Path::new(DEBIAN).join("15/bin"))
    })
}

fn is_spread() -> bool {
    std::env::var_os(SPREAD).is_some()
}

/// One folder for each user, each set of programs and each checkout, whose tests may differ; short, since the
/// name of a socket must be.
fn place(programs: &Path) -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    let mut mark = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(
        &(programs, env!("CARGO_MANIFEST_DIR"), is_spread()),
        &mut mark,
    );
    let mark = std::hash::Hasher::finish(&mark) as u32;
    std::env::temp_dir().join(format!("skep-postgres-{user}-{mark:08x}"))
}

/// To the user as whom the server runs.
fn hand_over(folder: &Path, mode: u32) -> std::io::Result<()> {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))?;
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let known = std::fs::read_to_string("/etc/passwd")?;
    let ids = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(SERVANT)).then_some(())?;
        let user = fields.nth(1)?.parse().ok()?;
        Some((user, fields.next()?.parse().ok()?))
    });
    let (user, group) = ids.ok_or_else(|| std::io::Error::other("there is no such user"))?;
    chown(folder, Some(user), Some(group))
}

#[cfg(test)]
mod tests {
    use super::Server;

    #[tokio::test]
    async fn each_test_has_a_database_of_its_own() {
        let server = Server::shared();
        let make = |_, name: String| async move {
            server.run(&name, "CREATE TABLE kept (a int)");
        };
        let one = server.database("of_the_test", make).await;
        let two = server.database("of_the_test", make).await;
        one.run("INSERT INTO kept VALUES (1)");
        assert_eq!(one.query("SELECT count(*) FROM kept"), "1");
        assert_eq!(two.query("SELECT count(*) FROM kept"), "0");
        let name = one.name().to_owned();
        drop(one);
        let known = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        assert_eq!(server.query("postgres", &known), "");
    }
}
