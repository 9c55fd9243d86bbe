//! The command line of members, invitations and second factors.

use clap::{Subcommand, ValueEnum};

/// What somebody is in the organization.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OrgRole {
    /// May do everything, and cannot be removed while the last one.
    Owner,
    /// Runs the organization.
    Admin,
    /// Works in the workspaces that they are let into.
    Member,
}

/// What a member may do in this workspace.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum WorkspaceRole {
    /// Everything.
    Admin,
    /// What daily work needs.
    Operator,
    /// Read.
    Readonly,
    /// Nothing.
    None,
}

/// What to do about the members of the organization.
#[derive(Debug, Subcommand)]
pub(crate) enum Member {
    /// Invite somebody; the code is shown once, and mailed if mail is set up.
    Invite {
        /// Their mail address; they log in with it.
        address: String,
        /// What they will be.
        #[arg(long, value_enum, default_value = "member")]
        role: OrgRole,
        /// What they may do in this workspace, for members.
        #[arg(long, value_enum, default_value = "operator")]
        workspace_role: WorkspaceRole,
    },
    /// Make a fresh setup token for the first administrator, while nobody can log in.
    SetupToken,
    /// List invitations that are open.
    Invites,
    /// Take an invitation back.
    Withdraw {
        /// The invitation, as `invites` shows it.
        id: String,
    },
    /// List the members, oldest first.
    List,
    /// Give a member another role.
    SetRole {
        /// Who, by id or mail address.
        who: String,
        /// What they are in the organization.
        #[arg(long, value_enum)]
        role: Option<OrgRole>,
        /// What they may do in this workspace.
        #[arg(long, value_enum)]
        workspace_role: Option<WorkspaceRole>,
    },
    /// Suspend a member: nothing of theirs counts from now on.
    Suspend {
        /// Who, by id or mail address.
        who: String,
    },
    /// Let a suspended member act again.
    Resume {
        /// Who, by id or mail address.
        who: String,
    },
    /// End a membership, and everything that proves the member here.
    Remove {
        /// Who, by id or mail address.
        who: String,
    },
    /// Make a code with which a member chooses a new password; it is shown once.
    Reset {
        /// Who, by id or mail address.
        who: String,
    },
}

/// What to do about your own second factors. Codes are read from stdin.
#[derive(Debug, Subcommand)]
pub(crate) enum Mfa {
    /// List them.
    List,
    /// Add an authenticator app: shows a QR code, then asks for the first code.
    Enrol,
    /// Show a factor again, for what needs it shown within the last five minutes.
    Confirm,
    /// Make ten new recovery codes; the old ones are void.
    Recovery,
    /// Remove a factor.
    Remove {
        /// The factor, such as `fct_0e…`
        id: String,
    },
}
