//! The command line of sinks.

use clap::{Args, Subcommand, ValueEnum};

/// What can be done about sinks.
#[derive(Debug, Subcommand)]
pub(crate) enum Sink {
    /// List the sinks, and how each stands.
    List,
    /// Set a sink, in the place of the one of its name, which goes on where it stands.
    Set(SetSink),
    /// Deliver nothing more to a sink, and forget how far it has come.
    #[command(visible_alias = "rm")]
    Remove {
        /// The sink.
        name: String,
    },
    /// Send a sink a message that says nothing; exits with 1 when it is not taken.
    Test {
        /// The sink.
        name: String,
    },
    /// Deliver to a sink again that was given up or is gone: it goes on where it stands.
    Resume {
        /// The sink.
        name: String,
    },
    /// Give a sink another key, shown once. For a day messages are signed with both.
    Key {
        /// The sink.
        name: String,
    },
}

/// A sink to set.
#[derive(Debug, Args)]
pub(crate) struct SetSink {
    /// What it is called: small letters, digits and `-`.
    pub(crate) name: String,
    /// Where messages are sent to, such as `https://siem.example.org/skep`
    #[arg(id = "receiver", value_name = "URL")]
    pub(crate) url: String,
    /// A log that it is given, again for the other [default: both, and `audit` alone where events are named].
    #[arg(long = "log", value_enum, value_name = "LOG")]
    pub(crate) logs: Vec<Log>,
    /// An action that it is given, such as `auth.login` or `alert.*`; again for more [default: all].
    #[arg(long = "event", value_name = "ACTION")]
    pub(crate) events: Vec<String>,
    /// Where a log begins that it was not given before.
    #[arg(long, value_enum, default_value_t = From::Now)]
    pub(crate) from: From,
}

/// A log of an organization.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Log {
    /// Who was allowed or refused what.
    Audit,
    /// What was used.
    Usage,
}

/// Where a log begins.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum From {
    /// With what is recorded from now on.
    Now,
    /// With its first entry.
    Start,
}

impl Log {
    /// Its name in the interface.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Usage => "usage",
        }
    }
}

impl From {
    /// Its name in the interface.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Start => "start",
        }
    }
}
