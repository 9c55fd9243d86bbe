//! What is told of revocations once they are durable, to whoever remembers checks.

use tokio::sync::broadcast;

/// What does not count any more as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// A key, a token, a login, a browser's session.
    Credential,
    /// An agent may not act, or reads otherwise; or may act again.
    Agent,
    /// An organization may not act, or may again.
    Organization,
    /// Somebody is no member any more, or as something else.
    Membership,
}

/// News held for a listener that is behind; one further behind is told that it missed some.
const HELD: usize = 256;

/// Tells it to everybody who listens.
#[derive(Clone, Debug)]
pub(crate) struct Crier(broadcast::Sender<Revoked>);

/// What one transaction has to tell when it is committed.
#[derive(Debug)]
pub(super) struct News {
    crier: Crier,
    told: Vec<Revoked>,
}

impl Default for Crier {
    fn default() -> Self {
        Self(broadcast::Sender::new(HELD))
    }
}

impl Crier {
    /// Nobody listening is no failure.
    pub(crate) fn tell(&self, what: Revoked) {
        let _ = self.0.send(what);
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Revoked> {
        self.0.subscribe()
    }
}

impl News {
    pub(super) fn of(crier: &Crier) -> Self {
        Self {
            crier: crier.clone(),
            told: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, what: Revoked) {
        if !self.told.contains(&what) {
            self.told.push(what);
        }
    }

    pub(super) fn tell(self) {
        for what in self.told {
            self.crier.tell(what);
        }
    }
}
