//! The proxy's certificate authority, which each installation makes once and keeps sealed in its vault.

use std::time::Duration;

use skep_crypto::Plain;
use skep_domain::{RecordName, Timestamp};
use skep_vault::{Kept, Vault};
use skep_wire::Authority;

use super::refused;
use crate::AppError;

/// What it is called among the daemon's own records.
const NAME: &str = "wire-authority";
/// What its key begins with, behind its certificate.
const KEY: &str = "-----BEGIN PRIVATE KEY-----";
/// For so long before its end a start of the daemon makes a new one.
const EARLY: Duration = Duration::from_hours(365 * 24);
/// It does not hold before it was made, less what clocks may differ.
const BEFORE: Duration = Duration::from_hours(24);

/// The authority of this vault; a new one if there is none, if it ends within a year, or if it cannot be
/// used. Programs that run trust what they were started with, so none is made while they do. Blocks.
///
/// # Errors
/// When the vault cannot be read or written.
#[expect(
    clippy::disallowed_methods,
    reason = "this is what puts the authority there"
)]
pub fn wire_authority(vault: &Vault, now: Timestamp) -> Result<Authority, AppError> {
    let name = RecordName::parse(NAME).map_err(|_| AppError::Internal("its name is none"))?;
    let kept = match vault.own(&name) {
        // What is damaged is made anew: it is good for this machine's own programs alone.
        Err(skep_vault::VaultError::Damaged { what }) => {
            tracing::warn!(what, "the proxy's authority is damaged: a new one is made");
            None
        }
        kept => kept?,
    };
    if let Some(authority) = kept.and_then(|kept| opened(&kept, now)) {
        return Ok(authority);
    }
    let authority = Authority::generate(now).map_err(refused)?;
    let key = authority.key();
    let mut text = Vec::with_capacity(authority.certificate().len() + key.expose().len());
    text.extend_from_slice(authority.certificate().as_bytes());
    text.extend_from_slice(key.expose().as_bytes());
    vault.keep_own(&name, Plain::new(text), now)?;
    Ok(authority)
}

fn opened((text, made_at): &Kept, now: Timestamp) -> Option<Authority> {
    let age = now.as_micros() - made_at.as_micros();
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let holds = age > -micros(BEFORE) && age < micros(Authority::LASTS) - micros(EARLY);
    let text = std::str::from_utf8(text.expose()).ok().filter(|_| holds)?;
    let (certificate, key) = text.split_at_checked(text.find(KEY)?)?;
    Authority::open(certificate, &Plain::new(key.to_owned())).ok()
}
