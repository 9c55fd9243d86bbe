//! Rows in neutral types, and the one form of their bytes: what is written to an archive, and what checksums
//! are over.

use skep_crypto::MacKey;

use super::tables::{Kind, Table};
use crate::StoreError;

/// What one column of a row holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// An integer.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
    /// An id, a digest, or sealed bytes.
    Bytes(Vec<u8>),
    /// A word, such as the name of a role; content is sealed.
    Text(String),
}

/// A row, in the order of its table's columns.
pub type Row = Vec<Value>;

const DAMAGED: StoreError = StoreError::Damaged("a row of an archive");

impl Value {
    /// The bytes, of a column that holds some.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The id, of a column that holds one.
    #[must_use]
    pub fn id(&self) -> Option<[u8; 16]> {
        self.bytes()?.try_into().ok()
    }

    fn fits(&self, kind: Kind) -> bool {
        match self {
            Self::Null => false,
            Self::Integer(_) => kind == Kind::Integer,
            Self::Flag(_) => kind == Kind::Flag,
            Self::Bytes(bytes) => kind == Kind::Bytes || (kind == Kind::Id && bytes.len() == 16),
            Self::Text(_) => kind == Kind::Text,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (tag, bytes): (u8, &[u8]) = match self {
            Self::Null => return out.push(0),
            Self::Integer(number) => {
                out.push(1);
                return out.extend(number.to_le_bytes());
            }
            Self::Flag(flag) => return out.extend([2, u8::from(*flag)]),
            Self::Bytes(bytes) => (3, bytes),
            Self::Text(text) => (4, text.as_bytes()),
        };
        out.push(tag);
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
    }

    fn read(from: &mut &[u8]) -> Option<Self> {
        let (tag, rest) = from.split_first()?;
        *from = rest;
        Some(match tag {
            0 => Self::Null,
            1 => {
                let (number, rest) = from.split_first_chunk()?;
                *from = rest;
                Self::Integer(i64::from_le_bytes(*number))
            }
            2 => {
                let (flag, rest) = from.split_first()?;
                *from = rest;
                Self::Flag(*flag == 1)
            }
            3 | 4 => {
                let (length, rest) = from.split_first_chunk()?;
                let length = u32::from_le_bytes(*length) as usize;
                let (bytes, rest) = rest.split_at_checked(length)?;
                *from = rest;
                if *tag == 3 {
                    Self::Bytes(bytes.to_vec())
                } else {
                    Self::Text(String::from_utf8(bytes.to_vec()).ok()?)
                }
            }
            _ => return None,
        })
    }
}

/// Appends the bytes of a row.
pub(super) fn write_row(row: &Row, out: &mut Vec<u8>) {
    for value in row {
        value.write(out);
    }
}

/// Reads the row of a table; what does not fit it is damage.
pub(super) fn read_row(table: &Table, mut bytes: &[u8]) -> Result<Row, StoreError> {
    let mut row = Row::with_capacity(table.columns.len());
    for column in table.columns {
        let value = Value::read(&mut bytes).ok_or(DAMAGED)?;
        let fits = value.fits(column.kind) || (column.nullable && value == Value::Null);
        if !fits {
            return Err(DAMAGED);
        }
        row.push(value);
    }
    if bytes.is_empty() {
        Ok(row)
    } else {
        Err(DAMAGED)
    }
}

/// How many rows of a table there were, and a keyed checksum over all of them in order. Wrapped keys do not
/// count: they differ from place to place, whatever they wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) checksum: [u8; 32],
}

impl Tally {
    pub(super) const fn new() -> Self {
        Self {
            rows: 0,
            checksum: [0; 32],
        }
    }

    pub(super) fn count(&mut self, key: &MacKey, table: &Table, row: &Row) {
        let mut bytes = Vec::new();
        for (column, value) in table.columns.iter().zip(row) {
            if !column.is_wrapped {
                value.write(&mut bytes);
            }
        }
        self.rows += 1;
        self.checksum = key.tag32(&[&self.checksum, table.name.as_bytes(), &bytes]);
    }
}
