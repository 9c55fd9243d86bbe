//! What every verb needs: the home, the way to the daemon, the output.

use std::net::SocketAddr;
use std::path::PathBuf;

use skep_client::{Client, ClientError, Credentials, Endpoint, Home, LoginFlow, daemon};

use crate::args::Global;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::Output;

/// The surroundings of one run.
pub(crate) struct Context<'a> {
    pub(crate) home: Home,
    pub(crate) output: &'a Output,
    pub(crate) environment: Environment,
    /// Over TCP instead of the socket.
    tcp: Option<SocketAddr>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        global: Global,
        environment: Environment,
        output: &'a Output,
    ) -> Result<Self, Failure> {
        let path = global
            .home
            .or_else(|| environment.skep_home.clone())
            .or_else(|| {
                environment
                    .user_home
                    .as_ref()
                    .map(|home| home.join(".skep"))
            })
            .ok_or_else(|| {
                Failure::usage("no data directory: neither --home, SKEP_HOME nor HOME is set")
            })?;
        let tcp = match (&environment.url, global.tcp) {
            (Some(url), _) => Some(Endpoint::parse_url(url)?),
            (None, true) => Some(Endpoint::TCP),
            (None, false) => None,
        };
        Ok(Self {
            home: Home::new(path)?,
            output,
            environment,
            tcp,
        })
    }

    /// A connection to the daemon, which is started if nobody answers on the socket.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        if let Some(address) = self.tcp
            && self.login_at(address)?.is_some()
        {
            let endpoint = LoginFlow::renew(&self.home, address).await?;
            return Ok(Client::connect(&endpoint).await?);
        }
        let endpoint = self.endpoint()?;
        match (Client::connect(&endpoint).await, &endpoint) {
            (Err(ClientError::Unreachable { .. }), Endpoint::Unix(_)) => {
                self.start().await?;
                Ok(Client::connect(&endpoint).await?)
            }
            (connected, _) => Ok(connected?),
        }
    }

    /// Where a login is to be had, or is kept for.
    pub(crate) fn login_address(&self) -> SocketAddr {
        self.tcp.unwrap_or(Endpoint::TCP)
    }

    /// The login that is kept for this address.
    pub(crate) fn login_at(&self, address: SocketAddr) -> Result<Option<Credentials>, Failure> {
        let kept = Credentials::read(&self.home)?;
        Ok(kept.filter(|kept| kept.issuer == format!("http://{address}")))
    }

    /// The way to the daemon, whether it is up or not.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        Ok(match self.tcp {
            Some(address) => Endpoint::tcp(&self.home, address)?,
            None => Endpoint::socket(&self.home),
        })
    }

    /// Starts the daemon and waits for it.
    pub(crate) async fn start(&self) -> Result<(), Failure> {
        let home = self.home.path().display();
        self.output
            .note(&format!("starting skepd (data in {home}) …"));
        Ok(daemon::start(&self.home, &daemon::program()).await?)
    }

    /// A folder under the user's own home.
    pub(crate) fn under_user_home(&self, folder: &str) -> Result<PathBuf, Failure> {
        let home = self.environment.user_home.as_ref();
        home.map(|home| home.join(folder))
            .ok_or_else(|| Failure::usage("HOME is not set: name the path"))
    }
}
