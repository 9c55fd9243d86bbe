//! Standing texts that models are given.

use axum::response::Response;
use skep_api::Instant;
use skep_api::directive::{
    Directive, DirectiveQuery, Directives, DirectivesQuery, DraftDirectiveRequest,
    PromoteDirectiveRequest, PromotedDirective, Promotion,
};
use skep_app::{DirectivePlace, DirectiveView, Marked, directive_place_name};
use skep_authz::{Authorized, rights};

use super::explain::name;
use crate::call::{Call, ok};
use crate::error::ApiError;

pub(crate) async fn list(
    authorized: Authorized<rights::SettingRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: DirectivesQuery = call.query()?;
    let place = place(query.of.as_deref())?;
    let found = call.app().list_directives(authorized, place).await?;
    let promotions = found.promotions.into_iter().map(|one| Promotion {
        version: one.version,
        by: name(&call, one.promoter),
        at: Instant(one.at),
    });
    ok(&Directives {
        promotions: promotions.collect(),
        items: found
            .versions
            .into_iter()
            .map(|view| shown(&call, view))
            .collect(),
    })
}

pub(crate) async fn get(
    authorized: Authorized<rights::SettingRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: DirectiveQuery = call.query()?;
    let wanted = (place(query.of.as_deref())?, query.version);
    let found = call.app().get_directive(authorized, wanted).await?;
    ok(&shown(&call, found))
}

pub(crate) async fn draft(
    authorized: Authorized<rights::GatewayConfigure>,
    call: Call,
) -> Result<Response, ApiError> {
    let asked: DraftDirectiveRequest = call.body()?;
    let place = place(asked.of.as_deref())?;
    let made = call
        .app()
        .draft_directive(authorized, place, &asked.text)
        .await?;
    ok(&shown(&call, made))
}

pub(crate) async fn promote(
    authorized: Authorized<rights::WorkspaceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let asked: PromoteDirectiveRequest = call.body()?;
    let place = place(asked.of.as_deref())?;
    let shared = call.caller.authorize().ok();
    let wanted = (place, asked.version);
    call.app()
        .promote_directive(authorized, shared, wanted)
        .await?;
    ok(&PromotedDirective {
        of: directive_place_name(place).into(),
        version: asked.version,
    })
}

pub(crate) fn place(text: Option<&str>) -> Result<DirectivePlace, ApiError> {
    match text {
        None | Some("workspace") => Ok(DirectivePlace::Workspace),
        Some("organization") => Ok(DirectivePlace::Organization),
        Some(_) => {
            let message = "of must be workspace or organization";
            Err(ApiError::field("of", "INVALID", message))
        }
    }
}

fn shown(call: &Call, view: DirectiveView) -> Directive {
    let one = view.directive;
    let tenant = (call.caller.organization(), call.caller.workspace());
    let marked = Marked::Directive(one.place, &one.text);
    Directive {
        mark: call.app().mark(tenant, marked),
        of: directive_place_name(one.place).into(),
        version: one.version,
        in_force: view.is_in_force,
        by: name(call, one.drafter),
        at: Instant(one.at),
        sha256: one.sha256,
        text: one.text,
    }
}
