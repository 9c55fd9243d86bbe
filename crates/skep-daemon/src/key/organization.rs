//! Keys that organizations keep themselves: in the same places as a root key, each asked anew every time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use skep_crypto::{CryptoError, OrganizationKey, Plain, Random, RootKey, SystemRandom};
use skep_store::{MadeKey, NotGiven, OrganizationKeeper};

use super::command::WRAPPED;
use super::locked::DoesNotOpen;
use super::{Keeper, Slot, keeper, keyring};
use crate::config::{Config, Key, Kind, Order, OrganizationKeys};
use crate::program;

/// The status with which a program says that it could not ask (`EX_TEMPFAIL` of `sysexits.h`); every other one
/// but success is a no.
const COULD_NOT_ASK: i32 = 75;
/// Bytes of a key in any form.
const KEY: usize = 256;

/// The places that are configured.
pub(crate) struct Places {
    home: PathBuf,
    keys: OrganizationKeys,
}

/// Where a key is.
enum Place {
    /// A program gives it; another one wraps it, if that is kept beside the data.
    Program(Order, Option<Order>),
    Kept(Box<dyn Keeper>),
}

impl Places {
    pub(crate) fn of(home: &Path, config: &Config) -> Arc<Self> {
        Arc::new(Self {
            home: home.to_owned(),
            keys: config.organization_keys.clone(),
        })
    }

    fn key(&self, name: &str) -> Option<&Key> {
        self.keys.0.get(name)
    }

    /// A place, made anew: nothing of an earlier answer is in it, no passphrase either.
    fn place(&self, name: &str) -> anyhow::Result<Place> {
        let key = self.key(name).context("nobody has named this place")?;
        match key.kind()? {
            Kind::Command => {
                let (gives, wraps) = key.own_programs()?;
                Ok(Place::Program(gives, wraps))
            }
            Kind::Keyring => {
                let order = key.keyring_program()?;
                let keyring = keyring::InKeyring::new(&self.home, order).of(name);
                Ok(Place::Kept(Box::new(keyring)))
            }
            kind => keeper(kind, &self.home, key, None).map(Place::Kept),
        }
    }

    /// Programs and files block.
    async fn at<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(Place) -> Result<T, NotGiven> + Send + 'static,
    ) -> Result<T, NotGiven> {
        let place = self.place(name).map_err(|error| away(&error))?;
        let done = tokio::task::spawn_blocking(move || work(place)).await;
        done.unwrap_or_else(|_| Err(NotGiven::Away("asking ended early".into())))
    }
}

#[async_trait]
impl OrganizationKeeper for Places {
    fn shown(&self, place: &str) -> Option<String> {
        self.key(place)?;
        match self.place(place) {
            Ok(Place::Program(gives, _)) => {
                let program = gives.argv.first().map_or("", String::as_str);
                Some(format!("command {program}"))
            }
            Ok(Place::Kept(keeper)) => Some(keeper.shown()),
            Err(_) => None,
        }
    }

    fn age(&self, place: &str) -> i64 {
        let every = self.key(place).and_then(|key| key.ask_every().ok());
        every.map_or(0, |every| i64::try_from(every.as_micros()).unwrap_or(0))
    }

    async fn make(&self, place: &str, _: &dyn Random) -> Result<MadeKey, NotGiven> {
        self.at(place, |place| match place {
            Place::Program(gives, None) => Ok(MadeKey {
                key: given(&gives, &Plain::new(Vec::new()))?,
                wrapped: None,
            }),
            Place::Program(_, Some(wraps)) => wrapped(&wraps),
            Place::Kept(keeper) => kept(&*keeper).map(|key| MadeKey { key, wrapped: None }),
        })
        .await
    }

    async fn give(&self, place: &str, wrapped: Option<&[u8]>) -> Result<OrganizationKey, NotGiven> {
        let input = Plain::new(wrapped.unwrap_or_default().to_vec());
        self.at(place, move |place| match place {
            Place::Program(gives, _) => given(&gives, &input),
            Place::Kept(keeper) => match keeper.load(Slot::Current) {
                Ok(Some(key)) => Ok(OrganizationKey::of(key)),
                Ok(None) => Err(gone(&*keeper)),
                Err(error) => Err(missing_or_away(&*keeper, &error)),
            },
        })
        .await
    }
}

/// What a program gives for what wraps the key.
fn given(order: &Order, input: &Plain<Vec<u8>>) -> Result<OrganizationKey, NotGiven> {
    let output = answered(order, input, KEY)?;
    OrganizationKey::parse(output.expose())
        .map_err(|error| NotGiven::Refused(format!("{} gave {error}", order.argv[0])))
}

/// A fresh key, and what a program wraps it into.
fn wrapped(order: &Order) -> Result<MadeKey, NotGiven> {
    let key = OrganizationKey::generate(&SystemRandom);
    let blob = answered(order, &key.raw(), WRAPPED)?;
    let (blob, raw) = (blob.expose(), key.raw());
    let is_clear = blob.windows(32).any(|part| part == raw.expose())
        || OrganizationKey::parse(blob).is_ok_and(|found| found.is(&key));
    if blob.is_empty() || is_clear {
        let why =
            "wrap_command gave back nothing, or the key itself: it must wrap what it is given";
        return Err(NotGiven::Refused(why.into()));
    }
    let wrapped = Some(blob.clone());
    Ok(MadeKey { key, wrapped })
}

/// The key at a place, made if there is none and it can be.
fn kept(keeper: &dyn Keeper) -> Result<OrganizationKey, NotGiven> {
    let found = keeper
        .load(Slot::Current)
        .map_err(|error| missing_or_away(keeper, &error))?;
    if let Some(key) = found {
        return Ok(OrganizationKey::of(key));
    }
    if let Some(how) = keeper.read_only() {
        return Err(NotGiven::Refused(format!(
            "{} has no key: {how}",
            keeper.shown()
        )));
    }
    let key = RootKey::generate(&SystemRandom);
    let made = keeper.keep(Slot::Current, &key);
    made.map_err(|error| away(&error))?;
    Ok(OrganizationKey::of(key))
}

/// What a program answers: a no and no answer are two things.
fn answered(
    order: &Order,
    input: &Plain<Vec<u8>>,
    most: usize,
) -> Result<Plain<Vec<u8>>, NotGiven> {
    let answer = program::run(order, &[], input.expose(), most).map_err(|error| away(&error))?;
    let code = answer.code;
    answer.success(order).map_err(|error| match code {
        Some(COULD_NOT_ASK) | None => away(&error),
        Some(_) => NotGiven::Refused(format!("{error:#}")),
    })
}

fn away(error: &anyhow::Error) -> NotGiven {
    NotGiven::Away(format!("{error:#}"))
}

fn gone(keeper: &dyn Keeper) -> NotGiven {
    NotGiven::Refused(format!("there is no key any more in {}", keeper.shown()))
}

/// What is not there any more was taken away; what cannot be read may come back.
fn missing_or_away(keeper: &dyn Keeper, error: &anyhow::Error) -> NotGiven {
    let is_missing = error.chain().any(|cause| {
        let system = cause.downcast_ref::<std::io::Error>();
        system.is_some_and(|system| system.kind() == std::io::ErrorKind::NotFound)
    });
    if is_missing {
        return gone(keeper);
    }
    // A passphrase that is another one by now, as well as a file that is no key.
    let is_another = error.chain().any(|cause| {
        let crypto = cause.downcast_ref::<CryptoError>();
        let is_no_key = matches!(
            crypto,
            Some(CryptoError::Damaged | CryptoError::Malformed { .. })
        );
        is_no_key || cause.is::<DoesNotOpen>()
    });
    if is_another {
        return NotGiven::Refused(format!("{error:#}"));
    }
    away(error)
}

#[cfg(test)]
mod tests;
