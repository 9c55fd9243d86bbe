//! The service: each method passes the gate, converts, and calls the use case that HTTP calls.

use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt};
use skep_api::RouteId;
use skep_app::{Revocation as News, Revoked};
use skep_authz::{Denied, rights};
use skep_domain::{AgentId, CredentialId, Principal};
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use crate::convert::{self, Tags};
use crate::gate::{Gate, Question};
use crate::listen::Peer;
use crate::refusal::Refusal;
use crate::wire::auth_service_server::AuthService;
use crate::wire::revocation::What;
use crate::wire::{
    CreateTokenRequest, CreateTokenResponse, ListTokensRequest, ListTokensResponse, Revocation,
    RevokeTokenRequest, RevokeTokenResponse, ValidateAgentRequest, ValidateTokenRequest, Validated,
    WatchRevocationsRequest,
};

/// How often a listener hears that nothing was revoked.
const BEAT: Duration = Duration::from_millis(250);
const CREATE: &str = "/skep.auth.v1.AuthService/CreateToken";
const REVOKE: &str = "/skep.auth.v1.AuthService/RevokeToken";
const LIST: &str = "/skep.auth.v1.AuthService/ListTokens";

/// Answers other programs of the installation.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) gate: Gate,
}

impl Service {
    fn tags<'a>(&'a self, caller: &'a skep_authz::Caller) -> Tags<'a> {
        Tags(self.gate.app.id_tags(caller))
    }

    async fn agent(&self, request: &Request<ValidateAgentRequest>) -> Result<Validated, Refusal> {
        let asked = request.get_ref();
        let caller = self
            .gate
            .validate(&asked.token, None, peer(request))
            .await?;
        let tags = self.tags(&caller);
        // One answer, whoever else it proves.
        let agent = convert::parse::<AgentId>(&asked.agent, &tags);
        let proved = agent.is_ok_and(|agent| caller.principal() == Principal::Agent(agent));
        if !proved {
            return Err(Denied::InvalidCredential.into());
        }
        Ok(convert::validated(&caller, &tags))
    }

    async fn create(
        &self,
        request: Request<CreateTokenRequest>,
    ) -> Result<CreateTokenResponse, Refusal> {
        let route = RouteId::KeyCreate.row();
        let caller = self.gate.admit(route, question(&request, CREATE)).await?;
        let right = caller.authorize::<rights::TokenManage>()?;
        let tags = self.tags(&caller);
        let new = convert::new_key(request.into_inner(), &tags)?;
        let created = self.gate.app.create_key(right, &caller, new).await?;
        Ok(convert::created(&created, &tags))
    }

    async fn revoke(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<RevokeTokenResponse, Refusal> {
        let route = RouteId::KeyRevoke.row();
        let caller = self.gate.admit(route, question(&request, REVOKE)).await?;
        let right = caller.authorize::<rights::TokenManage>()?;
        let id = request.into_inner().id;
        let credential: CredentialId = convert::parse(&id, &self.tags(&caller))?;
        self.gate.app.revoke_key(right, credential).await?;
        Ok(RevokeTokenResponse { id })
    }

    async fn list(
        &self,
        request: Request<ListTokensRequest>,
    ) -> Result<ListTokensResponse, Refusal> {
        let route = RouteId::KeyList.row();
        let caller = self.gate.admit(route, question(&request, LIST)).await?;
        let right = caller.authorize::<rights::TokenManage>()?;
        let tags = self.tags(&caller);
        let page = convert::page(request.get_ref(), &tags)?;
        let found = self.gate.app.list_keys(right, page).await?;
        Ok(convert::listed(&found, &tags))
    }
}

type Stories = Pin<Box<dyn Stream<Item = Result<Revocation, Status>> + Send>>;

#[tonic::async_trait]
impl AuthService for Service {
    async fn validate_token(
        &self,
        request: Request<ValidateTokenRequest>,
    ) -> Result<Response<Validated>, Status> {
        let asked = request.get_ref();
        let proof = asked.proof.as_ref();
        let caller = self
            .gate
            .validate(&asked.token, proof, peer(&request))
            .await?;
        let tags = self.tags(&caller);
        Ok(Response::new(convert::validated(&caller, &tags)))
    }

    async fn validate_agent(
        &self,
        request: Request<ValidateAgentRequest>,
    ) -> Result<Response<Validated>, Status> {
        Ok(Response::new(self.agent(&request).await?))
    }

    async fn create_token(
        &self,
        request: Request<CreateTokenRequest>,
    ) -> Result<Response<CreateTokenResponse>, Status> {
        Ok(Response::new(self.create(request).await?))
    }

    async fn revoke_token(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<Response<RevokeTokenResponse>, Status> {
        Ok(Response::new(self.revoke(request).await?))
    }

    async fn list_tokens(
        &self,
        request: Request<ListTokensRequest>,
    ) -> Result<Response<ListTokensResponse>, Status> {
        Ok(Response::new(self.list(request).await?))
    }

    type WatchRevocationsStream = Stories;

    async fn watch_revocations(
        &self,
        _: Request<WatchRevocationsRequest>,
    ) -> Result<Response<Stories>, Status> {
        let news = self.gate.app.revocations();
        // The first beat comes at once: from here on nothing is missed.
        let stories = stream::unfold((news, true), |(mut news, first)| async move {
            let told = if first {
                What::Beat
            } else {
                match timeout(BEAT, news.next()).await {
                    Ok(told) => what(told?),
                    Err(_) => What::Beat,
                }
            };
            Some((Ok(Revocation { what: told.into() }), (news, false)))
        });
        Ok(Response::new(stories.boxed()))
    }
}

fn what(news: News) -> What {
    match news {
        News::Of(Revoked::Credential) => What::Credential,
        News::Of(Revoked::Agent) => What::Agent,
        News::Of(Revoked::Organization) => What::Organization,
        News::Of(Revoked::Membership) => What::Membership,
        News::Anything => What::Anything,
    }
}

fn peer<T>(request: &Request<T>) -> Option<&Peer> {
    request.extensions().get::<Peer>()
}

fn question<'q, T>(request: &'q Request<T>, path: &'q str) -> Question<'q> {
    Question {
        metadata: request.metadata(),
        peer: peer(request),
        path,
    }
}
