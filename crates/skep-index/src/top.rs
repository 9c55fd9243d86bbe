//! The best few of many scores, without sorting the many.

/// Scores compared with the floor at a time.
const LANES: usize = 32;

/// What is asked of slots while they are looked through. Threads share it.
pub(crate) trait Field: Sync {
    /// Whether a slot may be among the best.
    fn accepts(&self, slot: u32) -> bool;

    /// Which of two slots with equal scores comes first: the lower. It follows from what a memory
    /// says, so that two indexes of the same memories agree, whatever came first into either.
    fn order(&self, slot: u32) -> u64 {
        slot.into()
    }

    /// Whether what no longer holds counts: the question is about another time.
    fn is_past(&self) -> bool {
        false
    }
}

impl<F: Fn(u32) -> bool + Sync> Field for F {
    fn accepts(&self, slot: u32) -> bool {
        self(slot)
    }
}

/// Keeps the `room` best `(score, slot)` pairs; equal scores in the order of the field, and of the
/// slots where that is equal too.
pub(crate) struct Top<'a> {
    field: &'a dyn Field,
    room: usize,
    held: Vec<(f32, u32)>,
    /// Nothing below this can still be among the best.
    floor: f32,
}

impl<'a> Top<'a> {
    /// Keeps the best that are at least `floor`.
    pub(crate) fn new(room: usize, floor: f32, field: &'a dyn Field) -> Self {
        let held = Vec::with_capacity(room.saturating_mul(2).min(1 << 16));
        Self {
            field,
            room,
            held,
            floor,
        }
    }

    /// Offers the scores of consecutive slots, of those that the field accepts. Most are below
    /// the floor, which is asked of several at a time. A score that is not a number is below it.
    pub(crate) fn offer_all(&mut self, from: u32, scores: &[f32]) {
        let mut first = from;
        for chunk in scores.chunks(LANES) {
            let floor = self.floor;
            // A branchless loop, which passes over what is not a number.
            let above = chunk
                .iter()
                .fold(0, |above, &score| above | u32::from(score >= floor));
            if above > 0 {
                for (slot, &score) in (first..).zip(chunk) {
                    if score >= self.floor && self.field.accepts(slot) {
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
        let field = self.field;
        let mut held = self.into_unsorted();
        held.sort_unstable_by(|a, b| better(field, a, b));
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
        let by = |a: &_, b: &_| better(self.field, a, b);
        let (_, last, _) = self.held.select_nth_unstable_by(self.room - 1, by);
        self.floor = last.0;
        self.held.truncate(self.room);
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "sorting passes references"
)]
fn better(field: &dyn Field, a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    let scores = b.0.total_cmp(&a.0);
    let orders = || field.order(a.1).cmp(&field.order(b.1));
    scores.then_with(orders).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Field, Top, better};

    /// A third is let through, and the last slots come first.
    struct Thirds;

    impl Field for Thirds {
        fn accepts(&self, slot: u32) -> bool {
            !slot.is_multiple_of(3)
        }
        fn order(&self, slot: u32) -> u64 {
            u64::from(u32::MAX - slot) / 2
        }
    }

    proptest! {
        #[test]
        fn equals_sorting_everything(scores in prop::collection::vec(0u8..20, 0..300), room in 0usize..40) {
            let mut all: Vec<(f32, u32)> = scores.iter().zip(0..).map(|(&s, i)| (f32::from(s), i)).collect();
            let mut top = Top::new(room, f32::MIN, &Thirds);
            for &(score, slot) in all.iter().rev() {
                top.offer(score, slot);
            }
            let mut at_once = Top::new(room, 5.0, &Thirds);
            let given: Vec<f32> = all.iter().map(|&(score, _)| score).collect();
            at_once.offer_all(0, &given);
            all.sort_by(|a, b| better(&Thirds, a, b));
            let mut some = all.clone();
            some.retain(|&(score, slot)| score >= 5.0 && Thirds.accepts(slot));
            some.truncate(room);
            all.truncate(room);
            prop_assert_eq!(top.into_sorted(), all);
            prop_assert_eq!(at_once.into_sorted(), some);
        }
    }
}
