//! A daemon with two tenants, and the service at a socket of its own.

use std::path::PathBuf;
use std::sync::Arc;

use skep_crypto::BearerKind;
use skep_domain::{OrganizationRole, PermissionSet, Principal, Quota, Role, Timestamp};
use skep_grpc::protocol::auth_service_client::AuthServiceClient;
use skep_grpc::protocol::{ValidateTokenRequest, Validated};
use skep_grpc::{Answering, Destination, Listener, Server, ask};
use skep_limit::{Limiter, Limits, Quotas};
use skep_store::{CredentialBody, Mode, NewBearer};
use skep_test_support::{Newcomer, Pass, Scratch, Tenant, TestDaemon};
use tokio::net::UnixListener;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Request, Status};

pub(crate) type Client = AuthServiceClient<Channel>;

/// The daemon and its service.
pub(crate) struct House {
    pub(crate) daemon: TestDaemon,
    pub(crate) socket: PathBuf,
    serving: JoinSet<()>,
    _folder: Scratch,
}

/// What is out of the ordinary about a house.
#[derive(Default)]
pub(crate) struct Oddity {
    pub(crate) trusts_installation: bool,
    pub(crate) reflection: bool,
    /// Quotas by name.
    pub(crate) quotas: Vec<(&'static str, &'static str)>,
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::with(Oddity::default()).await
    }

    pub(crate) async fn with(oddity: Oddity) -> Self {
        let daemon = TestDaemon::start_quiet().await;
        let folder = Scratch::new();
        let socket = folder.path().join("auth.sock");
        let mut house = Self {
            daemon,
            socket,
            serving: JoinSet::new(),
            _folder: folder,
        };
        house.serve(&oddity);
        house
    }

    /// Serves, after a fall too.
    pub(crate) fn serve(&mut self, oddity: &Oddity) {
        let listener = UnixListener::bind(&self.socket).unwrap();
        let server = Server::new(self.answering(oddity));
        let own = rustix::process::geteuid().as_raw();
        self.serving
            .spawn(server.run(Listener::Unix(listener, own)));
    }

    pub(crate) fn answering(&self, oddity: &Oddity) -> Answering {
        let mut quotas = Quotas::default();
        for (name, quota) in &oddity.quotas {
            assert!(quotas.set(name, Quota::parse(quota).unwrap()));
        }
        let limiter = Arc::new(Limiter::local());
        Answering {
            app: Arc::clone(&self.daemon.app),
            limits: Some(Limits { limiter, quotas }),
            trusts_installation: oddity.trusts_installation,
            reflection: oddity.reflection,
        }
    }

    /// Ends as a process does that is killed: connections are cut, nobody listens.
    pub(crate) async fn fall(&mut self) {
        self.serving.shutdown().await;
        std::fs::remove_file(&self.socket).unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        AuthServiceClient::new(ask(&Destination::Unix(self.socket.clone())).unwrap())
    }

    pub(crate) fn home(&self) -> (skep_domain::OrganizationId, skep_domain::WorkspaceId) {
        (self.daemon.a.organization, self.daemon.a.workspace)
    }

    /// A key of somebody with this role.
    pub(crate) async fn pass(&self, role: Role) -> Pass {
        self.daemon.admit(self.home(), Newcomer::with(role)).await
    }

    pub(crate) async fn validate(&self, token: &str) -> Result<Validated, Status> {
        let token = token.to_owned();
        let request = ValidateTokenRequest { token, proof: None };
        let answer = self.client().validate_token(request).await;
        answer.map(tonic::Response::into_inner)
    }

    /// A key of an administrator of a tenant who showed a second factor just now.
    #[expect(
        clippy::disallowed_methods,
        reason = "lets somebody in without their having to log in"
    )]
    pub(crate) async fn stepped_up(&self, tenant: &Tenant, kind: BearerKind) -> String {
        let store = &self.daemon.store;
        let minted = store.mint_bearer(kind).unwrap();
        let mut door = store.begin_door(Mode::Write).await.unwrap();
        let user = door.mint();
        let home = (tenant.organization, tenant.workspace);
        let role = OrganizationRole::Admin;
        door.put_user(user, &skep_store::UserBody::default())
            .await
            .unwrap();
        door.put_member(home.0, user, role).await.unwrap();
        let bearer = NewBearer {
            minted,
            body: CredentialBody::default(),
            expires_at: None,
            idle_at: None,
            stepped_up_at: Some(door.now()),
            confined: false,
            created_by: None,
        };
        let made = door
            .put_bearer(home, Principal::User(user), bearer)
            .await
            .unwrap();
        door.commit().await.unwrap();
        made.text.expose().clone()
    }
}

/// Somebody with this role whose key is narrowed and ends.
pub(crate) fn bounded(role: Role, permissions: PermissionSet, end: Option<Timestamp>) -> Newcomer {
    Newcomer {
        permissions: Some(permissions),
        expires_at: end,
        ..Newcomer::with(role)
    }
}

/// A request of whoever has this token.
pub(crate) fn of<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// What a refusal says, but for its message.
pub(crate) fn told(status: &Status) -> (tonic::Code, &str) {
    let code = status.metadata().get("skep-code");
    (
        status.code(),
        code.map_or("", |code| code.to_str().unwrap()),
    )
}
