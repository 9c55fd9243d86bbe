//! `skep template`: ways of using secrets, drafted, read and approved.

mod file;
mod text;

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use similar::TextDiff;
use skep_api::template::{
    ApproveTemplateRequest, Template as Version, TemplateQuery, TemplateShown,
};
use skep_client::Client;

use crate::args::Template;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line, visible};

pub(super) async fn run(context: &Context<'_>, verb: Template) -> Result<ExitCode, Failure> {
    match verb {
        Template::List { state } => list(context, &state).await?,
        Template::Show { template } => show(context, &template).await?,
        Template::Draft { file } => {
            let text = file::read(&file)?;
            let made = context.client().await?.draft_template(&text).await?;
            tell(
                context,
                &made,
                "is drafted: it waits for somebody else to approve it",
            )?;
        }
        Template::Example { form } => file::example(context, &form)?,
        Template::Approve {
            template,
            digest,
            every_agent,
            lasting,
        } => {
            let request = ApproveTemplateRequest {
                digest: digest.unwrap_or_default(),
                every_agent,
                seconds: lasting,
            };
            return approve(context, &template, request).await;
        }
        Template::Reject { template, reason } => {
            let mut client = context.client().await?;
            let id = find(&mut client, &template, &["waiting"]).await?;
            let done = client.reject_template(&id, reason).await?;
            tell(context, &done, "is rejected")?;
        }
        Template::Withdraw { template, reason } => {
            let mut client = context.client().await?;
            let id = find(&mut client, &template, &["approved"]).await?;
            let done = client.withdraw_template(&id, reason).await?;
            let what = "is withdrawn: nobody uses it, and its grants are gone";
            tell(context, &done, what)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context<'_>, state: &str) -> Result<(), Failure> {
    let found = all(&mut context.client().await?, state).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    if found.is_empty() {
        let none = format!("No template is {state}. `skep template draft FILE` drafts one.");
        out.line(&none)?;
    }
    let row = |one: &Version| {
        let form = match one.text.program {
            Some(_) => "program",
            None => "requests",
        };
        let version = format!("version {}", one.version);
        let purpose = one_line(&one.text.purpose);
        vec![one_line(&one.name), form.into(), version, purpose]
    };
    for line in columns(&found.iter().map(row).collect::<Vec<_>>()) {
        out.line(&line)?;
    }
    Ok(())
}

async fn show(context: &Context<'_>, template: &str) -> Result<(), Failure> {
    let mut client = context.client().await?;
    let id = find(&mut client, template, &["approved", "waiting"]).await?;
    let found = client.template(&id).await?;
    if context.output.is_json() {
        return Ok(context.output.json(&found)?);
    }
    tell_whole(context, &found)?;
    let one = &found.template;
    // Who only uses templates is told of no draft.
    let waiting = all(&mut client, "waiting").await.unwrap_or_default();
    let newer = |other: &&Version| {
        other.version > one.version && other.name.eq_ignore_ascii_case(&one.name)
    };
    if let Some(newer) = waiting.iter().find(newer) {
        let (version, id) = (newer.version, one_line(&newer.id));
        context.output.line(&format!(
            "  version {version} of it waits for approval: skep template show {id}"
        ))?;
    }
    Ok(())
}

/// Shows all of it, asks, and approves what was shown and nothing else.
async fn approve(
    context: &Context<'_>,
    template: &str,
    mut request: ApproveTemplateRequest,
) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let id = find(&mut client, template, &["waiting"]).await?;
    if request.digest.is_empty() {
        if context.output.is_json() || !io::stdin().is_terminal() {
            return Err(Failure::usage(
                "nobody can be asked here: name what you read with --digest",
            )
            .hint("`skep template show` shows a template with its digest"));
        }
        let found = client.template(&id).await?;
        tell_whole(context, &found)?;
        let whom = if request.every_agent {
            ", for every agent of the workspace"
        } else {
            ""
        };
        context
            .output
            .complain(&format!("Approve just this{whom}? [y/N]"));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            context.output.note("nothing was approved");
            return Ok(ExitCode::FAILURE);
        }
        request.digest = found.template.digest;
    }
    let done = client.approve_template(&id, &request).await?;
    let what = if done.alone {
        "is approved, by who drafted it: nobody else could, and the record says so"
    } else {
        "is approved"
    };
    tell(context, &done, what)?;
    Ok(ExitCode::SUCCESS)
}

/// The version of an id, or the newest under a name in one of these states.
async fn find(client: &mut Client, wanted: &str, states: &[&str]) -> Result<String, Failure> {
    if wanted.starts_with("tpl_") {
        return Ok(wanted.to_owned());
    }
    let mut refused = None;
    for state in states {
        match all(client, state).await {
            Ok(found) => {
                let same = |one: &&Version| one.name.eq_ignore_ascii_case(wanted);
                if let Some(one) = found.iter().find(same) {
                    return Ok(one.id.clone());
                }
            }
            Err(failure) if states.len() == 1 => return Err(failure),
            // Who only uses templates is told of no draft.
            Err(failure) => refused = Some(failure),
        }
    }
    match refused {
        Some(failure) if failure.code() != "PERMISSION_DENIED" => Err(failure),
        _ => {
            let none = format!(
                "no template {} is {}",
                one_line(wanted),
                states.join(" or ")
            );
            Err(Failure::new("NOT_FOUND", none)
                .hint("`skep template list` shows those that may be used"))
        }
    }
}

/// Newest first.
async fn all(client: &mut Client, state: &str) -> Result<Vec<Version>, Failure> {
    let mut all = Vec::new();
    let mut query = TemplateQuery {
        limit: Some(200),
        cursor: None,
        state: Some(state.to_owned()),
    };
    loop {
        let found = client.templates(&query).await?;
        all.extend(found.items);
        match found.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(all),
        }
    }
}

fn tell(context: &Context<'_>, one: &Version, what: &str) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(one)?);
    }
    let (name, version) = (one_line(&one.name), one.version);
    out.line(&format!("{name} version {version} {what}"))?;
    Ok(out.line(&out.style().dim(&format!("    {} {}", one.id, one.digest)))?)
}

/// Everything that is approved, and what it would change.
fn tell_whole(context: &Context<'_>, found: &TemplateShown) -> Result<(), Failure> {
    let (out, one) = (context.output, &found.template);
    let style = out.style();
    let (name, version) = (one_line(&one.name), one.version);
    let head = format!("{} version {version} · {}", style.bold(&name), one.state);
    out.line(&format!("{head} {}", style.dim(&format!("· {}", one.id))))?;
    let lines = text::lines(&one.text);
    for line in &lines {
        out.line(&format!("  {line}"))?;
    }
    let drafted = format!("  drafted by {}", one.drafter);
    out.line(&style.dim(&drafted))?;
    if let Some(before) = &found.in_force {
        out.line("")?;
        let than = format!("against version {}, which is in force:", before.version);
        out.line(&than)?;
        let (old, new) = (text::lines(&before.text), lines);
        let (old, new) = (old.join("\n") + "\n", new.join("\n") + "\n");
        let diff = TextDiff::from_lines(&old, &new).unified_diff().to_string();
        out.line(visible(&diff).trim_end())?;
    }
    out.line("")?;
    if one.state == "waiting" || one.state == "superseded" {
        let (id, digest) = (&one.id, &one.digest);
        return Ok(out.line(&format!("skep template approve {id} --digest {digest}"))?);
    }
    Ok(out.line(&style.dim(&one.digest))?)
}
