//! An answer that must be JSON of one shape and nothing else.

use serde::de::DeserializeOwned;

/// Why a text is no such answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStructured {
    /// It is not JSON from its first character to its last.
    #[error("not JSON")]
    Json,
    /// It is JSON of another shape.
    #[error("JSON of another shape")]
    Shape,
}

/// Reads an answer. A fence around it is taken off, because many models write one; whatever else
/// stands around it makes it no answer.
///
/// # Errors
/// [`NotStructured`].
pub fn structured<T: DeserializeOwned>(text: &str) -> Result<T, NotStructured> {
    serde_json::from_str(unfenced(text.trim())).map_err(|error| {
        if error.is_data() {
            NotStructured::Shape
        } else {
            NotStructured::Json
        }
    })
}

fn unfenced(text: &str) -> &str {
    let inside = text
        .strip_prefix("```json")
        .or_else(|| text.strip_prefix("```"))
        .and_then(|rest| rest.strip_prefix(['\n', '\r']))
        .and_then(|rest| rest.strip_suffix("```"));
    inside.unwrap_or(text)
}
