//! Rate limits as data: the classes of calls, whose allowance each draws on, how large it is, and
//! what holds when the store that nodes share is away.

use std::fmt;

/// So many calls in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    count: u32,
    seconds: u32,
}

impl Quota {
    /// Calls, or tokens, that one period may allow: those of a minute come back one in a microsecond.
    pub const MOST: u32 = 60_000_000;
    /// Seconds that a period may last: a day.
    pub const LONGEST: u32 = 86_400;

    /// `count` calls, 1 to [`Self::MOST`], in `seconds`, 1 to [`Self::LONGEST`]; what is outside is
    /// brought to the nearest bound.
    #[must_use]
    pub const fn new(count: u32, seconds: u32) -> Self {
        const fn within(value: u32, most: u32) -> u32 {
            if value == 0 {
                1
            } else if value > most {
                most
            } else {
                value
            }
        }
        Self {
            count: within(count, Self::MOST),
            seconds: within(seconds, Self::LONGEST),
        }
    }

    /// Calls in a period: also how many may come at once.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// How long a period lasts.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// Reads `6000/min`, `5/15min`, `30/h`, `10/s` or `100/d`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, period) = text.split_once('/')?;
        let unit_at = period.find(|letter: char| !letter.is_ascii_digit())?;
        let (times, unit) = period.split_at(unit_at);
        let unit: u32 = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let number = |digits: &str| {
            let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
            digits.parse::<u32>().ok().filter(|_| plain)
        };
        let times = if times.is_empty() { 1 } else { number(times)? };
        let (count, seconds) = (number(count)?, unit.checked_mul(times)?);
        let quota = Self::new(count, seconds);
        (quota.count == count && quota.seconds == seconds).then_some(quota)
    }

    /// What one of `nodes` allows when each counts alone: a part that together is no more than the
    /// whole, and at least one.
    #[must_use]
    pub const fn shared_among(self, nodes: u32) -> Self {
        let nodes = if nodes == 0 { 1 } else { nodes };
        Self::new(self.count / nodes, self.seconds)
    }

    /// Whether it allows no more than `other`, at once and in the long run.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.count <= other.count
            && self.count as u64 * other.seconds as u64 <= other.count as u64 * self.seconds as u64
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = [(86_400, "d"), (3_600, "h"), (60, "min")]
            .into_iter()
            .find(|(unit, _)| self.seconds.is_multiple_of(*unit))
            .unwrap_or((1, "s"));
        match self.seconds / unit {
            1 => write!(f, "{}/{name}", self.count),
            times => write!(f, "{}/{times}{name}", self.count),
        }
    }
}

/// Which allowance a route draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// No allowance: constant answers.
    None,
    /// Ordinary calls.
    Api,
    /// Batches of turns, and what hooks send.
    Capture,
    /// Calls to models.
    Gateway,
    /// What models read and write.
    Tokens,
    /// Passwords, device codes, resets and setup: what is guessed at.
    Login,
    /// Token endpoints: what clients without a token call, with secrets that cannot be guessed.
    Oauth,
    /// Calls of peers.
    Federation,
    /// The public tier of JSON-RPC.
    PublicRpc,
    /// Export, backup and erasure of much at once.
    Export,
}

/// Whose allowance it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateKey {
    /// All calls of an organization together.
    Organization,
    /// The calls of one credential.
    Credential,
    /// The calls from one network address (IPv6: one /64).
    Address,
    /// The calls about one account, whoever makes them.
    Account,
    /// The calls of one peer.
    Peer,
}

impl RateKey {
    /// The word for it in settings and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Credential => "credential",
            Self::Address => "address",
            Self::Account => "account",
            Self::Peer => "peer",
        }
    }
}

/// What holds when the store that nodes share cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenAway {
    /// Each node counts for itself, its part of the allowance.
    CountAlone,
    /// Nobody is let through: 503.
    Refuse,
}

/// One allowance of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateRule {
    /// Its name in settings.
    pub name: &'static str,
    /// Whose it is.
    pub key: RateKey,
    /// How large it is unless somebody set another.
    pub default: Quota,
}

const fn rule(name: &'static str, key: RateKey, count: u32, seconds: u32) -> RateRule {
    RateRule {
        name,
        key,
        default: Quota::new(count, seconds),
    }
}

impl RateClass {
    /// Every class that has an allowance.
    pub const ALL: [Self; 9] = [
        Self::Api,
        Self::Capture,
        Self::Gateway,
        Self::Tokens,
        Self::Login,
        Self::Oauth,
        Self::Federation,
        Self::PublicRpc,
        Self::Export,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Api => "api",
            Self::Capture => "capture",
            Self::Gateway => "gateway",
            Self::Tokens => "tokens",
            Self::Login => "login",
            Self::Oauth => "oauth",
            Self::Federation => "federation",
            Self::PublicRpc => "public_rpc",
            Self::Export => "export",
        }
    }

    /// Its allowances; a call takes from all of them or from none.
    #[must_use]
    pub const fn rules(self) -> &'static [RateRule] {
        use RateKey::{Account, Address, Credential, Organization, Peer};
        match self {
            Self::None => &[],
            Self::Api => {
                const {
                    &[
                        rule("api_organization", Organization, 6_000, 60),
                        rule("api_credential", Credential, 1_200, 60),
                    ]
                }
            }
            Self::Capture => const { &[rule("capture_credential", Credential, 12_000, 60)] },
            Self::Gateway => const { &[rule("gateway_organization", Organization, 600, 60)] },
            Self::Tokens => {
                const {
                    &[
                        rule("tokens_organization", Organization, 20_000_000, 60),
                        rule("tokens_credential", Credential, 10_000_000, 60),
                    ]
                }
            }
            Self::Login => {
                const {
                    &[
                        rule("login_account", Account, 5, 900),
                        rule("login_address", Address, 30, 3_600),
                    ]
                }
            }
            Self::Oauth => const { &[rule("oauth_address", Address, 300, 60)] },
            Self::Federation => const { &[rule("federation_peer", Peer, 100, 60)] },
            Self::PublicRpc => const { &[rule("public_rpc_address", Address, 30, 60)] },
            Self::Export => const { &[rule("export_organization", Organization, 5, 3_600)] },
        }
    }

    /// Closed classes are those where an attacker gains by guessing, replaying or exhausting.
    #[must_use]
    pub const fn when_away(self) -> WhenAway {
        match self {
            Self::None | Self::Api | Self::Capture | Self::Gateway | Self::Tokens | Self::Oauth => {
                WhenAway::CountAlone
            }
            Self::Login | Self::Federation | Self::PublicRpc | Self::Export => WhenAway::Refuse,
        }
    }

    /// The rule of this name, whichever class has it.
    #[must_use]
    pub fn rule(name: &str) -> Option<RateRule> {
        let mut rules = Self::ALL.into_iter().flat_map(Self::rules);
        rules.find(|rule| rule.name == name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Quota, RateClass, RateKey};

    #[test]
    fn quotas_are_read_as_they_are_written() {
        for text in ["6000/min", "5/15min", "30/h", "10/s", "1/90s", "7/d"] {
            let quota = Quota::parse(text).expect(text);
            assert_eq!(quota.to_string(), text);
        }
        assert_eq!(Quota::parse("5/900s"), Quota::parse("5/15min"));
        for text in [
            "",
            "/",
            "5",
            "5/",
            "/min",
            "0/min",
            "-1/min",
            "5/0min",
            "5/minute",
            "60000001/s",
            "5/2d",
            "5/4294967296s",
            "99999999999999/s",
            "5/min ",
            " 5/min",
            "٥/min",
            "5/1/min",
            "+5/min",
        ] {
            assert_eq!(Quota::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn parts_never_add_up_to_more_than_the_whole_unless_there_are_more_nodes_than_calls() {
        let whole = Quota::new(10, 60);
        for nodes in 1..=10 {
            assert!(whole.shared_among(nodes).count() * nodes <= 10);
        }
        assert_eq!(whole.shared_among(1_000).count(), 1);
        assert_eq!(whole.shared_among(0), whole);
    }

    #[test]
    fn within_compares_bursts_and_rates() {
        let ceiling = Quota::new(100, 60);
        for (count, seconds, fits) in [
            (100, 60, true),
            (50, 60, true),
            (100, 120, true),
            (101, 60, false),
            (101, 3_600, false),
            (10, 5, false),
            (10, 6, true),
        ] {
            assert_eq!(
                Quota::new(count, seconds).within(ceiling),
                fits,
                "{count}/{seconds}s"
            );
        }
    }

    /// The table of the rate limits, as published.
    #[test]
    fn the_classes_are_the_published_ones() {
        let mut table = String::new();
        let mut names = Vec::new();
        for class in RateClass::ALL {
            for rule in class.rules() {
                table.push_str(&format!(
                    "{} {} per {} | {:?}\n",
                    rule.name,
                    rule.default,
                    rule.key.as_str(),
                    class.when_away()
                ));
                names.push(rule.name);
                assert_eq!(RateClass::rule(rule.name), Some(*rule));
                assert_eq!(
                    rule.name,
                    format!("{}_{}", class.as_str(), rule.key.as_str())
                );
            }
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.lines().count());
        let published = "\
api_organization 6000/min per organization | CountAlone
api_credential 1200/min per credential | CountAlone
capture_credential 12000/min per credential | CountAlone
gateway_organization 600/min per organization | CountAlone
tokens_organization 20000000/min per organization | CountAlone
tokens_credential 10000000/min per credential | CountAlone
login_account 5/15min per account | Refuse
login_address 30/h per address | Refuse
oauth_address 300/min per address | CountAlone
federation_peer 100/min per peer | Refuse
public_rpc_address 30/min per address | Refuse
export_organization 5/h per organization | Refuse
";
        assert_eq!(table, published);
        assert!(RateClass::None.rules().is_empty());
        assert_eq!(RateKey::Peer.as_str(), "peer");
    }
}
