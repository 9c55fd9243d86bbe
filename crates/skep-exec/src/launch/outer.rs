//! The outer launcher: makes namespaces, starts the inner one, kills when the daemon lets go.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal};

use super::relay::Relay;
use super::{INNER, Tally, limits, say, spaces, tree};
use crate::frame;
use crate::layer::{Demand, Layer};
use crate::order::{Net, Outer};

pub(super) fn run(mut control: UnixStream, _: Option<OsString>) -> io::Result<()> {
    let mut tally = Tally::default();
    tally.note(Layer::Descriptors, limits::close_others(&control));
    tally.note(Layer::NoCore, limits::no_core());
    tally.note(Layer::Session, rustix::process::setsid());
    // Whatever a program leaves behind where there is no process namespace comes to us.
    let _ = rustix::process::set_child_subreaper(Pid::from_raw(1));
    let order = Outer::read(&frame::read(&mut control)?)?;
    spaces::enter(order.net != Net::Open, &mut tally);
    if order.net == Net::Open {
        let open: Result<(), &str> = Err("the plan opens the network");
        tally.note(Layer::Network, open);
    }
    let relay = network(&order, &mut tally);
    let applied = tally.applied;
    say(&control, &tally.report())?;
    let inner = start(&control, applied)?;
    attend(&control, inner, relay)?;
    if !applied.has(Layer::Processes) {
        // Else the kernel has done it.
        tree::kill_descendants();
    }
    Ok(())
}

/// Makes the network of the program's own usable, if it has one.
fn network(order: &Outer, tally: &mut Tally) -> Option<Relay> {
    if !tally.applied.has(Layer::Network) {
        return None;
    }
    let up = spaces::raise_loopback();
    let Net::Proxy(port) = order.net else {
        // A network without its loopback is closed all the same.
        return None;
    };
    let relay = up.and_then(|()| Relay::listen(port, order.socket.clone()));
    if relay.is_err() {
        tally.applied = tally.applied.without(Layer::Network);
        tally.note(Layer::Network, relay.as_ref());
    }
    relay.ok()
}

fn start(control: &UnixStream, applied: Demand) -> io::Result<Child> {
    let child = Command::new("/proc/self/exe")
        .arg0("skep-exec")
        .arg(INNER)
        .arg(applied.bits().to_string())
        .env_clear()
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(
            control.try_clone()?,
        )))
        .spawn()?;
    // From here on nobody attaches to us either; before, the maps of users could not be written.
    limits::hide()?;
    Ok(child)
}

/// Waits until the inner launcher has ended, or the daemon has let go, and ends it.
fn attend(control: &UnixStream, mut inner: Child, mut relay: Option<Relay>) -> io::Result<()> {
    let pid = Pid::from_child(&inner);
    let handle = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        let mut fds = vec![
            PollFd::from_borrowed_fd(handle.as_fd(), PollFlags::IN),
            // Nothing is to be read there, so what wakes us is its end.
            PollFd::from_borrowed_fd(control.as_fd(), PollFlags::empty()),
        ];
        if let Some(relay) = &relay {
            relay.interest(&mut fds);
        }
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if fds[..2].iter().any(|fd| !fd.revents().is_empty()) {
            break;
        }
        drop(fds);
        if let Some(relay) = &mut relay {
            relay.turn();
        }
    }
    // It may be gone already.
    let _ = rustix::process::pidfd_send_signal(&handle, Signal::KILL);
    inner.wait()?;
    Ok(())
}
