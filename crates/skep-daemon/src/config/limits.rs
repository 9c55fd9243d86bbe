//! The section `[limits]`: how often somebody may call, and where nodes count together.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{anyhow, bail};
use serde::Deserialize;
use skep_domain::Quota;
use skep_limit::{Quotas, Shared, SharedConfig};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Whether calls are counted.
    pub(crate) enabled: bool,
    /// The Redis or Valkey that nodes share, such as `redis://127.0.0.1:6379/0` or
    /// `unix:///run/redis.sock`; each node counts alone without one.
    pub(crate) redis: String,
    /// The user there, if it wants one.
    pub(crate) redis_user: Option<String>,
    /// Where the password is, if it wants one.
    pub(crate) redis_password_file: Option<PathBuf>,
    /// Nodes that share it: each grants its part while it is away.
    pub(crate) nodes: u32,
    /// Milliseconds that one call may wait for it.
    pub(crate) patience_ms: u64,
    api_organization: Option<String>,
    api_credential: Option<String>,
    capture_credential: Option<String>,
    gateway_organization: Option<String>,
    tokens_organization: Option<String>,
    tokens_credential: Option<String>,
    login_account: Option<String>,
    login_address: Option<String>,
    oauth_address: Option<String>,
    federation_peer: Option<String>,
    public_rpc_address: Option<String>,
    export_organization: Option<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            redis: String::new(),
            redis_user: None,
            redis_password_file: None,
            nodes: 1,
            patience_ms: 100,
            api_organization: None,
            api_credential: None,
            capture_credential: None,
            gateway_organization: None,
            tokens_organization: None,
            tokens_credential: None,
            login_account: None,
            login_address: None,
            oauth_address: None,
            federation_peer: None,
            public_rpc_address: None,
            export_organization: None,
        }
    }
}

impl Limits {
    /// The files in which it has keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.redis_password_file.iter().map(PathBuf::as_path)
    }

    /// The quotas in force.
    pub(crate) fn quotas(&self) -> anyhow::Result<Quotas> {
        let mut quotas = Quotas::default();
        for (name, text) in self.set() {
            let quota = Quota::parse(text).ok_or_else(|| {
                anyhow!(
                    "limits.{name} is {text:?}: expected a quota such as 600/min, 5/15min or 30/h"
                )
            })?;
            if !quotas.set(name, quota) {
                bail!("limits.{name} is no rate limit");
            }
        }
        Ok(quotas)
    }

    /// The store that nodes share, connected to by nobody yet.
    pub(crate) fn shared(&self, password: Option<String>) -> anyhow::Result<Option<Shared>> {
        if self.redis.is_empty() {
            return Ok(None);
        }
        let shared = Shared::new(SharedConfig {
            url: self.redis.clone(),
            user: self.redis_user.clone(),
            password,
            patience: Duration::from_millis(self.patience_ms),
        });
        // The URL may hold a password, so none of it is repeated.
        shared.map(Some).map_err(|error| {
            anyhow!("limits.redis: {error} (a password belongs into limits.redis_password_file)")
        })
    }

    /// Whether all of it means something.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.quotas()?;
        self.shared(None)?;
        if !(1..=10_000).contains(&self.nodes) {
            bail!("limits.nodes must be 1 to 10000");
        }
        if !(1..=10_000).contains(&self.patience_ms) {
            bail!("limits.patience_ms must be 1 to 10000");
        }
        if self.redis.is_empty() {
            if self.nodes > 1 {
                bail!(
                    "limits.nodes is {}: nodes count together in limits.redis",
                    self.nodes
                );
            }
            if self.redis_user.is_some() || self.redis_password_file.is_some() {
                bail!("limits.redis is missing: there is a user or a password for it");
            }
        }
        Ok(())
    }

    fn set(&self) -> BTreeMap<&'static str, &str> {
        let all = [
            ("api_organization", &self.api_organization),
            ("api_credential", &self.api_credential),
            ("capture_credential", &self.capture_credential),
            ("gateway_organization", &self.gateway_organization),
            ("tokens_organization", &self.tokens_organization),
            ("tokens_credential", &self.tokens_credential),
            ("login_account", &self.login_account),
            ("login_address", &self.login_address),
            ("oauth_address", &self.oauth_address),
            ("federation_peer", &self.federation_peer),
            ("public_rpc_address", &self.public_rpc_address),
            ("export_organization", &self.export_organization),
        ];
        let set = all.into_iter();
        set.filter_map(|(name, text)| Some((name, text.as_deref()?)))
            .collect()
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "limits.enabled = {}", self.enabled)?;
        if self.redis.is_empty() {
            writeln!(f, "# limits.redis is not set: this node counts alone")?;
        } else {
            writeln!(f, "limits.redis = {:?}", self.redis)?;
            writeln!(f, "limits.nodes = {}", self.nodes)?;
            writeln!(f, "limits.patience_ms = {}", self.patience_ms)?;
        }
        let quotas = self.quotas().map_err(|_| fmt::Error)?;
        let lines: Vec<String> = quotas
            .all()
            .map(|(_, rule, quota)| format!("limits.{} = \"{quota}\"", rule.name))
            .collect();
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;
    use crate::config::Config;
    use skep_domain::RateClass;

    fn parse(text: &str) -> Result<String, String> {
        Config::parse(&format!("[limits]\n{text}"), &[])
            .map(|config| config.limits.to_string())
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn settings_that_mean_nothing_are_refused_and_say_what_would() {
        for (text, problem) in [
            ("nodes = 2", "nodes count together in limits.redis"),
            ("nodes = 0", "limits.nodes must be"),
            ("patience_ms = 0", "limits.patience_ms must be"),
            (
                "api_credential = \"often\"",
                "such as 600/min, 5/15min or 30/h",
            ),
            ("api_credental = \"1/s\"", "did you mean api_credential?"),
            ("redis_password_file = \"x\"", "limits.redis is missing"),
            ("redis = \"rediss://127.0.0.1\"", "redis://HOST:PORT/DB"),
            (
                "redis = \"redis://:secret@127.0.0.1\"",
                "redis_password_file",
            ),
            (
                "redis = \"redis://h\"\nnodes = 10001",
                "limits.nodes must be",
            ),
        ] {
            let refused = parse(text).expect_err(text);
            assert!(refused.contains(problem), "{text}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn what_is_in_force_is_shown_without_where_the_password_is() {
        let shown = parse(
            "redis = \"redis://127.0.0.1:6379/0\"\nredis_password_file = \"redis.key\"\n\
             nodes = 3\nlogin_address = \"300/h\"",
        );
        insta::assert_snapshot!(shown.expect("it is right"));
    }

    #[test]
    fn every_published_limit_can_be_set() {
        for class in RateClass::ALL {
            for rule in class.rules() {
                let text = format!("{} = \"7/h\"", rule.name);
                let limits: Limits = toml::from_str(&text).expect(rule.name);
                let quotas = limits.quotas().expect(rule.name);
                assert_eq!(quotas.of(rule).to_string(), "7/h");
            }
        }
    }
}
