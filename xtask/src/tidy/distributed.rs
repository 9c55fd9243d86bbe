//! What a database that is spread over machines asks of the schema and of statements.
//!
//! Citus keeps all rows of one workspace together, found by `workspace_id`; the installation's own tables
//! stay on the coordinator. What would need two machines at once is refused there, or slow. The rules hold on
//! every PostgreSQL, so that a growing team can move without a change. docs/scale.md says how it is run.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::TextFile;
use super::sql::{COLUMN, Text, created_table, texts_of};
use super::sql_words::{Word, statements};
use crate::problem::Problem;

/// The rules, in the order of docs/scale.md.
const KEYS: &str =
    "a key of a workspace's table leads with `workspace_id`: it is unique on one machine only";
const REFERENCES: &str =
    "a workspace's row refers to rows of its own workspace: `workspace_id` leads both lists";
const APART: &str = "the installation's tables and the workspaces' refer to each other in no way";
const EMPTIED: &str =
    "no row is moved or emptied by another's end: SET NULL would touch `workspace_id`";
const COUNTED: &str =
    "no number is drawn from a sequence, which every machine would have to ask for";
const ACTING: &str = "nothing acts by itself on a workspace's row: triggers, rules and functions live on one machine";
const MOVED: &str = "a row's `workspace_id` never changes: it would change machines";
const MIXED: &str = "a statement is about the installation or about one workspace, never both";
const COPIED: &str =
    "what is inserted from a query takes `workspace_id` from the table that is read";
const CASES: &str =
    "`CASE x WHEN` comes out broken when Citus writes the statement anew: `CASE WHEN x =`";

/// What the check saw.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) tables: usize,
    pub(super) statements: usize,
}

/// Which tables there are, and whose.
struct Tables {
    tenants: BTreeSet<String>,
    installation: BTreeSet<String>,
}

/// Looks at the backend for PostgreSQL alone: no other is spread.
pub(super) fn check(files: &[TextFile]) -> Report {
    let backend = files
        .iter()
        .filter(|file| file.path.starts_with("crates/skep-store-postgres/") && !file.is_test());
    let texts: Vec<Text> = backend.flat_map(texts_of).collect();
    let tables = tables(&texts);
    let mut report = Report {
        tables: tables.tenants.len(),
        ..Report::default()
    };
    for text in &texts {
        for words in statements(&text.sql) {
            report.statements += 1;
            let broken = if is_of_schema(&words) {
                judge_schema(&words, &tables)
            } else {
                judge_statement(&words, &tables)
            };
            let red = |rule| Problem::at(&text.path, text.line, "distributed", rule);
            report.problems.extend(broken.into_iter().map(red));
        }
    }
    report
}

fn tables(texts: &[Text]) -> Tables {
    let all = texts.iter().flat_map(|text| statements(&text.sql));
    let created = all.filter_map(|words| {
        let holds = words.iter().any(|word| word.is(COLUMN));
        Some((created_table(&words)?, holds))
    });
    let (tenants, installation): (Vec<_>, Vec<_>) = created.partition(|(_, holds)| *holds);
    let names = |tables: Vec<(String, bool)>| tables.into_iter().map(|(name, _)| name).collect();
    Tables {
        tenants: names(tenants),
        installation: names(installation),
    }
}

fn is_of_schema(words: &[Word]) -> bool {
    words
        .first()
        .is_some_and(|word| word.is_one_of(&["create", "alter"]))
}

fn judge_schema(words: &[Word], tables: &Tables) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let makes = |what: &[&str]| words.iter().take(4).any(|word| word.is_one_of(what));
    // One that is called is where the installation's own tables are.
    let stays = || {
        let names = |all: &BTreeSet<String>| {
            all.iter()
                .any(|table| words.iter().any(|word| word.is(table)))
        };
        names(&tables.installation) && !names(&tables.tenants)
    };
    if makes(&["trigger", "rule"]) || (makes(&["function"]) && !stays()) {
        broken.push(ACTING);
    }
    let counted = &[
        "serial",
        "bigserial",
        "smallserial",
        "identity",
        "nextval",
        "sequence",
    ];
    if words.iter().any(|word| word.is_one_of(counted)) {
        broken.push(COUNTED);
    }
    let is_tenants = subject(words).is_some_and(|name| tables.tenants.contains(name));
    let is_index = words.iter().take(3).any(|word| word.is("index"));
    if is_index && is_tenants && words.get(1).is_some_and(|word| word.is("unique")) {
        broken.extend((!leads(&words[after(words, "on")..])).then_some(KEYS));
    } else if is_tenants && !is_index {
        broken.extend(items(words).flat_map(|item| judge_item(item, tables)));
    } else if after(words, "references") < words.len()
        && references(words).any(|table| tables.tenants.contains(table))
    {
        broken.push(APART);
    }
    broken
}

/// One line of the definition of a workspace's table.
fn judge_item(item: &[Word], tables: &Tables) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let has = |name: &str| item.iter().any(|word| word.is(name));
    let is_column = !item.first().is_some_and(|word| {
        word.is_one_of(&["primary", "unique", "foreign", "constraint", "check"])
    });
    if has("references") {
        if references(item).any(|table| tables.installation.contains(table)) {
            broken.push(APART);
        }
        let far = &item[after(item, "references")..];
        if is_column || !leads(item) || !leads(far) {
            broken.push(REFERENCES);
        }
        if item
            .windows(2)
            .any(|pair| pair[0].is("set") && pair[1].is_one_of(&["null", "default"]))
        {
            broken.push(EMPTIED);
        }
    } else if has("primary") || has("unique") {
        let own = item.first().is_some_and(|word| word.is(COLUMN));
        broken.extend((!(if is_column { own } else { leads(item) })).then_some(KEYS));
    }
    broken
}

fn judge_statement(words: &[Word], tables: &Tables) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let targets = || {
        let verbs = &["from", "join", "into", "update"];
        words.windows(2).filter_map(|pair| match &pair[1] {
            Word::Name(name) if pair[0].is_one_of(verbs) => Some(name),
            _ => None,
        })
    };
    if !targets().any(|name| tables.tenants.contains(name)) {
        return broken;
    }
    if targets().any(|name| tables.installation.contains(name)) {
        broken.push(MIXED);
    }
    let pairs = || words.windows(2);
    if pairs().any(|pair| pair[0].is("set") && pair[1].is(COLUMN)) {
        broken.push(MOVED);
    }
    if pairs().any(|pair| pair[0].is("case") && !pair[1].is("when")) {
        broken.push(CASES);
    }
    let select = words.iter().position(|word| word.is("select"));
    if let (true, Some(select)) = (words[0].is("insert"), select) {
        // `s.workspace_id`: a name, a point, the column.
        let taken = words.get(select + 2) == Some(&Word::Mark('.'))
            && words.get(select + 3).is_some_and(|word| word.is(COLUMN));
        let plain = words.get(select + 1).is_some_and(|word| word.is(COLUMN));
        broken.extend((!taken && !plain).then_some(COPIED));
    }
    broken
}

/// The table that a definition is about.
fn subject(words: &[Word]) -> Option<&String> {
    let at = words
        .iter()
        .position(|word| word.is_one_of(&["table", "on"]))?;
    let name = words[at + 1..]
        .iter()
        .find(|word| !word.is_one_of(&["if", "not", "exists", "only"]));
    match name {
        Some(Word::Name(name)) => Some(name),
        _ => None,
    }
}

/// The table after each `REFERENCES`.
fn references(words: &[Word]) -> impl Iterator<Item = &String> {
    words.windows(2).filter_map(|pair| match &pair[1] {
        Word::Name(name) if pair[0].is("references") => Some(name),
        _ => None,
    })
}

/// Where what follows a word begins; the end without that word.
fn after(words: &[Word], name: &str) -> usize {
    let at = words.iter().position(|word| word.is(name));
    at.map_or(words.len(), |at| at + 1)
}

/// Whether the first list in parentheses begins with the column.
fn leads(words: &[Word]) -> bool {
    let open = words.iter().position(|word| *word == Word::Mark('('));
    open.and_then(|at| words.get(at + 1))
        .is_some_and(|word| word.is(COLUMN))
}

/// What stands between the commas of a table's definition, those within parentheses left alone.
fn items(words: &[Word]) -> impl Iterator<Item = &[Word]> {
    let mut depth = 0_usize;
    let parts = words.split(move |word| {
        match word {
            Word::Mark('(') => depth += 1,
            Word::Mark(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 1 && matches!(word, Word::Mark('(' | ','))
    });
    parts.skip(1)
}
