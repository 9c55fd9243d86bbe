//! The section `[alerts]`: how often somebody may be refused before it is told, and how much of a budget may be spent.

use std::fmt;

use anyhow::{bail, ensure};
use serde::Deserialize;
use skep_app::AlertSettings;
use skep_domain::Quota;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Alerts {
    /// Refusals of any kind by one principal, credential or address: `100/5min`, or `off`.
    denials: String,
    /// Those about ids of other organizations and workspaces.
    foreign: String,
    /// Shares of a budget's limit, in percent.
    budgets: Vec<u8>,
}

/// Shares of a budget that may be told.
const SHARES: usize = 8;

impl Default for Alerts {
    fn default() -> Self {
        Self {
            denials: "100/5min".into(),
            foreign: "10/5min".into(),
            budgets: vec![80, 100],
        }
    }
}

impl Alerts {
    pub(crate) fn settings(&self) -> anyhow::Result<AlertSettings> {
        let budgets = &self.budgets;
        ensure!(
            budgets.len() <= SHARES && budgets.iter().all(|share| (1..=100).contains(share)),
            "alerts.budgets must be at most {SHARES} percentages from 1 to 100, such as [80, 100], not {budgets:?}"
        );
        Ok(AlertSettings {
            denials: rule("denials", &self.denials)?,
            foreign: rule("foreign", &self.foreign)?,
            budgets: budgets.clone(),
        })
    }
}

fn rule(name: &str, text: &str) -> anyhow::Result<Option<Quota>> {
    if text == "off" {
        return Ok(None);
    }
    let Some(rule) = Quota::parse(text) else {
        bail!(
            "alerts.{name} must be a number in a time, such as 10/5min or 100/h, or off, not {text:?}"
        );
    };
    Ok(Some(rule))
}

impl fmt::Display for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "alerts.denials = {:?}", self.denials)?;
        writeln!(f, "alerts.foreign = {:?}", self.foreign)?;
        write!(f, "alerts.budgets = {:?}", self.budgets)
    }
}
