//! Answers of models that are kept for whoever asks again.

use skep_domain::{MemoryId, Principal, Timestamp};

/// A call that may be asked for again.
#[derive(Clone, Copy, Debug)]
pub struct AnswerAsk<'a> {
    /// Who asks. What is kept is theirs alone.
    pub asker: Principal,
    /// The key that they chose for it.
    pub key: &'a [u8],
    /// Everything that makes it another call.
    pub asked: &'a [&'a [u8]],
    /// The run of the program that asks.
    pub run: [u8; 16],
    /// When.
    pub now: Timestamp,
    /// Until when nobody else may ask.
    pub until: Timestamp,
    /// What is kept by this claim counts as nothing: the call is to be made anew.
    pub instead_of: Option<AnswerClaim>,
}

/// That a call is one's own to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerClaim {
    pub(crate) name: [u8; 16],
    pub(crate) claim: [u8; 16],
}

/// What came of asking.
#[derive(Debug)]
pub enum AnswerClaimed {
    /// It may be made.
    Ours(AnswerClaim),
    /// It is being made.
    UnderWay {
        /// Until when, at the latest.
        until: Timestamp,
    },
    /// The key stands for something else.
    Other,
    /// It was made, by this claim.
    Kept(AnswerClaim, KeptAnswer),
}

/// An answer as it went to whoever asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Who gave it.
    pub provider: String,
    /// Its entry in the record of what was used, if it has one.
    pub usage: Option<String>,
    /// The memories that were put into the call, and whose they are: whoever may not read one of them any more is not
    /// given what was made with it.
    pub given: Vec<(Principal, MemoryId)>,
    /// Whether it came as a stream.
    pub is_stream: bool,
    /// All of it.
    pub body: Vec<u8>,
}
