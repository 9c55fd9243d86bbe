//! What tokens cost, in millionths of whatever currency the prices are in.

use crate::reply::Usage;

/// Millionths of a unit of currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(pub u64);

/// The price of a million tokens. What has no price of its own costs what it is a part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Read.
    pub input: Cost,
    /// Written.
    pub output: Cost,
    /// Read from the provider's cache; a part of what is read.
    pub cache_read: Option<Cost>,
    /// Read, and put into the provider's cache; a part of what is read.
    pub cache_write: Option<Cost>,
    /// Thought before answering; a part of what is written.
    pub reasoning: Option<Cost>,
}

const MILLION: u128 = 1_000_000;

impl Cost {
    /// Reads an amount in units of currency: digits, and at most six places.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(rest) || rest.len() > 6 {
            return None;
        }
        let units: u64 = whole.parse().ok()?;
        let micros: u64 = format!("{rest:0<6}").parse().ok()?;
        units.checked_mul(1_000_000)?.checked_add(micros).map(Self)
    }
}

/// In units of currency, with two places at least: amounts below a hundredth are common here, and say what
/// they are.
impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let rest = format!("{rest:06}");
        let shown = rest.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", &rest[..shown])
    }
}

impl Price {
    /// The cost of a call, rounded up: a sum of roundings must not fall below what is billed. Parts
    /// that add up to more than their whole are counted as they are said.
    #[must_use]
    pub fn of(self, usage: Usage) -> Cost {
        let cached = usage.cache_read.saturating_add(usage.cache_write);
        let parts = [
            (usage.input.saturating_sub(cached), self.input),
            (usage.cache_read, self.cache_read.unwrap_or(self.input)),
            (usage.cache_write, self.cache_write.unwrap_or(self.input)),
            (usage.output.saturating_sub(usage.reasoning), self.output),
            (usage.reasoning, self.reasoning.unwrap_or(self.output)),
        ];
        let sum = parts.into_iter().fold(0_u128, |sum, (tokens, price)| {
            sum.saturating_add(u128::from(tokens) * u128::from(price.0))
        });
        Cost(u64::try_from(sum.div_ceil(MILLION)).unwrap_or(u64::MAX))
    }

    /// The most that a call can cost of which no more is known than how much is read and written at
    /// most: everything at the dearest price of its side.
    #[must_use]
    pub fn most(self, input: u64, output: u64) -> Cost {
        let dearest = |whole: Cost, parts: [Option<Cost>; 2]| {
            parts.into_iter().flatten().fold(whole, Cost::max)
        };
        let bound = Self {
            input: dearest(self.input, [self.cache_read, self.cache_write]),
            output: dearest(self.output, [self.reasoning, None]),
            ..Self::default()
        };
        bound.of(Usage {
            input,
            output,
            ..Usage::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{Cost, Price};
    use crate::reply::Usage;

    const PRICE: Price = Price {
        input: Cost(3_000_000),
        output: Cost(15_000_000),
        cache_read: Some(Cost(300_000)),
        cache_write: Some(Cost(3_750_000)),
        reasoning: None,
    };

    #[test]
    fn each_part_is_charged_once_and_at_its_own_price() {
        for (usage, cost) in [
            ((1_000, 0, 0, 0, 0), 3_000),
            ((1_000, 1_000, 0, 0, 0), 300),
            ((1_000, 0, 1_000, 0, 0), 3_750),
            ((1_000, 200, 300, 10, 0), 1_500 + 60 + 1_125 + 150),
            ((0, 0, 0, 10, 10), 150),
            ((0, 0, 0, 1, 0), 15),
            ((1, 1, 0, 0, 0), 1),
        ] {
            let (input, cache_read, cache_write, output, reasoning) = usage;
            let usage = Usage {
                input,
                output,
                cache_read,
                cache_write,
                reasoning,
            };
            assert_eq!(PRICE.of(usage), Cost(cost), "{usage:?}");
        }
    }

    #[test]
    fn amounts_are_said_in_units() {
        for (micros, said) in [
            (0, "0.00"),
            (1, "0.000001"),
            (1_500_000, "1.50"),
            (20_000_000, "20.00"),
            (123_456, "0.123456"),
            (100_000, "0.10"),
            (u64::MAX, "18446744073709.551615"),
        ] {
            assert_eq!(Cost(micros).to_string(), said);
            assert_eq!(Cost::parse(said), Some(Cost(micros)));
        }
        assert_eq!(Cost::parse("20"), Some(Cost(20_000_000)));
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "0.1234567",
            "99999999999999",
        ] {
            assert_eq!(Cost::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn l08_no_call_costs_more_than_its_bound(
            (input, output) in any::<(u32, u32)>(),
            (read, written, thought) in any::<(u32, u32, u32)>(),
            prices in any::<(u32, u32, Option<u32>, Option<u32>, Option<u32>)>(),
        ) {
            let (read, rest) = (read.min(input), input - read.min(input));
            let usage = Usage {
                input: input.into(),
                output: output.into(),
                cache_read: read.into(),
                cache_write: written.min(rest).into(),
                reasoning: thought.min(output).into(),
            };
            let cost = |price: u32| Cost(price.into());
            let price = Price {
                input: cost(prices.0),
                output: cost(prices.1),
                cache_read: prices.2.map(cost),
                cache_write: prices.3.map(cost),
                reasoning: prices.4.map(cost),
            };
            prop_assert!(price.of(usage) <= price.most(input.into(), output.into()));
        }
    }
}
