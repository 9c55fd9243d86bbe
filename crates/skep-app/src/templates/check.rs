//! Whether a draft may be kept: its form, what the proxy and the sandbox take, and that no secret stands
//! in it.

use skep_memory::{Redactor, clean};
use skep_store::TemplateVersion;
use skep_vault::template::{Draft, Form, Kind, Template};

use super::digest;
use super::on_wire::{WireParts, check_layers};
use crate::AppError;
use crate::error::Invalid;

/// Checks what somebody drafts.
pub(super) fn check(draft: Draft, redactor: &Redactor) -> Result<Template, AppError> {
    let template = formed(draft)?;
    for (field, text) in texts(template.draft()) {
        let text = without_placeholders(&clean(&text));
        if let Some(found) = redactor.redact(&text).found.first() {
            let why = format!(
                "{field} holds what looks like a secret ({}): set it with `skep secret set` and name it \
                 here",
                found.rule
            );
            return Err(Invalid::unknown(&field, &why));
        }
    }
    Ok(template)
}

/// What is kept, opened again: it is what its digest says, or it is not used.
pub(super) fn opened(version: &TemplateVersion) -> Result<Template, AppError> {
    let template = formed(read(&version.text)?)?;
    let same = digest(&template) == version.digest && template.name().key() == version.name.key();
    if !same {
        return Err(AppError::Internal("a template is not what it was"));
    }
    Ok(template)
}

/// As it is kept.
pub(super) fn written(draft: &Draft) -> Result<String, AppError> {
    serde_json::to_string(draft).map_err(|_| AppError::Internal("a template is no JSON"))
}

/// As it was kept.
pub(super) fn read(text: &str) -> Result<Draft, AppError> {
    serde_json::from_str(text).map_err(|_| AppError::Internal("a template cannot be read"))
}

fn formed(draft: Draft) -> Result<Template, AppError> {
    let refused = |field: &str, why: &str| Invalid::unknown(field, &format!("{field} {why}"));
    let template = draft
        .check()
        .map_err(|error| refused(&error.field, &error.why))?;
    WireParts::of(&template)
        .map_err(|(field, why)| Invalid::unknown(&field, &format!("{field}: {why}")))?;
    if let Some(program) = template.program() {
        check_layers(program).map_err(|(field, why)| refused(&field, &why))?;
    }
    Ok(template)
}

/// Every text in it that somebody wrote freely, with its field.
fn texts(draft: &Draft) -> Vec<(String, String)> {
    let mut all = vec![("purpose".to_owned(), draft.purpose.clone())];
    let mut each = |field: &str, texts: &[String]| {
        let texts = texts.iter().enumerate();
        all.extend(texts.map(|(at, text)| (format!("{field}[{at}]"), text.clone())));
    };
    match &draft.form {
        Form::Program(program) => {
            // What is given in two arguments is read as one, as in `--token` and its value.
            let pairs = program.arguments.windows(2).map(|pair| pair.join(" "));
            each("arguments", &program.arguments);
            each("arguments", &pairs.collect::<Vec<_>>());
            let variables = program.variables.iter();
            let variables = variables.map(|(name, value)| format!("{name}={value}"));
            each("variables", &variables.collect::<Vec<_>>());
            let kinds = program
                .parameters
                .iter()
                .map(|parameter| match &parameter.kind {
                    Kind::Text { pattern } => pattern.clone(),
                    Kind::Choice { of } => of.join("\n"),
                    Kind::Number { .. } => String::new(),
                });
            each("parameters", &kinds.collect::<Vec<_>>());
            for rule in &program.rules {
                each("rules.paths", &rule.paths);
            }
        }
        Form::Requests(requests) => {
            let bases = requests.bases.iter();
            let bases = bases.map(|base| format!("{}: {}", base.header, base.value));
            each("bases", &bases.collect::<Vec<_>>());
            for rule in &requests.rules {
                each("rules.paths", &rule.paths);
            }
        }
    }
    all
}

/// What stands for something else is no secret: `{name}` and `__skep_name__`.
fn without_placeholders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("__skep_") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let inner = &from["__skep_".len()..];
        let Some((name, behind)) = inner.split_once("__") else {
            rest = from;
            break;
        };
        // Only what is a name: anything else would hide whatever stands in it.
        if skep_domain::RecordName::parse(name).is_err() {
            out.push_str("__skep_");
            rest = inner;
            continue;
        }
        out.push_str("<>");
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
