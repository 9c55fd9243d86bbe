//! Finds secrets in text and puts `[redacted:<rule>]` in their place, in time linear in the text.

mod assign;
mod block;
mod context;
mod rules;
mod shape;

use assign::Assignments;
use context::Contexts;
use rules::Tokens;
use std::borrow::Cow;
use std::ops::Range;

/// What one secret was taken for, and where it stood in the text that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static str,
    /// Its bytes in the input.
    pub range: Range<usize>,
}

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// The text with the secrets replaced; borrowed when there were none.
    pub text: Cow<'a, str>,
    /// What was found, in order, none overlapping another.
    pub found: Vec<Finding>,
}

/// The compiled rules. Build it once: compiling costs more than redacting a turn.
///
/// Give it text that [`clean`](crate::clean) has passed: a terminal escape inside a key hides it.
#[derive(Debug)]
pub struct Redactor {
    tokens: Tokens,
    contexts: Contexts,
    assignments: Assignments,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl Redactor {
    /// Compiles the rules.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tokens: Tokens::new(),
            contexts: Contexts::new(),
            assignments: Assignments::new(),
        }
    }

    /// The names of all rules, in order of precedence.
    #[must_use]
    pub fn rules(&self) -> Vec<&'static str> {
        let mut names = vec![block::PRIVATE, block::PEM];
        names.extend(self.tokens.names());
        names.push(block::URL_PASSWORD);
        names.extend(self.contexts.names());
        names.push(assign::ASSIGNMENT);
        names
    }

    /// Replaces every secret in `text`.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Redacted<'a> {
        // In order of precedence: where two rules see the same secret, the first one names it.
        let mut found = block::private_spans(text);
        found.extend(block::private_keys(text));
        found.extend(self.tokens.find(text));
        found.extend(block::url_passwords(text));
        found.extend(self.contexts.find(text));
        found.extend(self.assignments.find(text));
        let found = merge(found);
        if found.is_empty() {
            return Redacted {
                text: Cow::Borrowed(text),
                found,
            };
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for finding in &found {
            out.push_str(&text[from..finding.range.start]);
            out.push_str("[redacted:");
            out.push_str(finding.rule);
            out.push(']');
            from = finding.range.end;
        }
        out.push_str(&text[from..]);
        Redacted {
            text: Cow::Owned(out),
            found,
        }
    }
}

/// Joins overlapping findings; the joint one bears the name of the rule that came first.
fn merge(found: Vec<Finding>) -> Vec<Finding> {
    let mut ordered: Vec<(usize, Finding)> = found.into_iter().enumerate().collect();
    ordered.sort_by_key(|(rank, finding)| (finding.range.start, *rank));
    let mut merged: Vec<(usize, Finding)> = Vec::with_capacity(ordered.len());
    for (rank, finding) in ordered {
        match merged.last_mut() {
            Some((last_rank, last)) if finding.range.start < last.range.end => {
                last.range.end = last.range.end.max(finding.range.end);
                if rank < *last_rank {
                    *last_rank = rank;
                    last.rule = finding.rule;
                }
            }
            _ => merged.push((rank, finding)),
        }
    }
    merged.into_iter().map(|(_, finding)| finding).collect()
}
