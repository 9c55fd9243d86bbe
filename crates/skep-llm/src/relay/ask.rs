//! A request as it came: which model, whether as a stream, and how much it may cost at most.

mod kept;

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Format;
use crate::Usage;

/// Bytes of a model's name.
const NAME: usize = 256;
/// Tokens that stand for what a request does not hold itself: an image or a document behind a URL or an id, what
/// a provider's own tool finds.
const REMOTE: u64 = 32_768;
/// Tokens that a provider adds to a request of its own: roles, tools, the frame of it all.
const FRAME: u64 = 1_024;
/// Answers to one request.
const ANSWERS: u64 = 128;

/// What is read of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What it is.
    pub format: Format,
    /// The model it names.
    pub model: String,
    /// Whether the answer is a stream.
    pub stream: bool,
    /// Whether a stream of OpenAI's ends with what it cost, as the caller asked for.
    pub tells_usage: bool,
    /// Tokens that are read at most: no token is shorter than a byte.
    pub input: u64,
    /// Tokens that are read, as far as that can be told from its length.
    pub estimate: u64,
    /// Tokens that are written at most, if the request says so.
    pub output: Option<u64>,
    /// How many answers are asked for.
    pub answers: u64,
    /// Whether it offers tools.
    pub has_tools: bool,
    pub(super) model_at: Range<usize>,
    pub(super) options_at: Option<Range<usize>>,
    pub(super) store_at: Option<Range<usize>>,
    pub(super) close_at: usize,
}

/// Why a request cannot be passed on, as a sentence for whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misread {
    /// It is no JSON object.
    #[error("the body is no JSON object that can be read")]
    Json,
    /// A field.
    #[error("{field} {problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

#[derive(Deserialize)]
struct Top<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(borrow, default, deserialize_with = "present")]
    stream_options: Option<&'a RawValue>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    max_output_tokens: Option<u64>,
    #[serde(default)]
    n: Option<u64>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    container: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Options {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl Ask {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Misread`], for what no provider could answer either.
    pub fn read(format: Format, body: &[u8]) -> Result<Self, Misread> {
        let text = std::str::from_utf8(body).map_err(|_| Misread::Json)?;
        let top: Top<'_> = serde_json::from_str(text).map_err(|_| Misread::Json)?;
        let model = top.model.ok_or(wrong("model", "is missing"))?;
        let name: Cow<'_, str> =
            serde_json::from_str(model.get()).map_err(|_| wrong("model", "must be a string"))?;
        if name.is_empty() || name.len() > NAME || name.chars().any(char::is_control) {
            return Err(wrong("model", "must be the name of a model"));
        }
        let store_at = top.check_content(format, text)?;
        let answers = top.n.unwrap_or(1).max(1);
        if answers > ANSWERS {
            return Err(wrong("n", "is more than 128"));
        }
        let options = top.stream_options.filter(|options| options.get() != "null");
        let told: Option<Options> = options
            .map(|options| serde_json::from_str(options.get()))
            .transpose()
            .map_err(|_| wrong("stream_options", "must be an object"))?;
        let each = top.output(format);
        Ok(Self {
            format,
            model: name.into_owned(),
            stream: top.stream.unwrap_or(false) && format.writes(),
            tells_usage: told.and_then(|told| told.include_usage).unwrap_or(false),
            input: bound(body),
            estimate: (body.len() as u64).div_ceil(super::stream::BYTES_OF_TOKEN),
            output: each.map(|each| each.saturating_mul(answers)),
            answers,
            has_tools: top
                .tools
                .is_some_and(|tools| tools.get().starts_with('[') && tools.get() != "[]"),
            model_at: place(text, model.get()),
            options_at: top.stream_options.map(|options| place(text, options.get())),
            store_at,
            close_at: text.rfind('}').ok_or(Misread::Json)?,
        })
    }
}

impl Ask {
    /// What it has cost, as far as that can be told from the length of its answer, when nobody counted.
    #[must_use]
    pub fn counted(&self, answer: usize) -> Usage {
        let written = (answer as u64).div_ceil(super::stream::BYTES_OF_TOKEN);
        Usage {
            input: self.estimate,
            output: if self.format.writes() { written } else { 0 },
            ..Usage::default()
        }
    }
}

impl Top<'_> {
    /// What it is about is there, and all of it; where it says whether its answer is kept.
    fn check_content(&self, format: Format, text: &str) -> Result<Option<Range<usize>>, Misread> {
        let starts = |piece: Option<&RawValue>, with: &[char]| {
            piece.is_some_and(|piece| piece.get().starts_with(with))
        };
        match format {
            Format::Chat | Format::Messages | Format::CountTokens => {
                if !starts(self.messages, &['[']) {
                    return Err(wrong("messages", "must be an array"));
                }
                if format == Format::Messages {
                    kept::check_container(self.container)?;
                }
                Ok(None)
            }
            Format::Embeddings if starts(self.input, &['[', '"']) => Ok(None),
            Format::Embeddings => Err(wrong("input", "must be text or an array")),
            Format::Responses => {
                let store_at = kept::check_response(text)?;
                if starts(self.input, &['[', '"']) {
                    Ok(store_at)
                } else {
                    Err(wrong("input", "must be text or an array of items"))
                }
            }
        }
    }

    /// Tokens of one answer at most, if it says so.
    fn output(&self, format: Format) -> Option<u64> {
        match format {
            Format::Embeddings | Format::CountTokens => Some(0),
            Format::Responses => self.max_output_tokens,
            Format::Chat | Format::Messages => {
                match (self.max_completion_tokens, self.max_tokens) {
                    // A provider takes either; whichever it takes, the larger is enough.
                    (Some(one), Some(other)) => Some(one.max(other)),
                    (one, other) => one.or(other),
                }
            }
        }
    }
}

/// What is there, if only `null`: it has a place all the same.
fn present<'a, 'de: 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

const fn wrong(field: &'static str, problem: &'static str) -> Misread {
    Misread::Field { field, problem }
}

/// Where a piece of a text stands in it.
pub(super) fn place(text: &str, piece: &str) -> Range<usize> {
    let at = piece.as_ptr() as usize - text.as_ptr() as usize;
    at..at + piece.len()
}

/// Tokens of a request at most.
fn bound(body: &[u8]) -> u64 {
    let remote: usize = [
        &b"\"file_id\""[..],
        b"\"url\"",
        b"\"image_url\"",
        b"\"file_url\"",
        // What a provider looks up itself, as far as its tools are known.
        b"\"file_search",
        b"\"web_search",
        b"\"web_fetch",
        b"\"mcp\"",
    ]
    .iter()
    .map(|mark| memmem::find_iter(body, mark).count())
    .sum();
    (body.len() as u64)
        .saturating_add(FRAME)
        .saturating_add((remote as u64).saturating_mul(REMOTE))
}
