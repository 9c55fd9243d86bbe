//! `skep skill`: proposing, reading, deciding, and what comes onto this machine.

mod pull;
mod review;

use std::path::Path;
use std::process::ExitCode;

use skep_api::page::PageQuery;
use skep_api::skill::{ApprovalRequest, Skill as Version, SkillFolder, SkillRequest};
use skep_client::Client;

use crate::args::Skill;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{counted, one_line, visible};
use crate::skills;

pub(super) async fn run(context: &Context<'_>, verb: Skill) -> Result<ExitCode, Failure> {
    match verb {
        Skill::List => list(context).await?,
        Skill::Show { skill, file } => show(context, &skill, file.as_deref()).await?,
        Skill::Propose { folder, note } => propose(context, &folder, note).await?,
        Skill::Review { id: None, state } => review::list(context, state).await?,
        Skill::Review { id: Some(id), .. } => review::read(context, &id).await?,
        Skill::Approve {
            id,
            digest,
            accept_findings,
        } => {
            let request = ApprovalRequest {
                digest,
                accept_findings,
            };
            let done = context.client().await?.approve_skill(&id, &request).await?;
            tell(
                context,
                &done,
                "approved: `skep skill pull` brings it to a machine",
            )?;
        }
        Skill::Reject { id, reason } => {
            let done = context.client().await?.reject_skill(&id, reason).await?;
            tell(context, &done, "rejected")?;
        }
        Skill::Withdraw { id, reason } => {
            let done = context.client().await?.withdraw_skill(&id, reason).await?;
            let what = "withdrawn: it goes from each machine with its next `skep skill pull`";
            tell(context, &done, what)?;
        }
        Skill::Pull(wanted) => return pull::run(context, &wanted).await,
        Skill::Installed(places) => return pull::installed(context, &places),
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context<'_>) -> Result<(), Failure> {
    let found = approved(&mut context.client().await?).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    if found.is_empty() {
        out.line("No skill has been approved. `skep skill propose FOLDER` proposes one.")?;
    }
    for one in &found {
        out.line(&headline(context, one))?;
        out.line(&format!("    {}", one_line(&one.description)))?;
    }
    Ok(())
}

async fn show(context: &Context<'_>, skill: &str, file: Option<&str>) -> Result<(), Failure> {
    let mut client = context.client().await?;
    let id = if skill.starts_with("skl_") {
        skill.to_owned()
    } else {
        let found = approved(&mut client).await?;
        let named = found.into_iter().find(|one| one.name == skill);
        named.ok_or_else(|| no_skill(skill))?.id
    };
    let found = client.skill(&id).await?;
    let out = context.output;
    if let Some(path) = file {
        let file = found.files.iter().find(|one| one.path == path);
        let file =
            file.ok_or_else(|| Failure::new("NOT_FOUND", format!("{skill} has no file {path}")))?;
        if out.is_json() {
            return Ok(out.json(file)?);
        }
        // To the byte for a file or a program; a terminal is given nothing that it obeys.
        if out.is_terminal() {
            return Ok(out.bytes(visible(&file.text).as_bytes())?);
        }
        return Ok(out.bytes(file.text.as_bytes())?);
    }
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    out.line(&headline(context, &found.skill))?;
    tell_files(context, &found)
}

async fn propose(
    context: &Context<'_>,
    folder: &Path,
    note: Option<String>,
) -> Result<(), Failure> {
    let (files, hidden) = skills::read_folder(folder)?;
    if !hidden.is_empty() {
        let names = one_line(&hidden.join(", "));
        context
            .output
            .note(&format!("left out, for their dots: {names}"));
    }
    let count = files.len() as u64;
    let request = SkillRequest { files, note };
    let made = context.client().await?.propose_skill(&request).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&made)?);
    }
    let files = counted(count, "file", "files");
    out.line(&format!(
        "proposed {} version {} with {files}: it waits for somebody to approve it",
        made.name, made.version
    ))?;
    tell_findings(context, &made)?;
    Ok(out.line(
        &out.style()
            .dim(&format!("    skep skill review {}", made.id)),
    )?)
}

/// All that was approved.
async fn approved(client: &mut Client) -> Result<Vec<Version>, Failure> {
    let mut all = Vec::new();
    let mut page = PageQuery {
        limit: Some(200),
        cursor: None,
    };
    loop {
        let found = client.skills(&page).await?;
        all.extend(found.items);
        match found.next {
            Some(next) => page.cursor = Some(next),
            None => return Ok(all),
        }
    }
}

fn no_skill(name: &str) -> Failure {
    Failure::new("NOT_FOUND", format!("no approved skill is called {name}"))
        .hint("`skep skill list` shows those that are")
}

fn headline(context: &Context<'_>, one: &Version) -> String {
    let style = context.output.style();
    let name = style.bold(&one_line(&one.name));
    let state = if one.state == "approved" {
        String::new()
    } else {
        format!(" · {}", one.state)
    };
    let rest = style.dim(&format!(" · {}", one.id));
    format!("{name} version {}{state}{rest}", one.version)
}

fn tell(context: &Context<'_>, one: &Version, what: &str) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(one)?);
    }
    let (name, version) = (&one.name, one.version);
    Ok(out.line(&format!("{name} version {version} {what}"))?)
}

fn tell_findings(context: &Context<'_>, one: &Version) -> Result<(), Failure> {
    for finding in &one.findings {
        context
            .output
            .line(&format!("    found: {}", one_line(finding)))?;
    }
    Ok(())
}

fn tell_files(context: &Context<'_>, found: &SkillFolder) -> Result<(), Failure> {
    let out = context.output;
    for file in &found.files {
        out.line("")?;
        out.line(&out.style().dim(&format!("── {} ", one_line(&file.path))))?;
        // No text of a file looks like what we say ourselves: the next file, a finding, the line to approve.
        for line in visible(&file.text).lines() {
            let line = format!("│ {line}");
            out.line(line.trim_end())?;
        }
    }
    Ok(())
}
