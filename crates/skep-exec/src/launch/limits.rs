//! What a process may take, and what it leaves behind.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::net::UnixStream;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

use super::Tally;
use crate::layer::Layer;
use crate::plan::Limits;

fn both(most: u64) -> Rlimit {
    Rlimit {
        current: Some(most),
        maximum: Some(most),
    }
}

/// Closes what the daemon may have left open by mistake.
pub(super) fn close_others(control: &UnixStream) -> io::Result<()> {
    let listed: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for fd in listed {
        if fd > 2 && fd != control.as_raw_fd() {
            // The one that listed them is closed already.
            let _ = nix::unistd::close(fd);
        }
    }
    Ok(())
}

pub(super) fn no_core() -> io::Result<()> {
    Ok(setrlimit(Resource::Core, both(0))?)
}

/// Other processes of the same user cannot attach to this one or read its memory, but for those outside of its
/// user namespace, if it was started in one: whoever owns that may look into it.
pub(super) fn hide() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Puts the bounds on. That of processes counts for a user, so it needs a user namespace to be the
/// program's own.
pub(super) fn apply(limits: &Limits, tally: &mut Tally, own_users: bool) -> io::Result<()> {
    if let Some(cpu) = limits.cpu {
        let seconds = cpu.as_secs();
        setrlimit(
            Resource::Cpu,
            Rlimit {
                current: Some(seconds),
                maximum: Some(seconds + 1),
            },
        )?;
    }
    setrlimit(Resource::As, both(limits.memory))?;
    setrlimit(Resource::Nofile, both(u64::from(limits.files)))?;
    let bounded = if rustix::process::getuid().is_root() {
        Err(io::Error::other(
            "the kernel does not count root's processes",
        ))
    } else if own_users {
        setrlimit(Resource::Nproc, both(u64::from(limits.processes))).map_err(io::Error::from)
    } else {
        Err(io::Error::other("it would count every process of the user"))
    };
    tally.note(Layer::ProcessLimit, bounded);
    Ok(())
}

/// Gives every right up, for good.
pub(super) fn drop_rights() -> io::Result<()> {
    // Without the right to do it there is no right to lose: the sets below are empty anyway.
    for right in CapabilitySet::all().iter() {
        let _ = remove_capability_from_bounding_set(right);
    }
    let _ = clear_ambient_capability_set();
    let none = CapabilitySet::empty();
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    let left = capabilities(None)?;
    // Root gets back at the next program what is still in its bounding set.
    let root = rustix::process::getuid().is_root();
    let bound = rustix::thread::capability_is_in_bounding_set(CapabilitySet::SYS_ADMIN)?;
    if left.permitted.is_empty() && !(root && bound) {
        Ok(())
    } else {
        Err(io::Error::other("some could not be given up"))
    }
}
