//! What is told once it is durable: here to whoever remembers checks, and from node to node.

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

/// What nodes tell each other: of which kind, and nothing about whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// Something does not count as it did.
    Revoked(Revoked),
    /// Keys of the installation or of a workspace are others, or gone: what is held of them is read again.
    Keys,
}

/// What one piece of news is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Something of this kind.
    Of(Revoked),
    /// More than could be told one by one.
    Anything,
}

/// News held for a listener that is behind; one further behind is told that it missed some.
const HELD: usize = 256;

/// Tells it to everybody who listens.
#[derive(Clone, Debug)]
pub(crate) struct Crier(broadcast::Sender<Revocation>);

/// What one transaction has to tell when it is committed.
#[derive(Debug)]
pub(super) struct News {
    crier: Crier,
    told: Vec<Announcement>,
}

impl Announcement {
    /// All there are.
    pub const ALL: [Self; 5] = [
        Self::Revoked(Revoked::Credential),
        Self::Revoked(Revoked::Agent),
        Self::Revoked(Revoked::Organization),
        Self::Revoked(Revoked::Membership),
        Self::Keys,
    ];

    /// Its word between nodes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked(Revoked::Credential) => "credential",
            Self::Revoked(Revoked::Agent) => "agent",
            Self::Revoked(Revoked::Organization) => "organization",
            Self::Revoked(Revoked::Membership) => "membership",
            Self::Keys => "keys",
        }
    }

    /// From its word; `None` for one that a later version says.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

impl Default for Crier {
    fn default() -> Self {
        Self(broadcast::Sender::new(HELD))
    }
}

impl Crier {
    pub(crate) fn listen(&self) -> broadcast::Receiver<Revocation> {
        self.0.subscribe()
    }

    /// Nobody listening is no failure.
    pub(crate) fn tell(&self, what: Revocation) {
        let _ = self.0.send(what);
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
        let what = Announcement::Revoked(what);
        if !self.told.contains(&what) {
            self.told.push(what);
        }
    }

    /// What other nodes are to hear.
    pub(super) fn told(&self) -> &[Announcement] {
        &self.told
    }

    /// Tells it here.
    pub(super) fn tell(self) {
        for what in self.told {
            if let Announcement::Revoked(what) = what {
                self.crier.tell(Revocation::Of(what));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Announcement;

    #[test]
    fn each_announcement_has_a_word_of_its_own_that_leads_back_to_it() {
        for known in Announcement::ALL {
            assert_eq!(Announcement::parse(known.as_str()), Some(known));
        }
        assert_eq!(Announcement::parse("weather"), None);
    }
}
