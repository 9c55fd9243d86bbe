//! Participants and what stands around them, to the wire.

use skep_api::Instant;
use skep_api::participant as wire;
use skep_app::{CardView, Consent, Member, Memory, Participant, Recent, Seen};

use super::{memory, session, turn};
use crate::call::Call;

pub(crate) fn participant(call: &Call, one: Participant) -> wire::Participant {
    wire::Participant {
        id: call.text(one.id),
        kind: one.kind.as_str().into(),
        name: one.name,
        own: one.principal == Some(call.caller.principal()),
        has_credential: one.principal.is_some(),
        merged_into: one.merged_into.map(|into| call.text(into)),
        created_at: Instant(one.created_at),
    }
}

pub(crate) fn observation(call: &Call, seen: Seen, derived: bool, of: Memory) -> wire::Observation {
    wire::Observation {
        subject: call.text(seen.subject),
        observer: call.text(seen.observer),
        derived,
        memory: memory(call, of),
    }
}

pub(crate) fn card(call: &Call, card: CardView) -> wire::Card {
    let facts = card.facts.into_iter().map(|fact| {
        let source = if fact.observation.is_some() {
            "observation"
        } else {
            "self"
        };
        wire::CardFact {
            text: fact.text,
            source: source.into(),
            memory: fact.observation.map(|(memory, _)| call.text(memory)),
            observer: fact.observation.map(|(_, observer)| call.text(observer)),
            trust: fact.trust.as_str().into(),
            at: fact.at.map(Instant),
        }
    });
    wire::Card {
        facts: facts.collect(),
        participant: participant(call, card.participant),
        cut: card.cut,
    }
}

pub(crate) fn consents(call: &Call, history: Vec<Consent>) -> wire::Consents {
    let entry = |entry: Consent| wire::Consent {
        subject: call.text(entry.subject),
        observer: entry.observer.map(|observer| call.text(observer)),
        given: entry.given,
        at: Instant(entry.at),
        note: entry.note,
    };
    wire::Consents {
        history: history.into_iter().map(entry).collect(),
    }
}

pub(crate) fn members(call: &Call, members: Vec<Member>) -> wire::Members {
    let stay = |member: Member| wire::Member {
        participant: call.text(member.participant),
        from_turn: member.window.from,
        to_turn: member.window.to,
        joined_at: Instant(member.joined_at),
        left_at: member.left_at.map(Instant),
    };
    wire::Members {
        members: members.into_iter().map(stay).collect(),
    }
}

pub(crate) fn recent(call: &Call, recent: Recent) -> wire::Recent {
    let line = |line: skep_app::Summary| wire::SummaryLine {
        memory: line.memory.map(|memory| call.text(memory)),
        text: line.text,
    };
    wire::Recent {
        session: session(call, recent.session),
        summary: recent.summary.into_iter().map(line).collect(),
        turns: recent
            .turns
            .into_iter()
            .map(|one| turn(call, one))
            .collect(),
        tokens: recent.tokens,
        left_out: recent.left_out,
    }
}
