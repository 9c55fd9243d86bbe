//! The port for moving whole workspaces and installations: their rows as they are, sealed.

use async_trait::async_trait;

use crate::StoreError;
use crate::archive::{Row, Table, Value};
use crate::scope::{ControlKey, ScopeKey};

/// Whose rows.
#[derive(Clone, Copy, Debug)]
pub enum Area<'k> {
    /// The installation's own.
    Installation(&'k ControlKey),
    /// One workspace's.
    Workspace(&'k ScopeKey),
}

/// Which of a table's rows: those that refer to others of the same table come after those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// All, of a table that does not refer to itself.
    Whole,
    /// Those that refer to none.
    Free,
    /// Those that refer to another.
    Bound,
}

impl Part {
    /// The parts of a table, in the order in which they can be put.
    #[must_use]
    pub const fn of(table: &Table) -> &'static [Self] {
        if table.reference.is_some() {
            &[Self::Free, Self::Bound]
        } else {
            &[Self::Whole]
        }
    }
}

/// A view of an area that does not change, from its first page on.
#[async_trait]
pub trait Walk: Send {
    /// The next rows of a table in the order of its key, of the one given on: at most `limit`.
    async fn page(
        &mut self,
        (table, part): (&'static Table, Part),
        after: Option<Vec<Value>>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError>;
}

/// Rows on their way into an area. Dropped without `commit`, it leaves nothing that anybody sees.
#[async_trait]
pub trait Fill: Send {
    /// Puts rows of a table. Those that they refer to have to be there.
    async fn put(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Makes all of it durable and seen, at once.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Rows as they are.
#[async_trait]
pub trait ArchiveRows {
    /// Walks the rows of an area. `None` when there is no such workspace.
    async fn walk(&self, area: Area<'_>) -> Result<Option<Box<dyn Walk>>, StoreError>;

    /// Puts rows into the installation's own tables, beside those that are there, or in the place of all
    /// that a workspace has.
    async fn fill(&self, area: Area<'_>) -> Result<Box<dyn Fill>, StoreError>;
}
