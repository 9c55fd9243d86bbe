//! The keys of workspaces as they were seen first. Whoever can make a daemon say something else later cannot
//! make this machine believe it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use skep_client::{Approval, ApprovalKey, Home};

use crate::failure::Failure;
use crate::wiring::change;

/// The file in the home.
const NAME: &str = "skill-keys.json";

/// What is known.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keys {
    /// By destination and workspace.
    #[serde(default)]
    keys: BTreeMap<String, String>,
    /// When the newest approval was given of each skill that was ever put somewhere, in microseconds since
    /// 1970, by destination, workspace and skill: what was taken out does not come back as it was before.
    #[serde(default)]
    newest: BTreeMap<String, i64>,
}

impl Keys {
    pub(crate) fn read(home: &Home) -> Result<Self, Failure> {
        let failed = |error: String| {
            Failure::new(
                "UNREADABLE",
                format!("{NAME} in the data directory: {error}"),
            )
        };
        let text =
            change::read(&home.path().join(NAME)).map_err(|error| failed(error.to_string()))?;
        match text {
            Some(text) => serde_json::from_str(&text).map_err(|error| failed(error.to_string())),
            None => Ok(Self::default()),
        }
    }

    /// The key of a workspace of a daemon, if it was seen before.
    pub(crate) fn of(&self, destination: &str, workspace: &str) -> Option<ApprovalKey> {
        let kept = self.keys.get(&name(destination, workspace))?;
        Some(ApprovalKey::kept(kept))
    }

    /// Every key that is known.
    pub(crate) fn all(&self) -> Vec<ApprovalKey> {
        let kept = self.keys.values();
        kept.map(|kept| ApprovalKey::kept(kept)).collect()
    }

    /// Keeps one: for good, or in a trial only here.
    pub(crate) fn keep(
        &mut self,
        home: &Home,
        (destination, workspace): (&str, &str),
        key: &ApprovalKey,
        is_trial: bool,
    ) -> Result<(), Failure> {
        let name = name(destination, workspace);
        self.keys.insert(name, key.as_str().to_owned());
        if is_trial {
            return Ok(());
        }
        self.write(home)
    }

    /// Whether a newer approval of a skill than this was put somewhere by this machine.
    pub(crate) fn is_older(
        &self,
        (destination, workspace): (&str, &str),
        approval: &Approval,
    ) -> bool {
        let name = format!("{} {}", name(destination, workspace), approval.skill);
        let newest = self.newest.get(&name);
        newest.is_some_and(|newest| approval.approved_at < *newest)
    }

    /// Notes that these are on this machine now; what was gone back to on purpose is the newest from here on.
    pub(crate) fn note<'a>(
        &mut self,
        home: &Home,
        (destination, workspace): (&str, &str),
        put: impl Iterator<Item = &'a Approval>,
    ) -> Result<(), Failure> {
        let before = self.newest.clone();
        for approval in put {
            let name = format!("{} {}", name(destination, workspace), approval.skill);
            self.newest.insert(name, approval.approved_at);
        }
        if self.newest == before {
            return Ok(());
        }
        self.write(home)
    }

    fn write(&self, home: &Home) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new("INTERNAL", error.to_string()))?;
        change::write(&home.path().join(NAME), &text)
            .map_err(|error| Failure::new("UNWRITABLE", format!("{NAME}: {error}")))
    }
}

fn name(destination: &str, workspace: &str) -> String {
    format!("{destination} {workspace}")
}
