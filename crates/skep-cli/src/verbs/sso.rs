//! `skep org sso`: the issuer that the organization trusts.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use skep_api::sso::{SetSsoRequest, Sso as Chosen};
use skep_client::Client;

use crate::args::access::{Sso, SsoSet};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

/// Bytes of a secret, and a line end.
const SECRET: u64 = 514;

pub(super) async fn run(
    context: &Context<'_>,
    client: &mut Client,
    verb: Sso,
) -> Result<ExitCode, Failure> {
    let out = context.output;
    match verb {
        Sso::Show => show(context, &client.sso().await?)?,
        Sso::Set(arguments) => {
            let chosen = client.set_sso(&request(arguments)?).await?;
            show(context, &chosen)?;
            if !out.is_json() {
                out.note("See that it answers: skep org sso test.");
            }
        }
        Sso::Test => {
            let found = client.test_sso().await?;
            if out.is_json() {
                out.json(&found)?;
            } else {
                let endpoint = one_line(&found.authorization_endpoint);
                out.line(&format!(
                    "The issuer answers: people are sent to {endpoint}."
                ))?;
                let auth = one_line(&found.client_auth);
                out.line(&format!(
                    "Keys: {}. Client authentication: {auth}.",
                    found.keys
                ))?;
            }
        }
        Sso::Remove => {
            let done = client.remove_sso().await?;
            if out.is_json() {
                out.json(&done)?;
            } else {
                out.line("Removed; whoever it let in is out.")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn request(arguments: SsoSet) -> Result<SetSsoRequest, Failure> {
    let claim = arguments.claim.as_deref().map(|text| {
        let pair = text.split_once('=');
        pair.ok_or_else(|| Failure::usage("--claim is NAME=VALUE, such as groups=skep"))
    });
    let (claim, value) = claim
        .transpose()?
        .map(|(claim, value)| (claim.to_owned(), value.to_owned()))
        .unzip();
    let secret = arguments.secret_file.as_deref().map(secret);
    Ok(SetSsoRequest {
        issuer: arguments.issuer,
        client_id: arguments.client_id,
        client_secret: secret.transpose()?,
        domains: arguments.domains,
        claim,
        value,
        role: Some(arguments.role),
        workspace_role: Some(arguments.workspace_role),
        enabled: Some(!arguments.off),
    })
}

/// A secret is no argument: arguments are seen by everybody on the machine.
fn secret(file: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(SECRET).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(SECRET).read_to_end(&mut bytes)?;
    }
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("the secret is not text"))?;
    match text.trim() {
        "" => Err(Failure::usage("the secret is empty")),
        text => Ok(text.to_owned()),
    }
}

fn show(context: &Context<'_>, chosen: &Chosen) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(chosen)?);
    }
    let mut lets_in = Vec::new();
    if !chosen.domains.is_empty() {
        lets_in.push(format!(
            "verified addresses of {}",
            chosen.domains.join(", ")
        ));
    }
    if let (Some(claim), Some(value)) = (&chosen.claim, &chosen.value) {
        lets_in.push(format!("{} = {}", one_line(claim), one_line(value)));
    }
    let role = match &chosen.workspace_role {
        Some(role) => format!("{} ({role} in the workspace)", chosen.role),
        None => chosen.role.clone(),
    };
    let redirect = chosen.redirect_uri.as_deref();
    let redirect = redirect.unwrap_or("unknown: set server.public_url");
    let rows = [
        ("issuer", one_line(&chosen.issuer)),
        ("client", one_line(&chosen.client_id)),
        (
            "secret",
            if chosen.has_secret { "set" } else { "none" }.into(),
        ),
        ("lets in", lets_in.join(" and ")),
        ("as", role),
        ("is", if chosen.enabled { "on" } else { "off" }.into()),
        ("redirect URI", one_line(redirect)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(())
}
