//! `skep directive`: what every model is told, by whoever runs the workspace or the organization.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use skep_api::ErrorCode;
use skep_api::directive::{
    Directive as Version, DirectiveQuery, DirectivesQuery, DraftDirectiveRequest,
    PromoteDirectiveRequest,
};
use skep_client::{Client, ClientError};

use super::memory_view::date;
use crate::args::{Directive, Of};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line, visible};

/// Bytes of a text that are read; the daemon takes fewer.
const TEXT: u64 = 1 << 20;
/// Lines of each side that are compared.
const LINES: usize = 2_000;

pub(super) async fn run(context: &Context<'_>, verb: Directive) -> Result<ExitCode, Failure> {
    match verb {
        Directive::Draft { file, of } => draft(context, file.as_deref(), of).await?,
        Directive::List { of } => list(context, of).await?,
        Directive::Show { version, of } => {
            let found = one(&mut context.client().await?, of, version).await?;
            let text = visible(&found.text).into_owned();
            context.output.answer(&found, &text)?;
        }
        Directive::Promote { version, of } => {
            let request = PromoteDirectiveRequest {
                of: Some(of.name().to_owned()),
                version,
            };
            let done = context.client().await?.promote_directive(&request).await?;
            let text = match done.version {
                0 => format!("no directive of the {} counts any more", done.of),
                version => format!("version {version} of the {} counts from now on", done.of),
            };
            context.output.answer(&done, &text)?;
        }
        Directive::Diff { from, to, of } => diff(context, (from, to), of).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn draft(context: &Context<'_>, file: Option<&Path>, of: Of) -> Result<(), Failure> {
    let read = match file {
        Some(path) => File::open(path).and_then(text_of),
        None => text_of(stdin()),
    };
    let name = file.map_or_else(
        || "standard input".into(),
        |path| path.display().to_string(),
    );
    let text = read.map_err(|error| {
        Failure::new(
            "UNREADABLE",
            format!("{} cannot be read: {error}", one_line(&name)),
        )
    })?;
    let request = DraftDirectiveRequest {
        of: Some(of.name().to_owned()),
        text,
    };
    let made = context.client().await?.draft_directive(&request).await?;
    let switch = if of.organization {
        " --organization"
    } else {
        ""
    };
    let text = format!(
        "version {} is drafted: skep directive promote {}{switch} lets it count",
        made.version, made.version
    );
    Ok(context.output.answer(&made, &text)?)
}

fn text_of(source: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    source.take(TEXT).read_to_string(&mut text)?;
    Ok(text)
}

async fn list(context: &Context<'_>, of: Of) -> Result<(), Failure> {
    let query = DirectivesQuery {
        of: Some(of.name().to_owned()),
    };
    let found = context.client().await?.directives(&query).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    if found.items.is_empty() {
        return Ok(out.line("there is none: skep directive draft FILE")?);
    }
    let rows: Vec<Vec<String>> = found.items.iter().map(row).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(())
}

fn row(version: &Version) -> Vec<String> {
    let first = version.text.lines().next().unwrap_or_default();
    let counts = if version.in_force { "counts" } else { "" };
    vec![
        version.version.to_string(),
        counts.to_owned(),
        date(version.at),
        one_line(first),
    ]
}

async fn one(client: &mut Client, of: Of, version: Option<u32>) -> Result<Version, Failure> {
    let query = DirectiveQuery {
        of: Some(of.name().to_owned()),
        version,
    };
    Ok(client.directive(&query).await?)
}

/// The version that counts, if one does.
async fn in_force(client: &mut Client, of: Of) -> Result<Option<Version>, Failure> {
    let query = DirectiveQuery {
        of: Some(of.name().to_owned()),
        version: None,
    };
    match client.directive(&query).await {
        Ok(found) => Ok(Some(found)),
        Err(ClientError::Refused(refused)) if refused.error.code == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a version changes.
#[derive(Serialize)]
struct Changes {
    /// 0 for nothing.
    from: u32,
    to: u32,
    lines: Vec<String>,
}

async fn diff(
    context: &Context<'_>,
    (from, to): (Option<u32>, u32),
    of: Of,
) -> Result<(), Failure> {
    let mut client = context.client().await?;
    let after = one(&mut client, of, Some(to)).await?;
    let before = match from {
        Some(from) => Some(one(&mut client, of, Some(from)).await?),
        None => in_force(&mut client, of).await?,
    };
    let (from, text) = before.map_or((0, String::new()), |before| (before.version, before.text));
    let changes = Changes {
        from,
        to,
        lines: changed(&text, &after.text),
    };
    let text: Vec<String> = changes
        .lines
        .iter()
        .map(|line| visible(line).into_owned())
        .collect();
    Ok(context.output.answer(&changes, &text.join("\n"))?)
}

/// Lines with what became of them: ` ` stays, `-` goes, `+` comes.
fn changed(before: &str, after: &str) -> Vec<String> {
    let old: Vec<&str> = before.lines().take(LINES).collect();
    let new: Vec<&str> = after.lines().take(LINES).collect();
    // The longest run of lines that both have, from each place to the end.
    let mut common = vec![vec![0_u16; new.len() + 1]; old.len() + 1];
    for at in (0..old.len()).rev() {
        for other in (0..new.len()).rev() {
            common[at][other] = if old[at] == new[other] {
                common[at + 1][other + 1] + 1
            } else {
                common[at + 1][other].max(common[at][other + 1])
            };
        }
    }
    let (mut at, mut other, mut lines) = (0, 0, Vec::new());
    while at < old.len() || other < new.len() {
        if at < old.len() && other < new.len() && old[at] == new[other] {
            lines.push(format!(" {}", old[at]));
            (at, other) = (at + 1, other + 1);
        } else if other == new.len()
            || at < old.len() && common[at + 1][other] >= common[at][other + 1]
        {
            lines.push(format!("-{}", old[at]));
            at += 1;
        } else {
            lines.push(format!("+{}", new[other]));
            other += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn a_change_is_told_by_lines() {
        assert_eq!(
            changed("a\nb\nc", "a\nx\nc\nd"),
            [" a", "-b", "+x", " c", "+d"]
        );
        assert_eq!(changed("", "a"), ["+a"]);
        assert_eq!(changed("a", ""), ["-a"]);
        assert!(changed("", "").is_empty());
    }
}
