//! Integration tests: what is redacted, what is distilled.

mod redaction;
