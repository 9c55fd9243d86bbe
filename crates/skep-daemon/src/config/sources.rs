//! The section `[sources]`: where pages may be fetched from.

use std::fmt;

use anyhow::bail;
use serde::Deserialize;
use skep_app::Fetching;
use skep_egress::{Egress, Origin, Reach, Target};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sources {
    /// `public`: what everybody can reach. `off`: nothing but `allow`.
    fetch: String,
    /// Servers inside that may be fetched from too, such as `https://wiki.internal`.
    allow: Vec<String>,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            fetch: "public".into(),
            allow: Vec::new(),
        }
    }
}

/// Fetches under way at a time, for each way out: each may hold an answer in memory.
const CALLS: usize = 4;

impl Sources {
    /// What the application is told.
    pub(crate) fn fetching(&self) -> anyhow::Result<Fetching> {
        let mut fetching = match self.fetch.as_str() {
            "public" => {
                let egress = Egress::new(Reach::Public).with_calls(CALLS);
                Fetching::default().with_public(egress)
            }
            "off" => Fetching::default(),
            other => bail!("sources.fetch is {other:?}: it must be public or off"),
        };
        let origins = self
            .allow
            .iter()
            .map(|url| origin("sources.allow", url))
            .collect::<anyhow::Result<Vec<_>>>()?;
        if !origins.is_empty() {
            let egress = Egress::new(Reach::Listed(origins.clone())).with_calls(CALLS);
            fetching = fetching.with_listed(origins, egress);
        }
        Ok(fetching)
    }
}

/// A server inside, as a setting names it.
pub(super) fn origin(setting: &str, url: &str) -> anyhow::Result<Origin> {
    match Target::parse(url) {
        Ok(target) if target.path() == "/" => Ok(target.origin().clone()),
        Ok(target) => bail!(
            "{setting} has {url:?}: name the server only, as {}",
            target.origin()
        ),
        Err(problem) => bail!("{setting} has {url:?}: {problem}"),
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "sources.fetch = {:?}", self.fetch)?;
        write!(f, "sources.allow = {:?}", self.allow)
    }
}
