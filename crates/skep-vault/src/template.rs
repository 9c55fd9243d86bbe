//! A way of using secrets, written down so that somebody else can approve exactly that: a program with
//! arguments of which some are left open, or what may be put into requests on the wire.
//!
//! A [`Draft`] is anything; a [`Template`] is one that was checked. Its [`Template::digest`] is over
//! all of it, so that what was approved is what runs. Whoever asks for a run names it and fills in its
//! parameters, and nothing else: there is no shell, a value is one argument or a part of one, and it
//! begins with no dash.

mod check;
mod fill;
mod form;
mod rules;
mod text;

use serde::{Deserialize, Serialize};
use skep_crypto::sha256;
use skep_domain::{RecordName, RecordNameError};

pub use check::TemplateError;
pub use fill::{Arguments, FillError, has_parameter};

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
pub(crate) const RULES: usize = 32;
pub(crate) const BASES: usize = 16;
pub(crate) const LAYERS: usize = 16;
pub(crate) const SECONDS: u32 = 30 * 60;
pub(crate) const LEASE: u32 = 24 * 60 * 60;
pub(crate) const OUTPUT: u32 = 1 << 20;

/// A template as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// What it is called; the name is part of what is approved.
    pub name: String,
    /// What it is for, in a sentence.
    pub purpose: String,
    /// How secrets are used.
    pub form: Form,
}

/// How secrets are used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// By a program that the daemon runs.
    Program(Program),
    /// In requests of a program that whoever asks runs, put in on the wire.
    Requests(Requests),
}

/// A program that the daemon runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// By its absolute path.
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
    /// Where it may send unread: `api.example.com`, `*.example.com`, each with `:port` if it is not 443.
    /// Nowhere if there are none.
    pub hosts: Vec<String>,
    /// What is put into its requests, so that it need not hold it.
    pub rules: Vec<Rule>,
    /// Layers of its sandbox that it may run without, where the machine has them not.
    pub without: Vec<String>,
    /// Seconds that it may take.
    pub seconds: u32,
    /// Bytes that it may print.
    pub output: u32,
}

/// What is put into the requests of a program that whoever asks runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// Which secret may go where.
    pub rules: Vec<Rule>,
    /// URLs on this machine that stand for an origin, for programs that take no proxy.
    pub bases: Vec<Base>,
    /// Where it may send unread, beside the hosts of the rules.
    pub hosts: Vec<String>,
    /// Seconds that one lease lasts at most.
    pub seconds: u32,
}

/// One secret, and where it may go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Whose it is; an agent's own is the asking agent's.
    pub owner: Owner,
    /// What it is called.
    pub secret: String,
    /// To these hosts.
    pub hosts: Vec<String>,
    /// In these headers.
    pub headers: Vec<String>,
    /// With these methods; with any if there are none.
    pub methods: Vec<String>,
    /// To paths that begin so; to any if there are none.
    pub paths: Vec<String>,
    /// What becomes of its placeholder in a body.
    pub body: Body,
}

/// What becomes of a placeholder in the body of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The request is refused.
    #[default]
    Refuse,
    /// It stays, a word like others.
    Leave,
    /// The value takes its place.
    Replace,
}

/// A URL on this machine that stands for an origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// A part of the URL.
    pub name: String,
    /// `https://` and a host.
    pub origin: String,
    /// The header that each request gets.
    pub header: String,
    /// What it holds: the placeholder of a secret that a rule is about, and what stands around it.
    pub value: String,
}

/// What may be filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name, as between braces.
    pub name: String,
    /// Which values it may have.
    pub kind: Kind,
}

/// Which values a parameter may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretIn {
    /// Whose it is; an agent's own is the asking agent's.
    pub owner: Owner,
    /// What it is called.
    pub name: String,
    /// Where it is put.
    pub into: Into,
}

/// Whose secret is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

    /// The program, if that is its form.
    #[must_use]
    pub fn program(&self) -> Option<&Program> {
        match &self.draft.form {
            Form::Program(program) => Some(program),
            Form::Requests(_) => None,
        }
    }

    /// What it puts into requests, if that is its form.
    #[must_use]
    pub fn requests(&self) -> Option<&Requests> {
        match &self.draft.form {
            Form::Requests(requests) => Some(requests),
            Form::Program(_) => None,
        }
    }

    /// What is put in on the wire, whatever its form.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        match &self.draft.form {
            Form::Program(program) => &program.rules,
            Form::Requests(requests) => &requests.rules,
        }
    }

    /// Every secret that it uses, whose it is and what it is called as it is written first, each once.
    #[must_use]
    pub fn secrets(&self) -> Vec<(Owner, RecordName)> {
        let given = self.program().map_or(&[][..], |program| &program.secrets);
        let given = given.iter().map(|secret| (secret.owner, &secret.name));
        let sent = self.rules().iter().map(|rule| (rule.owner, &rule.secret));
        let mut all: Vec<(Owner, RecordName)> = Vec::new();
        for (owner, name) in given.chain(sent) {
            // All of them were checked.
            if let Ok(name) = RecordName::parse(name)
                && !all
                    .iter()
                    .any(|(other, known)| *other == owner && known.key() == name.key())
            {
                all.push((owner, name));
            }
        }
        all
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

impl Body {
    /// Its name, which digests are over: it never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Leave => "leave",
            Self::Replace => "replace",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Refuse, Self::Leave, Self::Replace];
        all.into_iter().find(|body| body.as_str() == name)
    }
}

impl Rule {
    /// What the proxy calls its secret, as between `__skep_` and `__`.
    #[must_use]
    pub fn wire_name(&self) -> String {
        self.secret.to_ascii_lowercase()
    }

    /// Its secret's name, checked.
    ///
    /// # Errors
    /// [`RecordNameError`] in a draft that was not checked.
    pub fn record(&self) -> Result<RecordName, RecordNameError> {
        RecordName::parse(&self.secret)
    }
}

impl Owner {
    /// Its name, which digests are over: it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Organization => "organization",
            Self::Agent => "agent",
        }
    }

    /// The owner of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Workspace, Self::Organization, Self::Agent];
        all.into_iter().find(|owner| owner.as_str() == name)
    }

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
