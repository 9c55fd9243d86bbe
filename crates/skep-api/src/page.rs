//! Pages of rows: a size and an opaque cursor.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which page is wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Rows, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl PageQuery {
    /// So many rows after a cursor, or from the start.
    #[must_use]
    pub const fn new(limit: u32, cursor: Option<String>) -> Self {
        Self {
            limit: Some(limit),
            cursor,
        }
    }
}

/// One page.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// The rows, newest first unless the route says otherwise.
    pub items: Vec<T>,
    /// Cursor of the page after; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
