//! What the distiller reads: turns of a session and commits of a repository, cleaned and redacted.

use skep_domain::{Timestamp, TurnRole};

/// One turn, borrowed from whoever holds the session.
#[derive(Clone, Copy, Debug)]
pub struct TurnView<'a> {
    /// Its place in the session; drafts name their sources by it.
    pub index: usize,
    /// Who speaks.
    pub role: TurnRole,
    /// When.
    pub at: Timestamp,
    /// What was said. Of a tool call: the command line, or the tool's input as text or JSON.
    pub text: &'a str,
    /// The tool's name, of a call or a result.
    pub tool: Option<&'a str>,
    /// Whether the harness says that a result is an error.
    pub is_error: bool,
    /// Files that the turn names or touches.
    pub paths: &'a [String],
}

/// Who wrote a commit, as far as trust goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitAuthor {
    /// The person whose memory this becomes.
    Own,
    /// Somebody else.
    Other,
    /// A program: dependency updates, release automation.
    Bot,
}

impl CommitAuthor {
    /// Judges by name and address; `own` is the address that the importing person commits with.
    #[must_use]
    pub fn of(name: &str, email: &str, own: Option<&str>) -> Self {
        let (name, email) = (name.to_ascii_lowercase(), email.to_ascii_lowercase());
        let is_bot = |text: &str| {
            text.ends_with("[bot]")
                || text.contains("[bot]@")
                || [
                    "dependabot",
                    "renovate",
                    "github-actions",
                    "greenkeeper",
                    "snyk-bot",
                ]
                .iter()
                .any(|bot| text.starts_with(bot))
        };
        if is_bot(&name) || is_bot(&email) {
            Self::Bot
        } else if own.is_some_and(|own| own.eq_ignore_ascii_case(&email)) {
            Self::Own
        } else {
            Self::Other
        }
    }
}

/// What a commit did to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileStatus {
    /// It is new.
    Added,
    /// Its content changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It moved here.
    Renamed,
}

impl FileStatus {
    /// Reads the letter of `git log --name-status`; unknown letters count as a change of content.
    #[must_use]
    pub fn from_letter(letter: char) -> Self {
        match letter {
            'A' | 'C' => Self::Added,
            'D' => Self::Deleted,
            'R' => Self::Renamed,
            _ => Self::Modified,
        }
    }
}

/// One file of a commit; of a rename, the new path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// What happened.
    pub status: FileStatus,
    /// To which path, `/` between its parts.
    pub path: String,
}

/// One commit, borrowed from whoever reads the repository.
#[derive(Clone, Copy, Debug)]
pub struct CommitView<'a> {
    /// Its place in the session that the import makes of the history.
    pub index: usize,
    /// The full object id.
    pub id: &'a str,
    /// When it was committed.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: CommitAuthor,
    /// The first line.
    pub subject: &'a str,
    /// The rest, trailers included.
    pub body: &'a str,
    /// How many parents it has; two or more make it a merge.
    pub parents: usize,
    /// What it touched.
    pub files: &'a [FileChange],
}
