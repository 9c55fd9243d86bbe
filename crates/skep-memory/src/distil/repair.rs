//! A command that failed, what was done about it, and the same command passing.

use super::cue::Cue;
use super::draft::Draft;
use super::entity::entities;
use super::key::key_line;
use super::passage::{Sentence, read};
use super::sentence::content_words;
use super::shell::{ToolSort, command, complaint, core, failed, is_check, signature, sort};
use super::statement::without_opener;
use crate::turn::TurnView;
use skep_domain::{MemoryKind, Trust, TurnRole};
use std::fmt::Write as _;

/// One run of a command.
struct Run {
    call: usize,
    result: usize,
    core: String,
    signature: String,
    failed: bool,
}

/// A trap for every check that failed and later passed, if the way between them was told.
pub(super) fn repairs(turns: &[TurnView<'_>], goal: Option<&str>) -> Vec<Draft> {
    let runs = runs(turns);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(bad) =
        (from..runs.len()).find(|at| runs[*at].failed && is_check(&runs[*at].signature))
    {
        let good = (bad + 1..runs.len())
            .find(|at| !runs[*at].failed && runs[*at].signature == runs[bad].signature);
        let Some(good) = good else {
            from = bad + 1;
            continue;
        };
        found.extend(repair(turns, &runs, bad, good, goal));
        from = good + 1;
    }
    found
}

fn runs(turns: &[TurnView<'_>]) -> Vec<Run> {
    let mut runs = Vec::new();
    // Results follow their calls in order, also when several calls are made at once.
    let mut taken = vec![false; turns.len()];
    for (call, turn) in turns.iter().enumerate() {
        let Some(line) = command(turn) else { continue };
        let result = (call + 1..turns.len()).take(64).find(|at| {
            turns[*at].role == TurnRole::ToolResult
                && !taken[*at]
                && turns[*at]
                    .tool
                    .is_none_or(|tool| sort(Some(tool)) == ToolSort::Shell)
        });
        let Some(result) = result else { continue };
        taken[result] = true;
        let core = core(&line);
        let signature = signature(&core);
        runs.push(Run {
            call,
            result,
            core,
            signature,
            failed: failed(&turns[result]),
        });
    }
    runs
}

fn repair(
    turns: &[TurnView<'_>],
    runs: &[Run],
    bad: usize,
    good: usize,
    goal: Option<&str>,
) -> Option<Draft> {
    let (bad_run, good_run) = (&runs[bad], &runs[good]);
    let complaint = complaint(turns[bad_run.result].text)?;
    // Calls that ran side by side have nothing between them.
    let between = turns
        .get(bad_run.result + 1..good_run.call)
        .unwrap_or_default();
    let after = &turns[good_run.result..];
    let edited: Vec<&str> = between
        .iter()
        .filter(|turn| turn.role == TurnRole::ToolCall && sort(turn.tool) == ToolSort::Edit)
        .flat_map(|turn| turn.paths.iter().map(String::as_str))
        .collect();
    let mut about = content_words(&complaint);
    for name in edited.iter().filter_map(|path| path.rsplit('/').next()) {
        about.push(name.split('.').next().unwrap_or(name).to_lowercase());
    }
    about.retain(|word| word.len() > 3);
    let (told, told_by) = explanation(after, &about).or_else(|| explanation(between, &about))?;
    let other = runs[bad + 1..good]
        .iter()
        .rfind(|run| !run.failed && is_check(&run.signature));
    let mut text = format!("`{}` failed: {complaint}. {told}", bad_run.core);
    if let Some(other) = other.filter(|_| edited.is_empty()) {
        let _ = write!(text, " `{}` came before the run that passed.", other.core);
    }
    let mut names = vec![bad_run.signature.clone()];
    names.extend(entities(&complaint));
    names.extend(entities(&told));
    names.extend(edited.iter().map(|path| (*path).to_owned()));
    let base = 0.6 + 0.03 * names.len().min(6) as f32;
    let draft = Draft {
        kind: MemoryKind::Gotcha,
        key: key_line(
            &format!("{}: {complaint}", bad_run.signature),
            &names[1..],
            goal,
        ),
        text,
        // What a tool printed is part of it, so it weighs no more than a tool's word.
        trust: Trust::Tool,
        valid_from: turns[good_run.result].at,
        turns: vec![
            turns[bad_run.call].index,
            turns[bad_run.result].index,
            told_by,
            turns[good_run.result].index,
        ],
        entities: names,
        score: base,
    };
    Some(draft.bounded())
}

/// The sentences that say what was wrong or what helped, with the turn that said them. They speak of
/// what the complaint, the command or the edited files speak of.
fn explanation(turns: &[TurnView<'_>], about: &[String]) -> Option<(String, usize)> {
    let mut best: Option<(usize, String, usize)> = None;
    for turn in turns.iter().filter(|turn| turn.role == TurnRole::Assistant) {
        let passage = read(turn.text);
        let telling: Vec<&Sentence> = passage
            .iter()
            .filter(|sentence| tells(sentence))
            .take(2)
            .collect();
        let weight = telling.iter().map(|sentence| weight(sentence, about)).sum();
        let text: Vec<&str> = telling
            .iter()
            .map(|sentence| without_opener(&sentence.text))
            .collect();
        if weight > 0 && best.as_ref().is_none_or(|(most, ..)| weight > *most) {
            best = Some((weight, text.join(" "), turn.index));
        }
    }
    best.map(|(_, text, index)| (text, index))
}

fn tells(sentence: &Sentence) -> bool {
    let says = sentence.cues.has_any(&[Cue::Cause, Cue::Remedy])
        || (sentence.cues.has(Cue::Rationale) && sentence.cues.has(Cue::Done));
    let is_talk = sentence
        .cues
        .has_any(&[Cue::Hedge, Cue::Asks, Cue::Retracts])
        || (sentence.cues.has(Cue::Chatter) && !sentence.cues.has(Cue::Cause));
    says && sentence.words >= 3 && !is_talk && !sentence.text.ends_with(':')
}

/// How well a sentence explains a complaint: nothing where the two share no word.
fn weight(sentence: &Sentence, complaint: &[String]) -> usize {
    let shared = complaint
        .iter()
        .filter(|word| sentence.folded.contains(word.as_str()))
        .count();
    if shared == 0 {
        return 0;
    }
    shared.min(3)
        + usize::from(sentence.cues.has(Cue::Cause))
        + usize::from(sentence.cues.has(Cue::Remedy))
}
