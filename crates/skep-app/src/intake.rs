//! What every text passes before it is stored: cleaned, redacted, cut to its limit.

use skep_domain::Limits;
use skep_memory::{clean, cut_middle};

use crate::error::{Invalid, Rule};
use crate::{App, AppError};

/// A text that may be stored.
pub(crate) struct Taken {
    pub(crate) text: String,
    /// Secrets taken out.
    pub(crate) redacted: u32,
    /// It was too long and lost its middle.
    pub(crate) cut: bool,
}

impl App {
    /// Redaction comes before the cut: a cut could hide the end of a secret from its rule.
    pub(crate) fn take_in(&self, text: &str, limit: usize) -> Taken {
        let cleaned = clean(text);
        let redacted = self.redactor.redact(&cleaned);
        let cut = redacted.text.len() > limit;
        let text = if cut {
            cut_middle(&redacted.text, limit).into_owned()
        } else {
            redacted.text.into_owned()
        };
        Taken {
            text,
            redacted: redacted.found.len() as u32,
            cut,
        }
    }

    /// A statement in somebody's own words, which says something once it is cleaned.
    pub(crate) fn take_in_said(&self, text: &str) -> Result<Taken, AppError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::required("text"));
        }
        Invalid::check_length("text", text, Limits::MEMORY_TEXT)?;
        let mut taken = self.take_in(text, Limits::MEMORY_TEXT);
        taken.text = taken.text.trim().to_owned();
        if taken.text.is_empty() {
            return Err(AppError::Invalid(Invalid {
                field: "text".into(),
                rule: Rule::Required,
                message: "text must not be empty: it has only characters that cannot be seen"
                    .into(),
            }));
        }
        Ok(taken)
    }

    /// As [`App::take_in`], for a short field, whose findings are not counted.
    pub(crate) fn take_in_line(&self, text: &str) -> String {
        self.redactor.redact(&clean(text)).text.into_owned()
    }
}
