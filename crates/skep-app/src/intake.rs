//! What every text passes before it is stored: cleaned, redacted, cut to its limit.

use skep_memory::{clean, cut_middle};

use crate::App;

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

    /// The same for a short field, whose findings are not counted.
    pub(crate) fn take_in_line(&self, text: &str) -> String {
        self.redactor.redact(&clean(text)).text.into_owned()
    }
}
