//! A template with what was filled in, as a plan that runs.

use std::collections::BTreeMap;
use std::time::Duration;

use skep_crypto::Plain;
use skep_exec::{Draft, Egress, Secret};
use skep_vault::template::{self, Arguments, Into, Program, Template};

use crate::AppError;
use crate::error::Invalid;
use crate::templates::Usable;

/// Whether a template is a program and takes what is filled in.
pub(super) fn check(
    template: &Template,
    arguments: &BTreeMap<String, String>,
) -> Result<(), AppError> {
    program(template)?;
    filled(template, arguments).map(|_| ())
}

/// Its program.
pub(super) fn program(template: &Template) -> Result<&Program, AppError> {
    template.program().ok_or(AppError::Conflict(
        "this template is for requests that your own program makes: use it with `skep run --with`",
    ))
}

fn filled(template: &Template, arguments: &Arguments) -> Result<Vec<String>, AppError> {
    let filled = template.fill(arguments);
    filled.map_err(|error| Invalid::unknown("arguments", &error.to_string()))
}

/// The plan of a run, but for where it may send and what it may read beside that. Values are in the order
/// of the program's secrets.
pub(super) fn draft(
    usable: &Usable,
    arguments: &BTreeMap<String, String>,
    values: Vec<Plain<Vec<u8>>>,
    egress: Egress,
) -> Result<Draft, AppError> {
    let template = &usable.template;
    let program = program(template)?;
    let demand = usable.demand();
    let demand = demand.ok_or(AppError::Internal("a program demands no sandbox"))?;
    let draft = Draft::new(&program.program, egress, demand);
    let all = program.arguments.iter().zip(filled(template, arguments)?);
    let draft = all.fold(draft, |draft, (written, argument)| {
        if template::has_parameter(written) {
            draft.asked(argument)
        } else {
            draft.arg(argument)
        }
    });
    let mut draft = draft
        .said(arguments.values())
        .timeout(Duration::from_secs(program.seconds.into()))
        .output_cap(program.output as usize);
    if !program.directory.is_empty() {
        draft = draft.dir(&program.directory);
    }
    for path in &program.readable {
        draft = draft.readable(path);
    }
    for path in &program.writable {
        draft = draft.writable(path);
    }
    for (name, value) in &program.variables {
        draft = draft.env(name, value);
    }
    for (secret, value) in program.secrets.iter().zip(values) {
        let held = Secret::new(&secret.name, value);
        draft = match &secret.into {
            Into::Variable(name) => draft.env_secret(name, held),
            Into::Descriptor(number) => draft.fd_secret(*number, held),
            Into::Input => draft.stdin_secret(held),
        };
    }
    Ok(draft)
}
