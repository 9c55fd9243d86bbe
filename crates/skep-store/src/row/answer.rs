//! What a backend stores about answers of models that are kept for whoever asks again.

use skep_crypto::Sealed;
use skep_domain::Timestamp;

use super::Fingerprint;

/// The claim of a call that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct AnswerClaimRow {
    /// Who asks, and under which key.
    pub name: Fingerprint,
    /// What is asked.
    pub asked: Fingerprint,
    /// Random: whoever has it may keep the answer.
    pub claim: [u8; 16],
    /// The run of the program that asks.
    pub run: [u8; 16],
    /// Until when nobody else may ask.
    pub until: Timestamp,
    /// Whose answer counts as nothing.
    pub instead_of: Option<[u8; 16]>,
}

/// What there is for whoever asks again.
#[derive(Clone, Debug)]
pub struct AnswerRow {
    /// What was asked.
    pub asked: Fingerprint,
    /// Whose claim it is.
    pub claim: [u8; 16],
    /// Until when it counts.
    pub until: Timestamp,
    /// The answer; none while the call is under way.
    pub body: Option<Sealed>,
}
