//! What a budget is about, and the windows of time that it counts in.

use crate::{AgentId, CredentialId, Timestamp, UserId, WorkspaceId};

/// Whose calls a budget counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BudgetScope {
    /// All of the organization.
    Organization,
    /// Those made in a workspace.
    Workspace(WorkspaceId),
    /// Those of an agent.
    Agent(AgentId),
    /// Those of a human.
    User(UserId),
    /// Those made with one key.
    Key(CredentialId),
    /// Those to some models.
    Model(ModelPattern),
}

/// Some models, as `provider/model`. `*` stands for any provider, and at the end for any ending.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelPattern(Box<str>);

/// No pattern of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pattern of models is PROVIDER/MODEL, of at most 200 visible ASCII characters; * stands for any provider, or ends the model"
)]
pub struct ModelPatternError;

impl ModelPattern {
    const LONGEST: usize = 200;

    /// Reads one.
    ///
    /// # Errors
    /// [`ModelPatternError`].
    pub fn parse(text: &str) -> Result<Self, ModelPatternError> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let (provider, model) = text.split_once('/').ok_or(ModelPatternError)?;
        let stars = |part: &str| part.matches('*').count();
        let whole_provider = provider == "*" || (stars(provider) == 0 && !provider.is_empty());
        let whole_model = stars(model) == usize::from(model.ends_with('*')) && !model.is_empty();
        if visible && whole_provider && whole_model && text.len() <= Self::LONGEST {
            Ok(Self(text.into()))
        } else {
            Err(ModelPatternError)
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it means a model of a provider.
    #[must_use]
    pub fn covers(&self, provider: &str, model: &str) -> bool {
        let Some((any, wanted)) = self.0.split_once('/') else {
            return false;
        };
        let ending = wanted.strip_suffix('*');
        (any == "*" || any == provider)
            && ending.map_or(model == wanted, |start| model.starts_with(start))
    }

    /// How closely it says what it means: of two that cover a model, the greater counts.
    #[must_use]
    pub fn closeness(&self) -> (bool, usize, bool) {
        let (provider, model) = self.0.split_once('/').unwrap_or_default();
        (!model.ends_with('*'), model.len(), provider != "*")
    }
}

/// How long a budget counts before it begins anew, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BudgetPeriod {
    /// From midnight.
    Day = 0,
    /// From Monday, midnight.
    Week = 1,
    /// From the first of the month, midnight.
    Month = 2,
    /// It never begins anew.
    Total = 3,
}

const DAY: i64 = 86_400_000_000;
/// The epoch was a Thursday.
const FIRST_MONDAY: i64 = 4;

impl BudgetPeriod {
    /// All of them, shortest first.
    pub const ALL: &'static [Self] = &[Self::Day, Self::Week, Self::Month, Self::Total];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|held| held.as_str() == name)
    }

    /// Reads the stored number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|held| *held as u8 == code)
    }

    /// When the window that holds a moment began.
    #[must_use]
    pub fn start(self, at: Timestamp) -> Timestamp {
        let day = at.as_micros().div_euclid(DAY);
        let first = match self {
            Self::Day => day,
            Self::Week => day - (day - FIRST_MONDAY).rem_euclid(7),
            Self::Month => day - i64::from(day_of_month(day)) + 1,
            Self::Total => return Timestamp::from_micros(0),
        };
        Timestamp::from_micros(first.saturating_mul(DAY))
    }

    /// When the window that holds a moment ends; never, for the whole.
    #[must_use]
    pub fn end(self, at: Timestamp) -> Option<Timestamp> {
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            // No month has more days, and none less than four fewer.
            Self::Month => 31,
            Self::Total => return None,
        };
        let past = self.start(at).as_micros().saturating_add(days * DAY);
        let end = match self {
            Self::Month => {
                let day = past.div_euclid(DAY);
                let over = i64::from(day_of_month(day)) - 1;
                (day - over).saturating_mul(DAY)
            }
            _ => past,
        };
        Some(Timestamp::from_micros(end))
    }
}

/// The day of the month, from one, of a day since the epoch: "`civil_from_days`" of Howard Hinnant's
/// <https://howardhinnant.github.io/date_algorithms.html>.
fn day_of_month(day: i64) -> u8 {
    // Years begin in March, so that the day that leap years have more is the last of its year.
    let day_of_era = (day + 719_468).rem_euclid(146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    u8::try_from(day_of_year - (153 * month + 2) / 5 + 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::{BudgetPeriod, DAY, ModelPattern};
    use crate::Timestamp;

    /// Days since the epoch, checked against `date -u -d DATE +%s`.
    #[test]
    fn windows_are_those_of_the_calendar() {
        for (at, period, start, end) in [
            (0, BudgetPeriod::Month, 0, 31),
            (59, BudgetPeriod::Month, 59, 90),
            // 29 February 2024, a Thursday.
            (19_782, BudgetPeriod::Month, 19_754, 19_783),
            (19_782, BudgetPeriod::Week, 19_779, 19_786),
            (19_782, BudgetPeriod::Day, 19_782, 19_783),
            // 1 January 2027, a Friday.
            (20_819, BudgetPeriod::Month, 20_819, 20_850),
            (20_819, BudgetPeriod::Week, 20_815, 20_822),
            (-1, BudgetPeriod::Month, -31, 0),
        ] {
            let day = |day: i64| Timestamp::from_micros(day * DAY);
            let noon = Timestamp::from_micros(at * DAY + DAY / 2);
            let window = (period.start(noon), period.end(noon));
            assert_eq!(window, (day(start), Some(day(end))), "{at} {period:?}");
        }
    }

    #[test]
    fn patterns_say_which_models_they_mean() {
        for (pattern, model, covers) in [
            ("openai/gpt-5", "openai/gpt-5", true),
            ("openai/gpt-5", "openai/gpt-5-mini", false),
            ("openai/gpt-5*", "openai/gpt-5-mini", true),
            ("*/llama*", "local/llama3:8b", true),
            ("openai/*", "anthropic/claude", false),
            ("router/meta/llama", "router/meta/llama", true),
        ] {
            let (provider, model) = model.split_once('/').unwrap();
            let pattern = ModelPattern::parse(pattern).unwrap();
            assert_eq!(pattern.covers(provider, model), covers, "{pattern:?}");
        }
        for wrong in [
            "gpt-5", "/gpt", "a/", "o*/x", "a/x*y", "a/b c", "a/**", "a/\u{e9}",
        ] {
            assert!(ModelPattern::parse(wrong).is_err(), "{wrong}");
        }
        let closer = |a: &str, b: &str| {
            let close = |text| ModelPattern::parse(text).unwrap().closeness();
            close(a) > close(b)
        };
        assert!(closer("a/x", "a/x*") && closer("a/xy*", "a/x*") && closer("a/x*", "*/x*"));
    }

    proptest! {
        #[test]
        fn every_moment_is_in_one_window(micros in -10_i64.pow(16)..10_i64.pow(17)) {
            let at = Timestamp::from_micros(micros);
            for period in &BudgetPeriod::ALL[..3] {
                let (start, end) = (period.start(at), period.end(at).unwrap());
                prop_assert!(start <= at && at < end);
                prop_assert_eq!(period.start(end), end, "the next begins where it ends");
                let last = Timestamp::from_micros(end.as_micros() - 1);
                prop_assert_eq!(period.start(last), start);
            }
        }
    }
}
