//! The section `[gateway]`: how model calls leave.

use std::fmt;
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;
use skep_app::GatewaySettings;
use skep_egress::Origin;
use skep_http::Mode;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Gateway {
    /// Whether the provider that is built in may be used; if absent, in local mode only.
    mock: Option<bool>,
    /// Servers inside that an organization may name as a provider, such as `http://127.0.0.1:11434`. Whatever
    /// else is called has a public address.
    private_origins: Vec<String>,
    /// Seconds until the head of an answer, which may come after all of it was thought.
    first_byte_seconds: u64,
    /// Seconds between two parts of an answer.
    idle_seconds: u64,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            mock: None,
            private_origins: Vec::new(),
            first_byte_seconds: 600,
            idle_seconds: 120,
        }
    }
}

impl Gateway {
    /// Whether all of it can be.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.origins()?;
        for (name, seconds) in [
            ("first_byte_seconds", self.first_byte_seconds),
            ("idle_seconds", self.idle_seconds),
        ] {
            if !(1..=3_600).contains(&seconds) {
                bail!("gateway.{name} must be 1 to 3600");
            }
        }
        Ok(())
    }

    /// What is in force in this mode.
    pub(crate) fn settings(&self, mode: Mode) -> anyhow::Result<GatewaySettings> {
        Ok(GatewaySettings {
            mock: self.mock.unwrap_or(mode == Mode::Local),
            inside: self.origins()?,
            first_byte: Duration::from_secs(self.first_byte_seconds),
            idle: Duration::from_secs(self.idle_seconds),
            ..GatewaySettings::default()
        })
    }

    fn origins(&self) -> anyhow::Result<Vec<Origin>> {
        let origins = self.private_origins.iter();
        origins
            .map(|url| super::sources::origin("gateway.private_origins", url))
            .collect()
    }
}

impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mock = match self.mock {
            Some(mock) => mock.to_string(),
            None => "\"local\"".to_owned(),
        };
        writeln!(f, "gateway.mock = {mock}")?;
        writeln!(f, "gateway.private_origins = {:?}", self.private_origins)?;
        writeln!(
            f,
            "gateway.first_byte_seconds = {}",
            self.first_byte_seconds
        )?;
        write!(f, "gateway.idle_seconds = {}", self.idle_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::Gateway;
    use skep_http::Mode;

    #[test]
    fn the_mock_is_for_local_mode_unless_somebody_says_so() {
        for (mock, local, team) in [
            (None, true, false),
            (Some(true), true, true),
            (Some(false), false, false),
        ] {
            let section = Gateway {
                mock,
                ..Gateway::default()
            };
            let allowed = |mode| section.settings(mode).unwrap().mock;
            assert_eq!((allowed(Mode::Local), allowed(Mode::Team)), (local, team));
            assert_eq!(allowed(Mode::Hybrid), team);
        }
    }
}
