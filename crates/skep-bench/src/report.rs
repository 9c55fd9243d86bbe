//! A table for people and one JSON object for machines, from the same numbers.

use std::io::Write as _;

use serde_json::{Map, Value};

/// What a benchmark found.
#[derive(Default)]
pub(crate) struct Report {
    title: String,
    rows: Vec<(String, f64, String)>,
}

impl Report {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            rows: Vec::new(),
        }
    }

    /// A number under its JSON key, with what a reader should know about it.
    pub(crate) fn row(&mut self, key: &str, value: f64, note: impl Into<String>) {
        self.rows.push((key.to_owned(), value, note.into()));
    }

    pub(crate) fn print(&self, json: bool) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", self.title);
        for (key, value, note) in &self.rows {
            let _ = writeln!(out, "  {key:36} {:>14}  {note}", shown(*value));
        }
        if json {
            let object: Map<String, Value> = self
                .rows
                .iter()
                .map(|(key, value, _)| (key.clone(), Value::from(*value)))
                .collect();
            let _ = writeln!(out, "{}", Value::Object(object));
        }
    }
}

fn shown(value: f64) -> String {
    if value >= 1_000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}
