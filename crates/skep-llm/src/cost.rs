//! What tokens cost, in millionths of whatever currency the prices are in.

use crate::reply::Usage;

/// Millionths of a unit of currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(pub u64);

/// The price of a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Read.
    pub input: Cost,
    /// Written.
    pub output: Cost,
}

const MILLION: u128 = 1_000_000;

impl Price {
    /// The cost of a call, rounded up: a sum of roundings must not fall below what is billed.
    #[must_use]
    pub fn of(self, usage: Usage) -> Cost {
        let input = u128::from(self.input.0) * u128::from(usage.input);
        let output = u128::from(self.output.0) * u128::from(usage.output);
        Cost(u64::try_from((input + output).div_ceil(MILLION)).unwrap_or(u64::MAX))
    }
}
