//! A small spool for batches while the daemon is away: files of their own, drained in order.
//!
//! Each batch is written whole under a name that sorts by time and then renamed, so that a reader
//! never meets half of one. Nothing is synced: a lost machine loses what it had not sent, a killed
//! process does not. What finds no room is dropped and counted; the daemon is told the count.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, flock};
use skep_api::ErrorCode;
use skep_api::capture::{CaptureRequest, CaptureResponse, SpoolReport};
use tokio::time::{Instant, sleep, timeout_at};

use crate::proof::digest;
use crate::{Client, ClientError, Home};

/// Bytes that a spool may hold.
const BYTES: u64 = 64 << 20;
/// Batches that it may hold.
const BATCHES: usize = 4_096;
/// Between two looks at whether somebody else has drained it.
const LOOK: Duration = Duration::from_millis(3);
/// A file that was begun so long ago is one of a process that was killed.
const ABANDONED: Duration = Duration::from_hours(1);
/// Bytes of one batch, at most: the daemon takes no more.
const BATCH: u64 = skep_api::Limits::CAPTURE_BODY as u64;

/// The spool of a data directory.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    bytes: u64,
    batches: usize,
}

/// What draining a spool came to.
#[derive(Debug, Default)]
pub struct Drained {
    /// The daemon's answers, oldest first.
    pub answers: Vec<CaptureResponse>,
    /// Turns that the daemon will never take; they are counted as dropped.
    pub dropped: u64,
    /// Batches that wait for another time.
    pub left: usize,
    /// Why it ended early.
    pub stopped: Option<ClientError>,
}

impl Spool {
    /// The spool of a home for its own daemon, or for another destination: what waits for one is
    /// never sent to another. Nothing is touched.
    #[must_use]
    pub fn of(home: &Home, destination: Option<&str>) -> Self {
        Self::with_limits(home, destination, BYTES, BATCHES)
    }

    fn with_limits(home: &Home, destination: Option<&str>, bytes: u64, batches: usize) -> Self {
        let own = home.path().join("spool");
        Self {
            folder: match destination {
                None => own,
                Some(destination) => own.join(digest(destination)),
            },
            bytes,
            batches,
        }
    }

    /// Keeps a batch. `false` if there is no room: then its turns are counted as dropped.
    ///
    /// # Errors
    /// When the disk refuses; nothing is kept then.
    pub fn put(&self, batch: &CaptureRequest) -> io::Result<bool> {
        self.create()?;
        let _turn = self.lock()?;
        let waiting = self.waiting()?;
        let held: u64 = waiting.iter().map(|(_, bytes)| bytes).sum();
        let text = serde_json::to_vec(batch)?;
        let size = text.len() as u64;
        if size > BATCH || held + size > self.bytes || waiting.len() >= self.batches {
            self.add_dropped(batch.turns.len() as u64)?;
            return Ok(false);
        }
        let last = waiting.last().map(|(path, _)| number_of(path));
        let number = last.flatten().map_or(0, |last| last + 1).max(now_nanos());
        self.write(&format!("{number:020}.json"), &text)?;
        Ok(true)
    }

    /// Batches that wait.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn len(&self) -> io::Result<usize> {
        Ok(self.waiting()?.len())
    }

    /// Whether nothing waits.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Turns dropped since the spool exists.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let text = read_small(&self.folder.join("dropped")).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }

    /// Sends what waits, oldest first, until a deadline. What the daemon has, by its answer, is
    /// removed; a batch sent twice is known by the ids of its turns. Two drains at a time take turns, and
    /// one also sends what comes meanwhile.
    ///
    /// # Errors
    /// When the folder cannot be read or a batch not removed.
    pub async fn drain(&self, client: &mut Client, deadline: Instant) -> io::Result<Drained> {
        let mut drained = Drained::default();
        if !self.folder.is_dir() {
            return Ok(drained);
        }
        let Some(_turn) = self.await_turn(deadline).await? else {
            drained.left = self.len()?;
            return Ok(drained);
        };
        loop {
            let waiting = self.waiting()?;
            if waiting.is_empty() {
                return Ok(drained);
            }
            for (path, size) in waiting {
                if drained.stopped.is_some() {
                    drained.left += 1;
                } else {
                    self.offer(client, (&path, size), deadline, &mut drained)
                        .await?;
                }
            }
            if drained.stopped.is_some() {
                return Ok(drained);
            }
        }
    }

    /// Until whoever drains it has done so: what we put there is sent by then, by them or by us.
    async fn await_turn(&self, deadline: Instant) -> io::Result<Option<File>> {
        loop {
            let turn = self.try_lock("draining")?;
            if turn.is_some() || Instant::now() + LOOK > deadline {
                return Ok(turn);
            }
            sleep(LOOK).await;
        }
    }

    /// One batch, once.
    async fn offer(
        &self,
        client: &mut Client,
        (path, size): (&Path, u64),
        deadline: Instant,
        drained: &mut Drained,
    ) -> io::Result<()> {
        let Some(mut batch) = read_batch(path, size) else {
            // Not one of ours, or damaged: it would stop those behind it for ever.
            return fs::rename(path, path.with_extension("damaged"));
        };
        batch.spool = self.report();
        match timeout_at(deadline, client.capture(&batch)).await {
            Ok(Ok(answer)) => {
                fs::remove_file(path)?;
                drained.answers.push(answer);
            }
            Ok(Err(error)) if is_final(&error) => {
                fs::remove_file(path)?;
                drained.dropped += batch.turns.len() as u64;
                self.add_dropped(batch.turns.len() as u64)?;
            }
            Ok(Err(error)) => {
                drained.left += 1;
                drained.stopped = Some(error);
            }
            Err(_late) => {
                drained.left += 1;
                drained.stopped = Some(ClientError::Io {
                    endpoint: client.endpoint().to_string(),
                    source: io::ErrorKind::TimedOut.into(),
                });
            }
        }
        Ok(())
    }

    fn report(&self) -> Option<SpoolReport> {
        let dropped = self.dropped();
        (dropped > 0).then(|| SpoolReport {
            id: read_small(&self.folder.join("id")).unwrap_or_default(),
            dropped,
        })
    }

    /// What waits, oldest first: files of ours, never links or pipes.
    fn waiting(&self) -> io::Result<Vec<(PathBuf, u64)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            // What others send meanwhile is gone by the time we look.
            let Ok(facts) = entry.metadata() else {
                continue;
            };
            let path = entry.path();
            if number_of(&path).is_some() && facts.is_file() {
                found.push((path, facts.len()));
            } else if is_abandoned(&path, &facts) {
                let _gone = fs::remove_file(path);
            }
        }
        found.sort();
        Ok(found)
    }

    fn create(&self) -> io::Result<()> {
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&self.folder)?;
        if !self.folder.join("id").exists() {
            let name = format!("{:x}-{:x}", now_nanos(), std::process::id());
            self.write("id", name.as_bytes())?;
        }
        Ok(())
    }

    /// Counts turns that were dropped before they came here; the daemon is told with the rest.
    ///
    /// # Errors
    /// An error of the file system.
    pub fn count_dropped(&self, turns: u64) -> io::Result<()> {
        self.create()?;
        self.add_dropped(turns)
    }

    fn add_dropped(&self, turns: u64) -> io::Result<()> {
        let all = self.dropped().saturating_add(turns);
        self.write("dropped", all.to_string().as_bytes())
    }

    /// Writes a file for its owner alone, and gives it its name when it is whole.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let part = self.folder.join(format!(".{name}.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options
            .open(&part)
            .and_then(|mut file| file.write_all(bytes));
        written
            .and_then(|()| fs::rename(&part, self.folder.join(name)))
            .inspect_err(|_| drop(fs::remove_file(&part)))
    }

    fn lock(&self) -> io::Result<File> {
        let file = self.lock_file("writing")?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    fn try_lock(&self, name: &str) -> io::Result<Option<File>> {
        let file = self.lock_file(name)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn lock_file(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        options.open(self.folder.join(format!(".{name}")))
    }
}

/// Whether offering the same batch again would bring the same answer.
fn is_final(error: &ClientError) -> bool {
    matches!(
        error.code(),
        Some(
            ErrorCode::InvalidJson
                | ErrorCode::ValidationError
                | ErrorCode::PayloadTooLarge
                | ErrorCode::Unprocessable
        )
    )
}

/// Whether it was begun by somebody who never gave it its name.
#[expect(
    clippy::disallowed_methods,
    reason = "how old a file is, by the clock that dates files"
)]
fn is_abandoned(path: &Path, facts: &fs::Metadata) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_begun = name.starts_with('.') && name.contains(".json.") && facts.is_file();
    let then = facts.modified().unwrap_or(UNIX_EPOCH);
    let age = SystemTime::now().duration_since(then);
    is_begun && age.is_ok_and(|age| age > ABANDONED)
}

fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    name.parse().ok()
}

fn read_batch(path: &Path, size: u64) -> Option<CaptureRequest> {
    if size > BATCH {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(BATCH)
        .read_to_end(&mut bytes)
        .ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn read_small(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(256)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

#[expect(
    clippy::disallowed_methods,
    reason = "names of files sort by when they were written"
)]
fn now_nanos() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use skep_api::capture::{CaptureRequest, Origin, SessionRef};

    use super::Spool;
    use crate::Home;

    fn batch(name: &str) -> CaptureRequest {
        let turn = serde_json::json!({
            "client_event_id": name, "role": "user", "at": "2026-01-01T00:00:00Z", "text": name,
        });
        CaptureRequest {
            session: SessionRef {
                harness: "other".into(),
                external_id: name.into(),
                title: None,
                project: None,
                cwd: None,
            },
            turns: vec![serde_json::from_value(turn).unwrap()],
            cursor: None,
            origin: Origin::Live,
            spool: None,
            ended: false,
        }
    }

    #[test]
    fn a18_what_waits_for_one_destination_is_not_seen_by_another() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::new(root.path()).unwrap();
        let spools = [None, Some("https://a.b org_1"), Some("https://a.b org_2")]
            .map(|destination| Spool::of(&home, destination));
        for (n, spool) in spools.iter().enumerate() {
            for _ in 0..=n {
                assert!(spool.put(&batch("a")).unwrap());
            }
        }
        let waiting = spools.map(|spool| spool.len().unwrap());
        assert_eq!(waiting, [1, 2, 3]);
    }

    #[test]
    fn x05_a_spool_is_its_owners_alone_and_keeps_order() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::of(&Home::new(root.path()).unwrap(), None);
        assert!(spool.is_empty().unwrap());
        for name in ["a", "b", "c"] {
            assert!(spool.put(&batch(name)).unwrap());
        }
        let waiting = spool.waiting().unwrap();
        let order: Vec<String> = waiting
            .iter()
            .map(|(path, size)| super::read_batch(path, *size).unwrap().session.external_id)
            .collect();
        assert_eq!(order, ["a", "b", "c"]);
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&spool.folder), 0o700);
        for entry in std::fs::read_dir(&spool.folder).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        symlink(
            "/etc/passwd",
            spool.folder.join("00000000000000000001.json"),
        )
        .unwrap();
        assert_eq!(spool.len().unwrap(), 3, "a link is no batch");
    }

    #[test]
    fn n12_what_a_killed_process_began_does_not_stay_for_ever() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::of(&Home::new(root.path()).unwrap(), None);
        assert!(spool.put(&batch("a")).unwrap());
        let begun = |name: &str| {
            let path = spool.folder.join(name);
            std::fs::write(&path, "{").unwrap();
            path
        };
        let old = [".00000000000000000001.json.77", "dropped", ".writing"].map(begun);
        for path in &old {
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(std::time::UNIX_EPOCH).unwrap();
        }
        let new = begun(".00000000000000000002.json.78");
        assert_eq!(spool.len().unwrap(), 1);
        assert!(!old[0].exists());
        assert!(new.exists() && old[1].exists() && old[2].exists());
    }

    #[test]
    fn n12_what_finds_no_room_is_dropped_and_counted() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::new(root.path()).unwrap();
        let few = Spool::with_limits(&home, None, 1 << 20, 2);
        let kept: Vec<bool> = ["a", "b", "c", "d"]
            .iter()
            .map(|name| few.put(&batch(name)).unwrap())
            .collect();
        assert_eq!(kept, [true, true, false, false]);
        let small = Spool::with_limits(&home, None, 10, 100);
        assert!(!small.put(&batch("e")).unwrap());
        assert_eq!((few.dropped(), few.len().unwrap()), (3, 2));
        assert_eq!(few.report().unwrap().dropped, 3);
        assert!(!few.report().unwrap().id.is_empty());
    }
}
