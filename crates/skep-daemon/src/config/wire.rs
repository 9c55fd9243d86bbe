//! The section `[wire]`: the proxy through which programs use secrets that they never hold.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_egress::Origin;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wire {
    /// Servers inside that programs get to as well, such as `https://git.internal:8443`. Whatever else is
    /// called has a public address.
    private_origins: Vec<String>,
    /// Files of certificates (PEM) whose signatures count beside those that the system trusts. Relative
    /// paths are in the data directory.
    authorities: Vec<PathBuf>,
    /// Leases at a time.
    pub(crate) leases: usize,
    /// Leases of one credential at a time.
    pub(crate) leases_each: usize,
    /// Seconds that a lease goes on without being renewed.
    renew_seconds: u64,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            private_origins: Vec::new(),
            authorities: Vec::new(),
            leases: 256,
            leases_each: 64,
            renew_seconds: 180,
        }
    }
}

impl Wire {
    /// Whether all of it can be.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.origins()?;
        if !(1..=1_000).contains(&self.leases) {
            bail!("wire.leases must be 1 to 1000: each is a port of this machine");
        }
        if !(1..=self.leases).contains(&self.leases_each) {
            bail!(
                "wire.leases_each must be 1 to wire.leases, which is {}",
                self.leases
            );
        }
        if !(30..=3_600).contains(&self.renew_seconds) {
            bail!("wire.renew_seconds must be 30 to 3600");
        }
        Ok(())
    }

    /// The servers inside.
    pub(crate) fn origins(&self) -> anyhow::Result<Vec<Origin>> {
        let origins = self.private_origins.iter();
        origins
            .map(|url| super::sources::origin("wire.private_origins", url))
            .collect()
    }

    /// The certificates that count as well, in DER.
    pub(crate) fn authorities(&self, home: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        for file in &self.authorities {
            let path = home.join(file);
            let shown = path.display();
            let pem = std::fs::read(&path)
                .with_context(|| format!("reading {shown}, which wire.authorities names"))?;
            let found = skep_egress::authorities_in(&pem).with_context(|| {
                format!("{shown}, which wire.authorities names, holds no certificates in PEM")
            })?;
            all.extend(found);
        }
        Ok(all)
    }

    /// How long a lease goes on without being renewed.
    pub(crate) fn renewed(&self) -> Duration {
        Duration::from_secs(self.renew_seconds)
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "wire.private_origins = {:?}", self.private_origins)?;
        writeln!(f, "wire.authorities = {:?}", self.authorities)?;
        writeln!(f, "wire.leases = {}", self.leases)?;
        writeln!(f, "wire.leases_each = {}", self.leases_each)?;
        write!(f, "wire.renew_seconds = {}", self.renew_seconds)
    }
}
