//! When something that changes again and again is worth a look. Time is an argument.

use std::time::Duration;

/// So long nothing changed: whoever was writing is done.
const QUIET: Duration = Duration::from_millis(300);
/// So long it is put off at most, by somebody who never stops.
const LONGEST: Duration = Duration::from_secs(3);

/// Changes that nobody looked at yet.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    /// The first and the last of them.
    waiting: Option<(Duration, Duration)>,
    /// Not before then, whatever changes.
    not_before: Duration,
}

impl Quiet {
    /// Something changed.
    pub(crate) fn changed(&mut self, now: Duration) {
        let first = self.waiting.map_or(now, |(first, _)| first);
        self.waiting = Some((first, now));
    }

    /// When to look, if at all.
    pub(crate) fn due(&self) -> Option<Duration> {
        let (first, last) = self.waiting?;
        Some((last + QUIET).min(first + LONGEST).max(self.not_before))
    }

    /// Whether to look now; then all that changed until now counts as looked at.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let is_due = self.due().is_some_and(|due| due <= now);
        if is_due {
            self.waiting = None;
        }
        is_due
    }

    /// Looking failed: again after `pause`, and not before.
    pub(crate) fn again(&mut self, now: Duration, pause: Duration) {
        self.changed(now);
        self.not_before = now + pause;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{prop_assert, proptest};

    use super::Quiet;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn it_waits_for_quiet_but_not_for_ever() {
        let mut quiet = Quiet::default();
        assert!(!quiet.take(ms(0)) && quiet.due().is_none());
        for at in [0, 100, 350] {
            quiet.changed(ms(at));
        }
        assert!(!quiet.take(ms(649)));
        assert!(quiet.take(ms(650)));
        assert!(!quiet.take(ms(9_999)), "looked at once");
        // Somebody who saves ten times a second.
        let looked = (0..100).filter(|tenth| {
            quiet.changed(ms(10_000 + tenth * 100));
            quiet.take(ms(10_000 + tenth * 100))
        });
        assert_eq!(looked.count(), 3, "every three seconds");
    }

    #[test]
    fn a_failure_is_tried_again_and_not_sooner() {
        let mut quiet = Quiet::default();
        quiet.again(ms(1_000), ms(5_000));
        quiet.changed(ms(1_100));
        assert!(!quiet.take(ms(5_999)));
        assert!(quiet.take(ms(6_000)));
        quiet.changed(ms(7_000));
        assert!(quiet.take(ms(7_300)), "as before");
    }

    proptest! {
        #[test]
        fn every_change_is_looked_at_within_the_longest(gaps in proptest::collection::vec(0u64..2_000, 1..50)) {
            let mut quiet = Quiet::default();
            let (mut now, mut oldest) = (0, None);
            for gap in gaps {
                // Until the next change, the look happens when it is due.
                if let Some(due) = quiet.due().filter(|due| *due <= ms(now + gap)) {
                    prop_assert!(due <= ms(oldest.unwrap_or(0)) + super::LONGEST);
                    prop_assert!(quiet.take(due));
                    oldest = None;
                }
                now += gap;
                quiet.changed(ms(now));
                oldest = oldest.or(Some(now));
            }
            prop_assert!(quiet.due().is_some());
        }
    }
}
