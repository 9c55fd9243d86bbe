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
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl Count {
    /// OpenAI counts what came from a cache as read; of what goes into one it says nothing.
    pub(super) fn of_chat(self) -> Option<Usage> {
        Some(Usage {
            input: self.prompt_tokens?,
            output: self.completion_tokens.unwrap_or(0),
            cache_read: self
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens)
                .unwrap_or(0),
            cache_write: 0,
            reasoning: self
                .completion_tokens_details
                .and_then(|details| details.reasoning_tokens)
                .unwrap_or(0),
        })
    }

    /// Anthropic counts apart what came from its cache and what went into it. A stream says it twice, the
    /// second time as the sum so far, and leaves out what it has said.
    pub(super) fn of_messages(self, before: Option<Usage>) -> Option<Usage> {
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
            reasoning: 0,
        })
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
    Ok(count.and_then(|count| match format {
        Format::Chat => count.of_chat(),
        Format::Messages => count.of_messages(None),
    }))
}
