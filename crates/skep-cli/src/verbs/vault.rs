//! `skep secret`, `skep setting`: what the vault holds. The value of a secret goes in and is never shown.

use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;

use skep_api::Instant;
use skep_api::vault::{
    Confidential, RecordQuery, RemoveRecordRequest, SetSecretRequest, SetSettingRequest,
};

use super::memory_view::date;
use super::secret_import;
use crate::args::{Place, Secret, Setting};
use crate::context::Context;
use crate::failure::Failure;
use crate::hidden;
use crate::layout::{columns, one_line};

/// As much as a value has, and one byte more to see that it has more.
const MOST: u64 = (64 << 10) + 2;

pub(super) async fn secret(context: &Context<'_>, verb: Secret) -> Result<ExitCode, Failure> {
    match verb {
        Secret::List { agent } => {
            let query = RecordQuery { agent };
            let found = context.client().await?.secrets(&query).await?;
            if context.output.is_json() {
                context.output.json(&found)?;
            } else {
                let rows = found.items.iter().map(|secret| {
                    let whose = (&*secret.scope, secret.agent.as_deref());
                    let at = secret.reference.as_deref().map(one_line);
                    row(
                        &secret.name,
                        whose,
                        at.unwrap_or_default(),
                        secret.changed_at,
                    )
                });
                show(
                    context,
                    &rows.collect::<Vec<_>>(),
                    &found.damaged,
                    "secrets",
                )?;
            }
        }
        Secret::Set { name, from, place } => {
            let value = match from {
                Some(_) => None,
                None => Some(value(&name)?),
            };
            let (scope, agent) = place.scope();
            let request = SetSecretRequest {
                name,
                value,
                reference: from,
                scope,
                agent,
            };
            let set = context.client().await?.set_secret(&request).await?;
            let name = one_line(&set.name);
            let text = match &set.reference {
                Some(at) => format!(
                    "{name} is looked up at {} whenever it is used",
                    one_line(at)
                ),
                None => format!("{name} is set; nothing shows its value again"),
            };
            context.output.answer(&set, &text)?;
        }
        Secret::Import(asked) => return secret_import::run(context, asked).await,
        Secret::Rm { name, place } => {
            let request = removal(name, place);
            let done = context.client().await?.remove_secret(&request).await?;
            let is_removed = (&*request.name, done.removed);
            return Ok(context.output.removed(&done, is_removed)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn setting(context: &Context<'_>, verb: Setting) -> Result<ExitCode, Failure> {
    match verb {
        Setting::List { agent } => {
            let query = RecordQuery { agent };
            let found = context.client().await?.settings(&query).await?;
            if context.output.is_json() {
                context.output.json(&found)?;
            } else {
                let rows = found.items.iter().map(|setting| {
                    let whose = (&*setting.scope, setting.agent.as_deref());
                    row(
                        &setting.name,
                        whose,
                        one_line(&setting.value),
                        setting.changed_at,
                    )
                });
                show(
                    context,
                    &rows.collect::<Vec<_>>(),
                    &found.damaged,
                    "settings",
                )?;
            }
        }
        Setting::Set { name, value, place } => {
            let value = match value {
                Some(value) => value,
                None => piped()?.expose().to_owned(),
            };
            let (scope, agent) = place.scope();
            let request = SetSettingRequest {
                name,
                value,
                scope,
                agent,
            };
            let set = context.client().await?.set_setting(&request).await?;
            let text = format!("{} is set", one_line(&set.name));
            context.output.answer(&set, &text)?;
        }
        Setting::Rm { name, place } => {
            let request = removal(name, place);
            let done = context.client().await?.remove_setting(&request).await?;
            let is_removed = (&*request.name, done.removed);
            return Ok(context.output.removed(&done, is_removed)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A value is no argument: arguments are seen by everybody on the machine, and stay in the history of
/// the shell.
fn value(name: &str) -> Result<Confidential, Failure> {
    if io::stdin().is_terminal() {
        let question = format!("The value of {} (it is not shown): ", one_line(name));
        return Ok(Confidential::new(hidden::ask(
            &question,
            "there is no terminal: give the value on stdin",
        )?));
    }
    piped()
}

/// All of stdin, without one newline at the end.
fn piped() -> Result<Confidential, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().take(MOST).read_to_string(&mut text);
    read.map_err(|error| {
        Failure::new(
            "UNREADABLE",
            format!("reading the value from stdin: {error}"),
        )
        .hint("a value is text; write what is not as base64")
    })?;
    let end = text.strip_suffix('\n').map_or(text.len(), |text| {
        text.strip_suffix('\r').map_or(text.len(), str::len)
    });
    text.truncate(end);
    Ok(Confidential::new(text))
}

fn removal(name: String, place: Place) -> RemoveRecordRequest {
    let (scope, agent) = place.scope();
    RemoveRecordRequest { name, scope, agent }
}

fn row(
    name: &str,
    (scope, agent): (&str, Option<&str>),
    value: String,
    changed_at: Instant,
) -> Vec<String> {
    let whose = agent.map_or_else(|| one_line(scope), one_line);
    vec![one_line(name), value, whose, date(changed_at)]
}

fn show(
    context: &Context<'_>,
    rows: &[Vec<String>],
    damaged: &[String],
    what: &str,
) -> Result<(), Failure> {
    let out = context.output;
    if rows.is_empty() && damaged.is_empty() {
        out.line(&format!("there are no {what}"))?;
    }
    for line in columns(rows) {
        out.line(&line)?;
    }
    for file in damaged {
        out.line(&format!(
            "{} is damaged: restore it from a copy, or set it anew",
            one_line(file)
        ))?;
    }
    Ok(())
}
