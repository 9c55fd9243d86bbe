//! One exchange into drafts: statements of both sides, repairs, and the outcome.

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
use super::statement::{Speaker, render, statements};
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

/// The drafts of one exchange, best first; `before` is brought up to date.
pub(super) fn distil(harness: Harness, turns: &[TurnView<'_>], before: &mut Before) -> Vec<Draft> {
    let heard: Vec<Cow<'_, str>> = turns.iter().map(|turn| said(harness, turn)).collect();
    let turns: Vec<TurnView<'_>> = turns
        .iter()
        .zip(&heard)
        .map(|(turn, text)| TurnView { text, ..*turn })
        .collect();
    let asked = turns
        .iter()
        .find(|turn| turn.role == TurnRole::User && !is_summary(turn.text));
    let own_goal = asked.and_then(|turn| goal(turn.text));
    let goal = own_goal.clone().or_else(|| before.goal.clone());
    let mut drafts = accepted(asked, before);
    let mut spent = BTreeSet::new();
    let mut said_so_far: Vec<(usize, Vec<Sentence>)> = Vec::new();
    let mut is_tainted = false;
    for turn in &turns {
        match turn.role {
            TurnRole::ToolCall => is_tainted |= sort(turn.tool) == ToolSort::Web,
            TurnRole::User | TurnRole::Assistant | TurnRole::Summary => {
                let passage = read(turn.text);
                let found = of_message(turn, &passage, goal.as_deref(), is_tainted, &mut spent);
                let said_before: Vec<&Draft> = drafts.iter().collect();
                for at in taken_back(&said_before, turn.index, &passage)
                    .into_iter()
                    .rev()
                {
                    drafts.remove(at);
                }
                drafts.extend(found);
                said_so_far.push((turn.index, passage));
            }
            TurnRole::ToolResult => drafts.extend(refusal(turn, is_tainted)),
            TurnRole::Commit => {}
        }
    }
    keep_last_diagnosis(&mut drafts, &turns);
    // What an agent says after reading the web may be the web's word.
    let trust = if is_tainted {
        Trust::External
    } else {
        Trust::Agent
    };
    for mut draft in repairs(&turns, &mut before.failures, goal.as_deref()) {
        draft.trust = draft.trust.min(trust);
        drafts.push(draft);
    }
    let asked_for = asked.zip(own_goal.as_deref().or(before.goal.as_deref()));
    drafts.extend(outcome(&turns, asked_for, &spent, trust));
    before.advice = advice(&said_so_far, &turns);
    before.goal = goal;
    best(drafts)
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
fn said<'a>(harness: Harness, turn: &TurnView<'a>) -> Cow<'a, str> {
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
    let mut drafts = of_message(&view, &passage, None, false, &mut BTreeSet::new());
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
            draft.score -= 0.06;
        }
        !is_diagnosis(draft) || is_last
    });
}

fn of_message(
    turn: &TurnView<'_>,
    passage: &[Sentence],
    goal: Option<&str>,
    is_tainted: bool,
    spent: &mut BTreeSet<String>,
) -> Vec<Draft> {
    let speaker = speaker(turn);
    let is_user = matches!(speaker, Speaker::User | Speaker::Document);
    let mut judged = statements(speaker, passage);
    judged.sort_by(|a, b| b.score.total_cmp(&a.score));
    judged.truncate(PER_MESSAGE);
    let trust = match (is_user, is_tainted) {
        (true, _) => Trust::User,
        (false, false) => Trust::Agent,
        // What an agent says after reading the web may be the web's word.
        (false, true) => Trust::External,
    };
    let mut drafts = Vec::new();
    for found in judged {
        if trust == Trust::External && found.kind == MemoryKind::Procedure {
            continue;
        }
        let text = render(passage, &found.span);
        spent.extend(
            passage[found.span.clone()]
                .iter()
                .map(|sentence| sentence.text.clone()),
        );
        let names = entities(&text);
        let draft = Draft {
            kind: found.kind,
            key: key_line(&text, &names, if is_user { None } else { goal }),
            text,
            trust,
            valid_from: turn.at,
            turns: vec![turn.index],
            entities: names,
            score: found.score,
        };
        drafts.push(draft.bounded());
    }
    drafts
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
fn best(mut drafts: Vec<Draft>) -> Vec<Draft> {
    drafts.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Draft> = Vec::new();
    for draft in drafts {
        let same = kept.iter_mut().find(|known| is_same(known, &draft));
        match same {
            Some(known) => {
                known.turns.extend(&draft.turns);
                known.turns.sort_unstable();
                known.turns.dedup();
            }
            None if draft.score >= Draft::ADMISSION => kept.push(draft),
            None => {}
        }
    }
    kept.truncate(DRAFTS_MAX);
    kept
}
