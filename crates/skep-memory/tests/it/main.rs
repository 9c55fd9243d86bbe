//! Integration tests: what is redacted, what is distilled, what holds for any input.

#[cfg(test)]
mod dead_ends;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod relating;
#[cfg(test)]
mod sample;
