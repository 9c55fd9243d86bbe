//! What every verb needs: the home, the way to the daemon, the output.

use std::path::PathBuf;

use skep_client::{Client, Home, Origin, Spool, daemon};

use crate::args::{Global, Server};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::Output;
use crate::reach::{Reach, named};

/// The surroundings of one run.
pub(crate) struct Context<'a> {
    pub(crate) home: Home,
    pub(crate) output: &'a Output,
    pub(crate) environment: Environment,
    server: Server,
}

/// The way to a daemon, to be gone again and again.
pub(crate) struct Way {
    home: Home,
    environment: Environment,
    server: Server,
}

impl Way {
    /// A connection, as whoever is logged in now; the daemon of the home is started if it does not answer.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        let reach = Reach::of(&self.home, &self.server, &self.environment)?;
        match reach.connect(&self.home).await {
            Err(failure) if matches!(reach, Reach::Socket) && failure.is_unreachable() => {
                daemon::start(&self.home, &daemon::program()).await?;
                reach.connect(&self.home).await
            }
            connected => connected,
        }
    }
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
        // What was called wrongly is said before anything is done.
        named(&global.server, &environment)?;
        Ok(Self {
            home: Home::new(path)?,
            output,
            environment,
            server: global.server,
        })
    }

    /// Which daemon, and as whom.
    pub(crate) fn reach(&self) -> Result<Reach, Failure> {
        Reach::of(&self.home, &self.server, &self.environment)
    }

    /// The same for what outlives this verb's own scope, and connects more than once.
    pub(crate) fn way(&self) -> Way {
        Way {
            home: self.home.clone(),
            environment: self.environment.clone(),
            server: self.server.clone(),
        }
    }

    /// Whether this machine's own daemon was asked for.
    pub(crate) fn is_local(&self) -> bool {
        self.server.local
    }

    /// The daemon that the command line or the environment names.
    pub(crate) fn named(&self) -> Result<Option<Origin>, Failure> {
        named(&self.server, &self.environment)
    }

    /// A connection to the daemon; the one of the home is started if it does not answer.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        let reach = self.reach()?;
        match reach.connect(&self.home).await {
            Err(failure) if matches!(reach, Reach::Socket) && failure.is_unreachable() => {
                self.start().await?;
                reach.connect(&self.home).await
            }
            connected => connected,
        }
    }

    /// Where captures wait for that daemon.
    pub(crate) fn spool(&self) -> Result<Spool, Failure> {
        let destination = self.reach()?.destination();
        Ok(Spool::of(&self.home, destination.as_deref()))
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
