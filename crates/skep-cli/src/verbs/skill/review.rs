//! `skep skill review`: what waits, and what one version would change.

use std::time::Duration;

use similar::TextDiff;
use skep_api::skill::{SkillFolder, SkillQuery};

use super::{approved, headline, tell_files, tell_findings};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{one_line, visible};

/// How long the least difference of a file is looked for.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn list(context: &Context<'_>, state: String) -> Result<(), Failure> {
    let query = SkillQuery {
        limit: Some(200),
        state: Some(state.clone()),
        cursor: None,
    };
    let found = context.client().await?.skills_to_review(&query).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    if found.items.is_empty() {
        out.line(&format!("No version is {state}."))?;
    }
    for one in &found.items {
        out.line(&headline(context, one))?;
        out.line(&format!("    {}", one_line(&one.description)))?;
        if let Some(note) = one.note.as_ref().or(one.reason.as_ref()) {
            out.line(&format!("    “{}”", one_line(note)))?;
        }
        tell_findings(context, one)?;
    }
    if found.next.is_some() {
        out.note("there are more than 200: decide on some first");
    }
    Ok(())
}

pub(super) async fn read(context: &Context<'_>, id: &str) -> Result<(), Failure> {
    let mut client = context.client().await?;
    let found = client.skill_to_review(id).await?;
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    let name = &found.skill.name;
    let current = approved(&mut client).await?;
    let current = current.into_iter().find(|one| &one.name == name);
    out.line(&headline(context, &found.skill))?;
    out.line(&format!("proposed by {}", found.skill.proposer))?;
    if let Some(note) = &found.skill.note {
        out.line(&format!("“{}”", one_line(note)))?;
    }
    match current.filter(|one| one.id != found.skill.id) {
        Some(one) => {
            let current = client.skill(&one.id).await?;
            let than = format!("against version {}, which is approved:", one.version);
            out.line(&than)?;
            differences(context, &current, &found)?;
        }
        None => tell_files(context, &found)?,
    }
    out.line("")?;
    tell_findings(context, &found.skill)?;
    if found.skill.state == "waiting" || found.skill.state == "superseded" {
        let accept = if found.skill.findings.is_empty() {
            ""
        } else {
            " --accept-findings"
        };
        let (id, digest) = (&found.skill.id, &found.skill.digest);
        out.line(&format!(
            "skep skill approve {id} --digest {digest}{accept}"
        ))?;
    }
    Ok(())
}

fn differences(
    context: &Context<'_>,
    before: &SkillFolder,
    after: &SkillFolder,
) -> Result<(), Failure> {
    let out = context.output;
    let text = |folder: &SkillFolder, path: &str| {
        let file = folder.files.iter().find(|file| file.path == path);
        file.map(|file| file.text.clone())
    };
    let mut paths: Vec<&str> = before
        .files
        .iter()
        .chain(&after.files)
        .map(|file| file.path.as_str())
        .collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let (old, new) = (text(before, path), text(after, path));
        if old == new {
            continue;
        }
        match (&old, &new) {
            (None, _) => out.line(&format!("added: {}", one_line(path)))?,
            (_, None) => out.line(&format!("taken out: {}", one_line(path)))?,
            _ => {}
        }
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        // Whoever proposes chooses both texts: beyond this, the difference is longer than it need be.
        let diff = TextDiff::configure()
            .timeout(PATIENCE)
            .diff_lines(&old, &new)
            .unified_diff()
            .header(&format!("a/{path}"), &format!("b/{path}"))
            .to_string();
        out.line(visible(&diff).trim_end())?;
    }
    Ok(())
}
