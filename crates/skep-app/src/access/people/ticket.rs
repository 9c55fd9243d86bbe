//! The secrets of tickets as people see them, and what their bodies say.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use skep_crypto::Plain;
use skep_domain::Timestamp;
use skep_store::Ticket;

use crate::access::passkey::Challenge;
use crate::{App, AppError};

/// Longer ones are refused unread.
const MAX_SECRET: usize = 160;

pub(super) const MINUTE: i64 = 60_000_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

impl App {
    /// A fresh secret, with a beginning that says what it is: 256 bits, shown once.
    pub(super) fn ticket_secret(&self, prefix: &str) -> Plain<String> {
        let bytes = Plain::new([self.store.nonce(), self.store.nonce()].concat());
        Plain::new(format!(
            "{prefix}{}",
            Base64UrlUnpadded::encode_string(bytes.expose())
        ))
    }

    /// What a browser is asked to sign.
    pub(super) fn fresh_challenge(&self) -> Challenge {
        let halves = [self.store.nonce(), self.store.nonce()];
        Challenge::from_bytes(std::array::from_fn(|at| halves[at / 16][at % 16]))
    }

    pub(super) fn after(&self, micros: i64) -> Timestamp {
        Timestamp::from_micros(self.store.now().as_micros().saturating_add(micros))
    }
}

/// A secret as it was typed or pasted: spaces around it are no part of it.
pub(super) fn typed<'a>(text: &'a str, prefix: &str) -> Option<&'a [u8]> {
    let text = text.trim();
    (text.len() <= MAX_SECRET && text.starts_with(prefix)).then_some(text.as_bytes())
}

pub(super) fn write<T: Serialize>(body: &T) -> Result<Vec<u8>, AppError> {
    serde_json::to_vec(body).map_err(|_| AppError::Internal("a ticket could not be written"))
}

pub(super) fn read<T: DeserializeOwned>(ticket: &Ticket) -> Result<T, AppError> {
    serde_json::from_slice(ticket.body.expose())
        .map_err(|_| AppError::Internal("a ticket cannot be read"))
}

/// An id inside a body.
pub(super) mod id {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use skep_domain::Id;

    pub(in super::super) fn serialize<I: Id, S: Serializer>(
        id: &I,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{:032x}", u128::from_be_bytes(id.to_bytes())))
    }

    pub(in super::super) fn deserialize<'de, I: Id, D: Deserializer<'de>>(
        from: D,
    ) -> Result<I, D::Error> {
        let text = String::deserialize(from)?;
        let bits = u128::from_str_radix(&text, 16).map_err(D::Error::custom)?;
        Ok(I::from_bytes(bits.to_be_bytes()))
    }
}
