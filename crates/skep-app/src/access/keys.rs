//! Keys of agents, connectors and runners, and tokens of humans: made, listed, revoked. The secret is
//! in the answer of its making, and nowhere after.

use skep_authz::rights::TokenManage;
use skep_authz::{Authorized, Caller, Denied};
use skep_crypto::{BearerKind, Plain};
use skep_domain::{
    AgentId, BOUND_PROJECTS, Bindings, CredentialId, CredentialKind, Limits, Permission,
    PermissionSet, Principal, ProjectBounds, Role, Timestamp,
};
use skep_store::{Credential, CredentialBody, CredentialFilter, Mode, NewBearer, PageOf, Project};

use crate::upkeep::apart;
use crate::{App, AppError, Invalid};

/// A personal access token lives a year at most.
const TOKEN_DAYS: i64 = 366;
/// Bytes of a label.
const LABEL: usize = 256;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// An agent, a harness, a connector.
    Api,
    /// One runner device.
    Runner,
}

/// A key to make for somebody of the workspace.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What for.
    pub kind: KeyKind,
    /// The agent that it proves; whoever makes it if none is named.
    pub agent: Option<AgentId>,
    /// What its maker calls it.
    pub label: String,
    /// What it is narrowed to, but for its projects.
    pub bindings: Bindings,
    /// The names of the projects that it is bound to; all projects if there are none.
    pub projects: Vec<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A token to make for oneself.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What its maker calls it.
    pub label: String,
    /// Permissions that it is narrowed to.
    pub permissions: Option<PermissionSet>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A credential just made.
pub struct Created {
    /// The text to hand over: never seen again.
    pub secret: Plain<String>,
    /// The rest, as it will be listed.
    pub credential: Credential,
}

/// A page of credentials.
#[derive(Debug)]
pub struct KeyPage {
    /// The credentials, newest first.
    pub items: Vec<Credential>,
    /// Whether there are more.
    pub more: bool,
}

impl App {
    /// Makes a key. It can do no more than whoever makes it, and no more than an agent may.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::NotFound`] for an agent that is not there,
    /// [`AppError::Denied`] for permissions that the maker lacks.
    pub async fn create_key(
        &self,
        authorized: Authorized<TokenManage>,
        caller: &Caller,
        new: NewKey,
    ) -> Result<Created, AppError> {
        Invalid::check_length("label", &new.label, LABEL)?;
        self.check_end("expires_at", new.expires_at, None)?;
        within(new.bindings.permissions, caller)?;
        let kind = match new.kind {
            KeyKind::Api => BearerKind::ApiKey,
            KeyKind::Runner => BearerKind::RunnerKey,
        };
        let minted = self.store.mint_bearer(kind)?;
        let (bounds, project_names) = self.bounds(caller, &new.projects).await?;
        let bindings = Bindings {
            projects: bounds,
            ..new.bindings
        };
        let mut tx = self.store.begin_org(authorized).await?;
        let principal = match new.agent {
            None => caller.principal(),
            Some(agent) => {
                tx.get_agent(agent)
                    .await?
                    .ok_or(AppError::NotFound("agent"))?;
                Principal::Agent(agent)
            }
        };
        let bearer = NewBearer {
            minted,
            body: CredentialBody {
                label: new.label,
                bindings: confined(new.kind, bindings, caller, principal),
                project_names,
                ..CredentialBody::default()
            },
            expires_at: new.expires_at,
            idle_at: None,
            stepped_up_at: None,
            confined: caller.is_confined(),
            created_by: user_of(caller),
        };
        let made = tx.put_bearer(principal, bearer).await?;
        let credential = tx.get_credential(made.id).await?;
        tx.commit().await?;
        Ok(Created {
            secret: made.text,
            credential: credential.ok_or(AppError::Internal("a key vanished"))?,
        })
    }

    /// The projects of these names, made where there are none, for a key to be bound to. Whoever is
    /// bound to some themselves names none: the key gets theirs.
    async fn bounds(
        &self,
        caller: &Caller,
        names: &[String],
    ) -> Result<(ProjectBounds, Vec<String>), AppError> {
        let own = caller.bindings().projects;
        if own.is_bound() {
            return match names {
                [] => Ok((own, Vec::new())),
                _ => Err(AppError::Forbidden(
                    "your own credential is bound to projects",
                )),
            };
        }
        if names.is_empty() {
            return Ok((ProjectBounds::NONE, Vec::new()));
        }
        Invalid::check_count("projects", names.len(), BOUND_PROJECTS)?;
        let right: Authorized<TokenManage> = caller.authorize()?;
        let mut tx = self.store.begin(right).await?;
        let (mut ids, mut kept) = (Vec::new(), Vec::new());
        for name in names {
            Invalid::check_length("projects", name, Limits::QUERY)?;
            if name.is_empty() {
                return Err(Invalid::required("projects"));
            }
            let project = Project {
                id: self.store.mint(),
                name: self.take_in_line(name),
            };
            ids.push(tx.put_project(&project).await?);
            kept.push(project.name);
        }
        tx.commit().await?;
        let bounds = ProjectBounds::only(&ids).ok_or(AppError::Internal("unbounded"))?;
        Ok((bounds, kept))
    }

    /// Keys of the organization, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_keys(
        &self,
        authorized: Authorized<TokenManage>,
        page: PageOf<CredentialId>,
    ) -> Result<KeyPage, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let filter = CredentialFilter {
            kinds: vec![CredentialKind::ApiKey, CredentialKind::RunnerKey],
            ..CredentialFilter::default()
        };
        let items = tx.list_credentials(&filter, page.and_one()).await?;
        Ok(paged(items, page))
    }

    /// Revokes a key, a token, a login or a browser's session of the organization.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it is not there, or no longer counts.
    pub async fn revoke_key(
        &self,
        authorized: Authorized<TokenManage>,
        id: CredentialId,
    ) -> Result<(), AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let revoked = tx.revoke_credential(id).await?;
        tx.commit().await?;
        self.verified.clear();
        revoked.then_some(()).ok_or(AppError::NotFound("key"))
    }

    /// Makes a personal access token for whoever calls, who must be there in person.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for an agent, and for a credential that a script holds;
    /// [`AppError::Invalid`] for an end more than a year away.
    pub async fn create_token(&self, caller: &Caller, new: NewToken) -> Result<Created, AppError> {
        caller.require_factor()?;
        if user_of(caller).is_none() {
            return Err(AppError::Forbidden("a token is a human's"));
        }
        self.is_there(caller).await?;
        Invalid::check_length("label", &new.label, LABEL)?;
        self.check_end("expires_at", Some(new.expires_at), Some(TOKEN_DAYS))?;
        within(new.permissions, caller)?;
        let store = std::sync::Arc::clone(&self.store);
        let minted = apart(move || store.mint_bearer(BearerKind::PersonalAccess)).await??;
        let bearer = NewBearer {
            minted,
            body: CredentialBody {
                label: new.label,
                bindings: Bindings {
                    permissions: new.permissions,
                    ..caller.bindings().as_ref().clone()
                },
                ..CredentialBody::default()
            },
            expires_at: Some(new.expires_at),
            idle_at: None,
            stepped_up_at: None,
            confined: caller.is_confined(),
            created_by: user_of(caller),
        };
        let mut tx = self.store.begin_self(caller, Mode::Write).await?;
        let made = tx.put_bearer(bearer).await?;
        let credential = tx.get_credential(made.id).await?;
        tx.commit().await?;
        Ok(Created {
            secret: made.text,
            credential: credential.ok_or(AppError::Internal("a token vanished"))?,
        })
    }

    /// The caller's own tokens, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_tokens(
        &self,
        caller: &Caller,
        page: PageOf<CredentialId>,
    ) -> Result<KeyPage, AppError> {
        let mut tx = self.store.begin_self(caller, Mode::Read).await?;
        let kinds = [CredentialKind::PersonalAccess];
        let items = tx.list_credentials(&kinds, page.and_one()).await?;
        Ok(paged(items, page))
    }

    /// Revokes one of the caller's own credentials.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when they have none such that still counts.
    pub async fn revoke_token(&self, caller: &Caller, id: CredentialId) -> Result<(), AppError> {
        let mut tx = self.store.begin_self(caller, Mode::Write).await?;
        let revoked = tx.revoke(id).await?;
        tx.commit().await?;
        self.verified.clear();
        revoked.then_some(()).ok_or(AppError::NotFound("token"))
    }

    fn check_end(
        &self,
        field: &str,
        end: Option<Timestamp>,
        days: Option<i64>,
    ) -> Result<(), AppError> {
        let now = self.store.now().as_micros();
        let Some(end) = end else { return Ok(()) };
        if end.as_micros() <= now {
            return Err(Invalid::unknown(field, "this is in the past"));
        }
        match days {
            Some(days) if end.as_micros() > now + days * 86_400_000_000 => Err(Invalid::unknown(
                field,
                "a personal access token lives a year at most",
            )),
            _ => Ok(()),
        }
    }
}

/// Nobody hands on what they do not have.
fn within(asked: Option<PermissionSet>, caller: &Caller) -> Result<(), AppError> {
    let lacking = asked
        .into_iter()
        .flat_map(PermissionSet::iter)
        .find(|permission| caller.require(*permission).is_err() && *permission != RUN);
    lacking.map_or(Ok(()), |permission| {
        Err(Denied::MissingPermission(permission).into())
    })
}

/// No human runs tasks; a runner's key is the one that does.
const RUN: Permission = Permission::TaskRun;

/// A key can do no more than what made it, whomever it proves, and keeps its maker's bounds.
fn confined(kind: KeyKind, asked: Bindings, caller: &Caller, principal: Principal) -> Bindings {
    let own = caller.bindings();
    let whole = match (kind, principal) {
        (KeyKind::Runner, _) => PermissionSet::RUNNER,
        (KeyKind::Api, Principal::Agent(_)) => Role::Agent.permissions(),
        (KeyKind::Api, Principal::User(_)) => caller.permissions(),
    };
    let bound = caller.permissions().with(RUN);
    let permissions = asked.permissions.unwrap_or(whole).narrowed_to(bound);
    Bindings {
        connector: asked.connector.or_else(|| own.connector.clone()),
        harness: own.harness.or(asked.harness),
        projects: if own.projects.is_bound() {
            own.projects
        } else {
            asked.projects
        },
        permissions: Some(permissions),
    }
}

fn user_of(caller: &Caller) -> Option<skep_domain::UserId> {
    match caller.principal() {
        Principal::User(user) => Some(user),
        Principal::Agent(_) => None,
    }
}

fn paged(mut items: Vec<Credential>, page: PageOf<CredentialId>) -> KeyPage {
    let more = items.len() > page.limit as usize;
    items.truncate(page.limit as usize);
    KeyPage { items, more }
}

/// Shows the credential, never the secret.
impl std::fmt::Debug for Created {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Created")
            .field("credential", &self.credential.id)
            .finish_non_exhaustive()
    }
}
