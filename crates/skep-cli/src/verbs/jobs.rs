//! `skep job`, and what `skep workspace` does by jobs: deleting, and counting what there is.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use skep_api::job::Job;
use skep_api::page::PageQuery;
use skep_client::Client;

use crate::args::job::Job as Verb;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, counted, one_line};

/// How often a job that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(500);

pub(super) async fn run(context: &Context<'_>, verb: Verb) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    match verb {
        Verb::List { limit, cursor } => list(context, &mut client, limit, cursor).await,
        Verb::Show { id, wait } => show(context, &mut client, &id, wait).await,
    }
}

async fn list(
    context: &Context<'_>,
    client: &mut Client,
    limit: u32,
    cursor: Option<String>,
) -> Result<ExitCode, Failure> {
    let page = PageQuery::new(limit, cursor);
    let found = client.jobs(&page).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        out.line("There are no jobs.")?;
    }
    let rows: Vec<Vec<String>> = found.items.iter().map(row).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if let Some(next) = &found.next {
        out.note(&format!("older jobs: skep job list --cursor {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(job: &Job) -> Vec<String> {
    let at: String = job.accepted_at.to_string().chars().take(19).collect();
    vec![
        job.id.clone(),
        at,
        one_line(&job.kind),
        one_line(&job.state),
        job.workspace.clone().unwrap_or_default(),
        job.reason.as_deref().map(one_line).unwrap_or_default(),
    ]
}

/// Shows a job, or waits for its end first.
pub(super) async fn show(
    context: &Context<'_>,
    client: &mut Client,
    id: &str,
    wait: bool,
) -> Result<ExitCode, Failure> {
    let mut job = client.job(id).await?;
    let mut said = u64::MAX;
    while wait && matches!(job.state.as_str(), "queued" | "running") {
        if job.rows_total != said {
            said = job.rows_total;
            context.output.note(&format!(
                "{}: {}",
                one_line(&job.state),
                counted(said, "row", "rows")
            ));
        }
        tokio::time::sleep(LOOK).await;
        job = client.job(id).await?;
    }
    let out = context.output;
    if out.is_json() {
        out.json(&job)?;
    } else {
        for line in lines(&job) {
            out.line(&line)?;
        }
    }
    let bad = matches!(job.state.as_str(), "failed" | "refused");
    Ok(if bad {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn lines(job: &Job) -> Vec<String> {
    let mut rows = vec![
        ("job", job.id.clone()),
        ("kind", one_line(&job.kind)),
        ("state", one_line(&job.state)),
        ("workspace", job.workspace.clone().unwrap_or_default()),
        ("asked by", job.principal.clone().unwrap_or_default()),
        ("with", job.credential.clone()),
        ("accepted", job.accepted_at.to_string()),
    ];
    let at = job.finished_at.map(|at| at.to_string());
    rows.push(("finished", at.unwrap_or_default()));
    if job.failures > 0 {
        let times = counted(job.failures.into(), "time", "times");
        rows.push(("failed", format!("{times} in a row")));
    }
    if let Some(reason) = &job.reason {
        rows.push(("reason", one_line(reason)));
    }
    rows.push(("rows", job.rows_total.to_string()));
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let mut rows: Vec<Vec<String>> = rows.map(|(name, value)| vec![name.into(), value]).collect();
    for (table, count) in &job.rows {
        rows.push(vec![format!("  {}", one_line(table)), count.to_string()]);
    }
    columns(&rows)
}

/// Deletes a workspace by its name, once its name was typed.
pub(super) async fn delete_workspace(
    context: &Context<'_>,
    client: &mut Client,
    name: &str,
    (yes, wait): (bool, bool),
) -> Result<ExitCode, Failure> {
    let found = client.workspaces().await?;
    let found = found.items.into_iter();
    let Some(workspace) = found
        .into_iter()
        .find(|one| one.name == name || one.id == name)
    else {
        let said = format!("there is no workspace {}", one_line(name));
        return Err(Failure::new("NOT_FOUND", said).hint("skep workspace list"));
    };
    if !yes && !confirmed(context, &workspace.name)? {
        let hint = format!("skep workspace delete {} --yes", one_line(name));
        return Err(
            Failure::usage("deleting a workspace cannot be undone, so nothing was done").hint(hint),
        );
    }
    let accepted = client.delete_workspace(&workspace.id).await?;
    let out = context.output;
    if wait && !workspace.current {
        return show(context, client, &accepted.job, true).await;
    }
    if out.is_json() {
        out.json(&accepted)?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line(&format!(
        "deleted: {}; what is left of it is being erased: {}",
        one_line(&workspace.name),
        accepted.job
    ))?;
    out.note(&receipt_hint(&accepted.job, workspace.current));
    Ok(ExitCode::SUCCESS)
}

/// Whole commands, to be said again as they are.
fn receipt_hint(job: &str, was_ours: bool) -> String {
    if was_ours {
        format!(
            "this login was of that workspace and is none any more; the receipt is shown to whoever may read \
             the record, from another workspace: skep job show {job}"
        )
    } else {
        format!("the receipt, when it is done: skep job show {job} --wait")
    }
}

fn confirmed(context: &Context<'_>, name: &str) -> Result<bool, Failure> {
    if context.output.is_json() || !io::stdin().is_terminal() {
        return Ok(false);
    }
    context.output.complain(&format!(
        "Everything in {} is deleted for good, for everybody. Type its name to go on:",
        one_line(name)
    ));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == name)
}

/// Counts what the workspace holds.
pub(super) async fn inventory(
    context: &Context<'_>,
    client: &mut Client,
) -> Result<ExitCode, Failure> {
    let accepted = client.take_inventory().await?;
    show(context, client, &accepted.job, true).await
}

#[cfg(test)]
mod tests {
    use super::receipt_hint;

    #[test]
    fn what_is_said_after_a_deletion_is_a_whole_command() {
        for (was_ours, command) in [
            (false, "skep job show job_0e --wait"),
            (true, "skep job show job_0e"),
        ] {
            let hint = receipt_hint("job_0e", was_ours);
            assert!(hint.ends_with(command), "{hint}");
        }
    }
}
