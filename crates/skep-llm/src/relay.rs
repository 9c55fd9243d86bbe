//! What a gateway has to understand of requests and answers that it passes on, in the dialect they came in.
//!
//! As little as possible is read and nothing is written anew: a body goes on byte for byte but for the pieces
//! that have to change, and an answer goes back event by event. What is read is the model, whether the answer
//! is a stream, how long it may become, and what was spent.

mod ask;
mod edit;
mod events;
mod mock;
mod spent;
mod stream;

pub use ask::{Ask, Misread};
pub use edit::for_upstream;
pub use events::{Events, TooLong};
pub use mock::{Mocked, mocked, mocked_stream};
pub use spent::spent;
pub use stream::{Garbled, Reading, broken_off};

use crate::Dialect;

/// What is asked for, each a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `POST /v1/chat/completions`, in OpenAI's dialect.
    Chat,
    /// `POST /v1/messages`, in Anthropic's.
    Messages,
}

impl Format {
    /// Whose it is.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Chat => Dialect::OpenAi,
            Self::Messages => Dialect::Anthropic,
        }
    }

    /// Where it is sent to, behind the base that the dialect's own programs are given.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Messages => "/v1/messages",
        }
    }
}

#[cfg(test)]
mod tests;
