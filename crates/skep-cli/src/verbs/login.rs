//! `skep login`, `skep logout` and `skep org switch`.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use skep_client::{Active, Client, Login, LoginFlow, Logins, Origin, Polled};

use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

pub(super) async fn login(
    context: &Context<'_>,
    url: Option<&str>,
    yes: bool,
) -> Result<ExitCode, Failure> {
    let origin = where_to(context, url)?;
    let out = context.output;
    out.complain(&format!(
        "After this, skep sends what you remember, and the sessions it is set up to capture, to {origin}, into the workspace that you choose there; other members of it may read what is shared. Back to this machine's own daemon: skep logout, or --local with a single command."
    ));
    if !yes && !agreed(context)? {
        return Err(Failure::new("NOT_AGREED", "nothing was opened or sent")
            .hint("answer yes, or pass --yes"));
    }
    context.home.create()?;
    let mut flow = LoginFlow::new(origin)?;
    let started = flow.start(&device()).await?;
    out.complain(&format!("Open   {}", one_line(&started.verification_uri)));
    out.complain(&format!("Type   {}", one_line(&started.user_code)));
    let mut wait = started.interval.clamp(1, 60);
    let login = loop {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        match flow.poll(&context.home, &started).await? {
            Polled::LoggedIn(login) => break login,
            Polled::Waiting(more) => wait += more,
        }
    };
    say(context, "logged in", &login)
}

/// The server that was named, or the one of the active login, or this machine's.
fn where_to(context: &Context<'_>, url: Option<&str>) -> Result<Origin, Failure> {
    if let Some(url) = url {
        return Ok(Origin::parse(url)?);
    }
    if let Some(named) = context.named()? {
        return Ok(named);
    }
    match Active::read(&context.home)? {
        Some(active) => Ok(Origin::parse(&active.issuer)?),
        None => Ok(Origin::usual()),
    }
}

pub(super) async fn logout(context: &Context<'_>, all: bool) -> Result<ExitCode, Failure> {
    let out = context.output;
    let mut ended = Vec::new();
    let mut untold = None;
    for active in to_end(context, all)? {
        // It is out of the file even when the server cannot be told: that ends it in 30 days.
        match LoginFlow::end(&context.home, &active).await {
            Ok(Some(())) => ended.push(active),
            Ok(None) => {}
            Err(error) => untold = Some(error),
        }
    }
    if let Some(error) = untold {
        let failure = Failure::from(error);
        return Err(failure.hint("the login is deleted here, and ends there within 30 days"));
    }
    if out.is_json() {
        out.json(&json!({ "logged_out": !ended.is_empty(), "ended": ended }))?;
    } else if ended.is_empty() {
        out.line("nobody was logged in")?;
    } else {
        for active in &ended {
            out.line(&format!("logged out at {}", one_line(&active.issuer)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn to_end(context: &Context<'_>, all: bool) -> Result<Vec<Active>, Failure> {
    let logins = Logins::read(&context.home)?;
    if all {
        return Ok(logins.at(None).map(Login::active).collect());
    }
    let active = Active::read(&context.home)?;
    let named = context.named()?.map(|origin| origin.to_string());
    Ok(match (named, active) {
        (Some(issuer), Some(active)) if active.issuer == issuer => vec![active],
        (Some(issuer), _) => logins.at(Some(&issuer)).map(Login::active).collect(),
        (None, Some(active)) => vec![active],
        (None, None) => Vec::new(),
    })
}

/// Makes another login the active one, after its server said that it is still good and for whom.
pub(super) async fn switch(
    context: &Context<'_>,
    wanted: Option<&str>,
) -> Result<ExitCode, Failure> {
    if wanted.is_none() && context.is_local() {
        Active::delete(&context.home)?;
        if context.output.is_json() {
            context.output.json(&json!({ "active": null }))?;
        } else {
            context.output.line("this machine's own daemon")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(wanted) = wanted else {
        return list(context);
    };
    let logins = Logins::read(&context.home)?;
    let fits =
        |login: &&Login| login.organization == wanted || login.name.as_deref() == Some(wanted);
    let issuer = context.named()?.map(|origin| origin.to_string());
    let found: Vec<&Login> = logins.at(issuer.as_deref()).filter(fits).collect();
    let login = match found[..] {
        [login] => login,
        [] => {
            return Err(Failure::new(
                "NOT_LOGGED_IN",
                format!("there is no login for {wanted:?} here"),
            )
            .hint("skep login, and choose that organization on the page"));
        }
        _ => {
            return Err(Failure::usage(format!(
                "{wanted:?} is an organization on several servers: name one with --url"
            )));
        }
    };
    let active = login.active();
    let endpoint = LoginFlow::renew(&context.home, &active).await?;
    Client::connect(&endpoint).await?.whoami().await?;
    active.write(&context.home)?;
    say(context, "switched", login)
}

fn list(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let logins = Logins::read(&context.home)?;
    let active = Active::read(&context.home)?;
    let is_active = |login: &Login| active.as_ref() == Some(&login.active());
    let out = context.output;
    if out.is_json() {
        let items = logins.at(None).map(|login| {
            json!({ "issuer": login.issuer, "organization": login.organization,
                    "organization_name": login.name, "active": is_active(login) })
        });
        out.json(&json!({ "items": items.collect::<Vec<_>>() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mark = |on: bool| if on { "*" } else { " " }.to_owned();
    let here = vec![
        mark(active.is_none()),
        "--local".to_owned(),
        "this machine's own daemon".to_owned(),
    ];
    let rows: Vec<Vec<String>> = std::iter::once(here)
        .chain(logins.at(None).map(|login| {
            let name = login.name.as_deref().unwrap_or(&login.organization);
            vec![mark(is_active(login)), one_line(name), login.issuer.clone()]
        }))
        .collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn say(context: &Context<'_>, what: &str, login: &Login) -> Result<ExitCode, Failure> {
    let out = context.output;
    if out.is_json() {
        out.json(&json!({
            "active": login.active(), "organization_name": login.name,
        }))?;
    } else {
        let name = login.name.as_deref().unwrap_or(&login.organization);
        out.line(&format!(
            "{what}: {} at {}",
            one_line(name),
            one_line(&login.issuer)
        ))?;
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
