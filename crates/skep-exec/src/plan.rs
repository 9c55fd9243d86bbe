//! What is to be run: drafted, then checked as a whole.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::Duration;

use skep_crypto::Plain;

pub use check::PlanError;

use crate::layer::{Demand, Layer};

/// A secret and the name that stands for it in redacted output.
///
/// It has no `Debug` and no `Clone`, as its value has none.
pub struct Secret {
    pub(crate) name: String,
    pub(crate) value: Plain<Vec<u8>>,
}

impl Secret {
    /// A secret of this name. It is checked with the plan.
    #[must_use]
    pub fn new(name: impl Into<String>, value: Plain<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            value,
        }
    }
}

/// Where a program may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Egress {
    /// Nowhere.
    None,
    /// To a proxy of the daemon: what connects to this port of the program's own 127.0.0.1 comes
    /// out at the Unix socket. The socket should be this run's alone, so that whoever listens knows
    /// whose connection it is. Without a network namespace such a plan is refused.
    Proxy {
        /// Where the daemon's proxy listens.
        socket: PathBuf,
        /// The port that the program's `HTTPS_PROXY` names.
        port: u16,
    },
    /// Anywhere that the daemon can.
    Open,
}

/// Bounds on what a program takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processor time of each process.
    pub cpu: Option<Duration>,
    /// Bytes of address space of each process. Runtimes that reserve more than they use (Node, Go,
    /// Java) need it large.
    pub memory: u64,
    /// Processes and threads at the same time.
    pub processes: u32,
    /// Open files of each process.
    pub files: u32,
    /// Bytes of the private `/tmp`.
    pub scratch: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: None,
            memory: 64 << 30,
            processes: 256,
            files: 1024,
            scratch: 256 << 20,
        }
    }
}

/// One variable of the environment.
pub(crate) enum Value {
    Public(Vec<u8>),
    Secret(Secret),
}

/// What standard input holds.
pub(crate) enum Input {
    Public(Vec<u8>),
    Secret(Secret),
}

/// A plan that is not checked yet.
pub struct Draft {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<Vec<u8>>,
    /// Which of them hold words of whoever asks.
    pub(crate) theirs: BTreeSet<usize>,
    /// Those words.
    pub(crate) said: Vec<Vec<u8>>,
    pub(crate) env: Vec<(String, Value)>,
    pub(crate) fds: Vec<(u32, Secret)>,
    pub(crate) stdin: Input,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) writable: Vec<PathBuf>,
    pub(crate) timeout: Duration,
    pub(crate) output_cap: usize,
    pub(crate) egress: Egress,
    pub(crate) local_sockets: bool,
    pub(crate) limits: Limits,
    pub(crate) demand: Demand,
}

/// A plan that holds: what [`crate::Runner::run`] takes, once.
///
/// It has no `Debug` and no `Clone`, as it holds secrets.
pub struct Plan(pub(crate) Draft);

impl Draft {
    /// A program by its absolute path, where it may send, and without what it must not start.
    /// There is no shell: arguments arrive as they are.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, egress: Egress, demand: Demand) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            theirs: BTreeSet::new(),
            said: Vec::new(),
            env: Vec::new(),
            fds: Vec::new(),
            stdin: Input::Public(Vec::new()),
            dir: None,
            readable: Vec::new(),
            writable: Vec::new(),
            timeout: Duration::from_mins(5),
            output_cap: check::MAX_OUTPUT,
            egress,
            local_sockets: false,
            limits: Limits::default(),
            demand,
        }
    }

    /// One more argument. Arguments are public: every user of the machine can read them.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into().into_vec());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<T: Into<OsString>>(self, args: impl IntoIterator<Item = T>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// One more argument, with words of whoever asks for the run. They must not learn from it what a secret
    /// is: it is not compared with any, and what of it comes back in the output is shown, whatever it is.
    #[must_use]
    pub fn asked(mut self, arg: impl Into<OsString>) -> Self {
        let arg = arg.into().into_vec();
        self.theirs.insert(self.args.len());
        self.said.push(arg.clone());
        self.args.push(arg);
        self
    }

    /// The words that arguments of [`Draft::asked`] hold, each by itself.
    #[must_use]
    pub fn said<T: Into<OsString>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        let words = words.into_iter().map(|word| word.into().into_vec());
        self.said.extend(words);
        self
    }

    /// A public variable. Beside those of the plan there are `PATH`, `HOME` and `TMPDIR`, which a
    /// plan may set otherwise; nothing of the daemon's environment is handed on.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        let value = Value::Public(value.into().into_vec());
        self.env.push((name.into(), value));
        self
    }

    /// A secret in a variable. The program's children have it too, unless it clears it.
    #[must_use]
    pub fn env_secret(mut self, name: impl Into<String>, secret: Secret) -> Self {
        self.env.push((name.into(), Value::Secret(secret)));
        self
    }

    /// A secret as a sealed file in memory, on this descriptor from 3 on: `/dev/fd/3`.
    #[must_use]
    pub fn fd_secret(mut self, number: u32, secret: Secret) -> Self {
        self.fds.push((number, secret));
        self
    }

    /// What standard input holds; nothing by default.
    #[must_use]
    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Input::Public(bytes);
        self
    }

    /// A secret on standard input.
    #[must_use]
    pub fn stdin_secret(mut self, secret: Secret) -> Self {
        self.stdin = Input::Secret(secret);
        self
    }

    /// Where the program starts; its private `/tmp` by default.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// A file or a folder with all below it that the program may read and execute, beside the
    /// programs and libraries of the system.
    #[must_use]
    pub fn readable(mut self, path: impl Into<PathBuf>) -> Self {
        self.readable.push(path.into());
        self
    }

    /// A file or a folder with all below it that the program may also change.
    #[must_use]
    pub fn writable(mut self, path: impl Into<PathBuf>) -> Self {
        self.writable.push(path.into());
        self
    }

    /// How long it may take, at most half an hour; five minutes by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many bytes both streams together may have, at most 1 MiB, which is the default.
    #[must_use]
    pub fn output_cap(mut self, bytes: usize) -> Self {
        self.output_cap = bytes;
        self
    }

    /// Lets the program make Unix sockets, which some need to speak with their own children. It then
    /// starts only where it has a file tree of its own ([`Layer::Files`]), as no rule keeps it from
    /// the sockets that it sees.
    #[must_use]
    pub fn local_sockets(mut self) -> Self {
        self.local_sockets = true;
        self
    }

    /// Bounds on what it takes.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Checks all of it.
    pub fn plan(mut self) -> Result<Plan, PlanError> {
        if self.egress != Egress::Open && self.demand == Demand::usual()
            || matches!(self.egress, Egress::Proxy { .. })
        {
            self.demand = self.demand.and(Layer::Network);
        }
        if self.local_sockets {
            self.demand = self.demand.and(Layer::Files);
        }
        check::check(&self)?;
        Ok(Plan(self))
    }

    /// Every secret there is, for the redaction.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let env = self.env.iter().filter_map(|(_, value)| match value {
            Value::Secret(secret) => Some(secret),
            Value::Public(_) => None,
        });
        let stdin = match &self.stdin {
            Input::Secret(secret) => Some(secret),
            Input::Public(_) => None,
        };
        env.chain(self.fds.iter().map(|(_, secret)| secret))
            .chain(stdin)
    }

    /// The whole environment.
    pub(crate) fn environment<'a>(&'a self, home: &'a [u8]) -> BTreeMap<&'a [u8], &'a [u8]> {
        let usual: [(&[u8], &[u8]); 3] = [
            (b"PATH", b"/usr/local/bin:/usr/bin:/bin"),
            (b"HOME", home),
            (b"TMPDIR", home),
        ];
        let given = self.env.iter().map(|(name, value)| {
            let value = match value {
                Value::Public(bytes) => bytes.as_slice(),
                Value::Secret(secret) => secret.value.expose(),
            };
            (name.as_bytes(), value)
        });
        usual.into_iter().chain(given).collect()
    }
}
