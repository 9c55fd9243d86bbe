//! `skep start`, `stop`, `restart`, `logs`.

use std::io;
use std::process::ExitCode;

use serde_json::json;
use skep_client::daemon;

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::visible;

pub(super) async fn start(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let was_up = daemon::is_ready(&context.home).await;
    if !was_up {
        context.start().await?;
    }
    let socket = context.home.socket();
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "started": !was_up, "socket": socket }))?;
    } else {
        let what = if was_up { "runs already" } else { "is ready" };
        context
            .output
            .line(&format!("skepd {what} at {}", socket.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn stop(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let stopped = daemon::stop(&context.home).await?;
    if context.output.is_json() {
        context.output.json(&json!({ "stopped": stopped }))?;
    } else {
        let what = if stopped {
            "skepd has stopped"
        } else {
            "skepd was not running"
        };
        context.output.line(what)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restart(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let stopped = daemon::stop(&context.home).await?;
    context.start().await?;
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "stopped": stopped, "started": true }))?;
    } else {
        let socket = context.home.socket();
        context
            .output
            .line(&format!("skepd is ready at {}", socket.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn logs(context: &Context<'_>, lines: usize) -> Result<ExitCode, Failure> {
    let path = context.home.log();
    let tail = match daemon::log_tail(&context.home, lines) {
        Ok(tail) => tail,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(
                Failure::new("NO_LOG", format!("there is no log at {}", path.display())).hint(
                    "a daemon that runs in a terminal or a service writes its log there instead",
                ),
            );
        }
        Err(error) => return Err(error.into()),
    };
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "path": path, "lines": tail }))?;
    } else {
        for line in tail {
            context.output.line(&visible(&line))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
