//! Answers of models that are kept for whoever asks again.

use skep_domain::{Principal, Timestamp};

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
    /// It was made.
    Kept(KeptAnswer),
}

/// An answer as it went to whoever asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Who gave it.
    pub provider: String,
    /// Its entry in the record of what was used, if it has one.
    pub usage: Option<String>,
    /// Whether it came as a stream.
    pub is_stream: bool,
    /// All of it.
    pub body: Vec<u8>,
}
