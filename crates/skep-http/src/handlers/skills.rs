//! Skills: proposing, reviewing and handing them out.

use axum::response::Response;
use skep_api::Instant;
use skep_api::page::{Page, PageQuery};
use skep_api::skill::{
    ApprovalRequest, Skill as WireSkill, SkillFile as WireFile, SkillFolder, SkillQuery,
    SkillReason, SkillRequest,
};
use skep_app::{Approval, Approved, ProposeSkill, Skill, SkillFile, SkillPage, SkillWhole};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, Principal, SkillState};

use super::explain::name as principal;
use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn propose(
    authorized: Authorized<rights::MemoryWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SkillRequest = call.body()?;
    let file = |file: WireFile| SkillFile {
        path: file.path,
        text: file.text,
    };
    let wanted = ProposeSkill {
        files: request.files.into_iter().map(file).collect(),
        note: request.note,
    };
    let made = call.app().propose_skill(authorized, wanted).await?;
    ok(&wire(&call, made))
}

pub(crate) async fn list(
    authorized: Authorized<rights::SkillRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let listing = "skills";
    let page = page::wanted(&call, &query, listing)?;
    let found = call.app().list_approved_skills(authorized, page).await?;
    ok(&wire_page(&call, found, listing))
}

pub(crate) async fn get(
    authorized: Authorized<rights::SkillRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let found = call.app().approved_skill(authorized, id).await?;
    ok(&folder(&call, found))
}

pub(crate) async fn review_list(
    authorized: Authorized<rights::SkillPublish>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: SkillQuery = call.query()?;
    let state = query.state.as_deref().unwrap_or("waiting");
    let words: Vec<&str> = SkillState::ALL.iter().map(|state| state.as_str()).collect();
    let state = convert::word("state", state, SkillState::parse, &words)?;
    let listing = format!("skills {}", state.as_str());
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let page = page::wanted(&call, &page, &listing)?;
    let found = call.app().list_skills(authorized, state, page).await?;
    ok(&wire_page(&call, found, &listing))
}

pub(crate) async fn review_get(
    authorized: Authorized<rights::SkillPublish>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let found = call.app().skill(authorized, id).await?;
    ok(&folder(&call, found))
}

pub(crate) async fn approve(
    authorized: Authorized<rights::SkillPublish>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ApprovalRequest = call.body()?;
    let id = call.path_id()?;
    let read = Approved {
        digest: request.digest,
        accepts_findings: request.accept_findings,
    };
    let workspace = call.text(authorized.workspace());
    let approver: Option<Principal> = authorized.principal();
    let approver = approver.map(|approver| principal(&call, approver));
    let names = Approval {
        id: &call.text(id),
        workspace: &workspace,
        approver: approver.as_deref().unwrap_or_default(),
    };
    let app = call.app();
    let done = app.approve_skill(authorized, id, &read, &names).await?;
    ok(&wire(&call, done))
}

pub(crate) async fn reject(
    authorized: Authorized<rights::SkillPublish>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SkillReason = call.body()?;
    let id = call.path_id()?;
    let app = call.app();
    let rejected = app.reject_skill(authorized, id, &request.reason).await?;
    ok(&wire(&call, rejected))
}

pub(crate) async fn withdraw(
    authorized: Authorized<rights::SkillPublish>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SkillReason = call.body()?;
    let id = call.path_id()?;
    let app = call.app();
    let withdrawn = app.withdraw_skill(authorized, id, &request.reason).await?;
    ok(&wire(&call, withdrawn))
}

fn wire_page(call: &Call, found: SkillPage, listing: &str) -> Page<WireSkill> {
    let next = found
        .next
        .map(|last| page::seal(call, &last.to_bytes(), listing));
    let items = found.items.into_iter().map(|one| wire(call, one)).collect();
    Page { items, next }
}

fn folder(call: &Call, found: SkillWhole) -> SkillFolder {
    let approval = found
        .skill
        .decided
        .as_ref()
        .and_then(|decided| decided.approval.clone());
    let file = |file: SkillFile| WireFile {
        path: file.path,
        text: file.text,
    };
    SkillFolder {
        skill: wire(call, found.skill),
        files: found.files.into_iter().map(file).collect(),
        approval,
    }
}

fn wire(call: &Call, skill: Skill) -> WireSkill {
    let decided = skill.decided;
    WireSkill {
        id: call.text(skill.id),
        name: skill.name.as_str().into(),
        version: skill.version,
        state: skill.state.as_str().into(),
        description: skill.description,
        note: skill.note,
        digest: skill.digest,
        findings: skill.findings,
        proposer: principal(call, skill.proposer),
        at: Instant(skill.at),
        decided_by: decided.as_ref().map(|decided| principal(call, decided.by)),
        decided_at: decided.as_ref().map(|decided| Instant(decided.at)),
        reason: decided.and_then(|decided| decided.reason),
    }
}
