//! A file tree that holds the system's programs and libraries, what the plan shows, a `/tmp` in
//! memory, and nothing else: so there is no socket, no agent and no key to be found.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};

use super::landlock::Place;
use super::{Tally, system};
use crate::layer::Layer;
use crate::order::{Shown, TMP};

/// Opens the paths of a plan where they really are. A link that has been put in their way since
/// they were looked up is not followed.
pub(super) fn open(shown: &[Shown]) -> io::Result<Vec<Place>> {
    let open = |shown: &Shown| {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let fd = openat2(
            CWD,
            &shown.real,
            flags,
            Mode::empty(),
            ResolveFlags::NO_SYMLINKS,
        )?;
        Ok(Place {
            fd,
            writable: shown.writable,
        })
    };
    shown.iter().map(open).collect()
}

/// Takes a view of what is mounted that is this process's own. What is opened before that belongs to
/// the old one, and cannot be mounted in this.
pub(super) fn part() -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWNS)?)
}

/// Lays the tree over `base`, a folder that is nobody else's, and makes it the root. Where that
/// cannot be done, everything stays as it was.
pub(super) fn lay(base: &Path, scratch: u64, shown: &[Shown], places: &[Place], tally: &mut Tally) {
    let tree = Tree { base };
    let mut proc = None;
    let laid = tree.lay(scratch, shown, places, &mut proc);
    if laid.is_err() {
        let _ = unmount(base, UnmountFlags::DETACH);
        proc = None;
    }
    tally.note(Layer::Files, laid);
    let proc = proc.unwrap_or_else(|| Err(io::Error::other("there is no file tree of its own")));
    tally.note(Layer::Proc, proc);
}

struct Tree<'a> {
    base: &'a Path,
}

impl Tree<'_> {
    fn lay(
        &self,
        scratch: u64,
        shown: &[Shown],
        places: &[Place],
        proc: &mut Option<io::Result<()>>,
    ) -> io::Result<()> {
        mount_change(
            "/",
            MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
        )?;
        // Folders and empty files to mount upon, nothing else.
        memory(self.base, "mode=0755,size=8m,nr_inodes=8k")?;
        for path in system::READ {
            self.show(Path::new(path))?;
        }
        self.devices()?;
        self.private(scratch)?;
        let mut order: Vec<_> = shown.iter().zip(places).collect();
        order.sort_by_key(|(shown, _)| shown.path.components().count());
        for (shown, place) in &order {
            self.bind(&by_number(&place.fd), &shown.path, is_folder(&place.fd)?)?;
        }
        self.close(shown)?;
        let at = self.at(Path::new("/proc"));
        fs::create_dir(&at)?;
        let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        let done = mount("proc", &at, "proc", quiet | MountFlags::RDONLY, None);
        *proc = Some(done.map_err(io::Error::from));
        let still = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
        mount_remount(self.base, still, "")?;
        // The old root comes to lie upon the new one, and is taken away.
        rustix::process::chdir(self.base)?;
        rustix::process::pivot_root(".", ".")?;
        unmount(".", UnmountFlags::DETACH)?;
        rustix::process::chdir("/")?;
        Ok(())
    }

    fn at(&self, path: &Path) -> PathBuf {
        self.base.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Shows a path of the system, or the link that stands there.
    fn show(&self, path: &Path) -> io::Result<()> {
        let Ok(found) = fs::symlink_metadata(path) else {
            return Ok(());
        };
        if found.is_symlink() && path.parent() == Some(Path::new("/")) {
            return std::os::unix::fs::symlink(fs::read_link(path)?, self.at(path));
        }
        // A link in `/etc` leads to where nothing is shown: what it leads to is.
        match fs::metadata(path) {
            Ok(found) => self.bind(path, path, found.is_dir()),
            Err(_) => Ok(()),
        }
    }

    fn bind(&self, from: &Path, path: &Path, folder: bool) -> io::Result<()> {
        let at = self.at(path);
        if folder {
            fs::create_dir_all(&at)?;
        } else if fs::symlink_metadata(&at).is_err() {
            fs::create_dir_all(at.parent().unwrap_or(self.base))?;
            fs::write(&at, "")?;
        }
        Ok(mount_bind_recursive(from, &at)?)
    }

    fn devices(&self) -> io::Result<()> {
        for device in system::DEVICES {
            self.show(Path::new(device))?;
        }
        let links = [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
            ("shm", TMP),
        ];
        for (name, target) in links {
            std::os::unix::fs::symlink(target, self.at(Path::new("/dev")).join(name))?;
        }
        Ok(())
    }

    fn private(&self, scratch: u64) -> io::Result<()> {
        let at = self.at(Path::new(TMP));
        fs::create_dir(&at)?;
        memory(&at, &format!("mode=0700,size={scratch},nr_inodes=64k"))?;
        fs::create_dir(self.at(Path::new("/var")))?;
        std::os::unix::fs::symlink(TMP, self.at(Path::new("/var/tmp")))
    }

    /// Makes read-only what may not be written, whatever lies mounted below it too.
    fn close(&self, shown: &[Shown]) -> io::Result<()> {
        let open = |path: &Path| {
            let deepest = shown
                .iter()
                .filter(|shown| path.starts_with(self.at(&shown.path)))
                .max_by_key(|shown| shown.path.components().count());
            deepest.is_some_and(|shown| shown.writable)
        };
        for (path, flags) in mounts(&fs::read("/proc/self/mountinfo")?) {
            let ours = path.starts_with(self.base) && path != self.base;
            if !ours
                || path == self.at(Path::new(TMP))
                || path.starts_with(self.at(Path::new("/dev")))
            {
                continue;
            }
            let closed = if open(&path) {
                MountFlags::empty()
            } else {
                MountFlags::RDONLY
            };
            let more = MountFlags::BIND | MountFlags::NOSUID | MountFlags::NODEV;
            mount_remount(&path, flags | more | closed, "")?;
        }
        Ok(())
    }
}

fn memory(at: &Path, options: &str) -> io::Result<()> {
    let options = CString::new(options)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount(
        "tmpfs",
        at,
        "tmpfs",
        flags,
        Some(options.as_c_str()),
    )?)
}

fn by_number(fd: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn is_folder(fd: &OwnedFd) -> io::Result<bool> {
    let mode = rustix::fs::fstat(fd)?.st_mode;
    Ok(rustix::fs::FileType::from_raw_mode(mode) == rustix::fs::FileType::Directory)
}

/// Where things are mounted, with those flags that a user namespace may not take off again.
fn mounts(info: &[u8]) -> Vec<(PathBuf, MountFlags)> {
    let line = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ').skip(4);
        let path = unescaped(fields.next()?);
        let flags = fields
            .next()?
            .split(|byte| *byte == b',')
            .map(|flag| match flag {
                b"ro" => MountFlags::RDONLY,
                b"nosuid" => MountFlags::NOSUID,
                b"nodev" => MountFlags::NODEV,
                b"noexec" => MountFlags::NOEXEC,
                b"noatime" => MountFlags::NOATIME,
                b"nodiratime" => MountFlags::NODIRATIME,
                b"relatime" => MountFlags::RELATIME,
                _ => MountFlags::empty(),
            });
        Some((path, flags.collect()))
    };
    info.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// Blanks and backslashes stand there as three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..3).filter(|_| *first == b'\\');
        let value = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &tail[3..] } else { tail };
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rustix::mount::MountFlags;

    use super::mounts;

    #[test]
    fn mounts_are_read_with_their_flags() {
        let info =
            b"36 35 98:0 /mnt /with\\040blank rw,nosuid,noatime master:1 - ext3 /dev/root rw\n";
        let [(path, flags)] = mounts(info).try_into().unwrap();
        assert_eq!(path, Path::new("/with blank"));
        assert_eq!(flags, MountFlags::NOSUID | MountFlags::NOATIME);
    }
}
