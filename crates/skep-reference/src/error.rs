//! Why a reference led to no value.

/// What was wrong, with nothing in it that a store said beside its status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The operator lets nobody, or not this organization, refer to that.
    #[error(
        "this daemon looks up no such reference for this organization: whoever runs it names the stores in the \
         section [references] of skep.toml"
    )]
    NotAllowed,
    /// The store has nothing there.
    #[error("there is nothing at {0}")]
    Missing(String),
    /// There are several things there.
    #[error("{0} is not one thing: refer to it by its id")]
    Ambiguous(String),
    /// The store does not let the daemon see it.
    #[error(
        "{store} does not let this daemon see it: its token has no right to, or is none any more"
    )]
    Refused {
        /// Which store.
        store: String,
    },
    /// The store cannot be asked now.
    #[error("{store} cannot be asked: {problem}")]
    Away {
        /// Which store.
        store: String,
        /// What is wrong.
        problem: String,
    },
    /// What is there is no secret that can be used.
    #[error("what is at {0} is no text of {least} to {most} bytes", least = skep_domain::Limits::SECRET_VALUE_MIN, most = skep_domain::Limits::RECORD_VALUE)]
    Unfit(String),
}
