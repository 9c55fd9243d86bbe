//! Sources: places that memories are read from.

use crate::Trust;
use crate::memory::coded;

coded! {
    /// What sort of place.
    SourceKind {
        /// A folder of Markdown.
        Folder = 0, "folder";
        /// One file.
        File = 1, "file";
        /// One page.
        Url = 2, "url";
        /// An export of issues and their comments.
        Issues = 3, "issues";
        /// Memories that another program made, or that an export brings back.
        Memories = 4, "memories";
    }
}

impl SourceKind {
    /// The most that memories of such a place may be trusted: a page and an issue are written by
    /// whoever likes to, and a folder holds what somebody put there, which is nobody's word to us.
    /// Memories may be whose word whoever brings them says, if that is a human.
    #[must_use]
    pub const fn greatest_trust(self) -> Trust {
        match self {
            Self::Memories => Trust::User,
            Self::Folder | Self::File => Trust::Agent,
            Self::Url | Self::Issues => Trust::External,
        }
    }
}
