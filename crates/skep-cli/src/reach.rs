//! Which daemon a verb speaks to, and as whom: the command line, the environment, then the login
//! that is active, then this machine's own.

use skep_client::{Active, Client, Endpoint, Home, LoginFlow, Logins, Origin, Token};

use crate::args::Server;
use crate::environment::Environment;
use crate::failure::Failure;

/// The way to a daemon, chosen but not gone.
pub(crate) enum Reach {
    /// The daemon of the home, which knows us by our user id.
    Socket,
    /// The same over TCP, with the install token.
    Install(Origin),
    /// A daemon anywhere, with a key from a file.
    Key(Origin, Token),
    /// A daemon anywhere, as whoever logged in.
    Login(Active),
}

impl Reach {
    pub(crate) fn of(
        home: &Home,
        server: &Server,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        if server.local {
            return Ok(Self::Socket);
        }
        let origin = named(server, environment)?;
        let key = server
            .token_file
            .as_ref()
            .or(environment.token_file.as_ref());
        let key = key.map(|path| Token::read_key(path)).transpose()?;
        let active = Active::read(home)?;
        Ok(match (origin, key, active) {
            (Some(origin), Some(key), _) => Self::Key(origin, key),
            (None, Some(key), Some(active)) => Self::Key(Origin::parse(&active.issuer)?, key),
            (None, Some(key), None) => Self::Key(Origin::usual(), key),
            (Some(origin), None, active) => Self::at(home, origin, active)?,
            (None, None, Some(active)) => Self::Login(active),
            (None, None, None) => Self::Socket,
        })
    }

    /// As whom a daemon is spoken to that was named.
    fn at(home: &Home, origin: Origin, active: Option<Active>) -> Result<Self, Failure> {
        let issuer = origin.to_string();
        if let Some(active) = active.filter(|active| active.issuer == issuer) {
            return Ok(Self::Login(active));
        }
        let logins = Logins::read(home)?;
        let mut there = logins.at(Some(&issuer));
        match (there.next(), there.next()) {
            (Some(only), None) => Ok(Self::Login(only.active())),
            (Some(_), Some(_)) => Err(Failure::new(
                "WHICH_LOGIN",
                format!("there are several logins at {issuer}, and none of them is active"),
            )
            .hint("choose one with: skep org switch")),
            (None, _) if origin.is_local() => Ok(Self::Install(origin)),
            (None, _) => Err(Failure::new(
                "NOT_LOGGED_IN",
                format!("nobody is logged in at {issuer}"),
            )
            .hint(format!("skep login {issuer}, or --token-file with a key"))),
        }
    }

    /// The URL of the daemon, if it is not the one behind the socket.
    pub(crate) fn server(&self) -> Option<String> {
        match self {
            Self::Socket => None,
            Self::Install(origin) | Self::Key(origin, _) => Some(origin.to_string()),
            Self::Login(active) => Some(active.issuer.clone()),
        }
    }

    /// Whose captures wait together: those for one daemon and organization never reach another.
    pub(crate) fn destination(&self) -> Option<String> {
        match self {
            Self::Socket | Self::Install(_) => None,
            Self::Key(origin, token) => Some(format!("{origin} {}", token.fingerprint())),
            Self::Login(active) => Some(format!("{} {}", active.issuer, active.organization)),
        }
    }

    /// A connection.
    pub(crate) async fn connect(&self, home: &Home) -> Result<Client, Failure> {
        let endpoint = match self {
            Self::Socket => Endpoint::socket(home),
            Self::Install(origin) => Endpoint::install(home, origin.clone())?,
            Self::Key(origin, token) => Endpoint::key(origin.clone(), token.clone()),
            Self::Login(active) => {
                if Logins::read(home)?.get(active).is_none() {
                    return Err(no_login(active));
                }
                LoginFlow::renew(home, active).await?
            }
        };
        Ok(Client::connect(&endpoint).await?)
    }
}

/// The daemon that was named, if one was.
pub(crate) fn named(server: &Server, environment: &Environment) -> Result<Option<Origin>, Failure> {
    Ok(match (&server.url, server.tcp, &environment.url) {
        (Some(url), _, _) | (None, false, Some(url)) => Some(Origin::parse(url)?),
        (None, true, _) => Some(Origin::usual()),
        (None, false, None) => None,
    })
}

/// The file that says which login is active, and the logins, do not agree: nothing is sent.
fn no_login(active: &Active) -> Failure {
    let Active {
        issuer,
        organization,
    } = active;
    Failure::new(
        "ORG_MISMATCH",
        format!("active.json names {organization} at {issuer}, and no login for it is kept here"),
    )
    .hint(format!("skep org switch, or: skep login {issuer}"))
}
