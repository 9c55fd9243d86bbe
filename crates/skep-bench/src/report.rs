//! A table for people and one JSON object for machines, from the same numbers.

use std::io::Write as _;

use serde_json::{Map, Value};

/// What a benchmark found.
#[derive(Default)]
pub(crate) struct Report {
    title: String,
    shown: Vec<Shown>,
    figures: Vec<(String, f64)>,
}

/// What a person sees.
enum Shown {
    Row(String, f64, String),
    Line(String),
}

impl Report {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// A number under its JSON key, with what a reader should know about it.
    pub(crate) fn row(&mut self, key: &str, value: f64, note: impl Into<String>) {
        self.figure(key.to_owned(), value);
        self.shown
            .push(Shown::Row(key.to_owned(), value, note.into()));
    }

    /// A number for machines, which a line shows to people.
    pub(crate) fn figure(&mut self, key: String, value: f64) {
        self.figures.push((key, value));
    }

    /// A line for people.
    pub(crate) fn line(&mut self, text: String) {
        self.shown.push(Shown::Line(text));
    }

    pub(crate) fn print(&self, json: bool) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", self.title);
        for shown in &self.shown {
            let _ = match shown {
                Shown::Row(key, value, note) => {
                    writeln!(out, "  {key:36} {:>14}  {note}", written(*value))
                }
                Shown::Line(text) => writeln!(out, "{text}"),
            };
        }
        if json {
            let object: Map<String, Value> = self
                .figures
                .iter()
                .map(|(key, value)| (key.clone(), Value::from(*value)))
                .collect();
            let _ = writeln!(out, "{}", Value::Object(object));
        }
    }
}

fn written(value: f64) -> String {
    if value >= 1_000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}
