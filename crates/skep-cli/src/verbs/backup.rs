//! `skep backup`, and what is handed over to the daemon's program: `restore`, `migrate-db`.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde_json::json;
use skep_api::system::BackupRequest;
use skep_client::daemon;

use crate::args::Backup;
use crate::context::Context;
use crate::failure::Failure;
use crate::hidden;
use crate::stopwatch::Stopwatch;

/// Bytes of a file with a passphrase or a key.
const SECRET: u64 = 8 << 10;
const NO_TERMINAL: &str =
    "there is no terminal to ask for a passphrase: use --passphrase-file or --recovery-key-file";
/// Bytes between two lines of progress.
const SAID: u64 = 16 << 20;

pub(super) async fn run(context: &Context<'_>, arguments: &Backup) -> Result<ExitCode, Failure> {
    let to = std::path::absolute(&arguments.to)?;
    if to.exists() && !arguments.force {
        return Err(is_there(&to));
    }
    let request = request(arguments)?;
    let mut client = context.client().await?;
    let (mut fresh, watch) = (Fresh::new(&to)?, Stopwatch::start());
    let (mut said, mut unwritten) = (0, None);
    let sent = client
        .back_up(&request, |bytes| {
            if let Err(error) = fresh.write(bytes) {
                let kind = error.kind();
                // Of the file, not of the connection.
                unwritten = Some(fresh.unwritten(&error));
                return Err(kind.into());
            }
            if fresh.written - said >= SAID {
                said = fresh.written;
                context.output.note(&format!("{} MiB", said >> 20));
            }
            Ok(())
        })
        .await;
    if let Some(failure) = unwritten {
        return Err(failure);
    }
    sent?;
    let bytes = fresh.written;
    fresh.publish(arguments.force)?;
    let out = context.output;
    if out.is_json() {
        let micros = watch.elapsed().as_micros() as u64;
        out.json(&json!({ "file": to, "bytes": bytes, "micros": micros }))?;
    } else {
        let seconds = watch.elapsed().as_secs_f64();
        out.line(&format!(
            "{}: {bytes} bytes in {seconds:.1} s",
            to.display()
        ))?;
        out.note("whether it can be restored: skep restore --verify --from FILE");
    }
    Ok(ExitCode::SUCCESS)
}

fn request(arguments: &Backup) -> Result<BackupRequest, Failure> {
    let mut request = BackupRequest {
        workspace: arguments.workspace.clone(),
        ..BackupRequest::default()
    };
    match (&arguments.recovery_key_file, &arguments.passphrase_file) {
        (Some(file), _) => request.recovery_key = Some(read(file)?),
        (None, Some(file)) => request.passphrase = Some(read(file)?),
        (None, None) => {
            let ask = |question| hidden::ask(question, NO_TERMINAL);
            let passphrase = ask("Passphrase for the archive: ")?;
            if ask("The same again: ")? != passphrase {
                return Err(Failure::usage(
                    "these are not the same: nothing was written",
                ));
            }
            request.passphrase = Some(passphrase);
        }
    }
    Ok(request)
}

/// The first line of a file of one's own.
fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let unusable = |why: &str| Failure::new("SECRET_FILE", format!("{shown} {why}"));
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags())
        .open(path)
        .map_err(|error| unusable(&format!("cannot be read: {error}")))?;
    let facts = file.metadata()?;
    if !facts.is_file() || facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(unusable("is no file of your own"));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(unusable("is open to others").hint(format!("chmod 600 {shown}")));
    }
    let mut line = String::with_capacity(SECRET as usize + 1);
    BufReader::new(file.take(SECRET)).read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(unusable("is empty"));
    }
    Ok(line.to_owned())
}

/// A file that has another name until it is whole.
pub(super) struct Fresh {
    file: File,
    path: PathBuf,
    beside: PathBuf,
    written: u64,
    is_whole: bool,
}

impl Fresh {
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(Failure::usage("--to names no file"));
        }
        name.push(format!(".{}.part", std::process::id()));
        let beside = path.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(flags())
            .open(&beside)
            .map_err(|error| {
                Failure::new(
                    "CANNOT_WRITE",
                    format!("{} cannot be made: {error}", beside.display()),
                )
            })?;
        Ok(Self {
            file,
            path: path.to_owned(),
            beside,
            written: 0,
            is_whole: false,
        })
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Whole, on the disk, and then under its name: in the place of what has it only with `force`, since
    /// somebody else may have taken it meanwhile.
    pub(super) fn publish(mut self, force: bool) -> Result<(), Failure> {
        let done = self.file.sync_all();
        done.map_err(|error| self.unwritten(&error))?;
        let placed = if force {
            std::fs::rename(&self.beside, &self.path)
        } else {
            name_first(&self.beside, &self.path)
        };
        placed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => is_there(&self.path),
            _ => self.unwritten(&error),
        })?;
        self.is_whole = true;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let flushed = File::open(folder).and_then(|folder| folder.sync_all());
        flushed.map_err(|error| self.unwritten(&error))
    }

    /// Why there is no archive, by the name that was asked for.
    pub(super) fn unwritten(&self, error: &io::Error) -> Failure {
        let shown = self.path.display();
        let (code, why, hint) = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
                "NO_SPACE",
                "there is no space left".to_owned(),
                "free some there, or name another place with --to",
            ),
            _ => (
                "CANNOT_WRITE",
                error.to_string(),
                "name another place with --to",
            ),
        };
        Failure::new(code, format!("{shown} cannot be written: {why}")).hint(hint)
    }
}

pub(super) fn is_there(path: &Path) -> Failure {
    Failure::new("EXISTS", format!("{} is there already", path.display()))
        .hint("another name, or --force to replace it")
}

/// Gives a file its name unless something has it: in one step, by a second name where the file system cannot.
fn name_first(beside: &Path, path: &Path) -> io::Result<()> {
    match renameat_with(CWD, beside, CWD, path, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            std::fs::hard_link(beside, path)?;
            std::fs::remove_file(beside)
        }
        done => Ok(done?),
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = std::fs::remove_file(&self.beside);
        }
    }
}

fn flags() -> i32 {
    (OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed()
}

/// Runs a verb of the daemon's program, on this terminal and for this home.
pub(super) fn hand_over(
    context: &Context<'_>,
    verb: &str,
    arguments: &[OsString],
) -> Result<ExitCode, Failure> {
    let program = daemon::program();
    let mut command = Command::new(&program);
    command.arg("--home").arg(context.home.path()).arg(verb);
    command.args(arguments);
    if context.output.is_json() && !arguments.iter().any(|given| given == "--json") {
        command.arg("--json");
    }
    let status = command.status().map_err(|error| {
        Failure::new(
            "NO_DAEMON",
            format!("cannot run {}: {error}", program.display()),
        )
    })?;
    Ok(status.code().map_or(ExitCode::FAILURE, |code| {
        ExitCode::from(u8::try_from(code).unwrap_or(1))
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{Failure, Fresh, read};

    #[test]
    fn f10_a_backup_has_its_name_when_it_is_whole_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.skep");
        let mut half = Fresh::new(&path).unwrap();
        half.write(b"half of it").unwrap();
        assert!(!path.exists());
        drop(half);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut whole = Fresh::new(&path).unwrap();
        whole.write(b"all of it").unwrap();
        whole.publish(false).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"all of it");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn f10_of_two_backups_to_one_name_the_second_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.skep");
        for (text, force, code) in [
            ("one", false, None),
            ("two", false, Some("EXISTS")),
            ("three", true, None),
        ] {
            let mut fresh = Fresh::new(&path).unwrap();
            fresh.write(text.as_bytes()).unwrap();
            let failure = fresh.publish(force).err();
            assert_eq!(failure.as_ref().map(Failure::code), code, "{text}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn f04_a_full_disk_is_said_of_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.skep");
        let mut fresh = Fresh::new(&path).unwrap();
        fresh.file = fs::File::options().write(true).open("/dev/full").unwrap();
        let error = fresh.write(b"some of it").unwrap_err();
        let failure = fresh.unwritten(&error);
        assert_eq!(failure.code(), "NO_SPACE");
        let told = failure.told();
        assert!(told.contains(&path.display().to_string()), "{told}");
        assert!(!told.contains("connection"), "{told}");
    }

    #[test]
    fn x05_a_secret_that_others_can_read_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "a secret\n").unwrap();
        for (mode, fits) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let secret = read(&path).ok();
            assert_eq!(secret.as_deref(), fits.then_some("a secret"), "{mode:o}");
        }
    }
}
