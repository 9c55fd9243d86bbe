//! Proofs of possession that were used, by whatever node.

use skep_domain::Timestamp;

use crate::failure::Failure;
use crate::rows::Wire;
use crate::statement::statements;
use crate::value::values;

statements! {
    /// Of two at once, the second waits for the first, and finds it there.
    SPEND = "INSERT INTO proof (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    SWEEP = "DELETE FROM proof WHERE digest IN
        (SELECT digest FROM proof WHERE expires_at <= $1
         ORDER BY expires_at LIMIT $2)";
}

pub(crate) async fn spend(
    wire: &Wire<'_>,
    digest: [u8; 32],
    until: Timestamp,
) -> Result<bool, Failure> {
    Ok(wire.run(SPEND, values![digest, until.as_micros()]).await? > 0)
}

pub(crate) async fn sweep(wire: &Wire<'_>, now: Timestamp, limit: u32) -> Result<u64, Failure> {
    wire.run(SWEEP, values![now.as_micros(), limit]).await
}
