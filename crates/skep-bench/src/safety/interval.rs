//! A share of a count, and how far it may be trusted.

use std::ops::AddAssign;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    hits: usize,
    of: usize,
}

impl Share {
    pub(crate) const fn of(hits: usize, of: usize) -> Self {
        Self { hits, of }
    }

    pub(crate) fn ratio(self) -> f64 {
        self.hits as f64 / self.of.max(1) as f64
    }

    /// The 95 % score interval (Wilson 1927).
    pub(crate) fn interval(self) -> (f64, f64) {
        const Z: f64 = 1.959_964;
        let n = self.of.max(1) as f64;
        let p = self.ratio();
        let middle = p + Z * Z / (2.0 * n);
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + Z * Z / n;
        (
            ((middle - reach) / whole).max(0.0),
            ((middle + reach) / whole).min(1.0),
        )
    }

    /// `61 of 75, 0.711 to 0.886`.
    pub(crate) fn shown(self) -> String {
        let (low, high) = self.interval();
        format!("{} of {}, {low:.3} to {high:.3}", self.hits, self.of)
    }
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.of += other.of;
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    /// Newcombe 1998, table I: 81 of 263, and 0 of 20.
    #[test]
    fn intervals_are_those_of_the_paper() {
        for (share, low, high) in [
            (Share::of(81, 263), 0.2553, 0.3662),
            (Share::of(0, 20), 0.0, 0.1611),
        ] {
            let interval = share.interval();
            assert!(
                (interval.0 - low).abs() < 5e-5 && (interval.1 - high).abs() < 5e-5,
                "{interval:?}"
            );
        }
    }
}
