//! Columns as SQLite has them. What they mean is the same everywhere: see [`skep_store::column`].

use rusqlite::Row;
use rusqlite::types::ValueRef;
use skep_domain::Id;
use skep_store::column::{Columns, Stored, damaged};

use crate::failure::Failure;

/// A whole row of whatever is asked for.
pub(crate) fn stored<T: Stored>(row: &Row<'_>) -> Result<T, Failure> {
    T::read(row)
}

/// Where a page ends: above every id if it has no upper end.
pub(crate) fn page_end<I: Id>(before: Option<I>) -> Vec<u8> {
    before.map_or_else(|| vec![0xFF; 17], |id| id.to_bytes().to_vec())
}

impl Columns<Failure> for Row<'_> {
    fn number(&self, at: usize) -> Result<Option<i64>, Failure> {
        Ok(self.get(at)?)
    }

    fn flag(&self, at: usize) -> Result<Option<bool>, Failure> {
        Ok(self.get(at)?)
    }

    fn bytes(&self, at: usize) -> Result<Option<&[u8]>, Failure> {
        match self.get_ref(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(damaged().into()),
        }
    }

    fn text(&self, at: usize) -> Result<Option<&str>, Failure> {
        let text = self.get_ref(at)?.as_str_or_null();
        text.map_err(|_| damaged().into())
    }
}
