//! Integration tests: what is redacted, what is distilled.

#[cfg(test)]
mod redaction;

#[cfg(test)]
mod sample;
