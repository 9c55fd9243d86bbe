//! What a provider says was spent.

use serde::Deserialize;

use super::Format;
use crate::Usage;

/// An answer's count in either dialect; a provider that leaves out a part of it has spent nothing there.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Count {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<ReadDetails>,
    completion_tokens_details: Option<WrittenDetails>,
    input_tokens_details: Option<ReadDetails>,
    output_tokens_details: Option<WrittenDetails>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct ReadDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct WrittenDetails {
    reasoning_tokens: Option<u64>,
    thinking_tokens: Option<u64>,
}

impl Count {
    /// As this form of answers says it; a stream of messages says it twice.
    pub(super) fn of(self, format: Format, before: Option<Usage>) -> Option<Usage> {
        match format {
            Format::Chat | Format::Embeddings => self.of_chat(),
            Format::Responses => self.of_response(),
            Format::Messages => self.of_messages(before),
            Format::CountTokens => None,
        }
    }

    /// OpenAI counts what came from a cache, and what went into it, as read.
    fn of_chat(self) -> Option<Usage> {
        Some(Usage {
            input: self.prompt_tokens?,
            output: self.completion_tokens.unwrap_or(0),
            cache_read: self.prompt_tokens_details.map_or(0, ReadDetails::cached),
            cache_write: self.prompt_tokens_details.map_or(0, ReadDetails::written),
            reasoning: self
                .completion_tokens_details
                .map_or(0, WrittenDetails::thought),
        })
    }

    /// The same under other names.
    fn of_response(self) -> Option<Usage> {
        Some(Usage {
            input: self.input_tokens?,
            output: self.output_tokens.unwrap_or(0),
            cache_read: self.input_tokens_details.map_or(0, ReadDetails::cached),
            cache_write: self.input_tokens_details.map_or(0, ReadDetails::written),
            reasoning: self
                .output_tokens_details
                .map_or(0, WrittenDetails::thought),
        })
    }

    /// Anthropic counts apart what came from its cache and what went into it. A stream says it twice, the
    /// second time as the sum so far, and leaves out what it has said.
    fn of_messages(self, before: Option<Usage>) -> Option<Usage> {
        let before = before.unwrap_or_default();
        let cache_read = self.cache_read_input_tokens.unwrap_or(before.cache_read);
        let cache_write = self
            .cache_creation_input_tokens
            .unwrap_or(before.cache_write);
        let own = before
            .input
            .saturating_sub(before.cache_read)
            .saturating_sub(before.cache_write);
        if self.input_tokens.is_none() && self.output_tokens.is_none() {
            return None;
        }
        Some(Usage {
            input: self
                .input_tokens
                .unwrap_or(own)
                .saturating_add(cache_read)
                .saturating_add(cache_write),
            output: self.output_tokens.unwrap_or(before.output),
            cache_read,
            cache_write,
            reasoning: self
                .output_tokens_details
                .map_or(before.reasoning, WrittenDetails::thought),
        })
    }
}

impl ReadDetails {
    fn cached(self) -> u64 {
        self.cached_tokens.unwrap_or(0)
    }

    fn written(self) -> u64 {
        self.cache_write_tokens.unwrap_or(0)
    }
}

impl WrittenDetails {
    /// Each dialect has its own name for it.
    fn thought(self) -> u64 {
        self.reasoning_tokens.or(self.thinking_tokens).unwrap_or(0)
    }
}

#[derive(Deserialize)]
struct Answer {
    usage: Option<Count>,
}

/// What an answer that came whole says was spent.
///
/// # Errors
/// When it is no JSON.
pub fn spent(format: Format, body: &[u8]) -> Result<Option<Usage>, serde_json::Error> {
    let text = std::str::from_utf8(body).unwrap_or("");
    let count = serde_json::from_str::<Answer>(text)?.usage;
    Ok(count.and_then(|count| count.of(format, None)))
}
