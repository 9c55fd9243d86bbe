//! Whoever is given each head that was signed. A file: added to, synced, never written over, and worth what the place
//! is worth that it stands in. A server elsewhere: sent each note as it is.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use skep_domain::Timestamp;
use skep_egress::{Egress, EgressError, Patience, Reach, Target};
use skep_ledger::{checkpoint_of, checkpoint_record};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;

use crate::sinks::{HookKey, Letter, message_id, post, seconds};

/// Logs of which it is remembered how far the file goes.
const LOGS: usize = 200_000;

/// The file, and how far it goes.
pub(super) struct Witness {
    path: PathBuf,
    open: Mutex<Option<Open>>,
}

struct Open {
    file: File,
    /// By the log's name.
    sizes: HashMap<String, u64>,
}

impl Witness {
    pub(super) fn new(path: PathBuf) -> Self {
        let open = Mutex::new(None);
        Self { path, open }
    }

    /// Adds those that go further than what the file has of their log.
    pub(super) async fn tell(&self, notes: &[&str]) -> io::Result<()> {
        let mut held = self.open.lock().await;
        // After a failure it is read anew: nobody knows what of it was written.
        let mut open = match held.take() {
            Some(open) => open,
            None => self.begin().await?,
        };
        let mut added = String::new();
        for note in notes {
            let Some((origin, size)) = place(note) else {
                continue;
            };
            match open.sizes.get(origin) {
                Some(known) if *known > size => shorter(origin, size, *known),
                Some(known) if *known == size => {}
                _ => {
                    added += &checkpoint_record(note).map_err(io::Error::other)?;
                    added.push('\n');
                    if open.sizes.len() < LOGS {
                        open.sizes.insert(origin.to_owned(), size);
                    }
                }
            }
        }
        if !added.is_empty() {
            open.file.write_all(added.as_bytes()).await?;
            open.file.flush().await?;
            open.file.sync_all().await?;
        }
        *held = Some(open);
        Ok(())
    }

    async fn begin(&self) -> io::Result<Open> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600);
        let mut file = file.open(&self.path).await?;
        let (mut sizes, mut line, mut is_whole) = (HashMap::new(), Vec::new(), true);
        let mut lines = BufReader::new(&mut file);
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line).await? == 0 {
                break;
            }
            is_whole = line.pop_if(|last| *last == b'\n').is_some();
            let note = checkpoint_of(&line).filter(|_| is_whole);
            if let Some((origin, size)) = note.as_deref().and_then(place)
                && sizes.len() < LOGS
            {
                let known = sizes.entry(origin.to_owned()).or_insert(size);
                *known = size.max(*known);
            }
        }
        if !is_whole {
            // Whoever was writing the last line was killed: the next one begins anew.
            file.write_all(b"\n").await?;
        }
        Ok(Open { file, sizes })
    }
}

/// A server elsewhere that is sent each note, signed as a webhook is.
pub struct WitnessHook {
    url: String,
    key: HookKey,
    egress: Arc<Egress>,
    /// How far it knows each log, by the log's name. A daemon that starts tells it all again.
    sizes: Mutex<HashMap<String, u64>>,
}

impl WitnessHook {
    /// A server that whoever runs the daemon names: it may be inside.
    ///
    /// # Errors
    /// [`EgressError::Url`].
    pub fn new(url: String, key: HookKey) -> Result<Self, EgressError> {
        let origin = Target::parse(&url)?.origin().clone();
        Ok(Self {
            url,
            key,
            egress: Arc::new(Egress::new(Reach::Listed(vec![origin]))),
            sizes: Mutex::default(),
        })
    }

    /// Sends those that go further than what it was sent of their log; what it did not take, and what comes after that,
    /// is sent the next time.
    pub(super) async fn tell(&self, notes: &[&str], now: Timestamp) -> Result<(), String> {
        let mut sizes = self.sizes.lock().await;
        for note in notes {
            let Some((origin, size)) = place(note) else {
                continue;
            };
            match sizes.get(origin) {
                Some(known) if *known > size => {
                    shorter(origin, size, *known);
                    continue;
                }
                Some(known) if *known == size => continue,
                _ => {}
            }
            self.send(note, now).await?;
            if sizes.len() < LOGS {
                sizes.insert(origin.to_owned(), size);
            }
        }
        Ok(())
    }

    async fn send(&self, note: &str, now: Timestamp) -> Result<(), String> {
        let id = message_id(b"witness", note.as_bytes());
        let seconds = seconds(now);
        let letter = Letter {
            url: &self.url,
            id: &id,
            content: "text/plain; charset=utf-8",
            seconds,
            signature: self.key.signature((&id, seconds), note.as_bytes()),
            body: note.to_owned().into(),
        };
        let sent = post(&self.egress, Patience::default(), letter).await;
        sent.map(drop).map_err(|failed| failed.problem)
    }
}

impl std::fmt::Debug for WitnessHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WitnessHook")
    }
}

/// Somebody cut a log, or put an older one in its place.
fn shorter(origin: &str, size: u64, witnessed: u64) {
    tracing::error!(
        origin,
        size,
        witnessed,
        "a log is shorter than what the witness was given: it was cut, or restored from a backup"
    );
}

/// Which log a note speaks of, and how many entries of it.
fn place(note: &str) -> Option<(&str, u64)> {
    let mut lines = note.lines();
    let (origin, size) = (lines.next()?, lines.next()?);
    Some((origin, size.parse().ok()?))
}
