//! A scope key cannot be made up, so a backend in hand buys nothing.
use skep_domain::{Id, OrganizationId, WorkspaceId};
use skep_store::{ControlKey, ScopeKey};

fn main() {
    let organization = OrganizationId::from_bytes([0; 16]);
    let workspace = WorkspaceId::from_bytes([0; 16]);
    let _ = ScopeKey { organization, workspace };
    let _ = ScopeKey::provision(organization, workspace);
    let _ = ControlKey::new();
}
