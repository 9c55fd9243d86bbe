//! What is said to a language model's endpoint and what comes back, in two dialects; pure.
//!
//! One neutral [`Prompt`] becomes a [`Request`] of the dialect that a [`Target`] names; a
//! [`Response`] becomes a [`Reply`] with its text and its [`Usage`], or a [`Failure`] that says what
//! can be done about it. Nothing here sends anything, and no key passes through: a request names the
//! header that whoever sends it puts the key into.
//!
//! [`relay`] has what a gateway reads of requests and answers that it passes on as they are.
//!
//! Nothing that an endpoint writes is repeated in an error. A refusal may quote the key that was
//! sent, and what it says about a prompt may quote the prompt.

mod anthropic;
mod cost;
mod dialect;
mod failure;
mod openai;
mod prompt;
pub mod relay;
mod reply;
mod structured;

pub use cost::{Cost, Price};
pub use dialect::{Dialect, KeyHeader, Target};
pub use failure::{Failure, retry_after};
pub use prompt::{Prompt, Request, Schema};
pub use reply::{Reply, Response, Usage};
pub use structured::{NotStructured, structured};

#[cfg(test)]
mod tests;
