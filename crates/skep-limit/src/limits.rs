//! What an edge counts by: where, and how many each may make.

use std::collections::BTreeMap;
use std::sync::Arc;

use skep_crypto::MacKey;
use skep_domain::gcra::Weight;
use skep_domain::{Quota, RateClass, Timestamp};

use crate::{Away, Limiter, Quotas, Subject, Taken};

/// How calls are counted, for every edge of a daemon alike.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Where.
    pub limiter: Arc<Limiter>,
    /// How many each may make.
    pub quotas: Quotas,
}

impl Limits {
    /// Takes one call of each of the subjects that a rule of the class counts, or of none. `own` is
    /// what their organization has set, by the names of rules.
    ///
    /// # Errors
    /// [`Away`] for a closed class whose store cannot be asked.
    pub async fn take(
        &self,
        key: &MacKey,
        class: RateClass,
        subjects: &[Subject<'_>],
        own: &BTreeMap<&'static str, Quota>,
        now: Timestamp,
    ) -> Result<Option<Taken>, Away> {
        self.take_weight(key, class, (subjects, own), (now, Weight::ONE))
            .await
    }

    /// The same, so much at once.
    ///
    /// # Errors
    /// [`Away`] for a closed class whose store cannot be asked.
    pub async fn take_weight(
        &self,
        key: &MacKey,
        class: RateClass,
        (subjects, own): (&[Subject<'_>], &BTreeMap<&'static str, Quota>),
        (now, weight): (Timestamp, Weight),
    ) -> Result<Option<Taken>, Away> {
        let asked: Vec<(Subject<'_>, Quota)> = class
            .rules()
            .iter()
            .filter_map(|rule| {
                let subject = subjects.iter().find(|subject| subject.key() == rule.key)?;
                Some((*subject, in_force(self.quotas.of(rule), own.get(rule.name))))
            })
            .collect();
        self.limiter
            .take_weight(key, class, &asked, (now, weight))
            .await
    }
}

/// What an organization has set, unless the installation has come to allow less since.
#[must_use]
pub fn in_force(most: Quota, set: Option<&Quota>) -> Quota {
    set.copied()
        .filter(|quota| quota.within(most))
        .unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::in_force;
    use skep_domain::Quota;

    #[test]
    fn f02_what_was_set_before_is_in_force_as_far_as_the_installation_still_allows_it() {
        let quota = |text| Quota::parse(text).unwrap();
        for (most, set, expected) in [
            ("100/min", None, "100/min"),
            ("100/min", Some("7/min"), "7/min"),
            ("5/min", Some("7/min"), "5/min"),
            ("100/min", Some("100/s"), "100/min"),
        ] {
            let set = set.map(quota);
            assert_eq!(in_force(quota(most), set.as_ref()), quota(expected));
        }
    }
}
