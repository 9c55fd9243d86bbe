//! The command line of keys, tokens, agents, organizations, workspaces and the record.

use clap::{Args as ClapArgs, Subcommand};

use super::values::{harnesses, span};

/// What a new key or token may be narrowed to, and when it ends.
#[derive(Debug, ClapArgs)]
pub(crate) struct Narrow {
    /// Only this permission, such as `memory:read`; may be given several times.
    #[arg(long = "permission", value_name = "PERMISSION")]
    pub(crate) permissions: Vec<String>,
    /// It ends after this long, such as `90d`.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(crate) expires: Option<u64>,
}

/// What to do about keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key for an agent, a connector or a runner; it is shown once.
    Create {
        /// What to call it.
        label: String,
        /// The agent that it proves, by name or id; yourself without it.
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
        /// It is a runner's.
        #[arg(long, conflicts_with_all = ["connector", "harness"])]
        runner: bool,
        /// The connector that it is for.
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
        /// The harness that it is for: it captures in no other's name.
        #[arg(long, value_parser = harnesses())]
        harness: Option<String>,
        /// Only this project, by name; may be given several times.
        #[arg(long = "project", value_name = "NAME")]
        projects: Vec<String>,
        #[command(flatten)]
        narrow: Narrow,
    },
    /// List the keys of the organization, newest first.
    List,
    /// Show the keys of the installation itself, and when those that were replaced are done with. For
    /// whoever runs the daemon.
    Rotation,
    /// Make new credentials under another pepper; those that are there go on working.
    RotatePepper,
    /// Sign access tokens with another key from now on; those that were issued count until they end.
    RotateSigning,
    /// Seal the secrets and settings of this host with another key, while they are used.
    RotateVault,
    /// Revoke a key, or anybody's token, at once.
    Revoke {
        /// The key, such as `key_0e…`
        id: String,
    },
}

/// What to do about your own tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token for your own scripts; it is shown once, and lives 90 days unless you say otherwise.
    Create {
        /// What to call it.
        label: String,
        #[command(flatten)]
        narrow: Narrow,
    },
    /// List your tokens, newest first.
    List,
    /// Revoke one of your tokens, at once.
    Revoke {
        /// The token, such as `key_0e…`
        id: String,
    },
}

/// What an agent reads beside its own.
#[derive(Debug, ClapArgs)]
pub(crate) struct Reads {
    /// `isolated` (nothing), or `shared` (what is shared with the workspace).
    #[arg(long, value_parser = ["isolated", "shared"], conflicts_with = "group")]
    pub(crate) reads: Option<String>,
    /// What agents of this group share; made if there is none of this name.
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
}

/// What to do about agents.
#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    /// Make an agent of the workspace. It proves itself with a key: skep key create --agent.
    Create {
        /// Letters, digits, `.`, `_` and `-`; unique in the workspace.
        name: String,
        #[command(flatten)]
        reads: Reads,
    },
    /// List the agents of the workspace.
    List,
    /// Let an agent read more or less.
    Set {
        /// The agent, by name or id.
        agent: String,
        #[command(flatten)]
        reads: Reads,
    },
    /// Say what is put into the model calls of an agent, for those that say nothing themselves; without --memory, show
    /// what is set for whom.
    Context {
        /// The agent, by name or id.
        #[arg(requires = "memory")]
        agent: Option<String>,
        /// `on`: memories that answer what was said last, and the directive; `directive`: that alone; `off`: nothing.
        #[arg(long, requires = "agent", value_name = "WHAT", value_parser = ["on", "directive", "off"])]
        memory: Option<String>,
        /// Keep what is said in such calls as turns.
        #[arg(long, requires = "memory")]
        capture: bool,
    },
    /// Refuse an agent from its next request on.
    Suspend {
        /// The agent, by name or id.
        agent: String,
    },
    /// Let a suspended agent act again.
    Resume {
        /// The agent, by name or id.
        agent: String,
    },
}

/// What to do about organizations.
#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    /// List the organizations that you belong to.
    List,
    /// Make another login the active one; without a name, list the logins of this home.
    ///
    /// Its server is asked first whether it is still good. A login for an organization that there is
    /// none for is made with skep login: nobody acts in an organization that was not agreed to. With
    /// --local, back to this machine's own daemon; the logins stay.
    Switch {
        /// The organization's name or id.
        organization: Option<String>,
    },
    /// Give yours a name, or another.
    Name {
        /// Letters, digits, `.`, `_` and `-`; unique in the installation.
        name: String,
    },
    /// Refuse everybody of an organization. For whoever runs the daemon.
    Suspend {
        /// Its name.
        name: String,
    },
    /// Let a suspended organization act again.
    Resume {
        /// Its name.
        name: String,
    },
    /// Ask every member for a second factor.
    SecondFactor {
        /// `show` who has none, `require` one of everybody, or ask for it no longer: `waive`.
        #[arg(value_parser = ["show", "require", "waive"], default_value = "show")]
        what: String,
    },
    /// Show, withdraw or give back the key that the organization keeps itself.
    ///
    /// Withdrawn, nothing of its workspaces can be read or written from that moment on, by anybody; members,
    /// keys and the record of decisions stay as they are.
    Key {
        /// `show` how it stands, `withdraw` it, or give it back: `restore`.
        #[arg(value_parser = ["show", "withdraw", "restore"], default_value = "show")]
        what: String,
    },
    /// Let people in by an issuer of the organization's own: single sign-on.
    #[command(subcommand)]
    Sso(Sso),
}

/// What to do about single sign-on.
#[derive(Debug, Subcommand)]
pub(crate) enum Sso {
    /// Show which issuer is trusted, and what to register there.
    Show,
    /// Trust an issuer. The client secret is read from a file or from stdin.
    Set(SsoSet),
    /// Ask the issuer for its configuration and its keys.
    Test,
    /// Trust no issuer any more; whoever it let in is out.
    Remove,
}

/// Which issuer, whom it lets in, and as what.
#[derive(Debug, ClapArgs)]
pub(crate) struct SsoSet {
    /// The issuer, exactly as it names itself, such as `https://login.example.org`.
    pub(crate) issuer: String,
    /// What Skep is called there.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// A file with the client secret, or `-` for stdin. The one before stays without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<std::path::PathBuf>,
    /// Let in whose verified mail address is of this domain; may be given several times.
    #[arg(long = "domain", value_name = "DOMAIN")]
    pub(crate) domains: Vec<String>,
    /// Let in whose ID token has this claim, as `NAME=VALUE`. With domains too, both have to hold.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) claim: Option<String>,
    /// What whoever comes for the first time becomes.
    #[arg(long, value_parser = ["member", "admin"], default_value = "member")]
    pub(crate) role: String,
    /// What a member may do in this workspace.
    #[arg(long, value_parser = ["admin", "operator", "readonly", "none"], default_value = "operator")]
    pub(crate) workspace_role: String,
    /// Keep it, and let nobody in by it.
    #[arg(long)]
    pub(crate) off: bool,
}

/// What to do about workspaces.
#[derive(Debug, Subcommand)]
pub(crate) enum Workspace {
    /// List the workspaces of the organization.
    List,
    /// Make a workspace in the organization.
    Create {
        /// Letters, digits, `.`, `_` and `-`; unique in the organization.
        name: String,
    },
    /// Delete a workspace with all that is in it, for everybody. It cannot be undone.
    ///
    /// From then on it is found nowhere and nothing in it can be opened; a job erases what is left, and
    /// its receipt says what that was. Needs a second factor that was shown in the last five minutes, and asks
    /// for the name.
    Delete {
        /// Its name.
        name: String,
        /// Do it without typing the name.
        #[arg(long)]
        yes: bool,
        /// Wait until all of it is erased.
        #[arg(long)]
        wait: bool,
    },
    /// Count what this workspace holds, by table.
    Inventory,
}

/// What to do about rate limits.
#[derive(Debug, Subcommand)]
pub(crate) enum Limits {
    /// Show them.
    List,
    /// Set one below what the installation allows.
    Set {
        /// Which, such as `api_credential`.
        name: String,
        /// Calls in a time, such as `600/min`, `5/15min` or `30/h`; `default` for what the installation allows.
        quota: String,
    },
}
