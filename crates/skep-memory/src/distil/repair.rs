//! A command that failed, what was done about it, and the same command passing.

use super::admission::Features;
use super::cue::Cue;
use super::draft::Draft;
use super::entity::entities;
use super::key::key_line;
use super::passage::{Sentence, read};
use super::sentence::content_words;
use super::shell::{
    ToolSort, command, complaint, core, edited_paths, failed, is_check, signature, sort,
};
use super::statement::without_opener;
use crate::turn::TurnView;
use skep_domain::{MemoryKind, Trust, TurnRole};
use std::fmt::Write as _;

/// One run of a command.
pub(super) struct Run {
    pub(super) call: usize,
    result: usize,
    pub(super) core: String,
    pub(super) signature: String,
    pub(super) failed: bool,
}

/// A check that failed and has not passed since.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    core: String,
    signature: String,
    complaint: String,
    /// The call and its result, by their index in the session.
    turns: [usize; 2],
}

/// The most failures that are remembered from one exchange to the next.
const FAILURES_MAX: usize = 8;

/// A trap for every check that failed and later passed, if the way between them was told.
///
/// `failures` are those of earlier exchanges; it is brought up to date.
pub(super) fn repairs(
    turns: &[TurnView<'_>],
    failures: &mut Vec<Failure>,
    goal: Option<&str>,
) -> Vec<Draft> {
    let runs = runs(turns);
    let mut found = Vec::new();
    for (at, run) in runs
        .iter()
        .enumerate()
        .filter(|(_, run)| is_check(&run.signature))
    {
        let known = failures
            .iter()
            .position(|failure| failure.signature == run.signature);
        if run.failed {
            let Some(complaint) = complaint(turns[run.result].text) else {
                continue;
            };
            let failure = Failure {
                core: run.core.clone(),
                signature: run.signature.clone(),
                complaint,
                turns: [turns[run.call].index, turns[run.result].index],
            };
            match known {
                Some(known) => failures[known] = failure,
                None => failures.push(failure),
            }
        } else if let Some(known) = known {
            let failure = failures.remove(known);
            found.extend(repair(turns, &failure, &runs[..at], run, goal));
        }
    }
    failures.drain(..failures.len().saturating_sub(FAILURES_MAX));
    found
}

/// The shell commands that have a result, in order.
pub(super) fn runs(turns: &[TurnView<'_>]) -> Vec<Run> {
    let mut runs = Vec::new();
    // Results follow their calls in order, also when several calls are made at once.
    let mut taken = vec![false; turns.len()];
    for (call, turn) in turns.iter().enumerate() {
        let Some(line) = command(turn) else { continue };
        let result = (call + 1..turns.len()).take(64).find(|at| {
            let other = turns[*at]
                .tool
                .is_some_and(|tool| sort(Some(tool)) != ToolSort::Shell);
            turns[*at].role == TurnRole::ToolResult && !taken[*at] && !other
        });
        let Some(result) = result else { continue };
        taken[result] = true;
        let core = core(&line);
        let signature = signature(&core);
        let failed = failed(&turns[result]);
        runs.push(Run {
            call,
            result,
            core,
            signature,
            failed,
        });
    }
    runs
}

fn repair(
    turns: &[TurnView<'_>],
    failure: &Failure,
    before: &[Run],
    good: &Run,
    goal: Option<&str>,
) -> Option<Draft> {
    // What came after the failure; of an earlier exchange's failure, everything did.
    let since = turns
        .iter()
        .position(|turn| turn.index == failure.turns[1])
        .map_or(0, |at| at + 1);
    // Calls that ran side by side have nothing between them.
    let between = turns.get(since..good.call).unwrap_or_default();
    let edited = edited_paths(between);
    let mut about = content_words(&failure.complaint);
    for name in edited.iter().filter_map(|path| path.rsplit('/').next()) {
        about.push(name.split('.').next().unwrap_or(name).to_lowercase());
    }
    about.retain(|word| word.len() > 3);
    let after = &turns[good.result..];
    let (told, told_by) = explanation(after, &about).or_else(|| explanation(between, &about))?;
    let complaint = &failure.complaint;
    let mut text = format!(
        "`{}` failed: {}. {told}",
        failure.core,
        complaint.trim_end_matches('.')
    );
    let helped = before
        .iter()
        .rfind(|run| run.call >= since && !run.failed && is_check(&run.signature));
    if let Some(helped) = helped.filter(|_| edited.is_empty()) {
        let _ = write!(text, " `{}` came before the run that passed.", helped.core);
    }
    let mut names = vec![failure.signature.clone()];
    names.extend(entities(complaint));
    names.extend(entities(&told));
    names.extend(edited);
    let features = Features {
        cue: REPAIR,
        names: names.len(),
        words: content_words(&text).len(),
        is_remedied: true,
        ..Features::default()
    };
    let (score, _) = features.weigh();
    let draft = Draft {
        kind: MemoryKind::Gotcha,
        key: key_line(
            &format!("{}: {complaint}", failure.signature),
            &names[1..],
            goal,
        ),
        text,
        // What a tool printed is part of it, so it weighs no more than a tool's word.
        trust: Trust::Tool,
        valid_from: turns[good.result].at,
        turns: vec![
            failure.turns[0],
            failure.turns[1],
            told_by,
            turns[good.result].index,
        ],
        entities: names,
        score,
    };
    Some(draft.bounded())
}

/// That a check failed and passed is no opinion.
const REPAIR: f32 = 0.54;

/// The sentences that say what was wrong or what helped, with the turn that said them. They speak of
/// what the complaint, the command or the edited files speak of.
fn explanation(turns: &[TurnView<'_>], about: &[String]) -> Option<(String, usize)> {
    let mut best: Option<(usize, String, usize)> = None;
    for turn in turns
        .iter()
        .filter(|turn| matches!(turn.role, TurnRole::Assistant | TurnRole::User))
    {
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
