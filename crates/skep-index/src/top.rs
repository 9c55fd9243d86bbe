//! The best few of many scores, without sorting the many.

/// Keeps the `room` best `(score, slot)` pairs. Equal scores keep the lower slot, so that the
/// answer does not depend on the order of asking.
pub(crate) struct Top {
    room: usize,
    held: Vec<(f32, u32)>,
    /// Nothing below this can still be among the best.
    floor: f32,
}

impl Top {
    pub(crate) fn new(room: usize) -> Self {
        let held = Vec::with_capacity(room.saturating_mul(2).min(1 << 16));
        let floor = f32::NEG_INFINITY;
        Self { room, held, floor }
    }

    /// Scores below this need not be offered.
    pub(crate) fn floor(&self) -> f32 {
        self.floor
    }

    pub(crate) fn offer(&mut self, score: f32, slot: u32) {
        if score < self.floor || self.room == 0 {
            return;
        }
        self.held.push((score, slot));
        if self.held.len() >= self.room.saturating_mul(2) {
            self.cut();
        }
    }

    /// The best, best first.
    pub(crate) fn into_sorted(mut self) -> Vec<(f32, u32)> {
        self.cut();
        self.held.sort_unstable_by(better);
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
            let mut top = Top::new(room);
            for &(score, slot) in all.iter().rev() {
                top.offer(score, slot);
            }
            all.sort_by(better);
            all.truncate(room);
            prop_assert_eq!(top.into_sorted(), all);
        }
    }
}
