//! Runs `git` so that the repository it reads cannot make it do anything but read.
//!
//! A repository's own configuration can name programs: pagers, diff and text converters, signature
//! checkers, file monitors, hooks, and transports that fetch missing objects. Each is switched off
//! here, by a flag that configuration cannot override. (git itself refuses repositories of other
//! users: see `safe.directory`.)

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::Stream;

/// Answers to questions are this short.
const ANSWER_MAX: u64 = 64 << 10;
/// As much of a complaint as is shown.
const COMPLAINT_MAX: u64 = 2_048;

/// Variables that would turn git to another repository, another program or another configuration.
const FORGOTTEN: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ASKPASS",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PAGER",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_TRACE",
    "GIT_WORK_TREE",
];

/// Why git gave nothing.
#[derive(Debug)]
pub(super) enum GitError {
    /// It is not installed.
    Missing,
    /// What it said.
    Failed(String),
}

/// A repository to ask.
#[derive(Clone, Debug)]
pub(super) struct Git(PathBuf);

impl Git {
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The first commit of the main line: what a repository is, wherever it is cloned to.
    pub(super) fn root_commit(&self) -> Result<String, GitError> {
        let has_commits = self.ask(&["rev-parse", "--verify", "--quiet", "HEAD"]);
        if has_commits.is_err() && self.ask(&["rev-parse", "--git-dir"]).is_ok() {
            return Err(GitError::Failed("it has no commits yet".into()));
        }
        let answer = self.ask(&["rev-list", "--first-parent", "--max-parents=0", "HEAD"])?;
        answer
            .lines()
            .next()
            .map(str::to_owned)
            .ok_or_else(|| GitError::Failed("no commits yet".into()))
    }

    /// The folder of the work tree; none for a bare repository.
    pub(super) fn top_level(&self) -> Option<String> {
        let answer = self.ask(&["rev-parse", "--show-toplevel"]).ok()?;
        Some(answer.trim_end_matches('\n').to_owned()).filter(|path| !path.is_empty())
    }

    /// Where `origin` is.
    pub(super) fn remote(&self) -> Option<String> {
        let answer = self.ask(&["config", "--get", "remote.origin.url"]).ok()?;
        Some(answer.trim().to_owned()).filter(|url| !url.is_empty())
    }

    /// Whether HEAD has grown out of the commit.
    pub(super) fn is_ancestor(&self, commit: &str) -> bool {
        self.ask(&["merge-base", "--is-ancestor", commit, "HEAD"])
            .is_ok()
    }

    /// How many commits a log of the range has.
    pub(super) fn count(&self, range: &str, max: Option<u32>) -> Result<u64, GitError> {
        let max = max.map(|max| format!("--max-count={max}"));
        let mut arguments = vec!["rev-list", "--count"];
        arguments.extend(max.as_deref());
        arguments.push(range);
        let answer = self.ask(&arguments)?;
        answer
            .trim()
            .parse()
            .map_err(|_| GitError::Failed("no count".into()))
    }

    /// The commits of the range with the files they touch, parents first.
    pub(super) fn log(&self, range: &str, max: Option<u32>) -> Result<Running, GitError> {
        let mut command = self.command();
        command.args([
            "log",
            "--reverse",
            "--topo-order",
            "-z",
            "--name-status",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--no-show-signature",
            "--no-notes",
            "--no-color",
            "--no-mailmap",
            "--ignore-submodules=all",
            "--diff-merges=off",
            "--encoding=UTF-8",
            super::log::FORMAT,
        ]);
        command.args(max.map(|max| format!("--max-count={max}")));
        command.args([range, "--"]);
        command.stdout(Stdio::piped());
        Running::start(command)
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, GitError> {
        let mut command = self.command();
        command.args(arguments).stdout(Stdio::piped());
        let mut running = Running::start(command)?;
        let mut answer = Vec::new();
        let stdout = running
            .stdout()
            .map_err(|error| GitError::Failed(error.to_string()))?;
        let read = stdout.take(ANSWER_MAX).read_to_end(&mut answer);
        read.map_err(|error| GitError::Failed(error.to_string()))?;
        running.finish()?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.0).args([
            "--no-pager",
            "--no-replace-objects",
            "--no-optional-locks",
            "--literal-pathspecs",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.sshCommand=false",
            "-c",
            "log.showSignature=false",
            "-c",
            "gpg.program=false",
            "-c",
            "protocol.allow=never",
            "-c",
            "submodule.recurse=false",
        ]);
        for name in FORGOTTEN {
            command.env_remove(name);
        }
        command
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }
}

/// A git at work. It is ended, not left behind, when nobody waits for it any more.
pub(super) struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Result<Self, GitError> {
        match command.spawn() {
            Ok(child) => Ok(Self(child)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(GitError::Missing),
            Err(error) => Err(GitError::Failed(error.to_string())),
        }
    }

    /// What it prints; once.
    pub(super) fn stdout(&mut self) -> io::Result<Stream> {
        match self.0.stdout.take() {
            Some(stdout) => Ok(Box::new(stdout)),
            None => Err(io::Error::other("the output of git was taken already")),
        }
    }

    /// Waits for its end.
    pub(super) fn finish(mut self) -> Result<(), GitError> {
        let mut complaint = Vec::new();
        if let Some(stderr) = self.0.stderr.take() {
            let read = stderr.take(COMPLAINT_MAX).read_to_end(&mut complaint);
            read.map_err(|error| GitError::Failed(error.to_string()))?;
        }
        let status = self
            .0
            .wait()
            .map_err(|error| GitError::Failed(error.to_string()))?;
        if status.success() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&complaint);
        let said = complaint.trim().trim_start_matches("fatal: ");
        Err(GitError::Failed(if said.is_empty() {
            status.to_string()
        } else {
            said.to_owned()
        }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that is gone already.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}
