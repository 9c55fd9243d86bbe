//! `skep login` and `skep logout`.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use skep_client::{Credentials, LoginFlow, Polled};

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::one_line;

pub(super) async fn login(context: &Context<'_>, yes: bool) -> Result<ExitCode, Failure> {
    let address = context.login_address();
    let out = context.output;
    out.complain(&format!(
        "After this, skep sends what you remember, and the sessions it is set up to capture, to http://{address}, into the workspace that you choose there; other members of it may read what is shared."
    ));
    if !yes && !agreed(context)? {
        return Err(Failure::new("NOT_AGREED", "nothing was opened or sent")
            .hint("answer yes, or pass --yes"));
    }
    context.home.create()?;
    let mut flow = LoginFlow::new(address)?;
    let started = flow.start(&device()).await?;
    out.complain(&format!("Open   {}", one_line(&started.verification_uri)));
    out.complain(&format!("Type   {}", one_line(&started.user_code)));
    let mut wait = started.interval.clamp(1, 60);
    loop {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        match flow.poll(&context.home, &started).await? {
            Polled::LoggedIn => break,
            Polled::Waiting(more) => wait += more,
        }
    }
    if out.is_json() {
        out.json(&json!({ "logged_in": true, "issuer": format!("http://{address}") }))?;
    } else {
        out.line(&format!("logged in at http://{address}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn logout(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let out = context.output;
    let address = context.login_address();
    let kept = context.login_at(address)?;
    // The file goes even when the server cannot be told: it ends the login by itself in 30 days.
    let told = match kept {
        None => None,
        Some(kept) => Some(LoginFlow::end(address, kept).await),
    };
    let was = Credentials::delete(&context.home)?;
    if let Some(Err(error)) = told {
        return Err(error.into());
    }
    if out.is_json() {
        out.json(&json!({ "logged_out": was }))?;
    } else if was {
        out.line("logged out")?;
    } else {
        out.line("nobody was logged in")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn agreed(context: &Context<'_>) -> Result<bool, Failure> {
    if context.output.is_json() || !io::stdin().is_terminal() {
        return Ok(false);
    }
    context.output.complain("Go on? Type yes:");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// What the page calls this machine.
fn device() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}
