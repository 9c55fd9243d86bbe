//! Who asks, and whether they may: as over HTTP, by the rows of the same route table.

use std::sync::Arc;

use skep_api::{Gate as Asks, Route, RouteId, id};
use skep_app::{App, Decision, Resource, Shown, ShownError};
use skep_authz::{Caller, Denied};
use skep_domain::{Id, OrganizationId, WorkspaceId};
use skep_limit::{Limits, Subject};
use tonic::metadata::MetadataMap;

use crate::convert::Tags;
use crate::listen::Peer;
use crate::refusal::Refusal;
use crate::wire::Proof;

/// Bytes of a credential: an access token is the longest. What is longer is refused unread.
pub(crate) const TOKEN: usize = 4 << 10;
const AUTHORIZATION: &str = "authorization";
const PROOF: &str = "dpop";
const ORGANIZATION: &str = "x-skep-organization";
const WORKSPACE: &str = "x-skep-workspace";

/// What stands before each method.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) app: Arc<App>,
    pub(crate) limits: Option<Arc<Limits>>,
    /// Whether the credentials of the installation count: in a mode where they do, over the socket.
    pub(crate) trusts: bool,
}

/// One question, as far as it matters for who asks it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q> {
    pub(crate) metadata: &'q MetadataMap,
    pub(crate) peer: Option<&'q Peer>,
    /// The path of the method.
    pub(crate) path: &'q str,
}

impl Gate {
    /// Who presents this credential, which somebody asks about; recorded if nobody does.
    pub(crate) async fn validate(
        &self,
        token: &str,
        proof: Option<&Proof>,
        peer: Option<&Peer>,
    ) -> Result<Caller, Refusal> {
        let shown = proof.map(|proof| {
            (
                proof.proof.as_str(),
                proof.method.as_str(),
                proof.path.as_str(),
            )
        });
        let caller = self.prove(token, shown).await.and_then(|caller| {
            // What proves the machine proves nothing to another program.
            if caller.kind().is_of_the_installation() {
                return Err(Denied::InvalidCredential.into());
            }
            // Whoever owes a factor may enrol one here, and do nothing elsewhere.
            caller.require_factor()?;
            Ok(caller)
        });
        let caller = self.recorded("auth.validate", None, peer, caller)?;
        self.count(RouteId::Whoami.row(), &caller).await?;
        Ok(caller)
    }

    /// Whoever asks for something that a row of the route table allows; recorded as that row says.
    pub(crate) async fn admit(
        &self,
        route: &Route,
        question: Question<'_>,
    ) -> Result<Caller, Refusal> {
        let action = route.audit.unwrap_or(route.path);
        let caller = self.identify(question).await;
        let caller = self.recorded(action, None, question.peer, caller)?;
        self.count(route, &caller).await?;
        let verdict = self.allow(route, question.metadata, &caller);
        self.recorded(action, Some(&caller), question.peer, verdict)?;
        if route.mutates() {
            let decision = self.decision(action, None);
            self.app.record_allowed(decision, Some(&caller)).await?;
        }
        Ok(caller)
    }

    async fn identify(&self, question: Question<'_>) -> Result<Caller, Refusal> {
        let one = |name| only(question.metadata, name);
        let header = one(AUTHORIZATION)?.ok_or(Denied::MissingCredential)?;
        let (scheme, token) = header.split_once(' ').ok_or(Denied::InvalidCredential)?;
        let caller = match scheme {
            scheme if scheme.eq_ignore_ascii_case("bearer") => self.prove(token, None).await?,
            scheme if scheme.eq_ignore_ascii_case("dpop") => {
                let proof = one(PROOF)?.ok_or(Denied::InvalidCredential)?;
                self.prove(token, Some((proof, "POST", question.path)))
                    .await?
            }
            _ => return Err(Denied::InvalidCredential.into()),
        };
        if caller.kind().is_of_the_installation() && !self.trusts {
            return Err(Denied::InvalidCredential.into());
        }
        Ok(caller)
    }

    async fn prove(
        &self,
        token: &str,
        proof: Option<(&str, &str, &str)>,
    ) -> Result<Caller, Refusal> {
        if token.len() > TOKEN {
            return Err(Denied::InvalidCredential.into());
        }
        if proof.is_none() && !token.contains('.') {
            let header = format!("Bearer {token}");
            return Ok(self
                .app
                .authenticate_header(Some(header.as_bytes()))
                .await?);
        }
        let (proof, method, path) = proof.map_or((None, "", ""), |(proof, method, path)| {
            (Some(proof), method, path)
        });
        let shown = Shown {
            token,
            with_proof: proof.is_some(),
            proof,
            method,
            path,
            resource: Resource::Api,
        };
        self.app.authenticate_token(shown).await.map_err(|error| {
            let nonce = matches!(error, ShownError::NonceNeeded).then(|| self.app.proof_nonce());
            Refusal {
                nonce,
                ..error.into()
            }
        })
    }

    fn allow(&self, route: &Route, metadata: &MetadataMap, caller: &Caller) -> Result<(), Refusal> {
        self.named::<OrganizationId>(metadata, ORGANIZATION, caller, caller.organization())?;
        self.named::<WorkspaceId>(metadata, WORKSPACE, caller, caller.workspace())?;
        match route.gate {
            Asks::Public => {}
            Asks::Oneself => caller.require_factor()?,
            Asks::InPerson => {
                caller.require_in_person()?;
                caller.require_factor()?;
            }
            Asks::Install => caller.require_installation()?,
            Asks::Permission(permission) => caller.require(permission)?,
            Asks::SteppedUp(permission) => {
                caller.require(permission)?;
                caller.require_step_up(self.app.now())?;
            }
        }
        Ok(())
    }

    /// Compares what a client says with what its credential says. It need not say anything.
    fn named<I: Id>(
        &self,
        metadata: &MetadataMap,
        name: &str,
        caller: &Caller,
        own: I,
    ) -> Result<(), Refusal> {
        let tags = Tags(self.app.id_tags(caller));
        for value in metadata.get_all(name) {
            let said = value.to_str().ok();
            if said.and_then(|text| id::parse(&tags, text).ok()) != Some(own) {
                return Err(Denied::OrganizationMismatch.into());
            }
        }
        Ok(())
    }

    async fn count(&self, route: &Route, caller: &Caller) -> Result<(), Refusal> {
        let Some(limits) = &self.limits else {
            return Ok(());
        };
        let own = self.app.own_quotas(caller.organization()).await;
        let credential = caller.credential().to_bytes();
        let subjects = [
            Subject::Organization(caller.organization()),
            Subject::Credential(&credential),
        ];
        let (key, now) = (self.app.limit_key(), self.app.now());
        let taken = limits.take(key, route.rate, &subjects, &own, now).await;
        let taken = taken.map_err(|_| skep_app::AppError::AuthServiceAway)?;
        match taken.filter(|taken| !taken.allowed) {
            None => Ok(()),
            Some(taken) => {
                let micros = taken.standing.next_in.max(0).unsigned_abs();
                let retry_after_ms = micros.div_ceil(1_000);
                Err(skep_app::AppError::RateLimited { retry_after_ms }.into())
            }
        }
    }

    fn recorded<T>(
        &self,
        action: &str,
        caller: Option<&Caller>,
        peer: Option<&Peer>,
        verdict: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if let Err(refusal) = &verdict
            && refusal.is_decision()
        {
            let mut decision = self.decision(action, peer.filter(|_| caller.is_none()));
            refusal.code.as_str().clone_into(&mut decision.reason);
            self.app.record_denied(decision, caller);
        }
        verdict
    }

    fn decision(&self, action: &str, peer: Option<&Peer>) -> Decision {
        Decision {
            action: action.to_owned(),
            request: self.app.new_request_id(),
            peer: peer.map(Peer::to_string),
            ..Decision::default()
        }
    }
}

/// The value of a name that may be there once.
fn only<'m>(metadata: &'m MetadataMap, name: &str) -> Result<Option<&'m str>, Denied> {
    let mut values = metadata.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(Denied::InvalidCredential);
    }
    value
        .map(|value| value.to_str().map_err(|_| Denied::InvalidCredential))
        .transpose()
}
