//! An object taken apart: each field is asked for by its name, and one that nobody asked for is refused.

use serde_json::{Map, Value};

use super::Lossy;

const UNKNOWN: &str = "cannot be said to a provider of the other dialect";

/// What is left of an object, and where it stood.
pub(super) struct Fields {
    at: String,
    left: Map<String, Value>,
}

impl Fields {
    pub(super) fn of(at: &str, value: Value) -> Result<Self, Lossy> {
        match value {
            Value::Object(left) => Ok(Self {
                at: at.to_owned(),
                left,
            }),
            _ => Err(Lossy::of(name(at), "must be an object")),
        }
    }

    /// Where a field of it stands.
    pub(super) fn at(&self, field: &str) -> String {
        if self.at.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.at)
        }
    }

    /// A field; `null` is as good as none, in both dialects.
    pub(super) fn take(&mut self, field: &str) -> Option<Value> {
        self.left.remove(field).filter(|value| !value.is_null())
    }

    pub(super) fn need(&mut self, field: &str) -> Result<Value, Lossy> {
        self.take(field)
            .ok_or_else(|| Lossy::of(self.at(field), "is missing"))
    }

    pub(super) fn text(&mut self, field: &str) -> Result<Option<String>, Lossy> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Lossy::of(self.at(field), "must be a string")),
        }
    }

    pub(super) fn need_text(&mut self, field: &str) -> Result<String, Lossy> {
        self.text(field)?
            .ok_or_else(|| Lossy::of(self.at(field), "is missing"))
    }

    pub(super) fn list(&mut self, field: &str) -> Result<Option<Vec<Value>>, Lossy> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(Lossy::of(self.at(field), "must be an array")),
        }
    }

    pub(super) fn flag(&mut self, field: &str) -> Result<Option<bool>, Lossy> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Lossy::of(self.at(field), "must be true or false")),
        }
    }

    pub(super) fn number(&mut self, field: &str) -> Result<Option<f64>, Lossy> {
        match self.take(field) {
            None => Ok(None),
            Some(value) => value
                .as_f64()
                .map(Some)
                .ok_or_else(|| Lossy::of(self.at(field), "must be a number")),
        }
    }

    /// A field that may only say what is so anyway.
    pub(super) fn only(&mut self, field: &str, same: &[Value]) -> Result<(), Lossy> {
        match self.take(field) {
            Some(value) if !same.contains(&value) => Err(Lossy::of(self.at(field), UNKNOWN)),
            _ => Ok(()),
        }
    }

    /// Moves a field over under another name.
    pub(super) fn hand(&mut self, field: &str, said: &mut Map<String, Value>, as_field: &str) {
        if let Some(value) = self.take(field) {
            said.insert(as_field.to_owned(), value);
        }
    }

    /// Nobody asked for what is left.
    pub(super) fn end(self) -> Result<(), Lossy> {
        let left = self.left.iter().find(|(_, value)| !value.is_null());
        match left {
            Some((field, _)) => Err(Lossy::of(self.at(field), UNKNOWN)),
            None => Ok(()),
        }
    }
}

/// The refusal of something where it stands.
pub(super) fn unknown(at: impl Into<String>) -> Lossy {
    Lossy::of(at, UNKNOWN)
}

fn name(at: &str) -> &str {
    if at.is_empty() { "body" } else { at }
}
