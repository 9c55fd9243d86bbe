//! Namespaces: its own users, processes, network, memory segments and host name.

use std::fs;
use std::io;

use nix::sched::{CloneFlags, unshare};
use rustix::net::{AddressFamily, SocketType, netlink};
use rustix::thread::{
    CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities,
};

use super::Tally;
use crate::layer::Layer;

const PARTS: [(Layer, CloneFlags); 4] = [
    (Layer::Processes, CloneFlags::CLONE_NEWPID),
    (Layer::Network, CloneFlags::CLONE_NEWNET),
    (Layer::Ipc, CloneFlags::CLONE_NEWIPC),
    (Layer::Hostname, CloneFlags::CLONE_NEWUTS),
];

/// What the inner launcher needs in the namespaces of this one, and drops before the program.
const FOR_INNER: [CapabilitySet; 2] = [CapabilitySet::SYS_ADMIN, CapabilitySet::SETPCAP];

/// Enters all at once, within a user namespace, which needs no right; else one after the other,
/// which needs one.
pub(super) fn enter(own_network: bool, tally: &mut Tally) {
    let parts = PARTS
        .into_iter()
        .filter(|(layer, _)| own_network || *layer != Layer::Network);
    let all = parts
        .clone()
        .fold(CloneFlags::CLONE_NEWUSER, |all, (_, flag)| all | flag);
    let user = rustix::process::getuid().as_raw();
    let group = rustix::process::getgid().as_raw();
    let entered = unshare(all).map_err(io::Error::from);
    if entered.is_ok() {
        for (layer, _) in parts {
            tally.note(layer, Ok::<_, io::Error>(()));
        }
        tally.note(
            Layer::Users,
            map_users(user, group).and_then(|()| hand_on()),
        );
        return;
    }
    tally.note(Layer::Users, entered);
    for (layer, flag) in parts {
        tally.note(layer, unshare(flag));
    }
}

/// The same numbers inside as outside, and no others.
fn map_users(user: u32, group: u32) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

/// Whoever is not root loses rights at the next program, unless they are made ambient.
fn hand_on() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    for right in FOR_INNER {
        sets.inheritable |= right;
    }
    set_capabilities(None, sets)?;
    for right in FOR_INNER {
        configure_capability_in_ambient_set(right, true)?;
    }
    Ok(())
}

/// Brings the loopback interface up: `RTM_NEWLINK` for interface 1, flag and mask `IFF_UP`, as
/// rtnetlink(7) has it. The kernel adds 127.0.0.1 by itself.
pub(super) fn raise_loopback() -> io::Result<()> {
    const NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 1 | 4;
    const UP: u32 = 1;
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?;
    let mut message = Vec::with_capacity(32);
    message.extend_from_slice(&32_u32.to_ne_bytes());
    message.extend_from_slice(&NEWLINK.to_ne_bytes());
    message.extend_from_slice(&REQUEST_AND_ACK.to_ne_bytes());
    message.extend_from_slice(&1_u32.to_ne_bytes()); // sequence
    message.extend_from_slice(&0_u32.to_ne_bytes()); // port
    message.extend_from_slice(&[0; 4]); // family, padding, type
    message.extend_from_slice(&1_i32.to_ne_bytes()); // index
    message.extend_from_slice(&UP.to_ne_bytes());
    message.extend_from_slice(&UP.to_ne_bytes());
    let kernel = netlink::SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(&socket, &message, rustix::net::SendFlags::empty(), &kernel)?;
    let mut answer = [0; 64];
    let (len, _) = rustix::net::recv(&socket, &mut answer, rustix::net::RecvFlags::empty())?;
    // After the header of 16 bytes: zero, or an error number below it.
    let code = answer[..len]
        .get(16..20)
        .and_then(|code| code.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}
