//! The sections `[organization_keys."<name>"]`: where organizations keep keys of their own. Whoever runs the daemon
//! names programs and files, never the organization: who names programs owns the host.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use serde::Deserialize;

use super::key::Key;

/// The places, by the names that whoever runs the daemon gives them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct OrganizationKeys(pub(crate) BTreeMap<String, Key>);

/// Places at most: each is asked every minute.
const PLACES: usize = 256;
/// Characters of a name.
const NAME: usize = 128;

impl OrganizationKeys {
    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.0.len() > PLACES {
            bail!("organization_keys: there may be {PLACES} of them");
        }
        for (name, key) in &self.0 {
            let is_plain = !name.chars().any(|c| c.is_control() || c.is_whitespace());
            if name.is_empty() || name.chars().count() > NAME || !is_plain {
                bail!("organization_keys.{name:?}: expected the name or the id of an organization");
            }
            key.check_own().map_err(|error| {
                let said = error.to_string();
                anyhow!(said.replace("key.", &format!("organization_keys.{name:?}.")))
            })?;
        }
        Ok(())
    }

    /// Everything on this host that leads to such a key, which no program and no reference may read.
    pub(super) fn places(&self, home: &Path) -> Vec<PathBuf> {
        self.0.values().flat_map(|key| key.places(home)).collect()
    }
}

impl fmt::Display for OrganizationKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, key) in &self.0 {
            let lines = key.to_string();
            for line in lines.lines().filter(|line| !line.starts_with('#')) {
                let setting = line.strip_prefix("key.").unwrap_or(line);
                writeln!(f, "organization_keys.{name:?}.{setting}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::OrganizationKeys;

    fn said(section: &str) -> String {
        let keys: OrganizationKeys = toml::from_str(&format!("[acme]\n{section}")).unwrap();
        keys.check()
            .err()
            .map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn x09_what_could_not_be_withdrawn_is_no_place_for_an_organizations_key() {
        for (section, told) in [
            ("", "organization_keys.\"acme\".provider is missing"),
            ("provider = \"environment\"", "cannot be withdrawn"),
            ("provider = \"file\"", "\"acme\".file is missing"),
            ("provider = \"passphrase\"", "locked_file is missing"),
            (
                "provider = \"passphrase\"\nlocked_file = \"/k\"",
                "nobody is there to be asked",
            ),
            ("provider = \"command\"", "\"acme\".command is missing"),
            (
                "provider = \"command\"\ncommand = [\"/bin/x\"]\nwrapped_file = \"w\"",
                "kept beside its data",
            ),
            (
                "provider = \"file\"\nfile = \"/k\"\nask_every_seconds = 61",
                "must be 5 to 60",
            ),
            (
                "provider = \"file\"\nfile = \"/k\"\nask_every_seconds = 4",
                "must be 5 to 60",
            ),
            (
                "provider = \"file\"\nfile = \"/k\"\nask_every_seconds = 5\ntimeout_seconds = 5",
                "must be less than",
            ),
            (
                "provider = \"file\"\nfile = \"/k\"\nask_every_seconds = 5",
                "",
            ),
            (
                "provider = \"command\"\ncommand = [\"/bin/x\"]\nwrap_command = [\"/bin/y\"]",
                "",
            ),
            ("provider = \"credential\"", ""),
        ] {
            let found = said(section);
            assert_eq!(found.is_empty(), told.is_empty(), "{section}: {found}");
            assert!(found.contains(told), "{section}: {found}");
        }
        let spaced: OrganizationKeys = toml::from_str("[\"a b\"]").unwrap();
        assert!(spaced.check().is_err());
    }
}
