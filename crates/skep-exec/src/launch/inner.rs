//! The inner launcher: reads the plan, closes the doors behind itself, starts the program.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, waitpid};

use super::{Tally, files, landlock, limits, say, seccomp};
use crate::frame;
use crate::layer::{Demand, Layer};
use crate::order::{Inner, Report, TMP};
use crate::outcome::Exit;

/// Where descriptors wait until the numbers that the plan gives them are free.
pub(super) const ASIDE: i32 = 128;

pub(super) fn run(mut control: UnixStream, applied: Option<OsString>) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    limits::hide()?;
    let applied = applied.and_then(|bits| bits.to_str()?.parse().ok());
    let applied = Demand::from_bits(applied.unwrap_or_default());
    let body = frame::read(&mut control)?;
    let plan = Inner::read(&body)?;
    let child = match prepare(&plan, applied, &control) {
        Ok(Some(command)) => start(&plan, command),
        Ok(None) => return say(&control, &Report::Refused),
        Err(error) => Err(("preparing", error)),
    };
    // From here on the secrets are the program's alone.
    drop(plan);
    drop(body);
    match child {
        Ok(child) => say(&control, &Report::Ended(wait(&child)?)),
        Err((what, error)) => {
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            say(&control, &Report::NotStarted(what.to_owned(), errno))
        }
    }
}

/// Puts the layers on, and gives the program as it can be started; nothing if the plan demands what
/// is missing.
fn prepare(plan: &Inner<'_>, before: Demand, control: &UnixStream) -> io::Result<Option<Command>> {
    let mut tally = Tally::default();
    let parted = files::part();
    let places = files::open(&plan.shown)?;
    let scratch = plan.limits.scratch;
    match parted {
        Ok(()) => files::lay(plan.scratch, scratch, &plan.shown, &places, &mut tally),
        Err(error) => {
            tally.note(Layer::Files, Err::<(), _>(error));
            let none: Result<(), &str> = Err("there is no file tree of its own");
            tally.note(Layer::Proc, none);
        }
    }
    let private = if tally.applied.has(Layer::Files) {
        Path::new(TMP)
    } else {
        plan.scratch
    };
    limits::apply(&plan.limits, &mut tally, before.has(Layer::Users))?;
    tally.note(Layer::NoCapabilities, limits::drop_rights());
    let last = rustix::thread::set_no_new_privs(true);
    tally.note(Layer::NoNewPrivileges, last);
    landlock::apply(&places, private, plan.net, &mut tally);
    drop(places);
    let network = before.has(Layer::Network);
    let local = plan.local_sockets && tally.applied.has(Layer::Files);
    tally.note(Layer::Seccomp, seccomp::apply(plan.net, network, local));
    let applied = before.layers().fold(tally.applied, Demand::and);
    say(control, &tally.report())?;
    if !plan.demand.beyond(applied).is_empty() {
        return Ok(None);
    }
    let mut command = Command::new(plan.program);
    command
        .args(&plan.args)
        .env_clear()
        .envs(plan.environment(private))
        .current_dir(plan.dir.unwrap_or(private));
    Ok(Some(command))
}

fn start(plan: &Inner<'_>, mut command: Command) -> Result<Child, (&'static str, io::Error)> {
    let stdin = memory(plan.stdin).map_err(|error| ("standard input", error))?;
    let held: io::Result<Vec<OwnedFd>> = plan.fds.iter().map(|(_, value)| memory(value)).collect();
    let held = held.map_err(|error| ("descriptors", error))?;
    // Kept until the program has them, closed after that.
    let placed: io::Result<Vec<OwnedFd>> = plan
        .fds
        .iter()
        .zip(&held)
        .map(|((number, _), fd)| place(fd, *number))
        .collect();
    let _placed = placed.map_err(|error| ("descriptors", error))?;
    drop(held);
    command
        .stdin(Stdio::from(stdin))
        .spawn()
        .map_err(|error| ("the program", error))
}

/// A sealed file in memory, at its beginning, out of the way.
fn memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = fs::File::from(rustix::fs::memfd_create("skep", flags)?);
    file.write_all(bytes)?;
    file.rewind()?;
    let still = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, still)?;
    Ok(fcntl_dupfd_cloexec(&file, ASIDE)?)
}

/// The same under this number, for the program to keep.
fn place(fd: &OwnedFd, number: u32) -> io::Result<OwnedFd> {
    let placed = fcntl_dupfd_cloexec(fd, number as i32)?;
    if placed.as_raw_fd() != number as i32 {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    fcntl_setfd(&placed, FdFlags::empty())?;
    Ok(placed)
}

/// Waits for the program; as the first process of a namespace, for every orphan on the way too.
fn wait(program: &Child) -> io::Result<Exit> {
    let program = Pid::from_child(program);
    loop {
        match waitpid(None, WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == program => return Ok(exit(status)),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn exit(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Lost,
    }
}
