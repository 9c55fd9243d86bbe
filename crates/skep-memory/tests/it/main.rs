//! Integration tests: distilling, redaction.
