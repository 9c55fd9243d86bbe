//! The best few of many scores, without sorting the many.

/// Scores compared with the floor at a time.
const LANES: usize = 32;

/// Whether a slot may be among the best. Threads share it.
pub(crate) type Accept<'a> = &'a (dyn Fn(u32) -> bool + Sync);

/// Keeps the `room` best `(score, slot)` pairs. Equal scores keep the lower slot, so that the
/// answer does not depend on the order of asking.
pub(crate) struct Top {
    room: usize,
    held: Vec<(f32, u32)>,
    /// Nothing below this can still be among the best.
    floor: f32,
}

impl Top {
    /// Keeps the best that are at least `floor`.
    pub(crate) fn new(room: usize, floor: f32) -> Self {
        let held = Vec::with_capacity(room.saturating_mul(2).min(1 << 16));
        Self { room, held, floor }
    }

    /// Offers the scores of consecutive slots, of those that `accept` lets through. Most are below
    /// the floor, which is asked of several at a time. A score that is not a number is below it.
    pub(crate) fn offer_all(&mut self, from: u32, scores: &[f32], accept: Accept<'_>) {
        let mut first = from;
        for chunk in scores.chunks(LANES) {
            let floor = self.floor;
            // A branchless loop, which passes over what is not a number.
            let above = chunk
                .iter()
                .fold(0, |above, &score| above | u32::from(score >= floor));
            if above > 0 {
                for (slot, &score) in (first..).zip(chunk) {
                    if score >= self.floor && accept(slot) {
                        self.offer(score, slot);
                    }
                }
            }
            first += LANES as u32;
        }
    }

    /// Nothing below this can still be among the best.
    pub(crate) fn floor(&self) -> f32 {
        self.floor
    }

    pub(crate) fn offer(&mut self, score: f32, slot: u32) {
        if score.is_nan() || score < self.floor || self.room == 0 {
            return;
        }
        self.held.push((score, slot));
        if self.held.len() >= self.room.saturating_mul(2) {
            self.cut();
        }
    }

    /// The best, best first.
    pub(crate) fn into_sorted(self) -> Vec<(f32, u32)> {
        let mut held = self.into_unsorted();
        held.sort_unstable_by(better);
        held
    }

    /// The best, in no order.
    pub(crate) fn into_unsorted(mut self) -> Vec<(f32, u32)> {
        self.cut();
        self.held
    }

    fn cut(&mut self) {
        if self.held.len() <= self.room {
            return;
        }
        let (_, last, _) = self.held.select_nth_unstable_by(self.room - 1, better);
        self.floor = last.0;
        self.held.truncate(self.room);
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "sorting passes references"
)]
fn better(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Top, better};

    proptest! {
        #[test]
        fn equals_sorting_everything(scores in prop::collection::vec(0u8..20, 0..300), room in 0usize..40) {
            let mut all: Vec<(f32, u32)> = scores.iter().zip(0..).map(|(&s, i)| (f32::from(s), i)).collect();
            let mut top = Top::new(room, f32::MIN);
            for &(score, slot) in all.iter().rev() {
                top.offer(score, slot);
            }
            let mut at_once = Top::new(room, 5.0);
            let given: Vec<f32> = all.iter().map(|&(score, _)| score).collect();
            at_once.offer_all(0, &given, &|slot| slot % 3 > 0);
            all.sort_by(better);
            let mut some = all.clone();
            some.retain(|&(score, slot)| score >= 5.0 && slot % 3 > 0);
            some.truncate(room);
            all.truncate(room);
            prop_assert_eq!(top.into_sorted(), all);
            prop_assert_eq!(at_once.into_sorted(), some);
        }
    }
}
