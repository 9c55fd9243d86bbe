//! What is kept out of capture by rule: paths by pattern, tools by name.
//!
//! A rule says what must not be stored, whoever said it. A path that a rule names withholds the text
//! of the call that touches it and of the results that answer that call; a tool's rule says itself
//! how much of the tool is kept. Patterns become one linear-time expression each.

mod glob;
mod paths;

use skep_domain::TurnRole;

use glob::Glob;
use paths::PathRules;

pub use glob::PatternError;

/// Paths that hold secrets by convention; `!` makes an exception.
pub const DENIED_PATHS: &[&str] = &[
    ".env",
    ".env.*",
    "!.env.example",
    "!.env.sample",
    "!.env.template",
    "*.env",
    "secrets/**",
    ".secrets/**",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    ".ssh/**",
    ".gnupg/**",
    ".aws/credentials",
    ".kube/config",
    ".docker/config.json",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".git-credentials",
    ".htpasswd",
    "*.tfstate",
    "credentials.json",
];

/// Tools whose answers are secrets.
pub const DENIED_TOOLS: &[(&str, Drop)] = &[
    ("*1password*", Drop::Content),
    ("*bitwarden*", Drop::Content),
    ("*keychain*", Drop::Content),
    ("*secret*", Drop::Content),
    ("*vault*", Drop::Content),
];

/// Rules of each sort, at most.
const RULES: usize = 200;

/// How much of a tool is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// What it printed; the call is kept.
    Output,
    /// What it was asked and what it printed; that it ran is kept.
    Content,
    /// The call and the result, whole.
    Call,
}

/// What a tool's rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolRule {
    /// The tool's name; `*` stands for anything, case does not matter.
    pub tool: String,
    /// What is dropped.
    pub drop: Drop,
}

/// The rules in force.
#[derive(Clone, Debug)]
pub struct DenyRules {
    paths: PathRules,
    tools: Vec<(Glob, ToolRule)>,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct DenyView<'a> {
    /// What the turn is.
    pub role: TurnRole,
    /// What it says.
    pub text: &'a str,
    /// The tool, for calls and results.
    pub tool: Option<&'a str>,
    /// Files it touches.
    pub paths: &'a [String],
}

/// What is to become of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No rule minds.
    Keep,
    /// That it happened is stored, and this in the place of what it said.
    Withhold(&'static str),
    /// Nothing is stored.
    Refuse,
}

/// What a rule for paths leaves of a turn.
pub(crate) const WITHHELD_PATH: &str = "[withheld: a rule keeps this path out]";
/// What a rule for tools leaves of a turn.
pub(crate) const WITHHELD_TOOL: &str = "[withheld: a rule keeps this tool out]";

/// Calls whose results must be withheld when they come.
///
/// A result does not say which file it is the content of, so the withheld call before it speaks for
/// it. Calls may run side by side: until somebody speaks, every result of that tool is withheld.
#[derive(Clone, Debug, Default)]
pub struct Awaited {
    tools: Vec<String>,
    answered: bool,
}

impl Awaited {
    /// Takes note of a turn that was stored before this batch.
    pub fn recall(&mut self, role: TurnRole, tool: Option<&str>, text: &str) {
        match role {
            TurnRole::ToolCall if text == WITHHELD_PATH => self.expect(tool),
            TurnRole::ToolResult if self.is_due(tool) => self.answered = true,
            TurnRole::User | TurnRole::Assistant => self.spoken(role),
            _ => {}
        }
    }

    /// Whether no result is waited for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    fn expect(&mut self, tool: Option<&str>) {
        let tool = tool.unwrap_or_default();
        if !self.tools.iter().any(|known| known == tool) {
            self.tools.push(tool.to_owned());
        }
        self.answered = false;
    }

    /// A result that names no tool may be anybody's.
    fn is_due(&self, tool: Option<&str>) -> bool {
        match tool {
            None => !self.tools.is_empty(),
            Some(tool) => self
                .tools
                .iter()
                .any(|known| known == tool || known.is_empty()),
        }
    }

    /// An agent may speak while its tool still runs; a user's word, or an agent's after the answer,
    /// ends the wait.
    fn spoken(&mut self, role: TurnRole) {
        if role == TurnRole::User || self.answered {
            *self = Self::default();
        }
    }
}

impl DenyRules {
    /// Rules from patterns.
    ///
    /// # Errors
    /// [`PatternError`] names the pattern and what is wrong with it.
    pub fn new(paths: &[String], tools: &[ToolRule]) -> Result<Self, PatternError> {
        if paths.len() > RULES || tools.len() > RULES {
            return Err(PatternError::too_many(RULES));
        }
        Ok(Self {
            paths: PathRules::new(paths)?,
            tools: tools
                .iter()
                .map(|rule| Ok((Glob::name(&rule.tool)?, rule.clone())))
                .collect::<Result<_, PatternError>>()?,
        })
    }

    /// The patterns of paths, in order.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        self.paths.patterns()
    }

    /// The rules for tools, in order; the first that fits counts.
    pub fn tools(&self) -> impl Iterator<Item = &ToolRule> {
        self.tools.iter().map(|(_, rule)| rule)
    }

    /// Whether a path is kept out.
    #[must_use]
    pub fn denies_path(&self, path: &str) -> bool {
        self.paths.denies(path)
    }

    /// What is to become of a turn; `awaited` goes along from turn to turn of one session.
    #[must_use]
    pub fn judge(&self, turn: DenyView<'_>, awaited: &mut Awaited) -> Verdict {
        match turn.role {
            TurnRole::ToolCall => self.judge_call(turn, awaited),
            TurnRole::ToolResult => self.judge_result(turn, awaited),
            TurnRole::User | TurnRole::Assistant => {
                awaited.spoken(turn.role);
                Verdict::Keep
            }
            TurnRole::Commit | TurnRole::Summary => Verdict::Keep,
        }
    }

    fn judge_call(&self, turn: DenyView<'_>, awaited: &mut Awaited) -> Verdict {
        let dropped = self.dropped(turn.tool);
        if self.names_denied_path(turn) {
            awaited.expect(turn.tool);
            return if dropped == Some(Drop::Call) {
                Verdict::Refuse
            } else {
                Verdict::Withhold(WITHHELD_PATH)
            };
        }
        match dropped {
            Some(Drop::Call) => Verdict::Refuse,
            Some(Drop::Content) => Verdict::Withhold(WITHHELD_TOOL),
            Some(Drop::Output) | None => Verdict::Keep,
        }
    }

    fn judge_result(&self, turn: DenyView<'_>, awaited: &mut Awaited) -> Verdict {
        let due = awaited.is_due(turn.tool);
        awaited.answered |= due;
        match self.dropped(turn.tool) {
            Some(Drop::Call) => Verdict::Refuse,
            Some(Drop::Content | Drop::Output) => Verdict::Withhold(WITHHELD_TOOL),
            None if due || turn.paths.iter().any(|path| self.paths.denies(path)) => {
                Verdict::Withhold(WITHHELD_PATH)
            }
            None => Verdict::Keep,
        }
    }

    fn names_denied_path(&self, turn: DenyView<'_>) -> bool {
        turn.paths.iter().any(|path| self.paths.denies(path)) || self.paths.is_named_in(turn.text)
    }

    /// Servers of tools are written `mcp__server__tool` by one harness and `server.tool` by another.
    fn dropped(&self, tool: Option<&str>) -> Option<Drop> {
        let tool = tool?;
        let dotted = tool.trim_start_matches("mcp__").replace("__", ".");
        self.tools
            .iter()
            .find(|(glob, _)| glob.fits(tool) || glob.fits(&dotted))
            .map(|(_, rule)| rule.drop)
    }
}

impl Default for DenyRules {
    /// [`DENIED_PATHS`] and [`DENIED_TOOLS`]; a test holds that they are well-formed.
    fn default() -> Self {
        let paths: Vec<String> = DENIED_PATHS.iter().map(|text| (*text).to_owned()).collect();
        let tools: Vec<ToolRule> = DENIED_TOOLS
            .iter()
            .map(|(tool, drop)| ToolRule {
                tool: (*tool).to_owned(),
                drop: *drop,
            })
            .collect();
        Self::new(&paths, &tools).unwrap_or_else(|_| Self {
            paths: PathRules::everything(),
            tools: Vec::new(),
        })
    }
}

impl Drop {
    /// The word in configuration and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Content => "content",
            Self::Call => "call",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Output, Self::Content, Self::Call]
            .into_iter()
            .find(|drop| drop.as_str() == text)
    }
}

#[cfg(test)]
mod tests;
