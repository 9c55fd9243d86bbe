//! `skep mcp`: an agent's tools, each call a question to the daemon as whoever runs this program.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use skep_client::{Client, ClientError, nonce};
use skep_mcp::{Ask, Daemon, Profile, Refusal, stdio};
use tokio::sync::Semaphore;

use crate::args::Mcp;
use crate::context::{Context, Way};
use crate::failure::Failure;

/// Questions under way at a time; more wait.
const AT_ONCE: usize = 8;

pub(crate) async fn run(context: &Context<'_>, arguments: &Mcp) -> Result<ExitCode, Failure> {
    let profile = Profile::parse(&arguments.profile)
        .ok_or_else(|| Failure::usage("there is no such profile"))?;
    let line = Line {
        way: context.way(),
        idle: Mutex::default(),
        slots: Semaphore::new(AT_ONCE),
    };
    let served = Box::pin(stdio::serve(line, profile, env!("CARGO_PKG_VERSION"))).await;
    served.map_err(|problem| {
        Failure::new("PROTOCOL", problem)
            .hint("a harness starts this program and speaks to it over stdin: docs/mcp.md")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Connections to the daemon, made when they are needed: a client that only lists tools starts none.
struct Line {
    way: Way,
    /// Connections that nothing is under way on. One that is dropped in the middle of a question is not
    /// used again.
    idle: Mutex<Vec<Client>>,
    slots: Semaphore,
}

impl Daemon for Line {
    async fn ask(&self, ask: Ask) -> Result<Value, Refusal> {
        let _slot = self.slots.acquire().await.map_err(|closed| Refusal {
            message: closed.to_string(),
            ..Refusal::default()
        })?;
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut client = match idle {
            Some(client) => client,
            None => self
                .way
                .connect()
                .await
                .map_err(|failure| unreached(&failure))?,
        };
        let query: Vec<_> = ask
            .query
            .into_iter()
            .map(|(name, value)| (name, Some(value)))
            .collect();
        let answer = client
            .ask(ask.route, ask.id.as_deref(), &query, ask.body.as_ref())
            .await;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever logs in anew, or gets another key, is not spoken for by the one before.
        let keep = !matches!(&answer, Err(ClientError::Refused(refused)) if refused.error.code.status() == 401);
        if keep {
            idle.push(client);
        }
        answer.map_err(refused)
    }

    fn nonce(&self) -> [u8; 16] {
        // A nonce that stands in a text is drawn again, and nothing is shown if none is better: a system
        // without randomness shows less, and nothing that its marks do not hold for.
        nonce().unwrap_or_default()
    }
}

fn unreached(failure: &Failure) -> Refusal {
    Refusal {
        message: format!(
            "Skep is not reached: {}. Tell the user to run skep doctor.",
            failure.told()
        ),
        ..Refusal::default()
    }
}

fn refused(error: ClientError) -> Refusal {
    match error {
        ClientError::Refused(envelope) => envelope.into(),
        other => unreached(&Failure::from(other)),
    }
}
