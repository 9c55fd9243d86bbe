//! Instants on the wire: RFC 3339 in UTC, to the microsecond.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use skep_domain::Timestamp;

/// A [`Timestamp`] as text, such as `2026-11-21T04:05:06.789Z`. Any offset is read; UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub Timestamp);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0.as_micros()) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => f.write_str("9999-12-30T22:00:00Z"),
        }
    }
}

impl Instant {
    /// So many microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(Timestamp::from_micros(micros))
    }
}

impl FromStr for Instant {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time: jiff::Timestamp = text.parse()?;
        Ok(Self(Timestamp::from_micros(time.as_microsecond())))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            serde::de::Error::custom("expected an RFC 3339 time such as 2026-11-21T04:05:06Z")
        })
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;
    use skep_domain::Timestamp;

    #[test]
    fn times_read_back_and_offsets_become_utc() {
        for micros in [0, 1, 1_700_000_000_123_456, -5_000_000] {
            let instant = Instant(Timestamp::from_micros(micros));
            assert_eq!(instant.to_string().parse::<Instant>().unwrap(), instant);
        }
        let east: Instant = "2026-11-21T06:00:00+02:00".parse().unwrap();
        assert_eq!(east.to_string(), "2026-11-21T04:00:00Z");
        assert!("yesterday".parse::<Instant>().is_err());
    }
}
