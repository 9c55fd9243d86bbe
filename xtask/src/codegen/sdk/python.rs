//! The generated part of `sdk/python`: data classes, and a constant for each call.

use std::fmt::Write as _;

use super::{Answer, Call, Field, Form, Interface, Kind, Shape};

/// Names that Python keeps for itself.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

pub(super) fn models(interface: &Interface) -> String {
    let mut out = banner("What goes over the wire, as types.");
    out += "from __future__ import annotations\n\n\
            from dataclasses import dataclass, field\n\
            from datetime import datetime\n\
            from typing import Any, Generic, Literal, TypeAlias, TypeVar\n\n\
            T = TypeVar(\"T\")\n\n\n\
            @dataclass(kw_only=True, slots=True)\n\
            class Page(Generic[T]):\n\
            \x20   \"\"\"One page of rows.\"\"\"\n\n\
            \x20   items: list[T]\n\
            \x20   \"\"\"The rows, newest first unless the call says otherwise.\"\"\"\n\
            \x20   next: str | None = None\n\
            \x20   \"\"\"Cursor of the page after; absent on the last.\"\"\"\n";
    for shape in &interface.shapes {
        out += "\n\n";
        match &shape.form {
            Form::Record(fields) => record(&mut out, shape, fields),
            Form::Choice(values) => choice(&mut out, shape, values),
        }
    }
    out
}

pub(super) fn operations(interface: &Interface) -> String {
    let mut out = banner("Every call that a program makes, as a constant.");
    out += "from __future__ import annotations\n\n\
            from typing import Any\n\n\
            from skep import models as m\n\
            from skep._operation import Operation, Stream\n";
    for call in &interface.calls {
        operation(&mut out, call);
    }
    out
}

fn banner(about: &str) -> String {
    let mark = concat!("@", "generated");
    format!(
        "\"\"\"{about}\n\n{mark} by `cargo xtask codegen` from skep-api: change the code, not this file.\n\"\"\"\n\n"
    )
}

fn record(out: &mut String, shape: &Shape, fields: &[Field]) {
    let _ = writeln!(
        out,
        "@dataclass(kw_only=True, slots=True)\nclass {}:",
        shape.name
    );
    docstring(out, &shape.about);
    out.push('\n');
    if fields.is_empty() {
        out.push_str("    pass\n");
    }
    for field in fields {
        let name = if KEYWORDS.contains(&field.name.as_str()) {
            format!("{}_", field.name)
        } else {
            field.name.clone()
        };
        let _ = writeln!(
            out,
            "    {name}: {}{}",
            typed(&field.kind, ""),
            default(field)
        );
        docstring(out, &field.about);
    }
}

fn choice(out: &mut String, shape: &Shape, values: &[String]) {
    let _ = writeln!(out, "{}: TypeAlias = Literal[", shape.name);
    for value in values {
        let _ = writeln!(out, "    {value:?},");
    }
    let _ = writeln!(out, "]\n\"\"\"{}\"\"\"", shape.about);
}

fn docstring(out: &mut String, about: &str) {
    if !about.is_empty() {
        let text = about.replace('\\', "\\\\").replace('\n', "\n    ");
        let _ = writeln!(out, "    \"\"\"{text}\"\"\"");
    }
}

fn default(field: &Field) -> String {
    if field.required {
        return String::new();
    }
    match (&field.kind, &field.default) {
        (Kind::List(_), _) => " = field(default_factory=list)".into(),
        (Kind::Map(_), _) => " = field(default_factory=dict)".into(),
        (Kind::Text | Kind::Named(_), Some(value)) if value.is_string() => format!(" = {value}"),
        (Kind::Text, _) => " = \"\"".into(),
        (Kind::Whole | Kind::Number, value) => match value {
            Some(value) if value.is_number() => format!(" = {value}"),
            _ => " = 0".into(),
        },
        (Kind::Flag, Some(value)) if value == true => " = True".into(),
        (Kind::Flag, _) => " = False".into(),
        (Kind::OrNull(_) | Kind::Anything, _) => " = None".into(),
        _ => " | None = None".into(),
    }
}

fn operation(out: &mut String, call: &Call) {
    let of = |kind: &Option<Kind>| {
        kind.as_ref()
            .map_or("None".into(), |kind| typed(kind, "m."))
    };
    let (body, query) = (of(&call.body), of(&call.query));
    let name = constant(&call.name);
    let (class, answer) = match &call.answer {
        Answer::Json(kind) => ("Operation", Some(typed(kind, "m."))),
        Answer::Stream => ("Stream", None),
    };
    let generics = answer.iter().fold(format!("{body}, {query}"), |all, one| {
        format!("{all}, {one}")
    });
    let answer = answer.map_or(String::new(), |answer| format!("\n    answer={answer},"));
    let mutates = if call.mutates { "True" } else { "False" };
    let _ = write!(
        out,
        "\n{name}: {class}[{generics}] = {class}(\n    name={:?},\n    method={:?},\n    path={:?},\n    mutates={mutates},{answer}\n)\n\"\"\"{}\"\"\"\n",
        call.name, call.method, call.path, call.about
    );
}

/// `MemoryCreate` as `MEMORY_CREATE`.
fn constant(name: &str) -> String {
    let mut constant = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !constant.is_empty() {
            constant.push('_');
        }
        constant.push(letter.to_ascii_uppercase());
    }
    constant
}

fn typed(kind: &Kind, place: &str) -> String {
    match kind {
        Kind::Text => "str".into(),
        Kind::Whole => "int".into(),
        Kind::Number => "float".into(),
        Kind::Flag => "bool".into(),
        Kind::Instant => "datetime".into(),
        Kind::Anything => "Any".into(),
        Kind::Named(name) => format!("{place}{name}"),
        Kind::Page(of) => format!("{place}Page[{}]", typed(of, place)),
        Kind::List(of) => format!("list[{}]", typed(of, place)),
        Kind::Map(of) => format!("dict[str, {}]", typed(of, place)),
        Kind::OrNull(of) => format!("{} | None", typed(of, place)),
    }
}
