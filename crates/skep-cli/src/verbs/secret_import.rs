//! `skep secret import`: what a file of credentials has, in the vault too. The file stays as it is.

use std::process::ExitCode;

use serde::Serialize;
use skep_api::vault::{RecordQuery, SetSecretRequest};

use crate::args::SecretImport;
use crate::context::Context;
use crate::credentials::{self, Entry};
use crate::failure::Failure;
use crate::layout::{columns, one_line};

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Became {
    /// It was set.
    Set,
    /// It would be, without `--dry-run`.
    WouldBeSet,
    /// The vault has one of this name.
    AlreadyThere,
    /// The file has no value for it.
    Empty,
    /// The daemon did not take it.
    Refused,
}

#[derive(Serialize)]
struct Told {
    name: String,
    became: Became,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Report {
    items: Vec<Told>,
}

pub(super) async fn run(context: &Context<'_>, asked: SecretImport) -> Result<ExitCode, Failure> {
    let entries = chosen(credentials::read(&asked.file)?, &asked)?;
    let mut items = Vec::new();
    let mut there = there(context, &asked).await?;
    for entry in entries {
        let name = format!("{}{}", asked.prefix, entry.name);
        let (became, reason) = if entry.value.expose().is_empty() {
            (Became::Empty, None)
        } else if !asked.overwrite && there.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            (Became::AlreadyThere, None)
        } else if asked.dry_run {
            (Became::WouldBeSet, None)
        } else {
            set(context, &asked, &name, entry).await?
        };
        if became == Became::Set {
            there.push(name.clone());
        }
        items.push(Told {
            name,
            became,
            reason,
        });
    }
    let is_refused = items.iter().any(|told| told.became == Became::Refused);
    show(context, &asked, &Report { items })?;
    Ok(if is_refused {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The entries that were asked for, in the order of the file.
fn chosen(entries: Vec<Entry>, asked: &SecretImport) -> Result<Vec<Entry>, Failure> {
    if asked.keys.is_empty() {
        return Ok(entries);
    }
    for key in &asked.keys {
        if !entries.iter().any(|entry| entry.name == *key) {
            let shown = asked.file.display();
            let what = format!("{shown} has no {}", one_line(key));
            return Err(Failure::new("NOT_FOUND", what)
                .hint("see what it has: skep secret import FILE --dry-run; nothing was set"));
        }
    }
    let is_asked = |entry: &Entry| asked.keys.contains(&entry.name);
    Ok(entries.into_iter().filter(is_asked).collect())
}

/// The names that are taken in that place.
async fn there(context: &Context<'_>, asked: &SecretImport) -> Result<Vec<String>, Failure> {
    let (scope, agent) = asked.place.clone().scope();
    let scope = scope.unwrap_or_else(|| "workspace".into());
    let query = RecordQuery {
        agent: agent.clone(),
    };
    let found = context.client().await?.secrets(&query).await?.items;
    let same = found.into_iter().filter(|secret| secret.scope == scope);
    Ok(same.map(|secret| secret.name).collect())
}

/// Sets one. What the daemon has against it is told, and the others go on; without the daemon nothing does.
async fn set(
    context: &Context<'_>,
    asked: &SecretImport,
    name: &str,
    entry: Entry,
) -> Result<(Became, Option<String>), Failure> {
    let (scope, agent) = asked.place.clone().scope();
    let request = SetSecretRequest {
        name: name.to_owned(),
        value: Some(entry.value),
        reference: None,
        scope,
        agent,
    };
    match context.client().await?.set_secret(&request).await {
        Ok(_) => Ok((Became::Set, None)),
        Err(error) => {
            let failure = Failure::from(error);
            if failure.code() != "VALIDATION_ERROR" {
                return Err(failure);
            }
            Ok((Became::Refused, Some(failure.message())))
        }
    }
}

fn show(context: &Context<'_>, asked: &SecretImport, report: &Report) -> Result<(), Failure> {
    let out = context.output;
    if context.output.is_json() {
        return Ok(out.json(report)?);
    }
    let rows: Vec<Vec<String>> = report
        .items
        .iter()
        .map(|told| {
            let became = match told.became {
                Became::Set => "is set",
                Became::WouldBeSet => "would be set",
                Became::AlreadyThere => "is there already, and stays",
                Became::Empty => "has no value in the file",
                Became::Refused => told.reason.as_deref().unwrap_or("was not taken"),
            };
            vec![one_line(&told.name), one_line(became)]
        })
        .collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if report.items.is_empty() {
        out.line("there is nothing in it to copy")?;
    } else if !asked.dry_run {
        out.note(&format!(
            "{} is as it was: remove it when nothing uses it any more",
            asked.file.display()
        ));
    }
    Ok(())
}
