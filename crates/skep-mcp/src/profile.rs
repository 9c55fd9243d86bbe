//! Which tools a client is shown. Few by default: every description costs tokens in every conversation.

use crate::tools::Tool;

/// A choice of tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// What an agent needs to remember.
    #[default]
    Standard,
    /// All that there is for agents.
    Full,
    /// `search` and `fetch` alone, as connectors for research want them.
    Search,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Full, Self::Search];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Full => "full",
            Self::Search => "search",
        }
    }

    /// The profile of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Whether the tree of memories and prompts are shown too.
    pub(crate) const fn has_more_than_tools(self) -> bool {
        !matches!(self, Self::Search)
    }

    pub(crate) const fn tools(self) -> &'static [Tool] {
        const STANDARD: &[Tool] = &[
            Tool::MemorySearch,
            Tool::MemoryGet,
            Tool::MemoryStore,
            Tool::MemoryForget,
            Tool::MemoryTimeline,
            Tool::SessionContext,
        ];
        const FULL: &[Tool] = &[
            Tool::MemorySearch,
            Tool::MemoryGet,
            Tool::MemoryStore,
            Tool::MemoryForget,
            Tool::MemoryTimeline,
            Tool::SessionContext,
            Tool::MemoryUpdate,
            Tool::MemoryConflicts,
            Tool::NameRelations,
            Tool::Whoami,
        ];
        match self {
            Self::Standard => STANDARD,
            Self::Full => FULL,
            Self::Search => &[Tool::Search, Tool::Fetch],
        }
    }
}
