//! The command line of participants, consent and observations.

use clap::{Args as ClapArgs, Subcommand};
use skep_api::{Instant, ParticipantKind};

use super::values::{moment, statements};

/// What to do about participants.
#[derive(Debug, Subcommand)]
pub(crate) enum Participant {
    /// Name somebody who has no credential here; with --self, say your own name.
    Add {
        /// Letters, digits, `.`, `_` and `-`.
        name: String,
        /// What they are.
        #[arg(long, short, default_value = ParticipantKind::Outside.as_str(), value_parser = ["human", "agent", "outside"], conflicts_with = "own")]
        kind: String,
        /// It is your own name.
        #[arg(long = "self")]
        own: bool,
    },
    /// List those you share a session with, added, or are.
    List {
        /// How many to show at most.
        #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show one, and what others observed about it.
    Show {
        /// An id such as `prt_0e…`, a name, or `me`.
        participant: String,
        /// Only what this participant observed.
        #[arg(long)]
        observer: Option<String>,
    },
    /// Show a short profile, or say what stands on your own.
    ///
    /// It is put together at every look, from your own words and from what others observed with
    /// your consent.
    Card {
        /// An id such as `prt_0e…`, a name, or `me`.
        participant: String,
        /// Your own words, once for each fact; they take the place of all before.
        #[arg(long = "say", value_name = "FACT")]
        facts: Vec<String>,
        /// An observation to leave out, such as `mem_0e…`.
        #[arg(long, value_name = "MEMORY")]
        hide: Vec<String>,
        /// Say nothing of yourself any more, and leave nothing out.
        #[arg(long, conflicts_with_all = ["facts", "hide"])]
        clear: bool,
    },
    /// Say that two participants are one; `--undo` takes them apart again.
    Merge {
        /// The one that turned out to be another.
        participant: String,
        /// That other one.
        #[arg(required_unless_present = "undo")]
        into: Option<String>,
        /// Take it apart again.
        #[arg(long, conflicts_with = "into")]
        undo: bool,
    },
    /// Delete one: its name, its authorship, and all that was observed about it.
    Delete {
        /// An id such as `prt_0e…`, a name, or `me`.
        participant: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// List who was in a session, from which turn to which.
    Members {
        /// The session, such as `ses_0e…`.
        session: String,
    },
    /// Let somebody into a session of yours.
    ///
    /// From then on only you and its members read the session, and they only the turns of their stay.
    Join {
        /// The session, such as `ses_0e…`.
        session: String,
        /// An id such as `prt_0e…`, or a name.
        participant: String,
        /// The first turn that they see [default: the next one].
        #[arg(long, conflicts_with = "since")]
        turn: Option<u64>,
        /// They see what was recorded from then on.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        since: Option<Instant>,
    },
    /// End a stay in a session.
    Leave {
        /// The session, such as `ses_0e…`.
        session: String,
        /// Whose stay [default: your own].
        participant: Option<String>,
        /// The first turn that they do not see any more [default: the next one].
        #[arg(long)]
        turn: Option<u64>,
    },
}

/// What to do about consent.
#[derive(Debug, Subcommand)]
pub(crate) enum Consent {
    /// Agree to be observed.
    Give(Say),
    /// Withdraw consent: what was observed shows nowhere any more, at once.
    Revoke(Say),
    /// Show who agreed to what, and when.
    List {
        /// An id such as `prt_0e…`, a name, or `me`.
        #[arg(default_value = "me")]
        participant: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Say {
    /// About whom: `me`, or one that you added and that has no credential.
    #[arg(default_value = "me")]
    pub(crate) participant: String,
    /// As seen by this participant alone [default: by anybody].
    #[arg(long)]
    pub(crate) observer: Option<String>,
    /// Why, or how it is known; needed to record the consent of a person without a credential.
    #[arg(long)]
    pub(crate) note: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Observe {
    /// About whom: an id such as `prt_0e…`, a name, or `me`.
    pub(crate) participant: String,
    /// What you observed.
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// What sort of statement.
    #[arg(long, short, default_value = "fact", value_parser = statements())]
    pub(crate) kind: String,
    /// Who may read it.
    #[arg(long, default_value = "own", value_parser = ["workspace", "own", "private"])]
    pub(crate) visibility: String,
    /// Whose observation it is, if you may speak for others [default: yours].
    #[arg(long)]
    pub(crate) observer: Option<String>,
}
