//! What the record of decisions calls things that have names of people's making: which one it was, and never its name.

use skep_domain::{Id, OrganizationId, WorkspaceId};
use skep_store::DirectivePlace;

use crate::App;

/// What a mark is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked<'a> {
    /// A sink of an organization's.
    Sink(&'a str),
    /// A provider of models of an organization's.
    Provider(&'a str),
    /// A standing text, by what it says.
    Directive(DirectivePlace, &'a str),
}

impl App {
    /// The mark of something of an organization's: a keyed hash of whose it is and its name, the same in the record and
    /// in lists. As [`App::secret_mark`].
    #[must_use]
    pub fn mark(
        &self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        of: Marked<'_>,
    ) -> String {
        let (kind, whose, name) = match of {
            Marked::Sink(name) => ("sink", organization.to_bytes(), name),
            Marked::Provider(name) => ("provider", organization.to_bytes(), name),
            Marked::Directive(DirectivePlace::Organization, text) => {
                ("directive", organization.to_bytes(), text.trim())
            }
            Marked::Directive(DirectivePlace::Workspace, text) => {
                ("directive", workspace.to_bytes(), text.trim())
            }
        };
        let parts = [b"mark".as_slice(), kind.as_bytes(), &whose, name.as_bytes()];
        let tag = self.store.instance_keys().fingerprint.tag16(&parts);
        format!("{kind}_{}", crate::skills::hex(&tag[..8]))
    }
}
