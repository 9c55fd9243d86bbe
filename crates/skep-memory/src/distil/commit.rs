//! A commit into a draft: what was done and why, if the message says more than that something was.

use super::admission::CommitFeatures;
use super::cochange::is_written;
use super::cue::{Cue, Cues};
use super::draft::Draft;
use super::entity::entities;
use super::key::key_line;
use super::markdown::{Block, BlockKind};
use super::message::{Message, read};
use super::phrase::{begins, has, is_one};
use super::sentence::{content_words, fold, sentences};
use super::statement::capital;
use super::trivial::is_trivial_subject;
use crate::turn::{CommitAuthor, CommitView};
use skep_domain::{MemoryKind, Trust};

/// Characters of a body that is kept; of a longer one the paragraphs that explain most.
const BODY_CHARS: usize = 1_600;

/// The drafts of one commit: one at most when its message is worth keeping, none otherwise.
///
/// A fix is a gotcha, a reason makes a decision, a rule a convention; the rest is fact. Merges,
/// version bumps, formatting, typing errors and work in progress are refused, and so is what a
/// program committed.
#[must_use]
pub fn distil_commit(commit: &CommitView<'_>) -> Vec<Draft> {
    if commit.author == CommitAuthor::Bot || commit.parents > 1 {
        return Vec::new();
    }
    let message = read(commit);
    let whole = fold(commit.subject.trim());
    let body = body_text(&message.body);
    let explains = content_words(&body).len();
    if is_trivial_subject(&whole) && explains < 12 {
        return Vec::new();
    }
    let subject_words = content_words(&message.subject).len();
    let kind = kind(&message, &body);
    let mut names = entities(&format!("{} {body}", message.subject));
    names.retain(|name| !name.starts_with('#'));
    let score = weigh(&message, kind, (subject_words, explains), names.len());
    if score < Draft::ADMISSION {
        return Vec::new();
    }
    let subject = title(&message);
    let text = if body.is_empty() {
        full_stop(&subject)
    } else {
        format!("{}\n\n{body}", full_stop(&subject))
    };
    let paths = || {
        commit
            .files
            .iter()
            .map(|file| &file.path)
            .filter(|path| is_written(path))
    };
    let subjects = message.scope.iter().chain(&names);
    let key_names: Vec<String> = subjects.clone().chain(paths().take(3)).cloned().collect();
    // A subject that says nothing by itself needs the body's first sentence beside it.
    let is_bare = is_trivial_subject(&whole) || subject_words < 2;
    let first = sentences(&body).first().copied().filter(|_| is_bare);
    let head = first.map_or(subject.clone(), |first| format!("{subject}: {first}"));
    let draft = Draft {
        kind,
        key: key_line(
            &head,
            &key_names,
            Some(&body)
                .filter(|body| body.len() > 120)
                .map(String::as_str),
        ),
        text,
        trust: trust(commit.author, message.by_agent),
        valid_from: commit.at,
        turns: vec![commit.index],
        entities: subjects
            .chain(paths().take(20))
            .chain(&message.issues)
            .cloned()
            .collect(),
        score,
    };
    vec![draft.bounded()]
}

/// `words` are those of the subject and of the body.
fn weigh(message: &Message, kind: MemoryKind, words: (usize, usize), names: usize) -> f32 {
    let area = message.scope.as_deref().map(fold).unwrap_or_default();
    let features = CommitFeatures {
        kind,
        sort: message.sort.as_deref().unwrap_or_default(),
        area: &area,
        subject_words: words.0,
        body_words: words.1,
        names,
    };
    features.weigh()
}

fn trust(author: CommitAuthor, by_agent: bool) -> Trust {
    match (author, by_agent) {
        (CommitAuthor::Own, false) => Trust::User,
        (CommitAuthor::Own | CommitAuthor::Other, _) => Trust::Agent,
        (CommitAuthor::Bot, _) => Trust::Tool,
    }
}

/// What the commit is evidence of.
fn kind(message: &Message, body: &str) -> MemoryKind {
    let subject = fold(&message.subject);
    let subject_cues = Cues::of(&subject);
    let body_cues: Vec<Cues> = sentences(body)
        .into_iter()
        .map(|sentence| Cues::of(&fold(sentence)))
        .collect();
    let body_has = |cue: Cue| body_cues.iter().any(|cues| cues.has(cue));
    let reasons = body_has(Cue::Decided) || has(&fold(body), REASONS);
    let first = subject
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '\'')
        .next()
        .unwrap_or_default();
    let sort = message.sort.as_deref().unwrap_or_default();
    if is_one(sort, FIX_SORTS) || is_one(first, FIX_VERBS) || begins(&subject, FIX_STARTS) {
        MemoryKind::Gotcha
    } else if is_one(sort, "style|lint|fmt")
        || is_one(first, RULE_VERBS)
        || has(&subject, RULE_SUBJECTS)
        || has(
            &message.scope.as_deref().map(fold).unwrap_or_default(),
            RULE_SUBJECTS,
        )
        || (body_has(Cue::House) && body_has(Cue::Rule))
    {
        MemoryKind::Convention
    } else if is_one(first, REPORT_VERBS) || is_one(sort, "docs|doc|test|tests") {
        MemoryKind::Fact
    } else if reasons
        || subject_cues.has_any(&[Cue::Replaced, Cue::Decided, Cue::Rationale])
        || is_one(first, CHOICE_VERBS)
        || (first == "use" && has(&subject, " for | instead| to | over "))
    {
        MemoryKind::Decision
    } else {
        MemoryKind::Fact
    }
}

const FIX_SORTS: &str = "fix|bugfix|hotfix|bug|security";
const FIX_VERBS: &str =
    "fix|fixes|fixed|fixing|prevent|workaround|correct|repair|survive|tolerate|unbreak";
const FIX_STARTS: &str = "work around|don't |do not |stop leaking|no longer ";
const RULE_VERBS: &str = "always|never|enforce|forbid|ban|require|deny|disallow|lint|demand";
const RULE_SUBJECTS: &str = "convention|code style|coding style|style guide|house rule|naming|lints|clippy|rustfmt|\
eslint|prettier|contributing";
/// What a body says that gives the reason for a choice.
const REASONS: &str = "because|so that|in order to|instead of|rather than|to avoid|to prevent|the reason|trade-off|\
tradeoff|otherwise|cannot: |would have|leaks as soon|no longer need|in favor of|in favour of";
/// Subjects that tell of work, whatever its reasons.
const REPORT_VERBS: &str = "clarify|document|mention|explain|describe|test|update|improve|tweak";
const CHOICE_VERBS: &str =
    "switch|replace|adopt|choose|prefer|drop|migrate|abandon|standardise|standardize|stop|keep";

/// Joins the paragraphs that are kept, lists as lists.
fn body_text(body: &[Block]) -> String {
    let sizes: usize = body.iter().map(|block| block.text.chars().count()).sum();
    let chosen: Vec<&Block> = if sizes <= BODY_CHARS {
        body.iter().collect()
    } else {
        strongest(body)
    };
    let mut out = String::new();
    let mut after_item = false;
    for block in chosen {
        let is_item = block.kind == BlockKind::Item;
        if !out.is_empty() {
            out.push_str(if is_item && after_item { "\n" } else { "\n\n" });
        }
        match block.kind {
            BlockKind::Item => out.push_str("- "),
            BlockKind::Heading if !block.text.ends_with(':') => {
                out.push_str(&block.text);
                out.push(':');
                after_item = true;
                continue;
            }
            BlockKind::Heading | BlockKind::Paragraph | BlockKind::Code => {}
        }
        out.push_str(&block.text);
        after_item = is_item;
    }
    out
}

/// Of a long body, the blocks that explain most, in their order, the first paragraph among them.
fn strongest(body: &[Block]) -> Vec<&Block> {
    let telling = |at: usize, block: &Block| {
        let cues = sentences(&block.text)
            .into_iter()
            .map(|sentence| Cues::of(&fold(sentence)));
        let reasons = [
            Cue::Rationale,
            Cue::Cause,
            Cue::Decided,
            Cue::Replaced,
            Cue::Remedy,
            Cue::Warning,
            Cue::Rule,
        ];
        let hits: usize = cues
            .map(|cues| reasons.iter().filter(|cue| cues.has(**cue)).count())
            .sum();
        let is_text = matches!(block.kind, BlockKind::Paragraph | BlockKind::Item);
        hits * 2 + usize::from(at == 0) * 8 + usize::from(is_text)
    };
    let mut order: Vec<(usize, usize)> = body
        .iter()
        .enumerate()
        .map(|(at, block)| (telling(at, block), at))
        .collect();
    order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut room = BODY_CHARS;
    let mut chosen: Vec<usize> = Vec::new();
    for (_, at) in order {
        let size = body[at].text.chars().count();
        if size <= room && body[at].kind != BlockKind::Heading {
            room -= size;
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|at| &body[at]).collect()
}

/// The subject as a sentence; of a fix it says so, because the rest may read like the fault itself.
fn title(message: &Message) -> String {
    let subject = &message.subject;
    let is_fix = message
        .sort
        .as_deref()
        .is_some_and(|sort| is_one(sort, FIX_SORTS));
    match message.sort.as_deref() {
        Some("revert") if !fold(subject).starts_with("revert") => format!("Revert: {subject}"),
        _ if is_fix && !fold(subject).contains("fix") => format!("Fix: {subject}"),
        _ => capital(subject),
    }
}

fn full_stop(subject: &str) -> String {
    let ends = subject.ends_with(['.', '!', '?', ':', '…']);
    if ends {
        subject.to_owned()
    } else {
        format!("{subject}.")
    }
}
