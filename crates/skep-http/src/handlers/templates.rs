//! Templates: drafting, reading, approving; and who may use them.

use axum::response::Response;
use skep_api::Instant;
use skep_api::page::{Page, PageQuery};
use skep_api::template::{
    Access as WireAccess, ApproveTemplateRequest, AskAccessRequest, GiveAccessRequest,
    GrantAccessRequest, Template as WireTemplate, TemplateQuery, TemplateReason, TemplateShown,
    TemplateText,
};
use skep_app::{Access, ApproveTemplate, AskAccess, GrantAccess, Lasting, Reviewer, TemplateSeen};
use skep_authz::{Authorized, rights};
use skep_domain::{AccessState, Id, TemplateState};

use super::explain::name as principal;
use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn draft(
    authorized: Authorized<rights::SecretWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let text: TemplateText = call.body()?;
    let draft = convert::template::draft(text)?;
    let made = call.app().draft_template(authorized, draft).await?;
    ok(&wire(&call, made))
}

pub(crate) async fn list(
    authorized: Authorized<rights::SecretList>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: TemplateQuery = call.query()?;
    let state = query.state.as_deref().unwrap_or("approved");
    let words: Vec<&str> = TemplateState::ALL
        .iter()
        .map(|state| state.as_str())
        .collect();
    let state = convert::word("state", state, TemplateState::parse, &words)?;
    let listing = format!("templates {}", state.as_str());
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let page = page::wanted(&call, &page, &listing)?;
    let reviewer = Reviewer::of(&call.caller);
    let app = call.app();
    let found = app.list_templates(authorized, reviewer.as_ref(), (state, page));
    let found = found.await?;
    let next = found.next;
    ok(&Page {
        items: found
            .items
            .into_iter()
            .map(|one| wire(&call, one))
            .collect(),
        next: next.map(|last| page::seal(&call, &last.to_bytes(), &listing)),
    })
}

pub(crate) async fn get(
    authorized: Authorized<rights::SecretList>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let reviewer = Reviewer::of(&call.caller);
    let found = call.app().template(authorized, reviewer.as_ref(), id);
    let found = found.await?;
    ok(&TemplateShown {
        template: wire(&call, found.seen),
        in_force: found.in_force.map(|one| wire(&call, one)),
    })
}

pub(crate) async fn approve(
    authorized: Authorized<rights::SecretApprove>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ApproveTemplateRequest = call.body()?;
    let id = call.path_id()?;
    if request.seconds.is_some() && !request.every_agent {
        let why = "goes with every_agent alone";
        return Err(ApiError::field("seconds", "INVALID", why));
    }
    let wanted = ApproveTemplate {
        digest: request.digest,
        every_agent: request.every_agent.then_some(Lasting::of(request.seconds)),
    };
    let target = (id, &*call.text(id));
    let app = call.app();
    let done = app.approve_template(authorized, &call.caller, target, &wanted);
    ok(&wire(&call, done.await?))
}

pub(crate) async fn reject(
    authorized: Authorized<rights::SecretApprove>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: TemplateReason = call.body()?;
    let id = call.path_id()?;
    let app = call.app();
    let rejected = app.reject_template(authorized, id, &request.reason).await?;
    ok(&wire(&call, rejected))
}

pub(crate) async fn withdraw(
    authorized: Authorized<rights::SecretApprove>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: TemplateReason = call.body()?;
    let id = call.path_id()?;
    let app = call.app();
    let gone = app.withdraw_template(authorized, id, &request.reason);
    ok(&wire(&call, gone.await?))
}

pub(crate) async fn list_access(
    authorized: Authorized<rights::SecretList>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let listing = "access";
    let page = page::wanted(&call, &query, listing)?;
    let app = call.app();
    let reviewer = Reviewer::of(&call.caller);
    let found = app.list_access(authorized, reviewer.as_ref(), page);
    let found = found.await?;
    let next = found.next;
    ok(&Page {
        items: found
            .items
            .into_iter()
            .map(|one| wire_access(&call, one))
            .collect(),
        next: next.map(|last| page::seal(&call, &last.to_bytes(), listing)),
    })
}

pub(crate) async fn ask(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: AskAccessRequest = call.body()?;
    let wanted = AskAccess {
        template: request.template,
        reason: request.reason,
        lasting: Lasting::of(request.seconds),
    };
    let asked = call.app().ask_access(authorized, wanted).await?;
    ok(&wire_access(&call, asked))
}

pub(crate) async fn give(
    authorized: Authorized<rights::SecretApprove>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: GiveAccessRequest = call.body()?;
    let agent = request.agent.as_deref().map(|agent| call.id(agent));
    let wanted = GrantAccess {
        template: request.template,
        agent: agent.transpose()?,
        reason: request.reason,
        lasting: Lasting::of(request.seconds),
    };
    let granted = call.app().grant_access(authorized, wanted).await?;
    ok(&wire_access(&call, granted))
}

pub(crate) async fn grant(
    authorized: Authorized<rights::SecretApprove>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: GrantAccessRequest = call.body()?;
    let id = call.path_id()?;
    let lasting = request.seconds.map(Lasting::Seconds);
    let granted = call.app().grant_request(authorized, id, lasting).await?;
    ok(&wire_access(&call, granted))
}

pub(crate) async fn refuse(
    authorized: Authorized<rights::SecretApprove>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: TemplateReason = call.body()?;
    let id = call.path_id()?;
    let app = call.app();
    let refused = app.refuse_request(authorized, id, &request.reason).await?;
    ok(&wire_access(&call, refused))
}

pub(crate) async fn revoke(
    authorized: Authorized<rights::SecretApprove>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: TemplateReason = call.body()?;
    let id = call.path_id()?;
    let app = call.app();
    let revoked = app.revoke_grant(authorized, id, &request.reason).await?;
    ok(&wire_access(&call, revoked))
}

fn wire(call: &Call, seen: TemplateSeen) -> WireTemplate {
    let version = seen.version;
    let decided = version.decided;
    WireTemplate {
        id: call.text(version.id),
        name: version.name.as_str().into(),
        version: version.version,
        state: version.state.as_str().into(),
        digest: version.digest,
        text: convert::template::text(seen.draft),
        drafter: principal(call, version.drafter),
        at: Instant(version.at),
        decided_by: decided.as_ref().map(|decided| principal(call, decided.by)),
        decided_at: decided.as_ref().map(|decided| Instant(decided.at)),
        alone: decided.as_ref().is_some_and(|decided| decided.alone),
        reason: decided.and_then(|decided| decided.reason),
    }
}

fn wire_access(call: &Call, access: Access) -> WireAccess {
    let now = call.app().now();
    let over = access.state == AccessState::Granted && !access.state.is_in_force(access.until, now);
    let decided = access.decided;
    WireAccess {
        id: call.text(access.id),
        template: access.template.as_str().into(),
        agent: access.agent.map(|agent| call.text(agent)),
        state: if over {
            "expired"
        } else {
            access.state.as_str()
        }
        .into(),
        reason: access.reason,
        asker: principal(call, access.asker),
        at: Instant(access.at),
        seconds: access.seconds,
        until: access.until.map(Instant),
        decided_by: decided.as_ref().map(|(by, _, _)| principal(call, *by)),
        decided_at: decided.as_ref().map(|(_, at, _)| Instant(*at)),
        answer: decided.and_then(|(_, _, why)| why),
    }
}
