//! What an exchange was for and what came of it.

use super::admission::{Features, Refused, Why};
use super::cue::Cue;
use super::draft::Draft;
use super::entity::{entities, has_entity, has_place};
use super::key::key_line;
use super::passage::{Section, Sentence, read};
use super::phrase::{begins, has};
use super::sentence::{content_words, fold};
use super::shell::edited_paths;
use super::statement::{capital, without_opener};
use crate::clean::cut_line;
use crate::turn::TurnView;
use skep_domain::{MemoryKind, Trust, TurnRole};
use std::collections::BTreeSet;

/// Characters of an outcome.
const OUTCOME_CHARS: usize = 520;

/// What the user asked for, in a line; `None` for "continue" and the like.
pub(super) fn goal(user_text: &str) -> Option<String> {
    let passage = read(user_text);
    let fits = |sentence: &&Sentence| {
        sentence.words >= 2 && !is_greeting(&sentence.folded) && !begins(&sentence.folded, GOING_ON)
    };
    let is_order = |sentence: &&Sentence| sentence.cues.has(Cue::Tasks) && sentence.words >= 4;
    // A rule or a place given on the way is not what was asked for.
    let is_aside = |sentence: &&Sentence| {
        sentence
            .cues
            .has_any(&[Cue::Place, Cue::House, Cue::Rule, Cue::Remember])
    };
    let first = passage.iter().find(fits)?;
    let asked = if first.cues.has(Cue::Troubles) && !is_aside(&first) {
        first
    } else {
        let mut candidates = passage.iter().filter(fits);
        candidates
            .clone()
            .find(is_order)
            .or_else(|| candidates.find(|sentence| !is_aside(sentence)))
            .unwrap_or(first)
    };
    // A correction goes on with what was asked for before.
    if asked
        .cues
        .has_any(&[Cue::Corrects, Cue::Accepts, Cue::Retracts])
    {
        return None;
    }
    let text = without_request(&asked.text);
    (content_words(text).len() >= 2)
        .then(|| capital(&cut_line(text.trim_end_matches(['.', '!', ':']), 160)))
}

const GOING_ON: &str =
    "continue|proceed|go on|go ahead|reconnected|try again|resume|restart|retry|next";

fn is_greeting(folded: &str) -> bool {
    [
        "hi ",
        "hello",
        "hey ",
        "thanks",
        "thank you",
        "good morning",
        "continue",
        "go on",
        "go ahead",
        "yes",
        "ok ",
    ]
    .iter()
    .any(|start| folded.starts_with(start))
        && folded.split_whitespace().count() <= 4
}

/// `Could you please fix the pool?` asks to `fix the pool?`
fn without_request(text: &str) -> &str {
    const REQUESTS: &[&str] = &[
        "can you",
        "could you",
        "would you",
        "will you",
        "i want you to",
        "i'd like you to",
        "i would like you to",
        "i need you to",
        "we need to",
        "you should",
        "you need to",
        "please",
        "i want to",
        "i'd like to",
        "let's",
        "help me to",
        "help me",
        "now",
        "next",
        "then",
        "kindly",
        "just",
        "go ahead and",
    ];
    let mut rest = without_opener(text);
    for _ in 0..4 {
        let folded = fold(&rest[..rest.floor_char_boundary(28)]);
        let Some(request) = REQUESTS.iter().find(|request| {
            folded
                .strip_prefix(**request)
                .is_some_and(|after| after.starts_with([' ', ',']))
        }) else {
            break;
        };
        rest = rest[request.len()..].trim_start_matches([' ', ',']);
    }
    rest
}

/// The memory of an exchange as a whole. `spent` are sentences that other drafts hold already.
pub(super) fn outcome(
    turns: &[TurnView<'_>],
    asked: Option<(&TurnView<'_>, &str)>,
    spent: &BTreeSet<String>,
    trust: Trust,
) -> Option<Result<Draft, Refused>> {
    let told = turns
        .iter()
        .rfind(|turn| turn.role == TurnRole::Assistant && turn.text.trim().len() >= 20)?;
    let passage = read(told.text);
    let edited = edited_paths(turns);
    let is_question = asked.is_some_and(|(_, goal)| goal.ends_with('?'));
    let kept = pick(&passage, spent, is_question, !edited.is_empty());
    let text = joined(&kept);
    let names = entities(&text);
    let words: usize = kept.iter().map(|sentence| sentence.words).sum();
    let used_tools = turns.iter().any(|turn| turn.role == TurnRole::ToolCall);
    let acted = used_tools && has_place(&text);
    let tells = kept
        .iter()
        .any(|sentence| !sentence.is_item && is_result(sentence, !edited.is_empty()));
    let lists = kept.iter().any(|sentence| sentence.cues.has(Cue::Done)) && asked.is_some();
    let did_something = if edited.is_empty() {
        acted && tells
    } else {
        tells || lists
    };
    let tried = used_tools && kept.iter().any(|sentence| is_attempt(sentence));
    let answered = is_question && !names.is_empty() && words >= 5;
    if words < 4 || !(did_something || answered || tried) {
        return None;
    }
    let features = Features {
        cue: OUTCOME,
        names: names.len(),
        words,
        has_number: text.bytes().any(|byte| byte.is_ascii_digit()),
        is_change: !edited.is_empty(),
        is_unfinished: kept.iter().any(|sentence| sentence.cues.has(Cue::Undone)),
        ..Features::default()
    };
    let (score, why) = features.weigh();
    let goal = asked.map(|(_, goal)| goal);
    let statement = cut_line(&text, OUTCOME_CHARS).into_owned();
    let mut all_names = names;
    all_names.extend(edited);
    let is_place = is_question && goal.is_some_and(|goal| fold(goal).starts_with("where"));
    let draft = Draft {
        kind: if is_place {
            MemoryKind::Reference
        } else {
            MemoryKind::Fact
        },
        key: key_line(goal.unwrap_or(&statement), &all_names, Some(&statement)),
        text: told_of(goal, &statement),
        trust,
        valid_from: told.at,
        turns: asked
            .iter()
            .map(|(turn, _)| turn.index)
            .chain([told.index])
            .collect(),
        entities: all_names,
        score,
    };
    Some(admitted(draft.bounded(), why))
}

fn admitted(draft: Draft, why: Why) -> Result<Draft, Refused> {
    if draft.score >= Draft::ADMISSION {
        Ok(draft)
    } else {
        Err(Refused::draft(&draft, why))
    }
}

/// What could not be done, with what was in the way, spares the next one the attempt.
fn is_attempt(sentence: &Sentence) -> bool {
    sentence.cues.has(Cue::Undone) && sentence.words >= 6 && !sentence.is_item
}

/// What an agent says it did at the end is mostly so.
const OUTCOME: f32 = 0.5;

/// The goal and what came of it, as one text.
fn told_of(goal: Option<&str>, statement: &str) -> String {
    let Some(goal) = goal else {
        return statement.to_owned();
    };
    let mark = if goal.ends_with('?') { "" } else { ":" };
    let gap = if statement.starts_with("- ") {
        '\n'
    } else {
        ' '
    };
    format!("{goal}{mark}{gap}{statement}")
}

/// Running text as it is, list items as a list.
fn joined(kept: &[&Sentence]) -> String {
    let mut out = String::new();
    for sentence in kept {
        if !out.is_empty() {
            out.push_str(if sentence.is_item { "\n" } else { " " });
        }
        if sentence.is_item {
            out.push_str("- ");
        }
        out.push_str(without_opener(&sentence.text));
    }
    out
}

const TALK: &str = "you're |you are |you can |you should |you'll |please |that's |good catch|great |status:|next:|verification:|\
now please|try it|just |note:|line |this is |here |the user";
const FILLER: &str = "successfully|you requested|you asked|you identified|as requested|completed all|all the issues|everything";

/// It says what was done, or, after a change, how things stand now.
fn is_result(sentence: &Sentence, is_change: bool) -> bool {
    let stands = is_change && sentence.cues.has(Cue::Stands) && has_entity(&sentence.text);
    sentence.cues.has(Cue::Done) || stands
}

/// The sentences that tell the outcome: what was done, or what the answer is.
fn pick<'a>(
    passage: &'a [Sentence],
    spent: &BTreeSet<String>,
    is_question: bool,
    is_change: bool,
) -> Vec<&'a Sentence> {
    let mut kept: Vec<&Sentence> = Vec::new();
    let mut chars = 0;
    for sentence in passage {
        let is_talk = sentence
            .cues
            .has_any(&[Cue::Asks, Cue::Hedge, Cue::Recommends])
            || sentence.section == Section::Open
            || sentence.text.ends_with(':')
            || (sentence.cues.has(Cue::Chatter)
                && !(sentence.cues.has(Cue::Done) && has_entity(&sentence.text)))
            || begins(&sentence.folded, TALK)
            || (has(&sentence.folded, FILLER) && !has_entity(&sentence.text))
            || sentence.words < 3;
        let says = is_result(sentence, is_change)
            || sentence.cues.has(Cue::Undone)
            || (is_question && (has_entity(&sentence.text) || kept.is_empty()))
            || sentence.is_item;
        if is_talk || !says || spent.contains(&sentence.text) {
            continue;
        }
        chars += sentence.text.chars().count();
        if chars > OUTCOME_CHARS && !kept.is_empty() {
            break;
        }
        kept.push(sentence);
        if kept.len() >= 5 {
            break;
        }
    }
    kept
}
