//! Arguments with their parameters filled in.

use std::collections::BTreeMap;

use regex::Regex;

use super::{ARGUMENT, Kind, Parameter, Template};

/// What whoever asks fills in, by the name of the parameter.
pub type Arguments = BTreeMap<String, String>;

/// Why a value was refused. The value itself is not told again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// Its form is another one, in which nothing is filled in.
    #[error("the template runs no program")]
    NoProgram,
    /// The template has no such parameter.
    #[error("the template has no parameter {0:?}")]
    Unknown(String),
    /// A parameter has no value.
    #[error("the parameter {0:?} has no value")]
    Missing(String),
    /// The value is none that the parameter may have.
    #[error("the value of {name:?} {why}")]
    Value {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Template {
    /// The arguments of one run.
    ///
    /// # Errors
    /// [`FillError`] for a value that is missing, too many, or none that its parameter may have.
    pub fn fill(&self, values: &Arguments) -> Result<Vec<String>, FillError> {
        let draft = self.program().ok_or(FillError::NoProgram)?;
        for parameter in &draft.parameters {
            let value = values.get(&parameter.name);
            let value = value.ok_or_else(|| FillError::Missing(parameter.name.clone()))?;
            check(parameter, value)?;
        }
        let known = |name: &String| draft.parameters.iter().any(|one| one.name == *name);
        if let Some(unknown) = values.keys().find(|name| !known(name)) {
            return Err(FillError::Unknown(unknown.clone()));
        }
        let filled = draft.arguments.iter().map(|argument| {
            let mut text = String::new();
            for part in parts(argument).unwrap_or_default() {
                match part {
                    Part::Text(words) => text.push_str(&words),
                    Part::Parameter(name) => {
                        text.push_str(values.get(&name).map_or("", String::as_str));
                    }
                }
            }
            text
        });
        Ok(filled.collect())
    }
}

fn check(parameter: &Parameter, value: &str) -> Result<(), FillError> {
    let refused = |why: String| {
        Err(FillError::Value {
            name: parameter.name.clone(),
            why,
        })
    };
    if value.is_empty() {
        return refused("is empty".into());
    }
    if value.len() > ARGUMENT {
        return refused(format!("has more than {ARGUMENT} bytes"));
    }
    if value.chars().any(char::is_control) {
        return refused("holds a control character".into());
    }
    match &parameter.kind {
        Kind::Number { least, most } => {
            let number = value.parse::<i64>().ok();
            // One spelling for each number: no plus, no zeros in front.
            let is_plain = |number: &i64| number.to_string() == value;
            match number.filter(is_plain) {
                Some(number) if (*least..=*most).contains(&number) => Ok(()),
                _ => refused(format!("is no whole number from {least} to {most}")),
            }
        }
        // A dash in front makes an option of what should be a value.
        _ if value.starts_with('-') => refused("begins with a dash".into()),
        Kind::Choice { of } if of.iter().any(|one| one == value) => Ok(()),
        Kind::Choice { of } => refused(format!("is none of {}", of.join(", "))),
        Kind::Text { pattern } => match whole(pattern) {
            Some(regex) if regex.is_match(value) => Ok(()),
            _ => refused(format!("does not match {pattern}")),
        },
    }
}

/// A pattern that has to match all of a value.
pub(super) fn whole(pattern: &str) -> Option<Regex> {
    // By itself first: `a)|(b` is no pattern, and must not become one between brackets.
    Regex::new(pattern).ok()?;
    regex::RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .size_limit(1 << 18)
        .build()
        .ok()
}

/// A part of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Parameter(String),
}

/// Whether something is filled in where an argument of a template is written so.
#[must_use]
pub fn has_parameter(argument: &str) -> bool {
    let parts = parts(argument).unwrap_or_default();
    parts.iter().any(|part| matches!(part, Part::Parameter(_)))
}

/// What an argument consists of; `None` if a brace has no other half.
pub(super) fn parts(argument: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        text.push_str(before);
        if let Some(behind) = brace.strip_prefix("{{") {
            text.push('{');
            rest = behind;
        } else if let Some(behind) = brace.strip_prefix("}}") {
            text.push('}');
            rest = behind;
        } else {
            let (name, behind) = brace.strip_prefix('{')?.split_once('}')?;
            if name.contains('{') {
                return None;
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Parameter(name.to_owned()));
            rest = behind;
        }
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text));
    }
    Some(parts)
}
