//! A broken rule: where, and what mends it.

use std::fmt;

use anyhow::{Result, bail};

/// One broken rule. The message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    place: String,
    rule: &'static str,
    message: String,
}

impl Problem {
    pub(crate) fn new(
        place: impl Into<String>,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            rule,
            message: message.into(),
        }
    }

    /// A problem at a line of a file, in the form terminals make clickable.
    pub(crate) fn at(
        path: &str,
        line: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(format!("{path}:{line}"), rule, message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: [{}] {}", self.place, self.rule, self.message)
    }
}

/// Prints the problems and turns any into a failure; none is `success` on a line.
///
/// # Errors
/// When there is a problem.
pub(crate) fn conclude(problems: &[Problem], success: &str) -> Result<()> {
    for problem in problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => println!("{success}"),
        1 => bail!("1 problem"),
        count => bail!("{count} problems"),
    }
    Ok(())
}
