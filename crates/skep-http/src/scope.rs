//! The outer ring: organization and workspace come from the credential, and a header that names others
//! is refused, not followed.

use axum::http::{HeaderMap, HeaderName};
use skep_api::id;
use skep_app::App;
use skep_authz::{Caller, Denied};
use skep_domain::{Id, OrganizationId, WorkspaceId};

use crate::call::Tags;
use crate::error::ApiError;

/// Which organization a client believes to be in.
const ORGANIZATION: HeaderName = HeaderName::from_static("x-skep-organization");
/// Which workspace a client believes to be in.
const WORKSPACE: HeaderName = HeaderName::from_static("x-skep-workspace");

/// Compares what a client says with what its credential says. It need not say anything.
pub(crate) fn check(app: &App, caller: &Caller, headers: &HeaderMap) -> Result<(), ApiError> {
    named::<OrganizationId>(app, caller, headers, &ORGANIZATION, caller.organization())?;
    named::<WorkspaceId>(app, caller, headers, &WORKSPACE, caller.workspace())
}

fn named<I: Id>(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    name: &HeaderName,
    own: I,
) -> Result<(), ApiError> {
    let tags = Tags::of(app.id_tags(caller));
    for value in headers.get_all(name) {
        let said = value
            .to_str()
            .ok()
            .and_then(|text| id::parse(&tags, text).ok());
        if said != Some(own) {
            return Err(Denied::OrganizationMismatch.into());
        }
    }
    Ok(())
}
