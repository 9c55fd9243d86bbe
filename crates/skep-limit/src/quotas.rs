//! The allowances of an installation.

use std::collections::BTreeMap;

use skep_domain::{Quota, RateClass, RateRule};

/// What an installation allows: the published defaults, and whatever was set instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas(BTreeMap<&'static str, Quota>);

impl Quotas {
    /// Sets the quota of the rule of this name; `false` when there is no such rule.
    #[must_use]
    pub fn set(&mut self, name: &str, quota: Quota) -> bool {
        let rule = RateClass::rule(name);
        if let Some(rule) = rule {
            self.0.insert(rule.name, quota);
        }
        rule.is_some()
    }

    /// The quota of a rule.
    #[must_use]
    pub fn of(&self, rule: &RateRule) -> Quota {
        self.0.get(rule.name).copied().unwrap_or(rule.default)
    }

    /// Every rule with its quota, in the order of the published table.
    pub fn all(&self) -> impl Iterator<Item = (RateClass, RateRule, Quota)> + '_ {
        RateClass::ALL.into_iter().flat_map(move |class| {
            let rules = class.rules().iter();
            rules.map(move |rule| (class, *rule, self.of(rule)))
        })
    }
}
