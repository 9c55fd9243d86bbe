//! The card of a participant: what it says of itself, and what others observed with its consent.
//! It is put together at every look and kept nowhere, so that no old one outlives a consent.

use skep_authz::{
    Authorized,
    rights::{MemoryRead, ParticipantSelf},
};
use skep_domain::{Limits, MemoryId, ParticipantId, Timestamp, Trust};
use skep_memory::estimate_tokens;
use skep_store::row::ObservationPage;
use skep_store::{Card, Observation, Participant, Piece, Reach, Tx};

use super::{answers_for, reached};
use crate::access::show;
use crate::error::Invalid;
use crate::{App, AppError};

/// A card as it is shown.
#[derive(Debug)]
pub struct CardView {
    /// Whose.
    pub participant: Participant,
    /// Its own words first, then observations, newest first.
    pub facts: Vec<CardFact>,
    /// Observations that did not fit.
    pub cut: u32,
}

/// One fact and where it comes from.
#[derive(Clone, Debug)]
pub struct CardFact {
    /// What it says.
    pub text: String,
    /// The observation it is; the participant's own words if `None`.
    pub observation: Option<(MemoryId, ParticipantId)>,
    /// Whose word it is.
    pub trust: Trust,
    /// When it was observed.
    pub at: Option<Timestamp>,
}

/// What a participant wants on its card.
#[derive(Clone, Debug)]
pub struct CardEdit {
    /// Its own words, in order; they take the place of all it said before.
    pub facts: Vec<String>,
    /// Observations to leave out; they take the place of all left out before.
    pub hidden: Vec<MemoryId>,
}

/// Tokens of a card.
const TOKENS: u32 = 600;
/// Facts of a card.
const FACTS: usize = 20;
/// Observations looked through for one.
const LOOKED_THROUGH: u32 = 100;
/// Tokens around a fact.
const FRAME: u32 = 4;

impl App {
    /// The card of a participant.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::RateLimited`].
    pub async fn get_card(
        &self,
        authorized: Authorized<MemoryRead>,
        id: ParticipantId,
    ) -> Result<CardView, AppError> {
        self.look(&authorized)?;
        let mut tx = self.store.begin(authorized).await?;
        let participant = reached(&mut tx, id, Reach::default()).await?;
        let page = ObservationPage {
            subject: participant.id,
            observer: None,
            limit: LOOKED_THROUGH,
            before: None,
        };
        let observations = tx.list_observations(page).await?;
        Ok(assemble(participant, observations))
    }

    /// Says what stands on one's own card.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn edit_card(
        &self,
        authorized: Authorized<ParticipantSelf>,
        id: ParticipantId,
        edit: CardEdit,
    ) -> Result<Participant, AppError> {
        self.look(&authorized)?;
        Invalid::check_count("facts", edit.facts.len(), Limits::CARD_FACTS)?;
        Invalid::check_count("hidden", edit.hidden.len(), LOOKED_THROUGH as usize)?;
        let mut facts = Vec::with_capacity(edit.facts.len());
        for (at, fact) in edit.facts.iter().enumerate() {
            let field = format!("facts[{at}]");
            Invalid::check_length(&field, fact, Limits::CARD_FACT)?;
            let fact = self.take_in_line(fact.trim());
            if fact.is_empty() {
                return Err(Invalid::required(field));
            }
            facts.push(fact);
        }
        let mut tx: Tx<ParticipantSelf> = self.store.begin(authorized).await?;
        let one = reached(&mut tx, id, Reach::default()).await?;
        if !answers_for(&tx, &one) {
            return Err(AppError::Forbidden(
                "a card is written by whom it is about, or by who answers for them",
            ));
        }
        let card = Card {
            facts,
            hidden: edit.hidden,
        };
        tx.set_participant_card(one.id, &card).await?;
        tx.commit().await?;
        Ok(Participant { card, ..one })
    }
}

/// Own words always fit: [`Limits::CARD_FACTS`] of them are fewer tokens than a card has.
fn assemble(participant: Participant, observations: Vec<Observation>) -> CardView {
    let own = participant.card.facts.iter().map(|text| CardFact {
        text: text.clone(),
        observation: None,
        trust: Trust::User,
        at: None,
    });
    let mut facts: Vec<CardFact> = own.collect();
    let mut tokens: u32 = facts.iter().map(cost).sum();
    let mut cut = 0;
    for observation in observations {
        if participant.card.hidden.contains(&observation.memory.id) {
            continue;
        }
        let (owner, shown) = (
            observation.memory.owner,
            Piece::Memory(observation.memory.id),
        );
        let fact = CardFact {
            text: observation.memory.body.key,
            observation: Some((observation.memory.id, observation.observed.observer)),
            trust: observation.memory.trust,
            at: Some(observation.memory.validity.recorded),
        };
        if facts.len() < FACTS && tokens + cost(&fact) <= TOKENS {
            tokens += cost(&fact);
            show(owner, shown);
            facts.push(fact);
        } else {
            cut += 1;
        }
    }
    CardView {
        participant,
        facts,
        cut,
    }
}

fn cost(fact: &CardFact) -> u32 {
    FRAME + estimate_tokens(&fact.text)
}
