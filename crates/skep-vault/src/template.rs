//! What may be run with secrets: a program with arguments of which some are left open, written down so
//! that somebody else can approve exactly that.
//!
//! A [`Draft`] is anything; a [`Template`] is one that was checked. Its [`Template::digest`] is over
//! all of it, so that what was approved is what runs. Whoever asks for a run names it and fills in its
//! parameters, and nothing else: there is no shell, a value is one argument or a part of one, and it
//! begins with no dash.

mod check;
mod fill;
mod form;

use skep_crypto::sha256;
use skep_domain::{RecordName, RecordNameError};

pub use check::TemplateError;
pub use fill::{Arguments, FillError};

use crate::Scope;

/// Bounds on a template.
pub(crate) const ARGUMENTS: usize = 64;
pub(crate) const ARGUMENT: usize = 4 << 10;
pub(crate) const PARAMETERS: usize = 16;
pub(crate) const SECRETS: usize = 16;
pub(crate) const VARIABLES: usize = 32;
pub(crate) const PATHS: usize = 16;
pub(crate) const HOSTS: usize = 32;
pub(crate) const CHOICES: usize = 64;
pub(crate) const PATTERN: usize = 256;
pub(crate) const SECONDS: u32 = 30 * 60;
pub(crate) const OUTPUT: u32 = 1 << 20;

/// A template as somebody wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// What it is called; the name is part of what is approved.
    pub name: String,
    /// What it is for, in a sentence.
    pub purpose: String,
    /// The program, by its absolute path.
    pub program: String,
    /// Its arguments. `{name}` stands for a parameter, `{{` and `}}` for braces.
    pub arguments: Vec<String>,
    /// What may be filled in.
    pub parameters: Vec<Parameter>,
    /// Which secrets it is given, and how.
    pub secrets: Vec<SecretIn>,
    /// Variables with values that are no secrets.
    pub variables: Vec<(String, String)>,
    /// Where it starts; its private folder if empty.
    pub directory: String,
    /// What it may read beside programs and libraries, by absolute path.
    pub readable: Vec<String>,
    /// What it may write beside its private folder, by absolute path.
    pub writable: Vec<String>,
    /// Where it may send: `api.example.com`, `*.example.com`, each with `:port` if it is not 443.
    /// Nowhere if there are none.
    pub hosts: Vec<String>,
    /// Seconds that it may take.
    pub seconds: u32,
    /// Bytes that it may print.
    pub output: u32,
}

/// What may be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as between braces.
    pub name: String,
    /// Which values it may have.
    pub kind: Kind,
}

/// Which values a parameter may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text that this regular expression matches as a whole.
    Text {
        /// In the syntax of the crate `regex`, which takes linear time.
        pattern: String,
    },
    /// A whole number within these.
    Number {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// One of these.
    Choice {
        /// As they are written.
        of: Vec<String>,
    },
}

/// A secret and how the program gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretIn {
    /// Whose it is; an agent's own is the asking agent's.
    pub owner: Owner,
    /// What it is called.
    pub name: String,
    /// Where it is put.
    pub into: Into,
}

/// Whose secret is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// The workspace's.
    #[default]
    Workspace,
    /// The organization's.
    Organization,
    /// That of the agent who asks.
    Agent,
}

/// How a program gets a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Into {
    /// In this variable.
    Variable(String),
    /// As a file in memory, on this descriptor.
    Descriptor(u32),
    /// On standard input.
    Input,
}

/// A template that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    draft: Draft,
    name: RecordName,
}

impl Template {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &RecordName {
        &self.name
    }

    /// All of it.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// SHA-256 over the one form that all of it has: who approves this approves nothing else.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(&form::form(&self.draft))
    }
}

impl SecretIn {
    /// Its name, checked.
    ///
    /// # Errors
    /// [`RecordNameError`] in a draft that was not checked.
    pub fn record(&self) -> Result<RecordName, RecordNameError> {
        RecordName::parse(&self.name)
    }
}

impl Owner {
    /// The place in the vault, for whoever asks.
    #[must_use]
    pub fn scope(self, agent: Option<skep_domain::AgentId>) -> Option<Scope> {
        match self {
            Self::Workspace => Some(Scope::Workspace),
            Self::Organization => Some(Scope::Organization),
            Self::Agent => agent.map(Scope::Agent),
        }
    }
}

#[cfg(test)]
mod tests;
