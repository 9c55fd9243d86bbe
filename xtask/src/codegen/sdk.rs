//! What the SDKs are generated from: the interface's own document, read once into shapes and calls.

mod python;
mod typescript;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The types of `sdk/python`.
///
/// # Errors
/// When the document holds something that no type is made of.
pub(super) fn python_models() -> Result<String> {
    Ok(python::models(&Interface::read()?))
}

/// The calls of `sdk/python`.
///
/// # Errors
/// When the document holds something that no type is made of.
pub(super) fn python_operations() -> Result<String> {
    Ok(python::operations(&Interface::read()?))
}

/// The types of `sdk/typescript`.
///
/// # Errors
/// When the document holds something that no type is made of.
pub(super) fn typescript_models() -> Result<String> {
    Ok(typescript::models(&Interface::read()?))
}

/// The calls of `sdk/typescript`.
///
/// # Errors
/// When the document holds something that no type is made of.
pub(super) fn typescript_operations() -> Result<String> {
    Ok(typescript::operations(&Interface::read()?))
}

/// Everything that a program calls, and what goes over the wire then.
struct Interface {
    shapes: Vec<Shape>,
    calls: Vec<Call>,
}

/// A type with a name.
struct Shape {
    name: String,
    about: String,
    form: Form,
}

enum Form {
    Record(Vec<Field>),
    Choice(Vec<String>),
}

struct Field {
    name: String,
    about: String,
    kind: Kind,
    required: bool,
    /// What stands for an absent one, as JSON.
    default: Option<Value>,
}

#[derive(Clone)]
enum Kind {
    Text,
    Whole,
    Number,
    Flag,
    Instant,
    Anything,
    Named(String),
    Page(Box<Self>),
    List(Box<Self>),
    Map(Box<Self>),
    OrNull(Box<Self>),
}

struct Call {
    /// In capitals and lower case, such as `MemoryCreate`.
    name: String,
    method: String,
    path: String,
    about: String,
    /// Whether doing it twice may differ from doing it once.
    mutates: bool,
    body: Option<Kind>,
    query: Option<Kind>,
    answer: Answer,
}

enum Answer {
    Json(Kind),
    /// Bytes, which come as they are made.
    Stream,
}

impl Interface {
    fn read() -> Result<Self> {
        let mut document = skep_api::openapi::document();
        document.sort_all_objects();
        Self::of(&document)
    }

    fn of(document: &Value) -> Result<Self> {
        let schemas = &document["components"]["schemas"];
        let mut calls = Vec::new();
        let paths = document["paths"].as_object().context("no paths")?;
        for (path, methods) in paths.iter().filter(|(path, _)| is_for_programs(path)) {
            for (method, operation) in methods.as_object().context("no methods")? {
                let call = Call::read(path, method, operation, schemas);
                calls.push(call.with_context(|| format!("{method} {path}"))?);
            }
        }
        let mut wanted = BTreeSet::from(["ErrorEnvelope".to_owned()]);
        for call in &calls {
            for kind in [&call.body, &call.query].into_iter().flatten() {
                kind.names(&mut wanted);
            }
            if let Answer::Json(kind) = &call.answer {
                kind.names(&mut wanted);
            }
        }
        let shapes = reached(wanted, schemas)?;
        Ok(Self { shapes, calls })
    }
}

/// Logging in has forms and rules of its own, which no caller of an SDK sees.
fn is_for_programs(path: &str) -> bool {
    !["/oauth/", "/.well-known/", "/mcp"]
        .iter()
        .any(|others| path.starts_with(others))
}

/// The shapes of these names and of all that they name.
fn reached(mut wanted: BTreeSet<String>, schemas: &Value) -> Result<Vec<Shape>> {
    let mut shapes: Vec<Shape> = Vec::new();
    let mut done = BTreeSet::new();
    while let Some(name) = wanted.pop_first() {
        if !done.insert(name.clone()) {
            continue;
        }
        let shape = Shape::read(&name, schemas).with_context(|| name.clone())?;
        if let Form::Record(fields) = &shape.form {
            for field in fields {
                field.kind.names(&mut wanted);
            }
        }
        shapes.push(shape);
    }
    shapes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(shapes)
}

impl Shape {
    fn read(name: &str, schemas: &Value) -> Result<Self> {
        let schema = &schemas[name];
        let form = if let Some(values) = schema["enum"].as_array() {
            Form::Choice(values.iter().map(text).collect())
        } else if let Some(values) = schema["oneOf"].as_array() {
            Form::Choice(values.iter().map(|value| text(&value["const"])).collect())
        } else {
            let properties = schema["properties"].as_object();
            let properties = properties.context("neither a record nor a choice")?;
            let required = schema["required"].as_array();
            let needed =
                |field: &str| required.is_some_and(|all| all.iter().any(|one| one == field));
            let fields = properties.iter().map(|(field, value)| {
                Ok(Field {
                    name: field.clone(),
                    about: about(value),
                    kind: Kind::read(value, schemas).with_context(|| field.clone())?,
                    required: needed(field),
                    default: value.get("default").cloned(),
                })
            });
            Form::Record(fields.collect::<Result<_>>()?)
        };
        Ok(Self {
            name: name.to_owned(),
            about: about(schema),
            form,
        })
    }
}

impl Kind {
    fn read(schema: &Value, schemas: &Value) -> Result<Self> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or(reference);
            return Self::named(name, schemas);
        }
        if let Some(either) = schema["anyOf"].as_array() {
            return match either.as_slice() {
                [one, null] if null["type"] == "null" => Ok(Self::read(one, schemas)?.or_null()),
                _ => bail!("a choice of types is not something that a type is made of: {schema}"),
            };
        }
        match &schema["type"] {
            Value::String(word) => Self::of_word(word, schema, schemas),
            Value::Array(words) => match words.as_slice() {
                [Value::String(word), null] if null == "null" => {
                    Ok(Self::of_word(word, schema, schemas)?.or_null())
                }
                _ => bail!("several types: {schema}"),
            },
            _ => Ok(Self::Anything),
        }
    }

    fn of_word(word: &str, schema: &Value, schemas: &Value) -> Result<Self> {
        Ok(match word {
            "string" => Self::Text,
            "integer" => Self::Whole,
            "number" => Self::Number,
            "boolean" => Self::Flag,
            "array" => Self::List(Box::new(Self::read(&schema["items"], schemas)?)),
            "object" => Self::Map(Box::new(match &schema["additionalProperties"] {
                values @ Value::Object(_) => Self::read(values, schemas)?,
                _ => Self::Anything,
            })),
            other => bail!("no type is made of {other}"),
        })
    }

    /// Pages are one type, whatever number stands behind the name of each.
    fn named(name: &str, schemas: &Value) -> Result<Self> {
        if name == "Instant" {
            return Ok(Self::Instant);
        }
        let number = name.strip_prefix("Page");
        if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
            let items = &schemas[name]["properties"]["items"]["items"];
            return Ok(Self::Page(Box::new(Self::read(items, schemas)?)));
        }
        Ok(Self::Named(name.to_owned()))
    }

    fn or_null(self) -> Self {
        Self::OrNull(Box::new(self))
    }

    fn names(&self, into: &mut BTreeSet<String>) {
        match self {
            Self::Named(name) => {
                into.insert(name.clone());
            }
            Self::Page(of) | Self::List(of) | Self::Map(of) | Self::OrNull(of) => of.names(into),
            _ => {}
        }
    }
}

impl Call {
    fn read(path: &str, method: &str, operation: &Value, schemas: &Value) -> Result<Self> {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let parameters = operation["parameters"].as_array();
        let query = parameters
            .into_iter()
            .flatten()
            .find(|parameter| parameter["in"] == "query")
            .map(|parameter| Kind::read(&parameter["schema"], schemas))
            .transpose()?;
        let responses = operation["responses"].as_object().context("no answers")?;
        let (_, good) = responses
            .iter()
            .find(|(status, _)| status.starts_with('2'))
            .context("no good answer")?;
        let answer = &good["content"]["application/json"]["schema"];
        Ok(Self {
            name: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            about: text(&operation["summary"]),
            mutates: method != "get" && operation.get("x-audit-action").is_some(),
            body: (!body.is_null())
                .then(|| Kind::read(body, schemas))
                .transpose()?,
            query,
            answer: if answer.is_null() {
                Answer::Stream
            } else {
                Answer::Json(Kind::read(answer, schemas)?)
            },
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn about(schema: &Value) -> String {
    text(&schema["description"])
}

#[cfg(test)]
mod tests;
