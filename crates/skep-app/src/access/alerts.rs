//! Somebody who is refused again and again: so many times within so long is an entry of its own.
//!
//! It is counted where refusals are written, in memory, by each node for itself; a node that starts begins anew.

use std::collections::{HashMap, VecDeque};

use skep_authz::Authorized;
use skep_authz::rights::AuditRead;
use skep_domain::{CredentialId, OrganizationId, Principal, Quota, Timestamp};
use skep_store::{NewAudit, Outcome, PageOf};

use super::audit::AuditPage;
use crate::{App, AppError};

/// Whoever is counted at once by a rule; who comes beside them is counted as one.
const COUNTED: usize = 16_384;
/// Parts of a rule's time. What is older than all of them is counted no more.
const PARTS: i64 = 16;

/// The reason of a refusal that was about an id of somewhere else, or made up.
pub const FOREIGN: &str = "FOREIGN_ID";
/// That of a request for another organization than the credential is of.
const MISMATCH: &str = "ORG_MISMATCH";
/// The actions of alerts begin so.
const ALERT: &str = "alert.";

/// What an alert is raised for; not at all if absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSettings {
    /// So many refusals of any kind.
    pub denials: Option<Quota>,
    /// So many about ids of other organizations and workspaces.
    pub foreign: Option<Quota>,
    /// Shares of a budget's limit, in percent, that are told when what was spent reaches them.
    pub budgets: Vec<u8>,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            denials: Some(Quota::new(100, 300)),
            foreign: Some(Quota::new(10, 300)),
            budgets: vec![80, 100],
        }
    }
}

/// What is counted.
#[derive(Clone, Copy)]
enum What {
    Denials,
    Foreign,
}

/// By whom.
#[derive(Clone, PartialEq, Eq, Hash)]
enum By {
    Principal(Principal),
    Credential(CredentialId),
    Peer(String),
    /// More than can be told apart.
    Many,
}

type Key = (Option<OrganizationId>, By);

/// Refusals of one.
#[derive(Default)]
struct Count {
    /// By the part of time they were in, the oldest first.
    parts: VecDeque<(i64, u64)>,
    /// The part of time from which on something is told again.
    quiet: i64,
}

/// Everybody who was refused lately, by what the rule counts: each has its own parts of time.
#[derive(Default)]
pub(super) struct Watch {
    denials: Counts,
    foreign: Counts,
}

/// Those whom one rule counts.
#[derive(Default)]
struct Counts {
    of: HashMap<Key, Count>,
    /// The part of time in which those were dropped whose time is over.
    swept: i64,
}

impl Watch {
    /// Takes refusals in that are alike; what is to be told of them.
    pub(super) fn note(
        &mut self,
        settings: &AlertSettings,
        (entry, principal): (&NewAudit, Option<Principal>),
        times: u32,
    ) -> Vec<NewAudit> {
        if entry.outcome != Outcome::Denied {
            return Vec::new();
        }
        let foreign = settings
            .foreign
            .filter(|_| entry.reason == FOREIGN || entry.reason == MISMATCH);
        let rules = [
            (What::Denials, settings.denials, &mut self.denials),
            (What::Foreign, foreign, &mut self.foreign),
        ];
        let by = [
            principal.map(By::Principal),
            entry.credential.map(By::Credential),
            entry.peer.clone().map(By::Peer),
        ];
        let mut told = Vec::new();
        for (what, rule, counts) in rules {
            let Some(rule) = rule else {
                continue;
            };
            let part = part(entry.at, rule);
            for by in by.iter().flatten() {
                let key = counts.key((entry.organization, by.clone()), part);
                let count = counts.of.entry(key.clone()).or_default();
                if let Some(sum) = count.take(rule, (part, times)) {
                    told.push(alert(entry, (what, &key.1), (rule, sum)));
                }
            }
        }
        told
    }
}

impl Counts {
    /// Where somebody is counted: under their own name as long as there is room.
    fn key(&mut self, key: Key, part: i64) -> Key {
        if self.of.len() >= COUNTED && !self.of.contains_key(&key) {
            if self.swept != part {
                self.of.retain(|_, count| !count.is_over(part));
                self.swept = part;
            }
            if self.of.len() >= COUNTED {
                return (None, By::Many);
            }
        }
        key
    }
}

impl Count {
    /// How many there were, if that is to be told now: once in the time of the rule.
    fn take(&mut self, rule: Quota, (part, times): (i64, u32)) -> Option<u64> {
        while self
            .parts
            .pop_front_if(|(old, _)| *old <= part - PARTS)
            .is_some()
        {}
        match self.parts.back_mut() {
            Some((last, sum)) if *last >= part => *sum = sum.saturating_add(times.into()),
            _ => self.parts.push_back((part, times.into())),
        }
        let sum: u64 = self.parts.iter().map(|(_, sum)| sum).sum();
        if sum < u64::from(rule.count()) || part < self.quiet {
            return None;
        }
        self.quiet = part + PARTS;
        Some(sum)
    }

    fn is_over(&self, part: i64) -> bool {
        self.parts
            .back()
            .is_none_or(|(last, _)| *last <= part - PARTS)
    }
}

impl App {
    /// The alerts in the organization's record, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_alerts(
        &self,
        authorized: Authorized<AuditRead>,
        page: PageOf<u64>,
    ) -> Result<AuditPage, AppError> {
        self.meter.catch_up().await;
        let mut tx = self.store.begin_org(authorized).await?;
        Ok(AuditPage::of(
            tx.list_alerts(page.and_one()).await?,
            page.limit,
        ))
    }

    /// Raises alerts by these rules.
    #[must_use]
    pub fn with_alerts(mut self, settings: AlertSettings) -> Self {
        self.alerts = settings;
        self
    }
}

/// Which part of time a moment is in, as a rule counts them.
fn part(at: Timestamp, rule: Quota) -> i64 {
    at.as_micros() / (i64::from(rule.seconds()) * 1_000_000 / PARTS).max(1)
}

/// The entry that tells it, in the record of whose refusals they were.
fn alert(last: &NewAudit, (what, by): (What, &By), (rule, sum): (Quota, u64)) -> NewAudit {
    let what = match what {
        What::Denials => "denials",
        What::Foreign => "foreign",
    };
    let by = match by {
        By::Principal(_) => "principal",
        By::Credential(_) => "credential",
        By::Peer(_) => "address",
        By::Many => "many",
    };
    NewAudit {
        action: format!("{ALERT}{what}"),
        reason: format!(
            "{sum} refusals by one {by}, of {rule} that are too many; the last: {}",
            last.action
        ),
        target: None,
        ..last.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{AlertSettings, COUNTED, FOREIGN, Watch};
    use skep_domain::{CredentialId, Id, OrganizationId, Principal, Quota, Timestamp, UserId};
    use skep_store::{NewAudit, Outcome};

    const SECOND: i64 = 1_000_000;

    fn refused(second: i64, reason: &str, credential: u8) -> NewAudit {
        NewAudit {
            at: Timestamp::from_micros(1_700_000_000 * SECOND + second * SECOND),
            action: "GET /api/v1/memories/{id}".into(),
            outcome: Outcome::Denied,
            organization: Some(OrganizationId::from_bytes([1; 16])),
            workspace: None,
            credential: Some(CredentialId::from_bytes([credential; 16])),
            reason: reason.into(),
            request: "r".into(),
            peer: None,
            target: Some("mem_x".into()),
            shown: Vec::new(),
        }
    }

    fn rules(denials: u32, foreign: u32) -> AlertSettings {
        AlertSettings {
            denials: Some(Quota::new(denials, 160)),
            foreign: Some(Quota::new(foreign, 160)),
            ..AlertSettings::default()
        }
    }

    fn told(watch: &mut Watch, rules: &AlertSettings, entry: &NewAudit, times: u32) -> Vec<String> {
        let told = watch.note(rules, (entry, None), times);
        told.into_iter().map(|alert| alert.action).collect()
    }

    #[test]
    fn t01_so_many_within_so_long_are_told_once() {
        let (mut watch, rules) = (Watch::default(), rules(1_000, 3));
        let mut when = Vec::new();
        for second in 0..400 {
            let entry = refused(second, FOREIGN, 1);
            if second % 20 == 0 && !told(&mut watch, &rules, &entry, 1).is_empty() {
                when.push(second);
            }
        }
        // The third of them, and once more in each time of the rule.
        assert_eq!(when, [40, 200, 360]);
        let (mut watch, rules) = (Watch::default(), rules);
        for second in (0..10_000).step_by(80) {
            let entry = refused(second, FOREIGN, 1);
            assert_eq!(
                told(&mut watch, &rules, &entry, 1).len(),
                0,
                "too far apart: {second}"
            );
        }
    }

    #[test]
    fn t01_each_is_counted_by_itself_and_a_flood_by_its_times() {
        let (mut watch, rules) = (Watch::default(), rules(1_000, 3));
        for credential in 1..100 {
            let entry = refused(0, FOREIGN, credential);
            assert_eq!(told(&mut watch, &rules, &entry, 2).len(), 0, "{credential}");
        }
        assert_eq!(
            told(&mut watch, &rules, &refused(1, FOREIGN, 7), 1),
            ["alert.foreign"]
        );
        let flood = refused(1, "PERMISSION_DENIED", 8);
        assert_eq!(told(&mut watch, &rules, &flood, 998), ["alert.denials"]);
        let who = Principal::User(UserId::from_bytes([9; 16]));
        let entry = NewAudit {
            credential: None,
            ..refused(1, FOREIGN, 0)
        };
        let alerts = watch.note(&rules, (&entry, Some(who)), 3);
        assert_eq!(alerts.len(), 1);
        assert_eq!(alerts[0].organization, entry.organization);
        assert_eq!(alerts[0].target, None);
    }

    #[test]
    fn t01_what_is_allowed_is_no_refusal_and_no_rule_tells_nothing() {
        let mut watch = Watch::default();
        let allowed = NewAudit {
            outcome: Outcome::Allowed,
            ..refused(0, FOREIGN, 1)
        };
        assert_eq!(told(&mut watch, &rules(1, 1), &allowed, 9).len(), 0);
        let none = AlertSettings {
            denials: None,
            foreign: None,
            budgets: Vec::new(),
        };
        assert_eq!(told(&mut watch, &none, &refused(0, FOREIGN, 1), 9).len(), 0);
    }

    #[test]
    fn t01_more_than_can_be_told_apart_are_counted_as_one() {
        let (mut watch, rules) = (Watch::default(), rules(1_000_000, 10));
        let mut alerts = 0;
        for number in 0..(COUNTED + 20) {
            let entry = NewAudit {
                credential: None,
                peer: Some(format!("2001:db8::{number:x}")),
                ..refused(0, FOREIGN, 0)
            };
            alerts += told(&mut watch, &rules, &entry, 1).len();
            assert!(watch.foreign.of.len() <= COUNTED + 1);
        }
        assert_eq!(alerts, 1, "all those without a place of their own");
        // Who has a place keeps it, and places are free again once their time is over.
        let entry = refused(1_000, FOREIGN, 5);
        assert_eq!(told(&mut watch, &rules, &entry, 10), ["alert.foreign"]);
        assert!(watch.foreign.of.len() < 8);
    }

    #[test]
    fn t01_a_flood_of_other_refusals_makes_nobody_forgotten() {
        let (mut watch, rules) = (
            Watch::default(),
            AlertSettings {
                denials: Some(Quota::new(1_000_000, 16)),
                foreign: Some(Quota::new(10, 86_400)),
                ..AlertSettings::default()
            },
        );
        let patient = refused(0, FOREIGN, 5);
        assert_eq!(told(&mut watch, &rules, &patient, 9).len(), 0);
        for number in 0..(COUNTED + 20) {
            let entry = NewAudit {
                credential: None,
                peer: Some(format!("2001:db8::{number:x}")),
                ..refused(number as i64 / 1_000, "PERMISSION_DENIED", 0)
            };
            assert_eq!(told(&mut watch, &rules, &entry, 1).len(), 0);
        }
        let patient = refused(60, FOREIGN, 5);
        assert_eq!(told(&mut watch, &rules, &patient, 1), ["alert.foreign"]);
    }
}
