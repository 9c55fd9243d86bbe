//! Participants, membership, consent and observations, opened and sealed.

mod erase;
mod membership;
mod observe;

pub use erase::{CanDeleteParticipant, Erased};

use skep_authz::rights::{MemberManage, ParticipantSelf};
use skep_authz::{CanRead, CanWrite};
use skep_domain::{Id, MemoryId, Name, ParticipantId, Principal, Timestamp};

use super::Tx;
use crate::StoreError;
use crate::backend::{PageOf, ReachRow};
use crate::body::{BodyReader, BodyWriter};
use crate::keys::{Purpose, WorkspaceKeys, column};
use crate::row::{ConsentRow, Fingerprint, NameRow, ParticipantEventRow, ParticipantRow};
use crate::value::{Card, Consent, NewConsent, NewParticipant, Participant, Reach};

const ADDED: u8 = 0;
const NAMED: u8 = 1;
const MERGED: u8 = 2;
const TAKEN_APART: u8 = 3;
const DELETED: u8 = 4;

impl<P: CanRead> Tx<P> {
    /// The participant that the caller speaks as, if there is one yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_own_participant(&mut self) -> Result<Option<Participant>, StoreError> {
        let Some(principal) = self.principal else {
            return Ok(None);
        };
        let row = self.backend.own_participant(&self.scope, principal).await?;
        row.map(|row| open_participant(&self.keys, row)).transpose()
    }

    /// A participant that the caller reaches; for one merged into another, that other. Who is out
    /// of reach is looked for in the same way as who does not exist.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_participant(
        &mut self,
        id: ParticipantId,
        reach: Reach,
    ) -> Result<Option<Participant>, StoreError> {
        let reach = self.reach(reach);
        let row = self.backend.participant(&self.scope, &reach, id).await?;
        row.map(|row| open_participant(&self.keys, row)).transpose()
    }

    /// Participants that the caller reaches, newest first; with a name, at most the one that has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_participants(
        &mut self,
        reach: Reach,
        name: Option<&Name>,
        page: PageOf<ParticipantId>,
    ) -> Result<Vec<Participant>, StoreError> {
        let reach = self.reach(reach);
        let named = name.map(|name| self.skeletons(name)[0]);
        let rows = self
            .backend
            .participants(&self.scope, &reach, named, page)
            .await?;
        let found = rows
            .into_iter()
            .map(|row| open_participant(&self.keys, row))
            .collect::<Result<Vec<_>, _>>()?;
        // A look-alike of a name is not the name.
        Ok(found
            .into_iter()
            .filter(|one| name.is_none_or(|name| one.name.as_deref() == Some(name.as_str())))
            .collect())
    }

    /// The history of consent of a participant, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_consents(
        &mut self,
        subject: ParticipantId,
    ) -> Result<Vec<Consent>, StoreError> {
        let rows = self.backend.consents(&self.scope, subject).await?;
        rows.into_iter()
            .map(|row| {
                let note = row.note.as_ref().map(|note| {
                    self.keys
                        .open_text(column::CONSENT_NOTE, subject.to_bytes(), note)
                });
                Ok(Consent {
                    subject: row.subject,
                    observer: row.observer,
                    given: row.given,
                    at: row.at,
                    actor: row.actor,
                    note: note.transpose()?,
                })
            })
            .collect()
    }

    fn reach(&self, reach: Reach) -> ReachRow {
        ReachRow {
            ring: self.ring,
            everyone: reach.everyone,
        }
    }

    fn skeletons(&self, name: &Name) -> [Fingerprint; 2] {
        let [folded, written] = name.skeletons();
        let of = |form: &[u8], text: &str| {
            self.keys
                .fingerprint(Purpose::ParticipantName, &[form, text.as_bytes()])
        };
        [of(b"folded", &folded), of(b"written", &written)]
    }
}

impl<P: CanWrite> Tx<P> {
    /// Keeps a participant, owned by whoever acts. `false` when its name, or one that looks the
    /// same, is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_participant(&mut self, new: &NewParticipant) -> Result<bool, StoreError> {
        let owner = self.owner()?;
        let row = ParticipantRow {
            id: new.id,
            kind: new.kind,
            principal: new.principal,
            owner,
            merged_into: None,
            created_at: new.at,
            name: new.name.as_ref().map(|name| self.seal_name(new.id, name)),
            card: None,
        };
        if !self.backend.put_participant(&self.scope, row).await? {
            return Ok(false);
        }
        self.note(new.id, ADDED, new.at, None).await?;
        Ok(true)
    }

    /// Those merged into a participant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_merged(
        &mut self,
        id: ParticipantId,
    ) -> Result<Vec<ParticipantId>, StoreError> {
        self.backend.merged_participants(&self.scope, id).await
    }

    /// Adds to the history of consent; `false` when its last word was the same.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_consent(&mut self, new: &NewConsent) -> Result<bool, StoreError> {
        let row = ConsentRow {
            subject: new.subject,
            observer: new.observer,
            given: new.given,
            at: new.at,
            actor: self.principal,
            note: new.note.as_ref().map(|note| {
                self.keys.seal(
                    column::CONSENT_NOTE,
                    new.subject.to_bytes(),
                    note.as_bytes(),
                )
            }),
        };
        self.backend.put_consent(&self.scope, row).await
    }

    async fn note(
        &mut self,
        id: ParticipantId,
        action: u8,
        at: Timestamp,
        other: Option<ParticipantId>,
    ) -> Result<(), StoreError> {
        let event = ParticipantEventRow {
            at,
            actor: self.principal,
            action,
            other,
        };
        self.backend.note_participant(&self.scope, id, event).await
    }

    fn seal_name(&self, id: ParticipantId, name: &Name) -> NameRow {
        NameRow {
            name: self.keys.seal(
                column::PARTICIPANT_NAME,
                id.to_bytes(),
                name.as_str().as_bytes(),
            ),
            skeletons: self.skeletons(name),
        }
    }
}

impl Tx<ParticipantSelf> {
    /// Names a participant. `false` when the name, or one that looks the same, is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_participant_name(
        &mut self,
        id: ParticipantId,
        name: &Name,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = self.seal_name(id, name);
        let named = self
            .backend
            .set_participant_name(&self.scope, id, row)
            .await?;
        if named {
            self.note(id, NAMED, at, None).await?;
        }
        Ok(named)
    }

    /// Keeps what a participant says of itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_participant_card(
        &mut self,
        id: ParticipantId,
        card: &Card,
    ) -> Result<(), StoreError> {
        let sealed = self
            .keys
            .seal(column::PARTICIPANT_CARD, id.to_bytes(), &card_bytes(card));
        self.backend
            .set_participant_card(&self.scope, id, sealed)
            .await
    }
}

impl Tx<MemberManage> {
    /// Exactly this participant, merged or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_exact_participant(
        &mut self,
        id: ParticipantId,
    ) -> Result<Option<Participant>, StoreError> {
        let row = self.backend.exact_participant(&self.scope, id).await?;
        row.map(|row| open_participant(&self.keys, row)).transpose()
    }

    /// Says that a participant is another one, or that it is itself again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_merged(
        &mut self,
        id: ParticipantId,
        into: Option<ParticipantId>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.backend.set_merged(&self.scope, id, into).await?;
        let action = if into.is_some() { MERGED } else { TAKEN_APART };
        self.note(id, action, at, into).await
    }
}

fn card_bytes(card: &Card) -> Vec<u8> {
    let hidden: Vec<String> = card.hidden.iter().map(|id| hex(id.to_bytes())).collect();
    BodyWriter::default()
        .texts(&card.facts)
        .texts(&hidden)
        .finish()
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

fn unhex(text: &str) -> Result<MemoryId, StoreError> {
    u128::from_str_radix(text, 16)
        .map(|bits| MemoryId::from_bytes(bits.to_be_bytes()))
        .map_err(|_| StoreError::Damaged("an id on a card"))
}

fn open_participant(keys: &WorkspaceKeys, row: ParticipantRow) -> Result<Participant, StoreError> {
    let id = row.id.to_bytes();
    let name = row
        .name
        .map(|name| keys.open_text(column::PARTICIPANT_NAME, id, &name.name));
    let card = match row.card {
        None => Card::default(),
        Some(sealed) => {
            let opened = keys.open(column::PARTICIPANT_CARD, id, &sealed)?;
            let mut reader = BodyReader(opened.expose());
            let (facts, hidden) = (reader.texts()?, reader.texts()?);
            reader.end()?;
            Card {
                facts,
                hidden: hidden
                    .iter()
                    .map(|id| unhex(id))
                    .collect::<Result<_, _>>()?,
            }
        }
    };
    Ok(Participant {
        id: row.id,
        kind: row.kind,
        principal: row.principal,
        owner: row.owner,
        merged_into: row.merged_into,
        created_at: row.created_at,
        name: name.transpose()?,
        card,
    })
}

/// Whether a participant is whoever acts.
pub(super) fn is_own(participant: &Participant, principal: Option<Principal>) -> bool {
    participant.principal.is_some() && participant.principal == principal
}
