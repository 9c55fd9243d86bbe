//! An export of a log: JSON Lines that anybody can read and check (docs/ledger.md has the format).

use serde::{Deserialize, Serialize};

use crate::tree::Hash;
use crate::{LineError, Log, digits, id_text};

/// The version of the format.
pub const FORMAT: &str = "skep-ledger/1";

/// What an entry's record has before its line: the hash goes between the two.
pub(crate) const LEAF: &str = "{\"leaf\":\"";
pub(crate) const ENTRY: &str = "\",\"entry\":";

/// The first record: which log it is, and how much of it there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub export: String,
    /// Which log.
    pub log: Log,
    /// Whose.
    pub organization: String,
    /// Its name.
    pub origin: String,
    /// The key that signs its heads.
    pub key: String,
    /// The place of its first entry.
    pub first: u64,
    /// Its entries.
    pub size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasedRecord {
    pub(crate) leaf: String,
    pub(crate) erased: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DamagedRecord {
    pub(crate) leaf: String,
    pub(crate) damaged: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointRecord {
    pub(crate) checkpoint: String,
}

impl Header {
    /// The header of a log of an organization.
    #[must_use]
    pub fn new(
        (organization, log): ([u8; 16], Log),
        (origin, key): (String, String),
        (first, size): (u64, u64),
    ) -> Self {
        Self {
            export: FORMAT.to_owned(),
            log,
            organization: id_text(organization),
            origin,
            key,
            first,
            size,
        }
    }

    /// Its record, without the line break.
    ///
    /// # Errors
    /// [`LineError`], which a value of this type does not lead to.
    pub fn to_record(&self) -> Result<String, LineError> {
        record(self)
    }
}

/// The record of an entry.
#[must_use]
pub fn entry_record(leaf: &Hash, line: &str) -> String {
    format!("{LEAF}{}{ENTRY}{line}}}", digits(leaf))
}

/// The record of an entry that was erased: its hash stays.
///
/// # Errors
/// [`LineError`], which no value leads to.
pub fn erased_record(leaf: &Hash, seq: u64) -> Result<String, LineError> {
    record(&ErasedRecord {
        leaf: digits(leaf),
        erased: seq,
    })
}

/// The record of an entry that the store could not give: somebody changed its row.
///
/// # Errors
/// [`LineError`], which no value leads to.
pub fn damaged_record(leaf: &Hash, seq: u64) -> Result<String, LineError> {
    record(&DamagedRecord {
        leaf: digits(leaf),
        damaged: seq,
    })
}

/// The record of a checkpoint, in an export and in the file of a witness.
///
/// # Errors
/// [`LineError`], which no value leads to.
pub fn checkpoint_record(note: &str) -> Result<String, LineError> {
    record(&CheckpointRecord {
        checkpoint: note.to_owned(),
    })
}

/// The note of a checkpoint's record, byte for byte as [`checkpoint_record`] writes it; `None` for any other line.
#[must_use]
pub fn checkpoint_of(line: &[u8]) -> Option<String> {
    exact::<CheckpointRecord>(line).map(|record| record.checkpoint)
}

/// Reads a record that is written in one way alone.
pub(crate) fn exact<'l, T: Serialize + Deserialize<'l>>(line: &'l [u8]) -> Option<T> {
    let read = serde_json::from_slice(line).ok()?;
    (record(&read).ok()?.as_bytes() == line).then_some(read)
}

fn record(record: &impl Serialize) -> Result<String, LineError> {
    serde_json::to_string(record).map_err(|_| LineError("a record that is no JSON"))
}

/// The hash of 64 digits in lower case.
pub(crate) fn unhex(text: &str) -> Option<Hash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut hash = [0; 32];
    if pairs.len() != hash.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    (digits(&hash) == text).then_some(hash)
}
