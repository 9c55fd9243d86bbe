//! The row of an organization that says whether it has a key of its own, sealed as its settings are.

use skep_domain::{OrganizationId, Timestamp};

use super::Store;
use crate::StoreError;
use crate::access::setting_place;
use crate::backend::ControlTx;
use crate::body::{BodyReader, BodyWriter};

/// The setting of an organization that holds it.
const NAME: &str = "organization_key";
const FORM: &str = "skep-organization-key-1";

/// What is known of an organization that has, or had, a key of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// The key in force; `None` once it was given up.
    pub(super) in_force: Option<InForce>,
    /// The key of its records in vaults: wrapped by the key in force, bare once that was given up. It stays the
    /// same for good, so that no record has to be sealed anew when the other one changes.
    pub(super) vault: Vec<u8>,
    pub(super) withdrawn_at: Option<Timestamp>,
}

/// A key that data keys are under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InForce {
    /// The name of its place.
    pub(super) place: String,
    /// Which key it is.
    pub(super) name: [u8; 8],
    /// What wraps it, where that is kept here.
    pub(super) wrapped: Option<Vec<u8>>,
}

impl State {
    /// The name of the place; empty once it was given up.
    pub(super) fn place(&self) -> &str {
        let place = self.in_force.as_ref().map(|in_force| &in_force.place);
        place.map_or("", String::as_str)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let at = self.withdrawn_at.map(Timestamp::as_micros);
        let body = BodyWriter::default()
            .text(FORM)
            .bytes(&self.vault)
            .bytes(&at.map(i64::to_le_bytes).map_or(Vec::new(), Vec::from));
        let Some(in_force) = &self.in_force else {
            return body.finish();
        };
        let wrapped = in_force.wrapped.as_deref();
        body.text(&in_force.place)
            .bytes(&in_force.name)
            // Nothing wraps a key into nothing.
            .bytes(wrapped.unwrap_or_default())
            .finish()
    }

    fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut body = BodyReader(bytes);
        if body.text()? != FORM {
            return Err(StoreError::Refused(
                "the key of an organization is kept in a form that this version does not read"
                    .into(),
            ));
        }
        let vault = body.bytes()?;
        let at = body.bytes()?;
        let at = at.first_chunk().map(|at| i64::from_le_bytes(*at));
        let in_force = if body.0.is_empty() {
            None
        } else {
            let (place, name, wrapped) = (body.text()?, body.bytes()?, body.bytes()?);
            let name = name.try_into();
            Some(InForce {
                place,
                name: name.map_err(|_| StoreError::Damaged("the key of an organization"))?,
                wrapped: (!wrapped.is_empty()).then_some(wrapped),
            })
        };
        Ok(Self {
            in_force,
            vault,
            withdrawn_at: at.map(Timestamp::from_micros),
        })
    }
}

impl Store {
    pub(super) async fn read_state(
        &self,
        rows: &mut dyn ControlTx,
        organization: OrganizationId,
    ) -> Result<Option<State>, StoreError> {
        let settings = rows.settings(organization).await?;
        let found = settings.into_iter().find(|(name, _)| name == NAME);
        let Some((_, sealed)) = found else {
            return Ok(None);
        };
        let (column, at) = setting_place(organization, NAME);
        let opened = self.control.open(column, at, &sealed)?;
        State::read(opened.expose()).map(Some)
    }

    pub(super) async fn write_state(
        &self,
        rows: &mut dyn ControlTx,
        organization: OrganizationId,
        state: &State,
    ) -> Result<(), StoreError> {
        let (column, at) = setting_place(organization, NAME);
        let body = skep_crypto::Plain::new(state.to_bytes());
        let sealed = self.control.seal(column, at, body.expose());
        rows.put_setting(organization, NAME.into(), sealed, self.clock.now())
            .await
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::Timestamp;

    use super::{InForce, State};

    #[test]
    fn what_is_kept_of_a_key_is_read_back() {
        let in_force = |wrapped| InForce {
            place: "acme".into(),
            name: [7; 8],
            wrapped,
        };
        for in_force in [None, Some(in_force(None)), Some(in_force(Some(vec![1, 2])))] {
            for withdrawn_at in [None, Some(Timestamp::from_micros(-3))] {
                let state = State {
                    in_force: in_force.clone(),
                    vault: vec![9; 32],
                    withdrawn_at,
                };
                let bytes = state.to_bytes();
                assert_eq!(State::read(&bytes).unwrap(), state);
                for cut in 0..bytes.len() {
                    // What is cut off is never a state with less protection than it had.
                    let read = State::read(&bytes[..cut]);
                    let is_same =
                        read.is_ok_and(|read| read.in_force.is_none() && state.in_force.is_some());
                    assert!(!is_same || cut > 60, "{cut}");
                }
            }
        }
    }
}
