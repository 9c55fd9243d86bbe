//! What only a running daemon knows and does about keys that organizations keep themselves: asked for over its
//! socket, as whoever runs it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use skep_api::error::ErrorEnvelope;
use skep_api::own_key::{OwnKey, OwnKeyRequest, OwnKeys};

use crate::config::Config;
use crate::process;

const PATH: &str = "/api/v1/system/keys/organizations";
/// Longer than the program of a place may take, twice: it wraps and gives back.
const PATIENCE: Duration = Duration::from_secs(75);
/// Longer answers are not the daemon's.
const MOST: u64 = 8 << 20;

/// The keys of all organizations.
pub(super) fn list(home: &Path) -> anyhow::Result<OwnKeys> {
    ask(home, &format!("GET {PATH}"), "")
}

/// Puts one in force, changes it, or takes it off.
pub(super) fn change(
    home: &Path,
    verb: &str,
    (organization, place): (&str, Option<&str>),
) -> anyhow::Result<()> {
    let request = OwnKeyRequest {
        organization: Some(organization.to_owned()),
        place: place.map(str::to_owned),
    };
    let body = serde_json::to_string(&request)?;
    let key: OwnKey = ask(home, &format!("POST {PATH}/{verb}"), &body)?;
    process::say(&described(&key));
    if verb == "release" {
        process::say(
            "its section of the configuration can go now; whoever has the root key and the data opens its \
             workspaces again",
        );
    } else {
        process::say(
            "what was copied before opens with the root key alone: destroy old archives and copies of the data",
        );
    }
    Ok(())
}

/// For people.
pub(super) fn show(own: anyhow::Result<OwnKeys>, config: &Config) {
    let items = match own {
        Ok(own) => own.items,
        Err(_) if config.organization_keys.0.is_empty() => return,
        Err(error) => {
            process::say(&format!(
                "how the keys of organizations stand, a running daemon knows: {error:#}"
            ));
            Vec::new()
        }
    };
    for key in &items {
        process::say(&described(key));
        if let Some(trouble) = &key.trouble {
            process::say(&format!("  asked last, it said: {trouble}"));
        }
    }
    let is_used = |name: &String| items.iter().any(|key| key.place.as_ref() == Some(name));
    for name in config
        .organization_keys
        .0
        .keys()
        .filter(|name| !is_used(name))
    {
        process::say(&format!(
            "organization_keys.{name:?} is named, and nothing is under it: `skepd key enclose` puts it in force"
        ));
    }
}

fn described(key: &OwnKey) -> String {
    let name = key.organization.as_deref().unwrap_or("(no name)");
    let provider = key
        .provider
        .as_deref()
        .unwrap_or("nowhere that is configured");
    let asked = key.asked_at.as_ref().map_or_else(
        || "not asked yet".to_owned(),
        |at| format!("asked last at {at}"),
    );
    let OwnKey {
        state,
        enclosed,
        workspaces,
        ask_every_seconds,
        ..
    } = key;
    format!(
        "organization {name}: {state}; its own key is in {provider}, {asked} (every {ask_every_seconds} s at the \
         latest); {enclosed} of {workspaces} data keys are under it"
    )
}

fn ask<T: DeserializeOwned>(home: &Path, line: &str, body: &str) -> anyhow::Result<T> {
    let path = home.join("skepd.sock");
    let stream = UnixStream::connect(&path);
    let mut stream = stream.context("no daemon runs here: start it, then run this again")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let kind = if body.is_empty() {
        String::new()
    } else {
        format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        )
    };
    let request =
        format!("{line} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n{kind}\r\n{body}");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream
        .take(MOST)
        .read_to_end(&mut answer)
        .context("the daemon's answer")?;
    let answer = String::from_utf8(answer).context("the daemon's answer")?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("the daemon's answer broke off")?;
    if head.split(' ').nth(1) != Some("200") {
        let said = serde_json::from_str::<ErrorEnvelope>(body);
        let said = said.map_or_else(
            |_| head.lines().next().unwrap_or("").to_owned(),
            |said| said.error.message,
        );
        bail!("{said}");
    }
    serde_json::from_str(body).context("the daemon's answer")
}
