//! The stream inside an archive: records in chunks, read back with every table counted and compared.

use std::io::Read;
use std::path::{Path, PathBuf};

use skep_crypto::{
    ARCHIVE_HEADER, ArchiveLock, ArchiveOpener, ArchiveSealer, CHUNK_HEAD, CHUNK_MAX, CryptoError,
    KeyEncryptionKey, MacKey,
};
use skep_domain::{Id, OrganizationId, Timestamp, WorkspaceId};

use super::tables::{INSTALLATION, MARK, Table, WORKSPACE};
use super::value::{Row, Tally, read_row, write_row};
use crate::StoreError;
use crate::scope::ScopeKey;

const DAMAGED: StoreError =
    StoreError::Damaged("the archive: it was changed, cut off, or not written to its end");

/// Bytes of a record, at the most; a row's columns are bounded far below.
const RECORD_MAX: usize = 64 << 20;

/// What an archive is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) instance: [u8; 16],
    pub(super) made_at: Timestamp,
    /// Whether it has the installation's own rows and every workspace.
    pub(super) is_whole: bool,
}

/// Whose rows follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Installation,
    /// The control rows of the one workspace.
    Single,
    Workspace(OrganizationId, WorkspaceId),
    /// It was erased while the archive was written.
    Gone(WorkspaceId),
}

impl Section {
    /// Whether a workspace's rows follow.
    pub(super) fn is_of(self, scope: &ScopeKey) -> bool {
        matches!(self, Self::Workspace(_, id) if id == scope.workspace())
    }
}

/// What stands in an archive, one after the other.
pub(super) enum Record {
    Section(Section),
    Row(&'static Table, Row),
    TableEnd(&'static Table, Tally),
}

mod tag {
    pub(super) const HEAD: u8 = 1;
    pub(super) const SECTION: u8 = 2;
    pub(super) const TABLE: u8 = 3;
    pub(super) const ROW: u8 = 4;
    pub(super) const TABLE_END: u8 = 5;
    pub(super) const END: u8 = 6;
}

/// Seals records.
pub(super) struct Writer {
    sealer: ArchiveSealer,
    plain: Vec<u8>,
    out: Vec<u8>,
    rows: u64,
}

impl Writer {
    pub(super) fn new(sealer: ArchiveSealer, header: [u8; ARCHIVE_HEADER], head: Head) -> Self {
        let mut writer = Self {
            sealer,
            plain: Vec::new(),
            out: header.to_vec(),
            rows: 0,
        };
        let mut body = MARK.to_vec();
        body.extend(head.instance);
        body.extend(head.made_at.as_micros().to_le_bytes());
        body.push(u8::from(head.is_whole));
        writer.record(tag::HEAD, &body);
        writer
    }

    pub(super) fn section(&mut self, section: Section) {
        let mut body = Vec::with_capacity(33);
        match section {
            Section::Installation => body.push(0),
            Section::Single => body.push(1),
            Section::Workspace(organization, workspace) => {
                body.push(2);
                body.extend(organization.to_bytes());
                body.extend(workspace.to_bytes());
            }
            Section::Gone(workspace) => {
                body.push(3);
                body.extend(workspace.to_bytes());
            }
        }
        self.record(tag::SECTION, &body);
    }

    pub(super) fn table(&mut self, table: &Table) {
        self.record(tag::TABLE, table.name.as_bytes());
    }

    pub(super) fn row(&mut self, row: &Row) {
        let mut body = Vec::new();
        write_row(row, &mut body);
        self.rows += 1;
        self.record(tag::ROW, &body);
    }

    pub(super) fn table_end(&mut self, tally: Tally) {
        let mut body = tally.rows.to_le_bytes().to_vec();
        body.extend(tally.checksum);
        self.record(tag::TABLE_END, &body);
    }

    /// What is sealed so far.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// The rest, with the end mark.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.record(tag::END, &self.rows.to_le_bytes().clone());
        let rest = std::mem::take(&mut self.plain);
        self.sealer.seal(&rest, true, &mut self.out);
        self.take()
    }

    pub(super) fn checksums(&self) -> MacKey {
        self.sealer.checksums()
    }

    pub(super) fn wrapping(&self, instance: [u8; 16]) -> KeyEncryptionKey {
        self.sealer.wrapping(instance)
    }

    fn record(&mut self, tag: u8, body: &[u8]) {
        self.plain.push(tag);
        self.plain.extend((body.len() as u32).to_le_bytes());
        self.plain.extend(body);
        while self.plain.len() > CHUNK_MAX {
            let rest = self.plain.split_off(CHUNK_MAX);
            self.sealer.seal(&self.plain, false, &mut self.out);
            self.plain = rest;
        }
    }
}

/// An archive in a file, and what opens it.
pub struct Archive {
    path: PathBuf,
    lock: ArchiveLock,
}

impl Archive {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(path: &Path, lock: ArchiveLock) -> Self {
        Self {
            path: path.to_owned(),
            lock,
        }
    }

    /// Opens it at its beginning.
    pub(super) fn open(&self) -> Result<Reader, StoreError> {
        let file = std::fs::File::open(&self.path)
            .map_err(|error| StoreError::Unavailable(format!("the archive: {error}")))?;
        let mut from: Box<dyn Read + Send> =
            Box::new(std::io::BufReader::with_capacity(CHUNK_MAX, file));
        let mut header = [0; ARCHIVE_HEADER];
        from.read_exact(&mut header).map_err(|_| DAMAGED)?;
        let opener = ArchiveOpener::begin(&self.lock, &header).map_err(|error| match error {
            CryptoError::WrongKey => StoreError::Refused(
                "the archive does not open: it is closed for another passphrase or recovery key, or its first \
                 bytes were changed"
                    .into(),
            ),
            CryptoError::Malformed { .. } => {
                StoreError::Refused("the file is no archive of this program".into())
            }
            other => other.into(),
        })?;
        Reader::new(opener, from)
    }
}

/// Opens records.
pub(super) struct Reader {
    opener: ArchiveOpener,
    from: Box<dyn Read + Send>,
    plain: Vec<u8>,
    /// How much of `plain` was read.
    at: usize,
    is_last: bool,
    checksums: MacKey,
    rows: u64,
    section: Option<Section>,
    table: Option<(&'static Table, Tally)>,
    head: Head,
}

impl Reader {
    fn new(opener: ArchiveOpener, from: Box<dyn Read + Send>) -> Result<Self, StoreError> {
        let checksums = opener.checksums();
        let mut reader = Self {
            opener,
            from,
            plain: Vec::new(),
            at: 0,
            is_last: false,
            checksums,
            rows: 0,
            section: None,
            table: None,
            head: Head {
                instance: [0; 16],
                made_at: Timestamp::from_micros(0),
                is_whole: false,
            },
        };
        let (tag, body) = reader.record()?;
        reader.head = read_head(tag, &body)?;
        Ok(reader)
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn wrapping(&self) -> KeyEncryptionKey {
        self.opener.wrapping(self.head.instance)
    }

    pub(super) fn into_checksums(self) -> MacKey {
        self.checksums
    }

    /// The next one, of a table compared with what was counted when it was written. `None` at the end, and
    /// only there.
    pub(super) fn next(&mut self) -> Result<Option<Record>, StoreError> {
        loop {
            let (tag, body) = self.record()?;
            match (tag, self.table) {
                (tag::SECTION, None) => {
                    let section = read_section(&body)?;
                    self.section = Some(section);
                    return Ok(Some(Record::Section(section)));
                }
                (tag::TABLE, None) => self.table = Some((self.find(&body)?, Tally::new())),
                (tag::ROW, Some((table, mut tally))) => {
                    let row = read_row(table, &body)?;
                    tally.count(&self.checksums, table, &row);
                    self.table = Some((table, tally));
                    self.rows += 1;
                    return Ok(Some(Record::Row(table, row)));
                }
                (tag::TABLE_END, Some((table, tally))) => {
                    let counted = [&tally.rows.to_le_bytes()[..], &tally.checksum].concat();
                    if counted != body {
                        return Err(DAMAGED);
                    }
                    self.table = None;
                    return Ok(Some(Record::TableEnd(table, tally)));
                }
                (tag::END, None) => return self.end(&body),
                _ => return Err(DAMAGED),
            }
        }
    }

    fn find(&self, name: &[u8]) -> Result<&'static Table, StoreError> {
        let tables = match self.section {
            Some(Section::Installation | Section::Single) => INSTALLATION,
            Some(Section::Workspace(..)) => WORKSPACE,
            Some(Section::Gone(_)) | None => return Err(DAMAGED),
        };
        let mut known = tables.iter().filter(|table| table.is_archived);
        known
            .find(|table| table.name.as_bytes() == name)
            .ok_or(DAMAGED)
    }

    /// Nothing may follow.
    fn end(&mut self, body: &[u8]) -> Result<Option<Record>, StoreError> {
        let trailing = self.from.read(&mut [0; 1]).map_err(|_| DAMAGED)?;
        let is_whole = self.is_last && self.at == self.plain.len() && trailing == 0;
        if is_whole && body == self.rows.to_le_bytes() {
            Ok(None)
        } else {
            Err(DAMAGED)
        }
    }

    fn record(&mut self) -> Result<(u8, Vec<u8>), StoreError> {
        let head = self.bytes(5)?;
        let length = head.last_chunk::<4>().map_or(0, |n| u32::from_le_bytes(*n));
        let length = length as usize;
        if length > RECORD_MAX {
            return Err(DAMAGED);
        }
        Ok((head[0], self.bytes(length)?))
    }

    fn bytes(&mut self, count: usize) -> Result<Vec<u8>, StoreError> {
        while self.plain.len() - self.at < count {
            if self.is_last {
                return Err(DAMAGED);
            }
            self.chunk()?;
        }
        let bytes = self.plain[self.at..self.at + count].to_vec();
        self.at += count;
        Ok(bytes)
    }

    fn chunk(&mut self) -> Result<(), StoreError> {
        let mut head = [0; CHUNK_HEAD];
        self.from.read_exact(&mut head).map_err(|_| DAMAGED)?;
        let (length, is_last) = ArchiveOpener::length(head).map_err(|_| DAMAGED)?;
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).map_err(|_| DAMAGED)?;
        self.opener.open(head, &mut body).map_err(|_| DAMAGED)?;
        self.plain.drain(..self.at);
        self.at = 0;
        self.plain.extend(body);
        self.is_last = is_last;
        Ok(())
    }
}

fn read_head(tag: u8, body: &[u8]) -> Result<Head, StoreError> {
    let mark = body.strip_prefix(MARK.as_slice());
    let Some(rest) = mark.filter(|_| tag == tag::HEAD) else {
        return Err(StoreError::Refused(
            "the archive was written by a version with other tables: restore it with that version, then update"
                .into(),
        ));
    };
    let fields = || {
        let (instance, rest) = rest.split_first_chunk::<16>()?;
        let (made_at, rest) = rest.split_first_chunk::<8>()?;
        Some(Head {
            instance: *instance,
            made_at: Timestamp::from_micros(i64::from_le_bytes(*made_at)),
            is_whole: rest == [1],
        })
    };
    fields().ok_or(DAMAGED)
}

fn read_section(body: &[u8]) -> Result<Section, StoreError> {
    let section = || {
        let (kind, rest) = body.split_first()?;
        Some(match (kind, rest.len()) {
            (0, 0) => Section::Installation,
            (1, 0) => Section::Single,
            (2, 32) => Section::Workspace(
                OrganizationId::from_bytes(*rest.first_chunk()?),
                WorkspaceId::from_bytes(*rest.last_chunk()?),
            ),
            (3, 16) => Section::Gone(WorkspaceId::from_bytes(*rest.first_chunk()?)),
            _ => return None,
        })
    };
    section().ok_or(DAMAGED)
}
