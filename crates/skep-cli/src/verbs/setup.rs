//! `skep setup`: from nothing to a daemon that answers.

use std::process::ExitCode;

use serde_json::json;
use skep_client::daemon;

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::columns;

pub(super) async fn run(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let home = &context.home;
    let created = home.create()?;
    home.check().map_err(|problem| {
        let path = home.path().display();
        Failure::new("HOME", format!("cannot keep data in {path}: {problem}"))
            .hint(format!("chmod 700 {path}, or name another with --home"))
    })?;
    let was_up = daemon::is_ready(home).await;
    if !was_up {
        context.start().await?;
    }
    if context.output.is_json() {
        context.output.json(&json!({
            "home": home.path(), "created": created, "started": !was_up,
            "socket": home.socket(), "log": home.log(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let out = context.output;
    let style = out.style();
    out.line(&style.bold("Skep is ready. Nothing leaves this machine; no account, no model key."))?;
    let made = if created { " (new)" } else { "" };
    let rows = [
        vec!["  data".into(), format!("{}{made}", home.path().display())],
        vec!["  socket".into(), home.socket().display().to_string()],
        vec!["  log".into(), home.log().display().to_string()],
    ];
    for line in columns(&rows) {
        out.line(&line)?;
    }
    out.line("\nNow read what is already there, and ask:")?;
    out.line("  skep import git .")?;
    out.line("  skep recall \"why did we …\"")?;
    Ok(ExitCode::SUCCESS)
}
