//! A request as it came: which model, whether as a stream, and how much it may cost at most.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Format;

/// Bytes of a model's name.
const NAME: usize = 256;
/// Tokens that stand for what a request does not hold itself: an image or a document behind a URL or an id.
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
    #[serde(borrow)]
    stream_options: Option<&'a RawValue>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    n: Option<u64>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
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
        if top
            .messages
            .is_none_or(|messages| !messages.get().starts_with('['))
        {
            return Err(wrong("messages", "must be an array"));
        }
        let answers = top.n.unwrap_or(1).max(1);
        if answers > ANSWERS {
            return Err(wrong("n", "is more than 128"));
        }
        let options = top.stream_options.filter(|options| options.get() != "null");
        let told: Option<Options> = options
            .map(|options| serde_json::from_str(options.get()))
            .transpose()
            .map_err(|_| wrong("stream_options", "must be an object"))?;
        let each = match (top.max_completion_tokens, top.max_tokens) {
            // A provider takes either; whichever it takes, the larger is enough.
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        Ok(Self {
            format,
            model: name.into_owned(),
            stream: top.stream.unwrap_or(false),
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
            close_at: text.rfind('}').ok_or(Misread::Json)?,
        })
    }
}

const fn wrong(field: &'static str, problem: &'static str) -> Misread {
    Misread::Field { field, problem }
}

/// Where a piece of a text stands in it.
fn place(text: &str, piece: &str) -> Range<usize> {
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
    ]
    .iter()
    .map(|mark| memmem::find_iter(body, mark).count())
    .sum();
    (body.len() as u64)
        .saturating_add(FRAME)
        .saturating_add((remote as u64).saturating_mul(REMOTE))
}
