//! `skep pause`, `skep resume`, `skep project`, `skep capture rules`: what people decide about capture.

use std::path::Path;
use std::process::ExitCode;

use skep_api::capture::{
    Binding, NamedSession, PauseRequest, PausesResponse, ResumeRequest, SessionCaptureRequest,
    UnbindRequest,
};

use crate::args::{Pause, Project, Resume};
use crate::context::Context;
use crate::failure::Failure;
use crate::import::project_name;
use crate::layout::{columns, one_line};

pub(super) async fn pause(context: &Context<'_>, arguments: Pause) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    if let Some(id) = known_session(arguments.session.as_deref()) {
        let off = SessionCaptureRequest { off: true };
        return session_switched(context, &client.switch_session(id, &off).await?);
    }
    let request = PauseRequest {
        for_seconds: arguments.span,
        everyone: arguments.everyone,
        session: named(arguments.session, arguments.harness),
    };
    show(context, &client.pause(&request).await?)
}

pub(super) async fn resume(context: &Context<'_>, arguments: Resume) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    if let Some(id) = known_session(arguments.session.as_deref()) {
        let on = SessionCaptureRequest { off: false };
        return session_switched(context, &client.switch_session(id, &on).await?);
    }
    let request = ResumeRequest {
        everyone: arguments.everyone,
        session: named(arguments.session, arguments.harness),
    };
    show(context, &client.resume(&request).await?)
}

pub(super) async fn project(
    context: &Context<'_>,
    arguments: Project,
) -> Result<ExitCode, Failure> {
    let out = context.output;
    match arguments {
        Project::Bind { path, project } => {
            let directory = absolute(&path)?;
            let project = project
                .or_else(|| project_name(&directory))
                .ok_or_else(|| Failure::usage("name the project with --project"))?;
            let request = Binding { directory, project };
            let bound = context.client().await?.bind(&request).await?;
            if out.is_json() {
                out.json(&bound)?;
            } else {
                let (directory, project) = (one_line(&bound.directory), one_line(&bound.project));
                out.line(&format!(
                    "{directory} belongs to {project}: what is done there is captured"
                ))?;
            }
        }
        Project::Unbind { path } => {
            let directory = absolute(&path)?;
            let request = UnbindRequest { directory };
            let unbound = context.client().await?.unbind(&request).await?;
            if out.is_json() {
                out.json(&unbound)?;
            } else {
                let was = if unbound.was_bound { "is" } else { "was" };
                out.line(&format!("{} {was} not bound", one_line(&request.directory)))?;
            }
        }
        Project::List => {
            let answer = context.client().await?.bindings().await?;
            if out.is_json() {
                out.json(&answer)?;
            } else if answer.bindings.is_empty() {
                out.line("no directory is bound: skep project bind, in one, lets it be captured")?;
            } else {
                let rows = answer.bindings.iter();
                let rows: Vec<_> = rows
                    .map(|bound| vec![one_line(&bound.directory), one_line(&bound.project)])
                    .collect();
                for line in columns(&rows) {
                    out.line(&line)?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn rules(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let out = context.output;
    let rules = context.client().await?.capture_rules().await?;
    if out.is_json() {
        out.json(&rules)?;
        return Ok(ExitCode::SUCCESS);
    }
    out.line(if rules.enabled {
        "capture is on"
    } else {
        "capture is off (capture.enabled, SKEP_CAPTURE)"
    })?;
    out.line(if rules.unbound {
        "directories bound to no project are captured (capture.unbound)"
    } else {
        "directories bound to no project are not captured (capture.unbound)"
    })?;
    out.line("paths whose content is withheld (capture.deny_paths):")?;
    for path in &rules.paths {
        out.line(&format!("  {}", one_line(path)))?;
    }
    out.line("tools, and what is dropped of them (capture.deny_tools):")?;
    for rule in &rules.tools {
        out.line(&format!(
            "  {}  {}",
            one_line(&rule.tool),
            one_line(&rule.drop)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn known_session(session: Option<&str>) -> Option<&str> {
    session.filter(|name| name.starts_with("ses_"))
}

fn named(session: Option<String>, harness: String) -> Option<NamedSession> {
    session.map(|external_id| NamedSession {
        harness,
        external_id,
    })
}

fn absolute(path: &Path) -> Result<String, Failure> {
    Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
}

fn session_switched(
    context: &Context<'_>,
    answer: &SessionCaptureRequest,
) -> Result<ExitCode, Failure> {
    if context.output.is_json() {
        context.output.json(answer)?;
    } else {
        context.output.line(if answer.off {
            "nothing more of this session is captured"
        } else {
            "this session is captured again"
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context<'_>, answer: &PausesResponse) -> Result<ExitCode, Failure> {
    let out = context.output;
    if out.is_json() {
        out.json(answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    if answer.pauses.is_empty() {
        out.line("capture goes on")?;
    }
    for pause in &answer.pauses {
        let who = match (pause.everyone, pause.session) {
            (true, false) => "everybody's capture is paused",
            (false, false) => "your capture is paused",
            (_, true) => "this session is not captured",
        };
        let until = pause.until.as_ref();
        let until = until.map_or_else(
            || "until skep resume".to_owned(),
            |until| format!("until {until}"),
        );
        out.line(&format!("{who} {until}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
