//! What the record of decisions calls what a change is about, where its path does not say it: a mark in the place of a
//! name that is of people's making, or the number of a version.

use serde::Deserialize;
use skep_api::RouteId;
use skep_api::directive::{DraftDirectiveRequest, PromoteDirectiveRequest};
use skep_app::{App, Marked, directive_place_name};
use skep_authz::Caller;

use crate::handlers::{directives, vault};

/// Of such a body nothing else is read.
#[derive(Deserialize)]
struct Named {
    name: String,
}

/// What a change is about, by what came with it; none of a body that cannot be read, which changes nothing.
pub(crate) fn of(app: &App, caller: &Caller, route: RouteId, body: &[u8]) -> Option<String> {
    let tenant = (caller.organization(), caller.workspace());
    let named = || serde_json::from_slice::<Named>(body).ok();
    match route {
        RouteId::SecretSet | RouteId::SecretRemove => vault::mark(app, caller, body),
        RouteId::SinkSet
        | RouteId::SinkRemove
        | RouteId::SinkKey
        | RouteId::SinkResume
        | RouteId::SinkTest => Some(app.mark(tenant, Marked::Sink(&named()?.name))),
        RouteId::ProviderSet | RouteId::ProviderRemove => {
            Some(app.mark(tenant, Marked::Provider(&named()?.name)))
        }
        RouteId::DirectiveDraft => {
            let asked: DraftDirectiveRequest = serde_json::from_slice(body).ok()?;
            let place = directives::place(asked.of.as_deref()).ok()?;
            Some(app.mark(tenant, Marked::Directive(place, &asked.text)))
        }
        RouteId::DirectivePromote => {
            let asked: PromoteDirectiveRequest = serde_json::from_slice(body).ok()?;
            let place = directives::place(asked.of.as_deref()).ok()?;
            let place = directive_place_name(place);
            Some(format!("{place}_{}", asked.version))
        }
        _ => None,
    }
}
