//! From what use cases give to messages, and back from what they are asked.

use skep_api::id::{self, Tagger};
use skep_app::{Created, Credential, IdTags, KeyKind, KeyPage, NewKey, PageOf};
use skep_authz::Caller;
use skep_domain::{
    Bindings, CredentialId, Harness, Id, IdKind, Limits, PermissionSet, Principal, ProjectBounds,
    Timestamp,
};

use crate::refusal::Refusal;
use crate::wire::{self, CreateTokenRequest, ListTokensRequest, Token, Validated};

/// Tags of a tenant, in the shape that the text form of ids wants.
pub(crate) struct Tags<'a>(pub(crate) IdTags<'a>);

impl Tagger for Tags<'_> {
    fn tag(&self, kind: IdKind, uuid: &[u8; 16]) -> [u8; 4] {
        self.0.tag(kind, uuid)
    }

    fn verify(&self, kind: IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
        self.0.verify(kind, uuid, tag)
    }
}

pub(crate) fn validated(caller: &Caller, tags: &Tags<'_>) -> Validated {
    let bindings = caller.bindings();
    let projects = bindings.projects.iter();
    Validated {
        credential: id::format(tags, caller.credential()),
        kind: caller.kind().as_str().into(),
        organization: id::format(tags, caller.organization()),
        workspace: id::format(tags, caller.workspace()),
        principal: match caller.principal() {
            Principal::User(user) => id::format(tags, user),
            Principal::Agent(agent) => id::format(tags, agent),
        },
        role: caller.role().as_str().into(),
        permissions: caller.permissions().bits(),
        expires_at: caller.expires_at().map(millis),
        bindings: Some(wire::Bindings {
            connector: bindings.connector.clone().unwrap_or_default(),
            harness: bindings.harness.map_or("", Harness::as_str).into(),
            projects: projects.map(|project| id::format(tags, project)).collect(),
        }),
    }
}

/// The key that is asked for.
pub(crate) fn new_key(asked: CreateTokenRequest, tags: &Tags<'_>) -> Result<NewKey, Refusal> {
    let harness = given(asked.harness).map(|name| {
        Harness::parse(&name).ok_or_else(|| Refusal::invalid("there is no such harness"))
    });
    let permissions = asked.permissions.map(|bits| {
        PermissionSet::from_bits(bits).map_err(|unknown| Refusal::invalid(unknown.to_string()))
    });
    Ok(NewKey {
        kind: if asked.runner {
            KeyKind::Runner
        } else {
            KeyKind::Api
        },
        agent: given(asked.agent)
            .map(|text| id::parse(tags, &text))
            .transpose()?,
        label: asked.label,
        bindings: Bindings {
            connector: given(asked.connector),
            harness: harness.transpose()?,
            projects: ProjectBounds::NONE,
            permissions: permissions.transpose()?,
        },
        projects: asked.projects,
        expires_at: asked.expires_at.map(moment).transpose()?,
    })
}

pub(crate) fn created(created: &Created, tags: &Tags<'_>) -> wire::CreateTokenResponse {
    wire::CreateTokenResponse {
        secret: created.secret.expose().clone(),
        token: Some(token(&created.credential, tags)),
    }
}

/// The page that is asked for. What comes next is the last id of the page before, which only its own
/// organization can read.
pub(crate) fn page(
    asked: &ListTokensRequest,
    tags: &Tags<'_>,
) -> Result<PageOf<CredentialId>, Refusal> {
    let limit = match asked.limit {
        0 => Limits::PAGE_DEFAULT,
        limit @ 1..=Limits::PAGE_MAX => limit,
        _ => {
            let message = format!("limit must be 1 to {}", Limits::PAGE_MAX);
            return Err(Refusal::invalid(message));
        }
    };
    let before = Some(&asked.cursor).filter(|cursor| !cursor.is_empty());
    Ok(PageOf {
        limit,
        before: before.map(|text| id::parse(tags, text)).transpose()?,
    })
}

pub(crate) fn listed(found: &KeyPage, tags: &Tags<'_>) -> wire::ListTokensResponse {
    let last = found.items.last().filter(|_| found.more);
    wire::ListTokensResponse {
        items: found.items.iter().map(|one| token(one, tags)).collect(),
        next: last.map_or_else(String::new, |last| id::format(tags, last.id)),
    }
}

fn token(credential: &Credential, tags: &Tags<'_>) -> Token {
    Token {
        id: id::format(tags, credential.id),
        kind: credential.kind.as_str().into(),
        label: credential.body.label.clone(),
        permissions: credential
            .body
            .bindings
            .permissions
            .map(PermissionSet::bits),
        created_at: millis(credential.created_at),
        expires_at: credential.expires_at.map(millis),
        used_at: credential.used_at.map(millis),
        revoked_at: credential.revoked_at.map(millis),
    }
}

/// An id in a request.
pub(crate) fn parse<I: Id>(text: &str, tags: &Tags<'_>) -> Result<I, Refusal> {
    Ok(id::parse(tags, text)?)
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn millis(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000)
}

/// A moment in milliseconds, as far as one of ours can tell it.
pub(crate) fn moment(millis: i64) -> Result<Timestamp, Refusal> {
    let micros = millis.checked_mul(1_000);
    micros
        .map(Timestamp::from_micros)
        .ok_or_else(|| Refusal::invalid("this moment is too far away"))
}
