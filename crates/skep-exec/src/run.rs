//! The daemon's side: starts the launcher, gives it the plan, takes the output, and ends it.

use std::fs;
use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use crate::launch;
use crate::layer::{Demand, Missing};
use crate::order::{self, Report, Shown};
use crate::outcome::{ExecError, Exit, Outcome};
use crate::plan::{Draft, Plan};
use crate::redact::{Captured, Redactor, Stream};

pub use launch::launcher;

/// How long a killed tree may take to be gone before its launcher is killed too.
const GRACE: Duration = Duration::from_secs(5);
/// No report of a launcher is longer.
const MAX_REPORT: usize = 1 << 16;

/// Runs plans. It holds nothing of them between runs.
#[derive(Debug)]
pub struct Runner {
    /// The program that is the launcher.
    launcher: PathBuf,
    /// Where each run has its private folder.
    jobs: PathBuf,
    guarded: Vec<PathBuf>,
    /// Files among those that any plan may read all the same.
    open: Vec<PathBuf>,
    next: AtomicU64,
}

impl Runner {
    /// A runner whose private folders lie in `jobs`, which is made if need be and **emptied**: what a
    /// killed daemon has left there goes. No plan may reach into `guarded`, or into `jobs`.
    pub fn new<P: Into<PathBuf>>(
        jobs: impl Into<PathBuf>,
        guarded: impl IntoIterator<Item = P>,
    ) -> io::Result<Self> {
        let jobs = jobs.into();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&jobs)?;
        let jobs = jobs.canonicalize()?;
        for entry in fs::read_dir(&jobs)? {
            let path = entry?.path();
            if fs::symlink_metadata(&path)?.is_dir() {
                fs::remove_dir_all(&path)?;
            } else {
                fs::remove_file(&path)?;
            }
        }
        let guarded = guarded.into_iter().map(Into::into);
        let guarded = guarded.chain([jobs.clone()]).collect();
        Ok(Self {
            launcher: PathBuf::from("/proc/self/exe"),
            jobs,
            guarded,
            open: Vec::new(),
            next: AtomicU64::new(0),
        })
    }

    /// The same with another program as launcher: one whose `main` calls [`launcher`].
    #[must_use]
    pub fn with_launcher(mut self, program: impl Into<PathBuf>) -> Self {
        self.launcher = program.into();
        self
    }

    /// The same, with one file among what is guarded that any plan may read, such as the certificates of
    /// its proxy.
    #[must_use]
    pub fn with_open(mut self, file: impl Into<PathBuf>) -> Self {
        self.open.push(file.into());
        self
    }

    /// Runs a plan to its end. When `cancel` completes, or this future is dropped, the program and
    /// everything that it has started is killed; so it is when the daemon dies.
    pub async fn run(
        &self,
        plan: Plan,
        cancel: impl Future<Output = ()>,
    ) -> Result<Outcome, ExecError> {
        let Plan(draft) = plan;
        let shown = self.resolve(&draft)?;
        let job = Job::new(&self.jobs, self.next.fetch_add(1, Ordering::Relaxed))
            .map_err(ExecError::Launcher)?;
        let (child, control) = self.start().map_err(ExecError::Launcher)?;
        let secrets = draft.secrets();
        let redactor = Redactor::new(
            secrets.map(|secret| (secret.name.as_str(), secret.value.expose().as_slice())),
        );
        let said: Vec<&[u8]> = draft.said.iter().map(Vec::as_slice).collect();
        let redactor = redactor.said(&said);
        let mut run = Run {
            child,
            control,
            captured: Captured::new(),
            most: draft.output_cap + redactor.beyond(),
            heard: Heard::default(),
        };
        let orders = [
            order::for_outer(&draft.egress),
            order::for_inner(&draft, &job.0, &shown),
        ];
        let forced = tokio::select! {
            biased;
            () = cancel => Some(Exit::Cancelled),
            done = tokio::time::timeout(draft.timeout, run.drive(orders)) => match done {
                Ok(Ok(forced)) => forced,
                Ok(Err(error)) => {
                    run.end().await;
                    return Err(ExecError::Launcher(error));
                }
                Err(_) => Some(Exit::TimedOut),
            },
        };
        run.end().await;
        run.outcome(forced, &redactor, &draft)
    }

    fn start(&self) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = StdStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = Command::new(&self.launcher)
            .arg0("skep-exec")
            .arg(launch::OUTER)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok((child, UnixStream::from_std(ours)?))
    }

    /// Where the paths of a plan really are, if no plan may not reach them.
    fn resolve(&self, draft: &Draft) -> Result<Vec<Shown>, ExecError> {
        let listed = |paths: &[PathBuf], writable| {
            let each = paths.iter().map(move |path| (path.clone(), writable));
            each.collect::<Vec<_>>()
        };
        let mut shown = Vec::new();
        for (path, writable) in listed(&draft.readable, false)
            .into_iter()
            .chain(listed(&draft.writable, true))
        {
            let real = path.canonicalize().map_err(|source| ExecError::Path {
                path: path.clone(),
                source,
            })?;
            let is_open = |open: &PathBuf| open.canonicalize().is_ok_and(|open| open == real);
            let readable = !writable && real.is_file() && self.open.iter().any(is_open);
            let guarded = self.guarded.iter().filter(|_| !readable).map(|guarded| {
                let real = guarded.canonicalize();
                real.unwrap_or_else(|_| guarded.clone())
            });
            for guarded in guarded {
                if real.starts_with(&guarded) || guarded.starts_with(&real) {
                    return Err(ExecError::Guarded(path));
                }
            }
            shown.push(Shown {
                path,
                real,
                writable,
            });
        }
        Ok(shown)
    }
}

/// The private folder of one run, gone with it.
struct Job(PathBuf);

impl Job {
    fn new(jobs: &Path, number: u64) -> io::Result<Self> {
        let path = jobs.join(format!("{}-{number}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // What cannot be removed now is when the next runner begins.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the launcher has said.
#[derive(Default)]
struct Heard {
    applied: Demand,
    missing: Vec<Missing>,
    refused: bool,
    not_started: Option<(String, i32)>,
    exit: Option<Exit>,
    unread: Vec<u8>,
}

/// One launcher and what comes from it.
struct Run {
    child: Child,
    control: UnixStream,
    captured: Captured,
    most: usize,
    heard: Heard,
}

impl Run {
    /// Gives the orders, then takes output and reports until there are no more. Says why it must be
    /// killed, if it must.
    async fn drive(&mut self, orders: [Zeroizing<Vec<u8>>; 2]) -> io::Result<Option<Exit>> {
        for order in orders {
            if self.control.write_all(&order).await.is_err() {
                break; // It has ended, and said why.
            }
        }
        let (Some(mut out), Some(mut err)) = (self.child.stdout.take(), self.child.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut buffers = [
            Zeroizing::new(vec![0; 1 << 16]),
            Zeroizing::new(vec![0; 1 << 16]),
        ];
        let [from_out, from_err] = &mut buffers;
        let (mut more_out, mut more_err, mut more_said) = (true, true, true);
        while more_out || more_err || more_said {
            let (stream, len) = tokio::select! {
                len = out.read(from_out), if more_out => (Stream::Out, len?),
                len = err.read(from_err), if more_err => (Stream::Err, len?),
                said = self.heard.listen(&mut self.control), if more_said => {
                    more_said = said?;
                    continue;
                }
            };
            let (buffer, more) = match stream {
                Stream::Out => (&*from_out, &mut more_out),
                Stream::Err => (&*from_err, &mut more_err),
            };
            *more = len > 0;
            let room = self.most - self.captured.len();
            self.captured.push(stream, &buffer[..len.min(room)]);
            if len > room {
                return Ok(Some(Exit::OutputCap));
            }
        }
        Ok(None)
    }

    /// Lets go of the launcher, which kills what is left, and waits until it is gone.
    async fn end(&mut self) {
        if let Ok(control) = rustix::io::dup(&self.control) {
            // Both ways: the launcher waits for its end of the socket to close.
            let _ = StdStream::from(control).shutdown(Shutdown::Both);
        }
        if tokio::time::timeout(GRACE, self.child.wait())
            .await
            .is_err()
        {
            let _ = self.child.kill().await;
        }
    }

    fn outcome(
        self,
        forced: Option<Exit>,
        redactor: &Redactor,
        draft: &Draft,
    ) -> Result<Outcome, ExecError> {
        let heard = self.heard;
        if heard.refused {
            let wanted = |missing: &Missing| draft.demand.has(missing.layer);
            return Err(ExecError::Refused {
                missing: heard.missing.into_iter().filter(wanted).collect(),
            });
        }
        if let Some((what, errno)) = heard.not_started {
            return Err(ExecError::NotStarted {
                what,
                source: io::Error::from_raw_os_error(errno),
            });
        }
        let redacted = redactor.redact(&self.captured, draft.output_cap);
        Ok(Outcome {
            exit: forced.or(heard.exit).unwrap_or(Exit::Lost),
            stdout: redacted.stdout,
            stderr: redacted.stderr,
            cut: redacted.cut,
            redacted: redacted.found,
            applied: heard.applied,
            missing: heard.missing,
        })
    }
}

impl Heard {
    /// Takes what was said; `false` when nothing more will be. Dropped halfway, it has lost nothing.
    async fn listen(&mut self, control: &mut UnixStream) -> io::Result<bool> {
        let mut bytes = [0; 4096];
        let len = match control.read(&mut bytes).await {
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) => return Err(error),
        };
        self.unread.extend_from_slice(&bytes[..len]);
        while let Some((head, rest)) = self.unread.split_first_chunk() {
            let size = u32::from_le_bytes(*head) as usize;
            if size > MAX_REPORT {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let Some(body) = rest.get(..size) else { break };
            let report = Report::read(body)?;
            self.unread.drain(..head.len() + size);
            self.take(report);
        }
        Ok(len > 0)
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Layers(applied, missing) => {
                self.applied = applied.layers().fold(self.applied, Demand::and);
                self.missing.extend(missing);
                self.missing.sort_by_key(|missing| missing.layer);
            }
            Report::Refused => self.refused = true,
            Report::NotStarted(what, errno) => self.not_started = Some((what, errno)),
            Report::Ended(exit) => self.exit = Some(exit),
        }
    }
}
