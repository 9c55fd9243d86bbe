//! A file tree that holds the system's programs and libraries, what the plan shows, a `/tmp` in
//! memory, and nothing else: so there is no socket, no agent and no key to be found.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, fstat, mkdirat, openat, openat2, statx,
};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};

use super::landlock::Place;
use super::{Tally, system};
use crate::layer::Layer;
use crate::order::{Shown, TMP};

const PROC: &str = "/proc";

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
    let mut tree = Tree {
        base,
        shown,
        laid: Vec::new(),
    };
    let mut proc = None;
    let laid = tree.lay(scratch, places, &mut proc);
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
    shown: &'a [Shown],
    /// Where what the plan shows has come to lie, and whether it may be written.
    laid: Vec<(PathBuf, bool)>,
}

impl Tree<'_> {
    fn lay(
        &mut self,
        scratch: u64,
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
        let mut order: Vec<_> = self.shown.iter().zip(places).collect();
        order.sort_by_key(|(shown, _)| (shown.path.components().count(), shown.writable));
        for (shown, place) in order {
            if has_its_own(shown) {
                continue;
            }
            let (from, folder) = (by_number(&place.fd), is_folder(&place.fd)?);
            // Where a link stands that leads to where nothing is shown, it is shown there.
            let at = match self.bind(&from, &shown.path, folder) {
                Err(error) if is_in_the_way(&error) => self.bind(&from, &shown.real, folder),
                at => at,
            }?;
            self.laid.push((at, shown.writable));
        }
        self.what_links_lead_to()?;
        self.close()?;
        let at = self.at(Path::new(PROC));
        fs::create_dir_all(&at)?;
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

    /// Whether the plan shows it, or a folder that it is in: then it comes with that.
    fn is_covered(&self, path: &Path) -> bool {
        let mut shown = self.shown.iter();
        shown.any(|shown| !has_its_own(shown) && path.starts_with(&shown.path))
    }

    /// Shows a path of the system, or the link that stands there.
    fn show(&self, path: &Path) -> io::Result<()> {
        if self.is_covered(path) {
            return Ok(());
        }
        let Ok(found) = fs::symlink_metadata(path) else {
            return Ok(());
        };
        if found.is_symlink() && path.parent() == Some(Path::new("/")) {
            return std::os::unix::fs::symlink(fs::read_link(path)?, self.at(path));
        }
        // A link in `/etc` leads to where nothing is shown: what it leads to is.
        match fs::metadata(path) {
            Ok(found) => self.bind(path, path, found.is_dir()).map(drop),
            Err(_) => Ok(()),
        }
    }

    /// A folder that the plan shows has the system's links as they are: what one leads to is shown there.
    fn what_links_lead_to(&self) -> io::Result<()> {
        for path in system::READ.iter().map(Path::new) {
            let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
            if !is_link || !self.is_covered(path) || self.find(path).is_ok() {
                continue;
            }
            if let Ok(real) = path.canonicalize() {
                self.bind(&real, &real, real.is_dir())?;
            }
        }
        Ok(())
    }

    /// Mounts something at a path of the tree, and says where that is.
    fn bind(&self, from: &Path, path: &Path, folder: bool) -> io::Result<PathBuf> {
        let target = self.target(path, folder)?;
        let at = fs::read_link(by_number(&target))?;
        mount_bind_recursive(from, by_number(&target))?;
        Ok(at)
    }

    /// What stands at a path of the tree, links and all, as the program will see it.
    fn find(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let root = openat2(CWD, self.base, flags, Mode::empty(), ResolveFlags::empty())?;
        openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
    }

    /// The same, made if it is not there yet: in memory, and never in a folder of the machine.
    fn target(&self, path: &Path, folder: bool) -> io::Result<OwnedFd> {
        let parts: Vec<_> = path.iter().skip(1).collect();
        let mut walked = PathBuf::from("/");
        let mut parent = self.find(&walked)?;
        let device = |own: &Path| -> io::Result<u64> { Ok(fstat(self.find(own)?)?.st_dev) };
        let ours = [device(&walked).ok(), device(Path::new(TMP)).ok()];
        for (nth, part) in parts.iter().enumerate() {
            walked.push(part);
            let found = match self.find(&walked) {
                Err(rustix::io::Errno::NOENT) => {
                    if !ours.contains(&Some(fstat(&parent)?.st_dev)) {
                        return Err(io::ErrorKind::NotFound.into());
                    }
                    if folder || nth + 1 < parts.len() {
                        mkdirat(&parent, *part, Mode::from(0o755))?;
                    } else {
                        let new = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                        drop(openat(&parent, *part, new, Mode::from(0o644))?);
                    }
                    self.find(&walked)?
                }
                found => found?,
            };
            parent = found;
        }
        Ok(parent)
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
        if self.is_covered(Path::new("/var")) {
            return Ok(());
        }
        fs::create_dir(self.at(Path::new("/var")))?;
        std::os::unix::fs::symlink(TMP, self.at(Path::new("/var/tmp")))
    }

    /// Makes read-only what may not be written, whatever lies mounted below it too.
    fn close(&self) -> io::Result<()> {
        let devices = self.at(Path::new("/dev"));
        for mounted in mounts(&fs::read("/proc/self/mountinfo")?) {
            let path = &mounted.path;
            let ours = path.starts_with(self.base) && path != self.base;
            if !ours || *path == self.at(Path::new(TMP)) || is_hidden(&mounted)? {
                continue;
            }
            let deepest = self.laid.iter().filter(|(at, _)| path.starts_with(at));
            // Of two at the same place the later one lies upon the other.
            let deepest = deepest.max_by_key(|(at, _)| at.components().count());
            let is_device = path.starts_with(&devices);
            if is_device && deepest.is_none() {
                continue;
            }
            let mut flags = mounted.flags | MountFlags::BIND | MountFlags::NOSUID;
            if !is_device {
                flags |= MountFlags::NODEV;
            }
            if deepest.is_none_or(|(_, writable)| !writable) {
                flags |= MountFlags::RDONLY;
            }
            mount_remount(path, flags, "")?;
        }
        Ok(())
    }
}

/// What every run has of its own is not taken from the machine as well.
fn has_its_own(shown: &Shown) -> bool {
    let own = |path: &Path| path.starts_with(PROC) || path == Path::new("/dev");
    own(&shown.path) || own(&shown.real)
}

/// A link that leads nowhere, in memory or in a folder of the machine.
fn is_in_the_way(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound
    )
}

/// Whether something else was mounted above it, so that nobody gets to it.
fn is_hidden(mounted: &Mounted) -> io::Result<bool> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let top = match openat2(
        CWD,
        &mounted.path,
        flags,
        Mode::empty(),
        ResolveFlags::NO_SYMLINKS,
    ) {
        Ok(top) => top,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    let found = statx(top, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    let is_known = found.stx_mask & StatxFlags::MNT_ID.bits() != 0;
    Ok(is_known && found.stx_mnt_id != mounted.id)
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

/// Something that is mounted, with those flags that a user namespace may not take off again.
struct Mounted {
    id: u64,
    path: PathBuf,
    flags: MountFlags,
}

fn mounts(info: &[u8]) -> Vec<Mounted> {
    let line = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ');
        let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let mut fields = fields.skip(3);
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
        Some(Mounted {
            id,
            path,
            flags: flags.collect(),
        })
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
        let [mounted] = mounts(info).try_into().ok().unwrap();
        assert_eq!(
            (mounted.id, mounted.path.as_path()),
            (36, Path::new("/with blank"))
        );
        assert_eq!(mounted.flags, MountFlags::NOSUID | MountFlags::NOATIME);
    }
}
