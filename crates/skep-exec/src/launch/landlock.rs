//! Landlock: what the program may open, connect to and signal, by rules that it cannot take off.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, NetPort,
    PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _,
    RulesetError, Scope,
};

use super::{Tally, system};
use crate::layer::Layer;
use crate::order::Net;

/// The newest that the crate knows: the kernel applies what it has of it.
const NEWEST: ABI = ABI::V9;
/// Without truncation (version 3) a file that may not be written could be emptied.
const FILES: ABI = ABI::V3;
const TCP: ABI = ABI::V4;
const SCOPES: ABI = ABI::V6;

/// A path of the plan, opened.
pub(super) struct Place {
    pub(super) fd: OwnedFd,
    pub(super) writable: bool,
}

pub(super) fn apply(places: &[Place], private: &Path, net: Net, tally: &mut Tally) {
    let hard = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let files = hard().handle_access(AccessFs::from_all(FILES));
    let tcp = hard().handle_access(AccessNet::from_all(TCP));
    let scopes = hard().scope(Scope::from_all(SCOPES));
    let done = restrict(places, private, net).map_err(|error| error.to_string());
    let both = |able: Result<Ruleset, RulesetError>, kernel: &str| {
        able.map_err(|_| format!("the kernel has no Landlock of version {kernel}"))
            .and_then(|_| done.clone())
    };
    tally.note(Layer::Landlock, both(files, "3"));
    tally.note(Layer::LandlockTcp, both(tcp, "4"));
    tally.note(Layer::LandlockScope, both(scopes, "6"));
}

fn restrict(places: &[Place], private: &Path, net: Net) -> Result<(), RulesetError> {
    // Nobody serves, and where the network is the program's own nothing is to be reached but the
    // proxy; in the host's it may connect.
    let handled = match net {
        Net::Open => BitFlags::from(AccessNet::BindTcp),
        Net::None | Net::Proxy(_) => AccessNet::from_all(NEWEST),
    };
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(handled)?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    if let Net::Proxy(port) = net {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    let read = AccessFs::from_read(NEWEST);
    for path in system::READ {
        rules = allow_path(rules, path, read)?;
    }
    let look = AccessFs::ReadFile | AccessFs::ReadDir;
    rules = allow_path(rules, "/proc", look)?;
    for device in system::DEVICES {
        rules = allow_path(
            rules,
            device,
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate,
        )?;
    }
    rules = allow_path(rules, private, changes())?;
    for place in places {
        let access = if place.writable { changes() } else { read };
        rules = allow(rules, &place.fd, access)?;
    }
    rules.restrict_self()?;
    Ok(())
}

/// Everything but making devices.
fn changes() -> BitFlags<AccessFs> {
    AccessFs::from_all(NEWEST) & !(AccessFs::MakeBlock | AccessFs::MakeChar)
}

fn allow_path(
    rules: RulesetCreated,
    path: impl AsRef<Path>,
    access: impl Into<BitFlags<AccessFs>>,
) -> Result<RulesetCreated, RulesetError> {
    match PathFd::new(path) {
        Ok(fd) => allow(rules, fd, access),
        // What is not there needs no rule.
        Err(_) => Ok(rules),
    }
}

fn allow(
    rules: RulesetCreated,
    fd: impl AsFd,
    access: impl Into<BitFlags<AccessFs>>,
) -> Result<RulesetCreated, RulesetError> {
    let access = access.into();
    let folder = rustix::fs::fstat(&fd).is_ok_and(|stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory
    });
    let access = if folder {
        access
    } else {
        access & AccessFs::from_file(NEWEST)
    };
    rules.add_rule(PathBeneath::new(fd, access))
}
