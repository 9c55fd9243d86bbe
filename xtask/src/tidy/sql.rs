//! No statement on a tenant table without its workspace column.
//!
//! A tenant table is one that the storage crates create with a `workspace_id` column. Every query
//! on one, in a Rust string or an `.sql` file, must compare or insert that column once for each
//! tenant table it names; a column in the select list proves nothing. `Tx` already scopes what
//! callers can ask for: this rule stops the forgotten predicate beneath it.

mod clauses;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use super::TextFile;
use super::rust_text::{Kind, pieces, without_tests};
use super::sql_words::{Word, statements};
use crate::problem::Problem;
use clauses::Scope;

/// The column that makes a table a tenant's.
pub(super) const COLUMN: &str = "workspace_id";

/// Where statements are made of the description of the tables: their own tests see that each one on a
/// tenant table names its workspace, since the text of none stands in the source.
const DESCRIBED: &str = "/src/archive/statement.rs";

/// What the rule saw.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) tables: usize,
    pub(super) statements: usize,
}

/// SQL in a file, and the line it starts on.
pub(super) struct Text {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) sql: String,
}

/// Checks the storage crates; tests and benches may look at tables as they like.
pub(super) fn check(files: &[TextFile]) -> Report {
    let storage = files
        .iter()
        .filter(|file| file.path.starts_with("crates/skep-store-") && !file.is_test())
        .filter(|file| !file.path.ends_with(DESCRIBED));
    let texts: Vec<Text> = storage.flat_map(texts_of).collect();
    let tables = tenant_tables(&texts);
    let mut report = Report {
        tables: tables.len(),
        ..Report::default()
    };
    for text in &texts {
        for words in statements(&text.sql) {
            for scope in clauses::scopes(&words, COLUMN) {
                judge(text, &scope, &tables, &mut report);
            }
        }
    }
    if tables.is_empty() && texts.iter().any(|text| reads_as_sql(&text.sql)) {
        report.problems.push(Problem::new(
            "crates/skep-store-*",
            "sql",
            format!(
                "there are statements, but no table has a `{COLUMN}` column: this rule is blind"
            ),
        ));
    }
    report
}

pub(super) fn texts_of(file: &TextFile) -> Vec<Text> {
    let text = |line, sql| Text {
        path: file.path.clone(),
        line,
        sql,
    };
    if Path::new(&file.path)
        .extension()
        .is_some_and(|end| end == "sql")
    {
        return vec![text(1, file.text.clone())];
    }
    if !file.is_rust() {
        return Vec::new();
    }
    without_tests(&pieces(&file.text))
        .iter()
        .filter(|piece| piece.kind == Kind::Literal)
        .map(|piece| text(piece.line, piece.text.clone()))
        .filter(|text| reads_as_sql(&text.sql) || created_tables(&text.sql).next().is_some())
        .collect()
}

fn tenant_tables(texts: &[Text]) -> BTreeSet<String> {
    let created = texts.iter().flat_map(|text| created_tables(&text.sql));
    created
        .filter(|(_, words)| words.iter().any(|word| word.is(COLUMN)))
        .map(|(name, _)| name)
        .collect()
}

fn created_tables(sql: &str) -> impl Iterator<Item = (String, Vec<Word>)> {
    statements(sql)
        .into_iter()
        .filter_map(|words| Some((created_table(&words)?, words)))
}

pub(super) fn created_table(words: &[Word]) -> Option<String> {
    if !words.first()?.is("create") {
        return None;
    }
    let table = words.iter().take(4).position(|word| word.is("table"))?;
    let name = words[table + 1..]
        .iter()
        .find(|word| !word.is_one_of(&["if", "not", "exists"]));
    match name? {
        Word::Name(name) => Some(name.clone()),
        _ => None,
    }
}

fn judge(text: &Text, scope: &Scope, tables: &BTreeSet<String>, report: &mut Report) {
    let red = |message: String| Problem::at(&text.path, text.line, "sql", message);
    if scope.interpolated {
        let message = "a table name is put in by the program: write the statement out";
        report.problems.push(red(message.to_owned()));
    }
    let touched: Vec<&str> = scope
        .tables
        .iter()
        .map(String::as_str)
        .filter(|name| tables.contains(*name))
        .collect();
    if touched.is_empty() {
        return;
    }
    report.statements += 1;
    if scope.mentions < touched.len() {
        report.problems.push(red(format!(
            "touches {} but compares or inserts `{COLUMN}` {} times: once for each is needed",
            touched.join(", "),
            scope.mentions
        )));
    }
}

/// Whether a string is a query, whole or in part, and not a sentence: it opens with a verb of SQL
/// and goes on to name a target, or it holds a keyword in capitals.
fn reads_as_sql(text: &str) -> bool {
    const VERBS: &[&str] = &["select", "insert", "update", "delete", "replace", "with"];
    const TARGETS: &[&str] = &["from", "into", "set"];
    const CAPITALS: &[&str] = &[
        "DELETE", "FROM", "INSERT", "INTO", "JOIN", "SELECT", "UPDATE",
    ];
    let opens = |words: &Vec<Word>| words.first().is_some_and(|word| word.is_one_of(VERBS));
    let aims = |words: &Vec<Word>| words.iter().any(|word| word.is_one_of(TARGETS));
    text.split_whitespace().any(|word| CAPITALS.contains(&word))
        || statements(text)
            .iter()
            .any(|words| opens(words) && aims(words))
}
