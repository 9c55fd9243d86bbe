//! The generated part of `sdk/typescript`: interfaces, and a constant for each call.

use std::fmt::Write as _;

use super::{Answer, Call, Field, Form, Interface, Kind, Shape};

pub(super) fn models(interface: &Interface) -> String {
    let mut out = banner("What goes over the wire, as types.");
    out += "/** A time such as `2026-11-21T04:05:06.789Z`. */\n\
            export type Instant = string;\n\n\
            /** One page of rows. */\n\
            export interface Page<T> {\n\
            \x20 /** The rows, newest first unless the call says otherwise. */\n\
            \x20 items: T[];\n\
            \x20 /** Cursor of the page after; absent on the last. */\n\
            \x20 next?: string | null;\n\
            }\n";
    for shape in &interface.shapes {
        out.push('\n');
        comment(&mut out, "", &shape.about);
        match &shape.form {
            Form::Record(fields) => record(&mut out, shape, fields),
            Form::Choice(values) => {
                let words: Vec<String> = values
                    .iter()
                    .map(|value| format!("  | {value:?}"))
                    .collect();
                let _ = writeln!(out, "export type {} =\n{};", shape.name, words.join("\n"));
            }
        }
    }
    out
}

pub(super) fn operations(interface: &Interface) -> String {
    let mut out = banner("Every call that a program makes, as a constant.");
    out += "import type * as m from \"./models.js\";\n\
            import type { Operation, Stream } from \"./operation.js\";\n";
    for call in &interface.calls {
        operation(&mut out, call);
    }
    out
}

fn banner(about: &str) -> String {
    let mark = concat!("@", "generated");
    format!(
        "// {about}\n// {mark} by `cargo xtask codegen` from skep-api: change the code, not this file.\n\n"
    )
}

fn record(out: &mut String, shape: &Shape, fields: &[Field]) {
    let _ = writeln!(out, "export interface {} {{", shape.name);
    for field in fields {
        comment(out, "  ", &field.about);
        let mark = if field.required { "" } else { "?" };
        let _ = writeln!(out, "  {}{mark}: {};", field.name, typed(&field.kind, ""));
    }
    out.push_str("}\n");
}

fn comment(out: &mut String, indent: &str, about: &str) {
    if !about.is_empty() {
        let text = about
            .replace("*/", "* /")
            .replace('\n', &format!("\n{indent} * "));
        let _ = writeln!(out, "{indent}/** {text} */");
    }
}

fn operation(out: &mut String, call: &Call) {
    let of = |kind: &Option<Kind>| {
        kind.as_ref()
            .map_or("undefined".into(), |kind| typed(kind, "m."))
    };
    let (body, query) = (of(&call.body), of(&call.query));
    let kind = match &call.answer {
        Answer::Json(answer) => format!("Operation<{body}, {query}, {}>", typed(answer, "m.")),
        Answer::Stream => format!("Stream<{body}, {query}>"),
    };
    out.push('\n');
    comment(out, "", &call.about);
    let _ = writeln!(
        out,
        "export const {}: {kind} = {{\n  name: {:?},\n  method: {:?},\n  path: {:?},\n  mutates: {},\n}};",
        call.name, call.name, call.method, call.path, call.mutates
    );
}

fn typed(kind: &Kind, place: &str) -> String {
    match kind {
        Kind::Text => "string".into(),
        Kind::Whole | Kind::Number => "number".into(),
        Kind::Flag => "boolean".into(),
        Kind::Instant => format!("{place}Instant"),
        Kind::Anything => "unknown".into(),
        Kind::Named(name) => format!("{place}{name}"),
        Kind::Page(of) => format!("{place}Page<{}>", typed(of, place)),
        Kind::List(of) => match of.as_ref() {
            Kind::OrNull(_) => format!("({})[]", typed(of, place)),
            _ => format!("{}[]", typed(of, place)),
        },
        Kind::Map(of) => format!("Record<string, {}>", typed(of, place)),
        Kind::OrNull(of) => format!("{} | null", typed(of, place)),
    }
}
