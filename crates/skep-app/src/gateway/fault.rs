//! Why a model call came to nothing, named for what the caller can do about it.

use skep_egress::{EgressError, Stage};

/// What went wrong. No variant holds what a provider wrote: that may quote the key it was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayFault {
    /// No provider of the organization has it.
    #[error(
        "no provider of your organization has the model {0}: see which there are at /v1/models"
    )]
    NoModel(String),
    /// The provider is there and may not be asked for it.
    #[error("your organization does not let the model {0} be used")]
    NotAllowed(String),
    /// It went in a circle, most likely.
    #[error(
        "the call has passed through {0} gateways, which is as many as it may: one of them leads back"
    )]
    Hops(u8),
    /// Its settings are at fault; whoever set it up can mend that.
    #[error("the provider {provider} cannot be used as it is set up: {problem}")]
    Setup {
        /// Its name.
        provider: String,
        /// What is wrong.
        problem: String,
    },
    /// It does not accept the organization's key.
    #[error("the provider {0} does not accept the key that your organization has for it")]
    KeyRefused(String),
    /// It could not be reached, or what it said is no answer.
    #[error("the provider {provider} gave no answer: {problem}")]
    NoAnswer {
        /// Its name.
        provider: String,
        /// What happened.
        problem: String,
    },
    /// It answered that it could not.
    #[error("the provider {provider} answered {status}")]
    Answered {
        /// Its name.
        provider: String,
        /// What.
        status: u16,
    },
    /// It took too long.
    #[error("the provider {0} took too long")]
    Late(String),
    /// It failed again and again, and is left alone for a while.
    #[error("the provider {provider} failed again and again: it is tried again in {wait_ms} ms")]
    Resting {
        /// Its name.
        provider: String,
        /// For how long.
        wait_ms: u64,
    },
    /// A call under the same key is being made.
    #[error(
        "a call with this Idempotency-Key is under way: ask again in a moment for what comes of it"
    )]
    UnderWay,
    /// The key stands for another call.
    #[error(
        "this Idempotency-Key was sent with another request in the last 24 hours: send a new key with a new request"
    )]
    KeyReused,
    /// As many calls to it are under way as may.
    #[error("too many calls to the provider {0} are under way: try again in a moment")]
    Busy(String),
}

/// What is known of a call that failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) fault: GatewayFault,
    /// Whether anything of it can have reached a provider.
    pub(super) was_sent: bool,
    /// Whether another provider may do better.
    pub(super) is_theirs: bool,
}

impl Failed {
    /// Before anything was sent.
    pub(super) fn before(fault: GatewayFault) -> Self {
        Self {
            fault,
            was_sent: false,
            is_theirs: false,
        }
    }

    /// It is not asked now, and another may be.
    pub(super) fn resting(provider: &str, wait_micros: i64) -> Self {
        Self {
            is_theirs: true,
            ..Self::before(GatewayFault::Resting {
                provider: provider.to_owned(),
                wait_ms: wait_micros.max(0).unsigned_abs().div_ceil(1_000),
            })
        }
    }

    /// Whether its provider is to blame, rather than what was asked of it.
    pub(super) fn is_outage(&self) -> bool {
        matches!(
            self.fault,
            GatewayFault::NoAnswer { .. } | GatewayFault::Late(_)
        )
    }

    /// On the way out, or while its answer was waited for.
    pub(super) fn on_the_way(provider: &str, error: &EgressError) -> Self {
        let provider = provider.to_owned();
        let problem = error.to_string();
        let (fault, was_sent) = match error {
            EgressError::Url(_)
            | EgressError::Forbidden { .. }
            | EgressError::Request(_)
            | EgressError::Redirect(_) => (GatewayFault::Setup { provider, problem }, false),
            EgressError::Busy => (GatewayFault::Busy(provider), false),
            EgressError::Tls { .. } => (GatewayFault::NoAnswer { provider, problem }, false),
            EgressError::Late {
                stage: Stage::Connect,
                ..
            } => (GatewayFault::Late(provider), false),
            EgressError::Late { .. } => (GatewayFault::Late(provider), true),
            // What breaks on the way there has a kind; what breaks later is wrapped.
            EgressError::Unreachable { source, .. } => {
                let was_sent = source.kind() == std::io::ErrorKind::Other;
                (GatewayFault::NoAnswer { provider, problem }, was_sent)
            }
            EgressError::TooLarge { .. } | EgressError::Answer(_) => {
                (GatewayFault::NoAnswer { provider, problem }, true)
            }
        };
        // A name that nobody can look up is told as one that leads inside, and may be known to be neither.
        let may_pass = matches!(error, EgressError::Forbidden { .. });
        let is_setup = matches!(fault, GatewayFault::Setup { .. });
        let is_theirs = !was_sent && (!is_setup || may_pass);
        Self {
            fault,
            was_sent,
            is_theirs,
        }
    }

    /// It answered, and what it said is none.
    pub(super) fn garbled(provider: &str, problem: &str) -> Self {
        Self {
            fault: GatewayFault::NoAnswer {
                provider: provider.to_owned(),
                problem: problem.to_owned(),
            },
            was_sent: true,
            is_theirs: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use skep_egress::EgressError;

    use super::Failed;

    #[test]
    fn a_provider_whose_name_nobody_knows_leaves_the_call_to_the_next() {
        let forbidden = EgressError::Forbidden {
            host: "no-such-host.invalid".into(),
            advice: "no public address is known",
        };
        let failed = Failed::on_the_way("up", &forbidden);
        assert!(failed.is_theirs && !failed.was_sent);
        let misspelt = Failed::on_the_way("up", &EgressError::Url("it has no host"));
        assert!(!misspelt.is_theirs, "another would be asked in vain");
    }
}
