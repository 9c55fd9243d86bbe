//! Checking an export, record by record, in constant memory: every entry has its place and the hash that stands
//! beside it, every checkpoint is signed and its root is that of the entries before it, the last one stands for all,
//! and what an outside witness was given fits.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read};

use serde::Deserialize;

use crate::export::{
    CheckpointRecord, DamagedRecord, ENTRY, ErasedRecord, FORMAT, Header, LEAF, checkpoint_of,
    exact, unhex,
};
use crate::note::{NoteError, VerifierKey};
use crate::{
    Checkpoint, ERASE, Frontier, Hash, Log, digits, leaf_hash, origin, parse_places, text_id,
};

/// Bytes that a record may have.
pub const RECORD: usize = 1 << 20;

/// Heads of one log that a witness may have been given.
const WITNESSED: usize = 4_000_000;

/// Places of erased entries that are kept until an entry names them; of more nobody says that they were named.
const UNNAMED: usize = 1_000_000;

/// What is wrong, and where first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line of the export, from 1.
    pub line: u64,
    /// The first entry that is bad, or that is missing; none when it is the header.
    pub entry: Option<u64>,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The first record is no header.
    #[error("this is no export of a log that this version reads")]
    NoHeader,
    /// The header names another key than the one that is expected, or none that could sign this log.
    #[error("the log is not signed by the key that is expected")]
    OtherKey,
    /// Not a record, or one that was changed.
    #[error("its record was changed: it is no longer one")]
    NoRecord,
    /// The hash beside the entry is not its own.
    #[error("its record was changed: its hash is not the one that stands beside it")]
    Leaf,
    /// Another entry stands here.
    #[error("it is not here: entry {0} stands in its place")]
    OtherEntry(u64),
    /// An entry of another log or another organization.
    #[error("the entry in its place is of another log")]
    OtherLog,
    /// The store said so.
    #[error(
        "its row was changed in the store: it does not open, or its columns say something else"
    )]
    Damaged,
    /// A checkpoint that does not hold.
    #[error("the checkpoint after entry {0}: {1}")]
    Checkpoint(u64, NoteError),
    /// A checkpoint that stands for other entries.
    #[error("the checkpoint after entry {0} is of a log of {1} entries")]
    OtherSize(u64, u64),
    /// The entries before a checkpoint are not those that were signed.
    #[error(
        "one of the entries {0} to {1} was rewritten together with its hash: their root is not the one that was signed"
    )]
    Root(u64, u64),
    /// It ends too early.
    #[error("the export ends before it: it should go to entry {0}")]
    Cut(u64),
    /// The last entries have no checkpoint.
    #[error("no checkpoint stands for the entries from here on")]
    Unsigned,
    /// It goes on.
    #[error("the export goes on after its last entry, {0}")]
    GoesOn(u64),
    /// The witness was given a longer log.
    #[error("the log was cut: a witness was given one that goes to entry {0}")]
    WitnessLonger(u64),
    /// The witness was given another log.
    #[error(
        "one of the entries {0} to {1} was rewritten: their root is not the one that a witness was given"
    )]
    WitnessOther(u64, u64),
    /// What the witness has of this log is signed by another key, or not at all.
    #[error("a witness has a checkpoint of this log that its key has not signed: {0}")]
    WitnessKey(NoteError),
    /// The witness was given two logs of one size.
    #[error("a witness was given two different logs of {0} entries: there is a fork")]
    Fork(u64),
}

/// What was checked, and held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The header.
    pub header: Header,
    /// Entries that were erased, and whose hashes stay.
    pub erased: u64,
    /// Those of them that no entry says were erased: it came after the export was begun, or somebody emptied their
    /// rows. `None` for a log that does not say such things, but the record of decisions beside it.
    pub unnamed: Option<u64>,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Heads that a witness was given, and that fit.
    pub witnessed: u64,
    /// Lines of its file that are no checkpoint, such as one that somebody was killed over.
    pub unread: u64,
    /// The root of all.
    pub root: Hash,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The export does not hold.
    #[error("{0}")]
    Bad(Finding),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
}

/// A check under way.
#[derive(Clone, Debug)]
pub struct Verifier {
    header: Header,
    key: VerifierKey,
    tree: Frontier,
    /// Entries that the last checkpoint, or the last head of a witness, stands for.
    held: u64,
    signed: u64,
    line: u64,
    erased: u64,
    /// The places of those that no entry says were erased.
    unnamed: BTreeSet<u64>,
    /// How many more there are than are kept.
    more_unnamed: u64,
    checkpoints: u64,
    witnessed: u64,
    unread: u64,
    witness: BTreeMap<u64, Hash>,
}

/// The fields of a line that are checked. The others are what the hash is of.
#[derive(Deserialize)]
struct Placed<'l> {
    seq: u64,
    log: Log,
    #[serde(borrow)]
    organization: &'l str,
}

/// The fields of a line that say what was erased.
#[derive(Deserialize)]
struct Erasing {
    action: String,
    target: Option<String>,
}

impl Verifier {
    /// Begins with the first record. `expected` is the key, if somebody knows it.
    ///
    /// # Errors
    /// The [`Finding`].
    pub fn begin(record: &[u8], expected: Option<&VerifierKey>) -> Result<Self, Finding> {
        let at_header = |problem| Finding {
            line: 1,
            entry: None,
            problem,
        };
        let header: Header = exact(record)
            .filter(|header: &Header| header.export == FORMAT && header.first > 0)
            .ok_or(at_header(Problem::NoHeader))?;
        let organization = text_id(&header.organization).ok_or(at_header(Problem::NoHeader))?;
        let key = VerifierKey::parse(&header.key).ok_or(at_header(Problem::OtherKey))?;
        let named = origin(&key.public(), organization, header.log);
        let is_own = key.name() == header.origin && header.origin == named;
        if !is_own || expected.is_some_and(|expected| expected.public() != key.public()) {
            return Err(at_header(Problem::OtherKey));
        }
        Ok(Self {
            header,
            key,
            tree: Frontier::default(),
            held: 0,
            signed: 0,
            line: 1,
            erased: 0,
            unnamed: BTreeSet::new(),
            more_unnamed: 0,
            checkpoints: 0,
            witnessed: 0,
            unread: 0,
            witness: BTreeMap::new(),
        })
    }

    /// A head that a witness was given, of whatever log; before the first entry.
    ///
    /// # Errors
    /// The [`Finding`].
    pub fn witness(&mut self, note: &str) -> Result<(), Finding> {
        if Checkpoint::origin_of(note) != self.header.origin {
            return Ok(());
        }
        let found = |problem| Finding {
            line: 1,
            entry: None,
            problem,
        };
        let seen =
            Checkpoint::open(note, &self.key).map_err(|error| found(Problem::WitnessKey(error)))?;
        if self.witness.len() >= WITNESSED {
            return Err(found(Problem::WitnessKey(NoteError::Malformed)));
        }
        match self.witness.insert(seen.size, seen.root) {
            Some(other) if other != seen.root => Err(found(Problem::Fork(seen.size))),
            _ => Ok(()),
        }
    }

    /// The next record, without its line break.
    ///
    /// # Errors
    /// The [`Finding`].
    pub fn push(&mut self, record: &[u8]) -> Result<(), Finding> {
        self.line += 1;
        if record.starts_with(b"{\"checkpoint\"") {
            return self.checkpoint(record);
        }
        if self.tree.size() >= self.header.size {
            let last = self.place(self.tree.size()) - 1;
            return Err(self.found(Problem::GoesOn(last)));
        }
        let leaf = self.entry(record).map_err(|problem| self.found(problem))?;
        self.tree.push(leaf, |_, _, _| {});
        let size = self.tree.size();
        if let Some(root) = self.witness.remove(&size) {
            if root != self.tree.root() {
                return Err(self.rewritten(Problem::WitnessOther));
            }
            (self.held, self.witnessed) = (size, self.witnessed + 1);
        }
        Ok(())
    }

    fn entry(&mut self, record: &[u8]) -> Result<Hash, Problem> {
        let next = self.place(self.tree.size());
        let rest = record.strip_prefix(LEAF.as_bytes());
        let (stated, rest) = rest
            .and_then(|rest| rest.split_at_checked(64))
            .ok_or(Problem::NoRecord)?;
        let line = rest.strip_prefix(ENTRY.as_bytes());
        let Some(line) = line.and_then(|line| line.strip_suffix(b"}")) else {
            return self.without_line(record, next);
        };
        let leaf = leaf_hash(line);
        if digits(&leaf).as_bytes() != stated {
            return Err(Problem::Leaf);
        }
        let placed: Placed<'_> = serde_json::from_slice(line).map_err(|_| Problem::NoRecord)?;
        if placed.seq != next {
            return Err(Problem::OtherEntry(placed.seq));
        }
        if placed.log != self.header.log || placed.organization != self.header.organization {
            return Err(Problem::OtherLog);
        }
        self.named(line);
        Ok(leaf)
    }

    /// Takes in what an entry says was erased. All of that is before it.
    fn named(&mut self, line: &[u8]) {
        if self.unnamed.is_empty() {
            return;
        }
        let said = serde_json::from_slice::<Erasing>(line).ok();
        let said = said.filter(|said| said.action == ERASE);
        let said = said.and_then(|said| parse_places(&said.target?));
        if let Some((Log::Audit, runs)) = said {
            let is_named = |place: &u64| runs.iter().any(|run| run.contains(place));
            self.unnamed.retain(|place| !is_named(place));
        }
    }

    fn without_line(&mut self, record: &[u8], next: u64) -> Result<Hash, Problem> {
        if let Some(record) = exact::<ErasedRecord>(record) {
            if record.erased != next {
                return Err(Problem::OtherEntry(record.erased));
            }
            self.erased += 1;
            if self.unnamed.len() < UNNAMED {
                self.unnamed.insert(next);
            } else {
                self.more_unnamed += 1;
            }
            return unhex(&record.leaf).ok_or(Problem::NoRecord);
        }
        match exact::<DamagedRecord>(record) {
            Some(record) if record.damaged == next => Err(Problem::Damaged),
            Some(record) => Err(Problem::OtherEntry(record.damaged)),
            None => Err(Problem::NoRecord),
        }
    }

    fn checkpoint(&mut self, record: &[u8]) -> Result<(), Finding> {
        let size = self.tree.size();
        let after = self.place(size).saturating_sub(1);
        let record = exact::<CheckpointRecord>(record);
        let opened = record
            .ok_or(NoteError::Malformed)
            .and_then(|record| Checkpoint::open(&record.checkpoint, &self.key))
            .map_err(|error| self.found(Problem::Checkpoint(after, error)))?;
        if opened.size != size {
            return Err(self.found(Problem::OtherSize(after, opened.size)));
        }
        if opened.root != self.tree.root() {
            return Err(self.rewritten(Problem::Root));
        }
        (self.held, self.signed) = (size, size);
        self.checkpoints += 1;
        Ok(())
    }

    /// After the last record.
    ///
    /// # Errors
    /// The [`Finding`].
    pub fn finish(self) -> Result<Verified, Finding> {
        let (size, last) = (self.tree.size(), self.place(self.header.size) - 1);
        if size < self.header.size {
            return Err(self.found(Problem::Cut(last)));
        }
        if self.signed < size {
            let entry = Some(self.place(self.signed));
            let problem = Problem::Unsigned;
            return Err(Finding {
                entry,
                ..self.found(problem)
            });
        }
        if let Some((longest, _)) = self.witness.last_key_value().filter(|(of, _)| **of > size) {
            let problem = Problem::WitnessLonger(self.place(*longest) - 1);
            return Err(self.found(problem));
        }
        let names = self.header.log == Log::Audit;
        Ok(Verified {
            root: self.tree.root(),
            unnamed: names.then_some(self.unnamed.len() as u64 + self.more_unnamed),
            header: self.header,
            erased: self.erased,
            checkpoints: self.checkpoints,
            witnessed: self.witnessed,
            unread: self.unread,
        })
    }

    /// The place of the leaf at an index.
    fn place(&self, index: u64) -> u64 {
        self.header.first.saturating_add(index)
    }

    /// At the entry that comes next.
    fn found(&self, problem: Problem) -> Finding {
        Finding {
            line: self.line,
            entry: Some(self.place(self.tree.size())),
            problem,
        }
    }

    /// Somewhere since what is known to hold.
    fn rewritten(&self, problem: fn(u64, u64) -> Problem) -> Finding {
        let first = self.place(self.held);
        let last = self.place(self.tree.size()) - 1;
        Finding {
            line: self.line,
            entry: Some(first),
            problem: problem(first, last),
        }
    }
}

/// Checks a whole export, and a witness's file beside it.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(
    export: &mut dyn BufRead,
    witness: Option<&mut dyn BufRead>,
    expected: Option<&VerifierKey>,
) -> Result<Verified, VerifyError> {
    let mut record = Vec::new();
    let whole = read(export, &mut record)?;
    let mut verifier = Verifier::begin(&record, expected).map_err(VerifyError::Bad)?;
    let mut is_whole = whole == Some(true);
    if let Some(witness) = witness {
        while let Some(is_whole) = read(witness, &mut record)? {
            // Whoever was writing a line may have been killed, and gone on with another.
            match checkpoint_of(&record).filter(|_| is_whole) {
                Some(note) => verifier.witness(&note).map_err(VerifyError::Bad)?,
                None => verifier.unread += 1,
            }
        }
    }
    while is_whole {
        match read(export, &mut record)? {
            None => break,
            Some(whole) => is_whole = whole,
        }
        if is_whole {
            verifier.push(&record).map_err(VerifyError::Bad)?;
        }
    }
    if !is_whole {
        // Half a line, or one that is longer than any: it is the next one that is bad.
        verifier.line += 1;
        let problem = Problem::NoRecord;
        return Err(VerifyError::Bad(verifier.found(problem)));
    }
    verifier.finish().map_err(VerifyError::Bad)
}

/// The next line without its break, and whether it had one; `None` at the end.
fn read(from: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let read = from.take(RECORD as u64).read_until(b'\n', line)?;
    let is_whole = line.pop_if(|last| *last == b'\n').is_some();
    Ok((read > 0).then_some(is_whole))
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.entry {
            Some(entry) => write!(f, "entry {entry} (line {}): {}", self.line, self.problem),
            None => write!(f, "line {}: {}", self.line, self.problem),
        }
    }
}

impl std::fmt::Display for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let header = &self.header;
        writeln!(
            f,
            "{} log of organization {}",
            header.log, header.organization
        )?;
        writeln!(f, "signed by    {}", header.key)?;
        match header.size {
            0 => writeln!(f, "entries      none")?,
            size => {
                let last = self.header.first + size - 1;
                writeln!(f, "entries      {size}, {} to {last}", header.first)?;
            }
        }
        if self.erased > 0 {
            writeln!(f, "erased       {}, of which the hashes stay", self.erased)?;
        }
        if let Some(unnamed @ 1..) = self.unnamed {
            writeln!(
                f,
                "unnamed      {unnamed} of those, which no entry says were erased"
            )?;
        }
        writeln!(f, "checkpoints  {}", self.checkpoints)?;
        writeln!(f, "witnessed    {}", self.witnessed)?;
        if self.unread > 0 {
            writeln!(f, "unread       {} lines of the witness", self.unread)?;
        }
        write!(f, "root         {}", digits(&self.root))
    }
}
