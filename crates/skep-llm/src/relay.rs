//! What a gateway has to understand of requests and answers that it passes on, in the dialect they came in.
//!
//! As little as possible is read and nothing is written anew: a body goes on byte for byte but for the pieces
//! that have to change, and an answer goes back event by event. What is read is the model, whether the answer
//! is a stream, how long it may become, and what was spent.

mod ask;
mod edit;
mod events;
mod heard;
mod mock;
mod said;
mod spent;
mod stream;
pub mod translate;

pub use ask::{Ask, Misread};
pub use edit::for_upstream;
pub use events::{Events, TooLong};
pub use heard::Heard;
pub use mock::{Mocked, mocked, mocked_stream};
pub use said::{Said, said, with_behind};
pub use spent::spent;
pub use stream::{Garbled, Reading};

use crate::Dialect;

/// What is asked for, each a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `POST /v1/chat/completions`, in OpenAI's dialect.
    Chat,
    /// `POST /v1/messages`, in Anthropic's.
    Messages,
    /// `POST /v1/responses`, in OpenAI's.
    Responses,
    /// `POST /v1/embeddings`, in OpenAI's.
    Embeddings,
    /// `POST /v1/messages/count_tokens`, in Anthropic's.
    CountTokens,
}

impl Format {
    /// Whose it is.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Chat | Self::Responses | Self::Embeddings => Dialect::OpenAi,
            Self::Messages | Self::CountTokens => Dialect::Anthropic,
        }
    }

    /// Where it is sent to, behind the base that the dialect's own programs are given.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Messages => "/v1/messages",
            Self::Responses => "/responses",
            Self::Embeddings => "/embeddings",
            Self::CountTokens => "/v1/messages/count_tokens",
        }
    }

    /// Whether an answer has words of a model in it.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Chat | Self::Messages | Self::Responses)
    }

    /// Whether providers take nothing for it.
    #[must_use]
    pub const fn is_free(self) -> bool {
        matches!(self, Self::CountTokens)
    }
}

#[cfg(test)]
mod tests;
