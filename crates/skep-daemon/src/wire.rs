//! The proxy of this daemon: where programs get through it, and what they trust.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use skep_app::{Proxy, Vault, wire_authority};
use skep_crypto::SystemRandom;
use skep_domain::Clock;
use skep_egress::{Egress, Reach};
use skep_wire::{Limits, Trial, Wire};

use crate::clock::SystemClock;
use crate::config::Config;

/// What programs trust: the authorities of this system, those that the operator names, and the proxy's.
const BUNDLE: &str = "wire-authorities.pem";

/// Makes it, with the authority that the vault keeps.
pub(crate) fn open(home: &Path, config: &Config, vault: &Vault) -> anyhow::Result<Proxy> {
    let settings = &config.wire;
    let authorities = settings.authorities(home)?;
    let reach = Reach::PublicAnd(settings.origins()?);
    let egress = Egress::new(reach)
        .also_trusting(authorities.clone())
        .with_inside(Trial::origin(), Arc::new(Trial::start()));
    let authority = wire_authority(vault, SystemClock.now())
        .context("the authority of the proxy for secrets")?;
    let limits = Limits {
        leases: settings.leases.saturating_add(config.exec.workers),
        ..Limits::default()
    };
    let clock = Arc::new(SystemClock);
    let wire = Wire::new(
        Arc::new(egress),
        authority,
        clock,
        Arc::new(SystemRandom),
        limits,
    );
    let bundle = bundle(home);
    wire.write_bundle(&bundle, &authorities)?;
    Ok(Proxy {
        wire,
        bundle,
        leases: settings.leases,
        each: settings.leases_each,
        renewed: settings.renewed(),
    })
}

/// The file of certificates that programs trust.
pub(crate) fn bundle(home: &Path) -> std::path::PathBuf {
    home.join(BUNDLE)
}
