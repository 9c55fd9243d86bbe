//! What must hold of a plan before anything is started.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::{Draft, Egress, Input, Secret, Value};
use crate::layer::Layer;
use crate::redact::SHORTEST;

pub(super) const MAX_OUTPUT: usize = 1 << 20;
const MAX_TIME: Duration = Duration::from_mins(30);
const MAX_ARGS: usize = 256;
const MAX_ARG_BYTES: usize = 128 << 10;
const MAX_ENV: usize = 256;
const MAX_ENV_BYTES: usize = 512 << 10;
const MAX_SECRETS: usize = 64;
const MAX_SECRET: usize = 64 << 10;
const MAX_STDIN: usize = 1 << 20;
const MAX_PATHS: usize = 64;
const MAX_PATH: usize = 4096;
/// Where a run's private folder is to be found.
const PRIVATE: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];
/// The name of a Unix socket has 108 bytes with its final zero.
const MAX_SOCKET: usize = 107;
pub(crate) const FDS: std::ops::RangeInclusive<u32> = 3..=63;

/// What is wrong with a plan. Neither a value nor a path of somebody else stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A path that is not absolute, or has `.`, `..` or a zero in it, or is too long.
    #[error("{0} is not an absolute path without detours")]
    Path(PathBuf),
    /// A folder of which every run has its own.
    #[error("{0} is each run's own: name a folder in it, or another one")]
    Private(PathBuf),
    /// Too many of something, or too large.
    #[error("too much: {0}")]
    TooMuch(&'static str),
    /// Outside of what is possible.
    #[error("out of bounds: {0}")]
    Bounds(&'static str),
    /// A zero byte where there cannot be one.
    #[error("a zero byte in {0}")]
    Zero(&'static str),
    /// Not a name that variables have.
    #[error("{0:?} is not the name of a variable")]
    Variable(String),
    /// A variable or a descriptor that is there twice.
    #[error("{0} is there twice")]
    Twice(String),
    /// A name that would not stand out in output.
    #[error(
        "{0:?} is not the name of a secret: at most 64 letters, digits, dots, dashes, underscores"
    )]
    SecretName(String),
    /// Too short to be found in output.
    #[error("the secret {0} has fewer than {SHORTEST} bytes, and could not be redacted")]
    SecretTooShort(String),
    /// A secret stands where everybody can read it.
    #[error("the value of the secret {name} stands in {place}, which is public")]
    SecretInPublic {
        /// Which.
        name: String,
        /// Where.
        place: &'static str,
    },
    /// Two wishes that exclude each other.
    #[error("the plan contradicts itself: {0}")]
    Contradiction(&'static str),
}

pub(super) fn check(draft: &Draft) -> Result<(), PlanError> {
    bounds(draft)?;
    paths(draft)?;
    arguments(draft)?;
    environment(draft)?;
    secrets(draft)?;
    nothing_shown(draft)?;
    if draft.egress == Egress::Open && draft.demand.has(Layer::Network) {
        return Err(PlanError::Contradiction(
            "an open network, and a network of its own",
        ));
    }
    Ok(())
}

fn bounds(draft: &Draft) -> Result<(), PlanError> {
    let limits = &draft.limits;
    let within = [
        (
            !draft.timeout.is_zero() && draft.timeout <= MAX_TIME,
            "timeout: more than nothing, at most 30 minutes",
        ),
        (
            (1..=MAX_OUTPUT).contains(&draft.output_cap),
            "output cap: 1 byte to 1 MiB",
        ),
        (
            limits.cpu.is_none_or(|cpu| cpu.as_secs() >= 1),
            "processor time: a second or more",
        ),
        (limits.memory >= 32 << 20, "address space: 32 MiB or more"),
        (
            (1..=32_768).contains(&limits.processes),
            "processes: 1 to 32,768",
        ),
        (
            (256..=65_536).contains(&limits.files),
            "open files: 256 to 65,536",
        ),
        (
            (1 << 16..=16 << 30).contains(&limits.scratch),
            "private /tmp: 64 KiB to 16 GiB",
        ),
    ];
    match within.into_iter().find(|(holds, _)| !holds) {
        Some((_, what)) => Err(PlanError::Bounds(what)),
        None => Ok(()),
    }
}

fn paths(draft: &Draft) -> Result<(), PlanError> {
    if draft.readable.len() + draft.writable.len() > MAX_PATHS {
        return Err(PlanError::TooMuch("at most 64 paths"));
    }
    let listed = draft.readable.iter().chain(&draft.writable);
    if let Some(path) = listed.clone().find(|path| is_private(path)) {
        return Err(PlanError::Private(path.clone()));
    }
    for path in listed.chain([&draft.program]).chain(&draft.dir) {
        if !is_plain(path) {
            return Err(PlanError::Path(path.clone()));
        }
    }
    if let Egress::Proxy { socket, port } = &draft.egress {
        if !is_plain(socket) || socket.as_os_str().len() > MAX_SOCKET {
            return Err(PlanError::Path(socket.clone()));
        }
        if *port < 1024 {
            return Err(PlanError::Bounds("the proxy's port: 1024 or more"));
        }
    }
    Ok(())
}

/// What every run has of its own cannot be somebody else's as well.
fn is_private(path: &Path) -> bool {
    PRIVATE.iter().any(|private| path == Path::new(private))
}

fn is_plain(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    let straight = |part| matches!(part, Component::RootDir | Component::Normal(_));
    // `components` drops a `.` between slashes without a word.
    let dotted = bytes.split(|byte| *byte == b'/').any(|part| part == b".");
    path.is_absolute()
        && bytes.len() <= MAX_PATH
        && !bytes.contains(&0)
        && !dotted
        && path.components().all(straight)
}

fn arguments(draft: &Draft) -> Result<(), PlanError> {
    let bytes: usize = draft.args.iter().map(|arg| arg.len() + 1).sum();
    if draft.args.len() > MAX_ARGS || bytes > MAX_ARG_BYTES {
        return Err(PlanError::TooMuch(
            "at most 256 arguments of 128 KiB together",
        ));
    }
    if draft.args.iter().any(|arg| arg.contains(&0)) {
        return Err(PlanError::Zero("an argument"));
    }
    Ok(())
}

fn environment(draft: &Draft) -> Result<(), PlanError> {
    let mut names = BTreeSet::new();
    let mut bytes = 0;
    for (name, value) in &draft.env {
        let value = match value {
            Value::Public(value) => value,
            Value::Secret(secret) => secret.value.expose(),
        };
        if !is_variable(name) {
            return Err(PlanError::Variable(name.clone()));
        }
        if value.contains(&0) {
            return Err(PlanError::Zero("a variable"));
        }
        if !names.insert(name) {
            return Err(PlanError::Twice(name.clone()));
        }
        bytes += name.len() + value.len() + 2;
    }
    if names.len() > MAX_ENV || bytes > MAX_ENV_BYTES {
        return Err(PlanError::TooMuch(
            "at most 256 variables of 512 KiB together",
        ));
    }
    Ok(())
}

fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.len() <= 128
        && name.bytes().all(fits)
        && name
            .bytes()
            .next()
            .is_some_and(|first| !first.is_ascii_digit())
}

fn secrets(draft: &Draft) -> Result<(), PlanError> {
    let mut numbers = BTreeSet::new();
    for (number, _) in &draft.fds {
        if !FDS.contains(number) {
            return Err(PlanError::Bounds("descriptors: 3 to 63"));
        }
        if !numbers.insert(number) {
            return Err(PlanError::Twice(format!("descriptor {number}")));
        }
    }
    if draft.secrets().count() > MAX_SECRETS {
        return Err(PlanError::TooMuch("at most 64 secrets"));
    }
    for secret in draft.secrets() {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let name = &secret.name;
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            return Err(PlanError::SecretName(name.clone()));
        }
        if secret.value.expose().len() < SHORTEST {
            return Err(PlanError::SecretTooShort(name.clone()));
        }
        if secret.value.expose().len() > MAX_SECRET {
            return Err(PlanError::TooMuch("at most 64 KiB of one secret"));
        }
    }
    match &draft.stdin {
        Input::Public(bytes) if bytes.len() > MAX_STDIN => {
            Err(PlanError::TooMuch("at most 1 MiB of standard input"))
        }
        _ => Ok(()),
    }
}

/// Whoever writes a template can put a secret's value where everybody sees it. What is filled in is not
/// compared: a refusal would say that it was guessed.
fn nothing_shown(draft: &Draft) -> Result<(), PlanError> {
    let args = draft.args.iter().enumerate();
    let args = args.filter(|(at, _)| !draft.theirs.contains(at));
    let args = args.map(|(_, arg)| (arg.as_slice(), "an argument"));
    let program = (draft.program.as_os_str().as_bytes(), "the program's path");
    let env = draft.env.iter().filter_map(|(_, value)| match value {
        Value::Public(value) => Some((value.as_slice(), "a public variable")),
        Value::Secret(_) => None,
    });
    let paths = draft.readable.iter().chain(&draft.writable);
    let paths = paths.chain(&draft.dir);
    let paths = paths.map(|path| (path.as_os_str().as_bytes(), "a path"));
    for (public, place) in args.chain([program]).chain(env).chain(paths) {
        let shown = |secret: &&Secret| {
            let value = secret.value.expose();
            let at = |window: &[u8]| window == value.as_slice();
            public.windows(value.len()).any(at)
        };
        if let Some(secret) = draft.secrets().find(shown) {
            return Err(PlanError::SecretInPublic {
                name: secret.name.clone(),
                place,
            });
        }
    }
    Ok(())
}
