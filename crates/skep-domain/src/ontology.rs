//! What may be proposed about the names that memories speak of.

use crate::memory::coded;

coded! {
    /// What a proposal asks for.
    OntologyAction {
        /// Two names are of one thing.
        Merge = 0, "merge";
        /// A thing is called otherwise now.
        Rename = 1, "rename";
        /// A name leads nowhere any more.
        Archive = 2, "archive";
    }
}

coded! {
    /// How far a proposal has come.
    ProposalState {
        /// Somebody with the right has yet to decide.
        Waiting = 0, "waiting";
        /// It holds.
        Accepted = 1, "accepted";
        /// It does not.
        Rejected = 2, "rejected";
    }
}
