//! What came back, and what it cost in tokens.

/// What an endpoint answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Seconds to wait, where the endpoint named them.
    pub retry_after: Option<u64>,
    /// As far as its reader was ready to take it.
    pub body: Vec<u8>,
}

/// An answer of a model.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub text: String,
    /// What it cost, where the endpoint said so.
    pub usage: Option<Usage>,
    /// Whether it came to its end: an answer that was cut off or declined is none.
    pub is_whole: bool,
}

/// Tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read, cached ones included.
    pub input: u64,
    /// Written, thoughts included.
    pub output: u64,
    /// Of what was read: from the provider's cache.
    pub cache_read: u64,
    /// Of what was read: put into the provider's cache.
    pub cache_write: u64,
    /// Of what was written: thoughts before the answer.
    pub reasoning: u64,
}

impl Usage {
    /// Both.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Sizes only: the body may quote what people said, or a key.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Sizes only: the text is about what people said.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("text", &self.text.len())
            .field("usage", &self.usage)
            .field("is_whole", &self.is_whole)
            .finish()
    }
}
