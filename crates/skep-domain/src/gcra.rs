//! The generic cell rate algorithm (ITU-T I.371, as a virtual scheduling algorithm): a token bucket
//! of which one number is kept, the time at which it would be full again.
//!
//! Pure: the same states, allowances and time give the same decision. The script of the shared store
//! says the same in its own language.

use crate::Quota;

/// An allowance as the rule wants it, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Time in which one call comes back; rounded up, so that the long run never exceeds the quota.
    pub interval: i64,
    /// Time in which all of them do.
    pub depth: i64,
    /// Calls that may come at once.
    pub count: u32,
}

impl From<Quota> for Allowance {
    fn from(quota: Quota) -> Self {
        let interval = (i64::from(quota.seconds()) * 1_000_000)
            .unsigned_abs()
            .div_ceil(u64::from(quota.count()))
            .cast_signed();
        Self {
            interval,
            depth: interval * i64::from(quota.count()),
            count: quota.count(),
        }
    }
}

/// What a call takes of each of its allowances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// How many; fewer than none gives back.
    pub units: i64,
    /// Whether it is taken even of what is not left, since it is spent already: whoever comes next waits.
    pub is_spent: bool,
}

impl Weight {
    /// One call.
    pub const ONE: Self = Self {
        units: 1,
        is_spent: false,
    };

    /// So many, if they are left; more than all of them count as all.
    #[must_use]
    pub fn asked(units: u64) -> Self {
        Self {
            units: i64::try_from(units).unwrap_or(i64::MAX),
            is_spent: false,
        }
    }

    /// So many, which are gone already, or are given back.
    #[must_use]
    pub const fn spent(units: i64) -> Self {
        Self {
            units,
            is_spent: true,
        }
    }

    /// The time in which it comes back.
    #[must_use]
    pub fn step(self, allowance: Allowance) -> i64 {
        let step = allowance.interval.saturating_mul(self.units);
        step.clamp(-allowance.depth, allowance.depth)
    }
}

/// What one of the allowances of a call has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Calls that may come at once when nothing was taken.
    pub limit: u32,
    /// Calls that may come at once now.
    pub remaining: u32,
    /// Microseconds until nothing is missing any more.
    pub full_in: i64,
    /// Microseconds until as much again may be taken; 0 when it may now.
    pub next_in: i64,
}

/// Whether a call goes on, and when each of its allowances is full again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether all allowances had one left.
    pub allowed: bool,
    /// The states to keep, in the order of the allowances; unchanged when the call is refused.
    pub full_at: Vec<i64>,
}

/// Decides one call. It takes its weight from each allowance or nothing from any.
///
/// A state that lies further ahead than the allowance is deep, because the clock went back or the
/// allowance was made smaller, counts as empty, so that nobody waits longer than one period.
#[must_use]
pub fn decide(states: &[(Option<i64>, Allowance)], now: i64, weight: Weight) -> Decision {
    let mut full_at: Vec<i64> = states
        .iter()
        .map(|(held, allowance)| held.unwrap_or(now).min(now + allowance.depth).max(now))
        .collect();
    let fits = |(at, (_, allowance)): (&i64, &(_, Allowance))| {
        at + weight.step(*allowance) - now <= allowance.depth
    };
    let allowed = weight.is_spent || full_at.iter().zip(states).all(fits);
    if allowed {
        for (at, (_, allowance)) in full_at.iter_mut().zip(states) {
            *at = (*at + weight.step(*allowance)).clamp(now, now + allowance.depth);
        }
    }
    Decision { allowed, full_at }
}

impl Standing {
    /// How an allowance stands that is full again at `full_at`, for whoever wants to take so much again.
    #[must_use]
    pub fn at(allowance: Allowance, full_at: i64, now: i64, weight: Weight) -> Self {
        let full_in = (full_at - now).clamp(0, allowance.depth);
        let remaining = (allowance.depth - full_in) / allowance.interval;
        Self {
            limit: allowance.count,
            remaining: u32::try_from(remaining).unwrap_or(allowance.count),
            full_in,
            next_in: (full_in + weight.step(allowance) - allowance.depth).max(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowance, Standing, Weight, decide};
    use crate::Quota;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_burst_passes_and_then_one_per_interval() {
        let allowance = Allowance::from(Quota::new(3, 60));
        let (mut state, mut seen) = (None, Vec::new());
        for second in [0, 0, 0, 0, 19, 20, 20, 200, 200, 200, 200] {
            let now = second * SECOND;
            let decision = decide(&[(state, allowance)], now, Weight::ONE);
            state = Some(decision.full_at[0]);
            let standing = Standing::at(allowance, decision.full_at[0], now, Weight::ONE);
            seen.push((
                second,
                decision.allowed,
                standing.remaining,
                standing.full_in / SECOND,
                standing.next_in / SECOND,
            ));
        }
        assert_eq!(
            seen,
            [
                (0, true, 2, 20, 0),
                (0, true, 1, 40, 0),
                (0, true, 0, 60, 20),
                (0, false, 0, 60, 20),
                (19, false, 0, 41, 1),
                (20, true, 0, 60, 20),
                (20, false, 0, 60, 20),
                (200, true, 2, 20, 0),
                (200, true, 1, 40, 0),
                (200, true, 0, 60, 20),
                (200, false, 0, 60, 20),
            ]
        );
    }

    #[test]
    fn f06_a_clock_that_went_back_costs_one_period_at_most() {
        let allowance = Allowance::from(Quota::new(5, 900));
        let held = Some(86_400 * SECOND);
        let decision = decide(&[(held, allowance)], 0, Weight::ONE);
        assert!(!decision.allowed);
        assert_eq!(
            Standing::at(allowance, decision.full_at[0], 0, Weight::ONE).next_in,
            180 * SECOND
        );
        assert!(
            decide(
                &[(Some(decision.full_at[0]), allowance)],
                180 * SECOND,
                Weight::ONE
            )
            .allowed
        );
    }

    #[test]
    fn a_call_takes_from_all_or_from_none() {
        let (wide, narrow) = (Quota::new(10, 60).into(), Quota::new(1, 60).into());
        let first = decide(&[(None, wide), (None, narrow)], 0, Weight::ONE);
        assert!(first.allowed);
        let states = [
            (Some(first.full_at[0]), wide),
            (Some(first.full_at[1]), narrow),
        ];
        let second = decide(&states, 0, Weight::ONE);
        assert!(!second.allowed);
        assert_eq!(second.full_at, first.full_at);
    }

    proptest! {
        #[test]
        fn no_timing_gets_more_than_the_burst_and_the_rate(
            count in 1u32..20, seconds in 1u32..100,
            steps in proptest::collection::vec(0i64..20 * SECOND, 1..200),
        ) {
            let allowance = Allowance::from(Quota::new(count, seconds));
            let (mut now, mut state, mut passed) = (0, None, 0i64);
            for step in steps {
                now += step;
                let decision = decide(&[(state, allowance)], now, Weight::ONE);
                state = Some(decision.full_at[0]);
                passed += i64::from(decision.allowed);
            }
            let most = i64::from(count) + now * i64::from(count) / (i64::from(seconds) * SECOND);
            prop_assert!(passed <= most, "{passed} of {most}");
        }

        #[test]
        fn no_state_and_no_time_overflows_or_lies(
            held in any::<Option<i64>>(), count in any::<u32>(), seconds in any::<u32>(),
            now in 0i64..1 << 60,
        ) {
            let allowance = Allowance::from(Quota::new(count, seconds));
            let decision = decide(&[(held, allowance)], now, Weight::ONE);
            let standing = Standing::at(allowance, decision.full_at[0], now, Weight::ONE);
            prop_assert!(standing.remaining <= standing.limit);
            prop_assert!(standing.next_in <= allowance.depth);
            prop_assert!(standing.full_in <= allowance.depth);
            let again = decide(&[(Some(decision.full_at[0]), allowance)], now, Weight::ONE);
            prop_assert_eq!(again.allowed, standing.next_in == 0);
        }
    }
}
