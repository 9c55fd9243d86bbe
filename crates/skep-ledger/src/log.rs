//! Which logs an organization has.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of an organization's logs. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Log {
    /// Who was allowed or refused what.
    Audit = 0,
    /// What was used, and what it cost.
    Usage = 1,
}

impl Log {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Audit, Self::Usage];

    /// The number that is stored.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The log of a stored number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|log| log.code() == code)
    }

    /// Its name, as in lines and origins.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Usage => "usage",
        }
    }

    /// The log of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|log| log.as_str() == name)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
