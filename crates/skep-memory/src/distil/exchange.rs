//! One exchange into drafts: statements of both sides, repairs, and the outcome.

use super::admission::{PASSING, Refused, Why, is_outside_procedure};
use super::cue::Cue;
use super::draft::Draft;
use super::entity::entities;
use super::harness::{is_summary, spoken};
use super::key::key_line;
use super::outcome::{goal, outcome};
use super::passage::{Sentence, read};
use super::paste::{is_document, without_output};
use super::repair::{Failure, repairs};
use super::retract::taken_back;
use super::shell::{ToolSort, sort};
use super::statement::{Judged, Speaker, explanations, render, statements};
use crate::normal::{NEAR_DUPLICATE, near_duplicate};
use crate::turn::TurnView;
use skep_domain::{Harness, MemoryKind, Trust, TurnRole};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What went before an exchange in its session.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// What was last asked for.
    pub(super) goal: Option<String>,
    /// What the agent last advised, and where.
    pub(super) advice: Option<(usize, String)>,
    /// Which checks failed and have not passed since.
    pub(super) failures: Vec<Failure>,
}

/// The most drafts of one exchange.
const DRAFTS_MAX: usize = 6;
/// The most of them that one message gives.
const PER_MESSAGE: usize = 4;

/// What an exchange leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Sifted {
    /// Best first.
    pub(super) drafts: Vec<Draft>,
    /// Candidates that were not kept.
    pub(super) refused: Vec<Refused>,
}

/// The drafts of one exchange; `before` is brought up to date.
pub(super) fn distil(harness: Harness, turns: &[TurnView<'_>], before: &mut Before) -> Sifted {
    let heard: Vec<Cow<'_, str>> = turns.iter().map(|turn| said(harness, turn)).collect();
    let turns = with_words(turns, &heard);
    let asked = turns
        .iter()
        .find(|turn| turn.role == TurnRole::User && !is_summary(turn.text));
    let own_goal = asked.and_then(|turn| goal(turn.text));
    let goal = own_goal.clone().or_else(|| before.goal.clone());
    let mut drafts = accepted(asked, before);
    let mut refused = Vec::new();
    let mut spent = BTreeSet::new();
    let mut said_so_far: Vec<(usize, Vec<Sentence>)> = Vec::new();
    let mut is_tainted = false;
    for turn in &turns {
        match turn.role {
            TurnRole::ToolCall => is_tainted |= sort(turn.tool) == ToolSort::Web,
            TurnRole::User | TurnRole::Assistant | TurnRole::Summary => {
                let passage = read(turn.text);
                let message = Message {
                    turn,
                    passage: &passage,
                    goal: goal.as_deref(),
                    is_tainted,
                };
                let found = message.drafts(&mut spent, &mut refused);
                let said_before: Vec<&Draft> = drafts.iter().collect();
                for at in taken_back(&said_before, turn, &passage).into_iter().rev() {
                    refused.push(Refused::draft(&drafts.remove(at), Why::TakenBack));
                }
                drafts.extend(found);
                said_so_far.push((turn.index, passage));
            }
            TurnRole::ToolResult => drafts.extend(refusal(turn, is_tainted)),
            TurnRole::Commit => {}
        }
    }
    let goal = goal.as_deref();
    keep_last_diagnosis(&mut drafts, &turns);
    let is_explained = drafts.iter().any(|draft| draft.kind == MemoryKind::Gotcha);
    if !is_explained && asked.is_some_and(|turn| is_trouble(turn.text)) {
        let told = Told {
            turns: &turns,
            said: &said_so_far,
            goal,
            is_tainted,
        };
        drafts.extend(told.diagnosis(&mut spent));
    }
    let trust = trust_of_agent(is_tainted);
    let mended = repairs(&turns, &mut before.failures, goal);
    drafts.extend(mended.into_iter().map(|draft| draft.trusted_to(trust)));
    let asked_for = asked.zip(own_goal.as_deref().or(before.goal.as_deref()));
    if let Some(told) = outcome(&turns, asked_for, &spent, trust) {
        told.map_or_else(|trivial| refused.push(trivial), |draft| drafts.push(draft));
    }
    before.advice = advice(&said_so_far, &turns);
    before.goal = goal.map(str::to_owned);
    Sifted {
        drafts: best(drafts, &mut refused),
        refused,
    }
}

fn with_words<'a>(turns: &[TurnView<'a>], heard: &'a [Cow<'_, str>]) -> Vec<TurnView<'a>> {
    let turns = turns.iter().zip(heard);
    turns
        .map(|(turn, text)| TurnView { text, ..*turn })
        .collect()
}

/// What an agent says after reading the web may be the web's word.
pub(super) const fn trust_of_agent(is_tainted: bool) -> Trust {
    if is_tainted {
        Trust::External
    } else {
        Trust::Agent
    }
}

fn speaker(turn: &TurnView<'_>) -> Speaker {
    match turn.role {
        TurnRole::Summary => Speaker::Summary,
        _ if is_summary(turn.text) => Speaker::Summary,
        TurnRole::User if is_document(turn.text) => Speaker::Document,
        TurnRole::User => Speaker::User,
        _ => Speaker::Assistant,
    }
}

/// The words of a turn that somebody said; tools are quoted as they are.
pub(super) fn said<'a>(harness: Harness, turn: &TurnView<'a>) -> Cow<'a, str> {
    match turn.role {
        TurnRole::User => Cow::Owned(without_output(&spoken(harness, turn.text))),
        TurnRole::Assistant | TurnRole::Summary => spoken(harness, turn.text),
        TurnRole::ToolCall | TurnRole::ToolResult | TurnRole::Commit => Cow::Borrowed(turn.text),
    }
}

/// What a person said when refusing a tool call, which Claude Code reports as the call's result.
///
/// A tool could print the same words, so they weigh no more than a tool's.
fn refusal(turn: &TurnView<'_>, is_tainted: bool) -> Vec<Draft> {
    const REFUSED: &str = "The user doesn't want to proceed with this tool use.";
    const SAID: &str = "the user said:";
    let text = turn
        .text
        .trim_start()
        .strip_prefix(REFUSED)
        .filter(|_| !is_tainted);
    let Some((_, said)) = text.and_then(|text| text.split_once(SAID)) else {
        return Vec::new();
    };
    let passage = read(&without_output(said));
    let view = TurnView {
        role: TurnRole::User,
        ..*turn
    };
    let message = Message {
        turn: &view,
        passage: &passage,
        goal: None,
        is_tainted: false,
    };
    let mut drafts = message.drafts(&mut BTreeSet::new(), &mut Vec::new());
    for draft in &mut drafts {
        draft.trust = Trust::Tool;
    }
    drafts
}

/// Of the causes that an agent named on its way, the last word counts: those of its final message,
/// or else the last one before.
fn keep_last_diagnosis(drafts: &mut Vec<Draft>, turns: &[TurnView<'_>]) {
    let is_diagnosis =
        |draft: &Draft| draft.kind == MemoryKind::Gotcha && draft.trust < Trust::User;
    let last_said = turns
        .iter()
        .rfind(|turn| turn.role == TurnRole::Assistant)
        .map(|turn| turn.index);
    let last = drafts
        .iter()
        .filter(|draft| is_diagnosis(draft))
        .flat_map(|draft| draft.turns.iter().copied())
        .max();
    let has_final = last.is_some() && last == last_said;
    drafts.retain_mut(|draft| {
        let is_last = draft.turns.iter().any(|turn| Some(*turn) == last);
        if is_diagnosis(draft) && !has_final {
            draft.score += PASSING;
        }
        !is_diagnosis(draft) || is_last
    });
}

fn is_trouble(text: &str) -> bool {
    let passage = read(text);
    let is_told = |sentence: &Sentence| sentence.cues.has(Cue::Troubles);
    !is_document(text) && passage.iter().any(is_told)
}

/// An exchange as it was told.
struct Told<'a> {
    turns: &'a [TurnView<'a>],
    said: &'a [(usize, Vec<Sentence>)],
    goal: Option<&'a str>,
    is_tainted: bool,
}

impl Told<'_> {
    /// What explains the trouble, where nobody said "the cause is": the sentence that names most
    /// and tells what follows from what, said after the last claim that fell.
    fn diagnosis(&self, spent: &mut BTreeSet<String>) -> Option<Draft> {
        let falls = |passage: &[Sentence]| passage.iter().any(|part| part.cues.has(Cue::Retracts));
        let last_fall = self.said.iter().rposition(|(_, passage)| falls(passage));
        let mut best: Option<(Judged, &TurnView<'_>, &[Sentence])> = None;
        for (index, passage) in &self.said[last_fall.unwrap_or_default()..] {
            let turn = self
                .turns
                .iter()
                .find(|turn| turn.index == *index && turn.role == TurnRole::Assistant);
            let Some(turn) = turn else { continue };
            for found in explanations(passage, spent) {
                if best
                    .as_ref()
                    .is_none_or(|(most, ..)| found.score > most.score)
                {
                    best = Some((found, turn, passage));
                }
            }
        }
        let (found, turn, passage) = best?;
        let sentences = &passage[found.span.clone()];
        spent.extend(sentences.iter().map(|sentence| sentence.text.clone()));
        let message = Message {
            turn,
            passage,
            goal: self.goal,
            is_tainted: self.is_tainted,
        };
        Some(message.draft(&found, Speaker::Assistant))
    }
}

/// A message, and what is known about it.
struct Message<'a> {
    turn: &'a TurnView<'a>,
    passage: &'a [Sentence],
    goal: Option<&'a str>,
    /// The web was read before it.
    is_tainted: bool,
}

impl Message<'_> {
    /// Its statements as drafts; the sentences they use are noted as `spent`.
    fn drafts(&self, spent: &mut BTreeSet<String>, refused: &mut Vec<Refused>) -> Vec<Draft> {
        let speaker = speaker(self.turn);
        let (mut judged, trivial) = statements(speaker, self.passage);
        refused.extend(trivial);
        judged.sort_by(|a, b| b.score.total_cmp(&a.score));
        for found in judged.drain(judged.len().min(PER_MESSAGE)..) {
            let text = render(self.passage, &found.span);
            refused.push(Refused::new(found.score, Why::Crowded, found.kind, &text));
        }
        let mut drafts = Vec::new();
        for found in judged {
            let draft = self.draft(&found, speaker);
            if is_outside_procedure(&draft) {
                refused.push(Refused::draft(&draft, Why::OutsideProcedure));
                continue;
            }
            let sentences = &self.passage[found.span.clone()];
            spent.extend(sentences.iter().map(|sentence| sentence.text.clone()));
            drafts.push(draft);
        }
        drafts
    }

    fn draft(&self, found: &Judged, speaker: Speaker) -> Draft {
        let is_user = matches!(speaker, Speaker::User | Speaker::Document);
        let trust = if is_user {
            Trust::User
        } else {
            trust_of_agent(self.is_tainted)
        };
        let text = render(self.passage, &found.span);
        let names = entities(&text);
        let draft = Draft {
            kind: found.kind,
            key: key_line(&text, &names, if is_user { None } else { self.goal }),
            text,
            trust,
            valid_from: self.turn.at,
            turns: vec![self.turn.index],
            entities: names,
            score: found.score,
        };
        draft.bounded()
    }
}

/// "Yes, do that" makes a decision of what the agent advised.
fn accepted(asked: Option<&TurnView<'_>>, before: &Before) -> Vec<Draft> {
    let (Some(turn), Some((index, advice))) = (asked, &before.advice) else {
        return Vec::new();
    };
    let passage = read(turn.text);
    let agrees = passage.first().is_some_and(|first| {
        first.cues.has(Cue::Accepts)
            && !first.cues.has(Cue::Asks)
            && first.text.chars().count() <= 120
    });
    if !agrees {
        return Vec::new();
    }
    let names = entities(advice);
    let draft = Draft {
        kind: MemoryKind::Decision,
        key: key_line(advice, &names, before.goal.as_deref()),
        text: format!("Agreed: {}", without_advice(advice)),
        // The words are the agent's, whoever nodded.
        trust: Trust::Agent,
        valid_from: turn.at,
        turns: vec![*index, turn.index],
        entities: names,
        score: 0.7,
    };
    vec![draft.bounded()]
}

/// `I'd recommend using X` agrees on `using X`.
fn without_advice(advice: &str) -> &str {
    const LEADS: &[&str] = &[
        "I recommend ",
        "I'd recommend ",
        "I would recommend ",
        "I suggest ",
        "I'd suggest ",
        "I propose ",
        "I'd go with ",
    ];
    LEADS
        .iter()
        .find_map(|lead| advice.strip_prefix(lead))
        .unwrap_or(advice)
}

/// The last advice of the exchange's last message.
fn advice(said: &[(usize, Vec<Sentence>)], turns: &[TurnView<'_>]) -> Option<(usize, String)> {
    let (index, passage) = said.last()?;
    let by_agent = turns
        .iter()
        .any(|turn| turn.index == *index && turn.role == TurnRole::Assistant);
    let at = passage.iter().rposition(|sentence| {
        sentence.cues.has(Cue::Recommends)
            && !sentence.cues.has(Cue::Asks)
            && sentence.words >= 4
            && sentence.text.ends_with('.')
    })?;
    let goes_on = passage.get(at + 1).is_some_and(|next| {
        next.block == passage[at].block
            && next.cues.has_any(&[Cue::Continues, Cue::Rationale])
            && !next.cues.has(Cue::Asks)
    });
    by_agent.then(|| {
        (
            *index,
            render(passage, &(at..at + 1 + usize::from(goes_on))),
        )
    })
}

/// Whether one draft says what the other says, in nearly the same words or among a few others.
fn is_same(a: &Draft, b: &Draft) -> bool {
    let (short, long) = if a.text.len() <= b.text.len() {
        (a, b)
    } else {
        (b, a)
    };
    let is_part = long.text.contains(short.text.trim_end_matches('.'))
        && (a.kind == b.kind || short.text.len() * 2 >= long.text.len());
    is_part || near_duplicate(&a.text, &b.text) >= NEAR_DUPLICATE
}

/// The best drafts, each statement once.
fn best(mut drafts: Vec<Draft>, refused: &mut Vec<Refused>) -> Vec<Draft> {
    drafts.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Draft> = Vec::new();
    for draft in drafts {
        let is_full = kept.len() == DRAFTS_MAX;
        let same = kept.iter_mut().find(|known| is_same(known, &draft));
        match same {
            Some(known) => {
                known.turns.extend(&draft.turns);
                known.turns.sort_unstable();
                known.turns.dedup();
            }
            None if draft.score < Draft::ADMISSION => {
                refused.push(Refused::draft(&draft, Why::Passing));
            }
            None if is_full => refused.push(Refused::draft(&draft, Why::Crowded)),
            None => kept.push(draft),
        }
    }
    kept
}
