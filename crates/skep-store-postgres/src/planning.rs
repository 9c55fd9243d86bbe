//! Whether a statement is planned for the values at hand, or once for all that a connection will have.
//!
//! A connection begins with one plan for all: so little is done before a workspace is known that it serves
//! every one. The first statement whose best plan depends on values asks for plans of its own, and the next
//! that does not asks for the other again. What was asked ends with the transaction.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::statement::Statement;

const ONCE: &str = "force_generic_plan";
const EACH_TIME: &str = "force_custom_plan";

/// What a transaction has asked for.
pub(crate) struct Planning {
    is_once: AtomicBool,
    /// A database that is spread over machines finds the one by the values at hand.
    is_fixed: bool,
}

impl Planning {
    /// At the start of a transaction.
    pub(crate) fn new(is_distributed: bool) -> Self {
        Self {
            is_once: AtomicBool::new(!is_distributed),
            is_fixed: is_distributed,
        }
    }

    /// What connections begin with.
    pub(crate) fn at_first(is_distributed: bool) -> &'static str {
        if is_distributed { EACH_TIME } else { ONCE }
    }

    /// What has to be asked for before this statement, if it was not asked for already.
    pub(crate) fn turn(&self, statement: Statement) -> Option<&'static str> {
        let once = statement.is_planned_once;
        if self.is_fixed || self.is_once.swap(once, Ordering::Relaxed) == once {
            return None;
        }
        Some(if once { ONCE } else { EACH_TIME })
    }
}
