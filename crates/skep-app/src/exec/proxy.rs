//! The way out of a program that sends: a proxy of its own for as long as it runs, at which placeholders
//! become values, and through which it gets to no host that its template does not name.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use skep_exec::{Draft, Egress};
use skep_store::ExecJob;
use skep_vault::template::{Into, Program};

use super::turn::Asker;
use crate::leases::{OfRun, RunLease};
use crate::{App, AppError};

/// The port of the program's own 127.0.0.1 that leads to its proxy.
const PORT: u16 = 3_128;
/// How much longer than its program a proxy is there: the program may wait for its record before it starts.
const GRACE: Duration = Duration::from_mins(1);

/// Where a program may send.
pub(super) fn egress(way_out: Option<&RunLease>) -> Egress {
    way_out.map_or(Egress::None, |lease| Egress::Proxy {
        socket: lease.socket.clone(),
        port: PORT,
    })
}

/// What a program is told: where its proxy is, which certificates that shows, and what to write where a secret
/// is to stand. What its template says of a variable itself stays.
pub(super) fn told(lease: &RunLease, program: &Program, mut draft: Draft) -> Draft {
    let given = program
        .secrets
        .iter()
        .filter_map(|secret| match &secret.into {
            Into::Variable(name) => Some(name.as_str()),
            Into::Descriptor(_) | Into::Input => None,
        });
    let said = program.variables.iter().map(|(name, _)| name.as_str());
    let mut taken: BTreeSet<&str> = given.chain(said).collect();
    let environment = lease.environment.iter();
    let environment = environment.map(|(name, value)| (*name, value.as_str()));
    let placeholders = lease.placeholders.iter();
    let placeholders = placeholders.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in environment.chain(placeholders) {
        if taken.insert(name) {
            draft = draft.env(name, value);
        }
    }
    draft.readable(&lease.bundle)
}

impl App {
    /// A proxy for a run whose program sends something; none for one that does not.
    pub(super) async fn way_out(
        self: &Arc<Self>,
        job: &ExecJob,
        asker: &Asker,
        program: &Program,
    ) -> Result<Option<RunLease>, AppError> {
        if program.hosts.is_empty() && program.rules.is_empty() {
            return Ok(None);
        }
        let run = OfRun {
            authorized: &asker.authorized,
            usable: &asker.usable,
            label: &job.label,
            socket: self.exec()?.socket(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            lasts: Duration::from_secs(program.seconds.into()) + GRACE,
        };
        self.begin_lease_of(run).await.map(Some)
    }

    /// What only the proxy puts in is in the vault, or nothing runs. The program never has it, so its
    /// arguments and its output are not compared with it: what is hidden of what they chose would tell
    /// whoever asks what it is. The proxy takes it out of what comes back.
    pub(super) async fn can_be_sent(
        &self,
        asker: &Asker,
        program: &Program,
    ) -> Result<(), AppError> {
        let mut known = BTreeSet::new();
        for rule in &program.rules {
            if known.insert(rule.wire_name()) {
                let name = rule.record();
                let name = name.map_err(|_| AppError::Internal("a rule's secret has no name"))?;
                let value = self.secret_of(&asker.authorized, rule.owner, &name).await?;
                drop(value);
            }
        }
        Ok(())
    }
}
