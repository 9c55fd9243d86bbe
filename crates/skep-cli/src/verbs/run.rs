//! `skep run`: a program that uses secrets through the daemon's proxy and holds placeholders.

mod child;
mod surroundings;

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use skep_api::Instant;
use skep_api::lease::{BegunLease, LeaseRequest};
use skep_client::{Client, Origin};

use crate::args::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

use surroundings::{Surroundings, Wishes};

/// Seconds that the variables for a shell are good for, unless it is said.
const SHELL: u32 = 60 * 60;

/// What goes into a program's environment, for whoever sets it otherwise than with a shell.
#[derive(Serialize)]
struct Printed<'a> {
    id: &'a str,
    ends_at: Instant,
    environment: std::collections::BTreeMap<&'a str, &'a str>,
    cannot: &'a [String],
}

pub(super) async fn run(context: &Context<'_>, arguments: Run) -> Result<ExitCode, Failure> {
    if arguments.list {
        return list(context).await;
    }
    if let Some(id) = &arguments.end {
        return end(context, id).await;
    }
    if arguments.command.is_empty() && !arguments.print_env {
        return Err(Failure::usage("there is no program to run").hint("skep run -- CMD ARGS"));
    }
    let wishes = Wishes::of(&arguments.env, &arguments.base)?;
    let is_near = near(context)?;
    let mut client = context.client().await?;
    let seconds = arguments
        .lasts
        .map(|span| u32::try_from(span).unwrap_or(u32::MAX));
    let request = LeaseRequest {
        templates: arguments.with.clone(),
        seconds: seconds.or(arguments.print_env.then_some(SHELL)),
        unattended: arguments.print_env,
        certificates: !is_near,
    };
    let begun = client.begin_lease(&request).await?;
    let ran = with(context, &mut client, &begun, (&wishes, arguments)).await;
    if ran.is_err() {
        child::end(&mut client, &begun.id).await;
    }
    ran
}

/// With a lease that has begun, which whoever calls ends if this fails.
async fn with(
    context: &Context<'_>,
    client: &mut Client,
    begun: &BegunLease,
    (wishes, arguments): (&Wishes, Run),
) -> Result<ExitCode, Failure> {
    let bundle = Bundle::of(context, begun)?;
    let surroundings = Surroundings::of(begun, wishes, &bundle.path)?;
    for name in surroundings.replaced(|name| std::env::var_os(name)) {
        context.output.note(&format!(
            "note: {name} holds a value here; the program gets a placeholder in its place"
        ));
    }
    if arguments.print_env {
        print(context, begun, &surroundings)?;
        bundle.keep();
        return Ok(ExitCode::SUCCESS);
    }
    if context.output.may_animate() {
        context.output.note(&format!("skep: {}", told(begun)));
    }
    let code = child::run(context, client, begun, &surroundings, &arguments.command).await;
    Ok(ExitCode::from(code))
}

/// Whether the daemon is this machine's own, and reads and writes the same files.
fn near(context: &Context<'_>) -> Result<bool, Failure> {
    let Some(server) = context.reach()?.server() else {
        return Ok(true);
    };
    if Origin::parse(&server)?.is_local() {
        return Ok(false);
    }
    Err(Failure::new(
        "ELSEWHERE",
        format!("the proxy listens on the machine of {server} alone, and this is another one"),
    )
    .hint("run a daemon on this machine, and: skep run --local -- CMD"))
}

/// The file of certificates as this program can read it.
struct Bundle {
    path: PathBuf,
    /// Whether it was written here, and goes with this.
    is_ours: bool,
}

impl Bundle {
    fn of(context: &Context<'_>, begun: &BegunLease) -> Result<Self, Failure> {
        let path = PathBuf::from(&begun.bundle);
        let text = match &begun.certificates {
            Some(text) if std::fs::File::open(&path).is_err() => text,
            _ => {
                return Ok(Self {
                    path,
                    is_ours: false,
                });
            }
        };
        let home = context.home.path();
        let mut made = DirBuilder::new();
        made.recursive(true).mode(0o700).create(home)?;
        let path = home.join(format!("certificates-{}.pem", begun.id));
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        let mut file = file.map_err(|error| Failure::from(error).at(&path))?;
        file.write_all(text.as_bytes())?;
        Ok(Self {
            path,
            is_ours: true,
        })
    }

    /// It stays, for whoever uses it after this program.
    fn keep(mut self) {
        self.is_ours = false;
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        if self.is_ours {
            let _gone = std::fs::remove_file(&self.path);
        }
    }
}

fn print(
    context: &Context<'_>,
    begun: &BegunLease,
    surroundings: &Surroundings,
) -> Result<(), Failure> {
    if context.output.is_json() {
        return Ok(context.output.json(&Printed {
            id: &begun.id,
            ends_at: begun.ends_at,
            environment: surroundings.all().collect(),
            cannot: &begun.cannot,
        })?);
    }
    for (name, value) in surroundings.all() {
        let quoted = value.replace('\'', r"'\''");
        context.output.line(&format!("export {name}='{quoted}'"))?;
    }
    context.output.note(&format!(
        "skep: {}; end it with: skep run --end {}",
        told(begun),
        begun.id
    ));
    Ok(())
}

/// What a person wants to know of it.
fn told(begun: &BegunLease) -> String {
    let names: Vec<String> = begun
        .placeholders
        .iter()
        .map(|one| one_line(&one.secret))
        .collect();
    format!(
        "placeholders for {}, until {}",
        if names.is_empty() {
            "no secret".into()
        } else {
            names.join(", ")
        },
        begun.ends_at
    )
}

async fn list(context: &Context<'_>) -> Result<ExitCode, Failure> {
    let found = context.client().await?.leases().await?;
    if context.output.is_json() {
        context.output.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        context.output.line("there are no leases")?;
    }
    let rows = found.items.iter().map(|lease| {
        vec![
            lease.id.clone(),
            one_line(&lease.templates.join(", ")),
            format!("until {}", lease.ends_at),
            format!("{} uses, {} refused", lease.uses, lease.refused),
        ]
    });
    for line in columns(&rows.collect::<Vec<_>>()) {
        context.output.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn end(context: &Context<'_>, id: &str) -> Result<ExitCode, Failure> {
    let ended = context.client().await?.end_lease(id).await?;
    if context.output.is_json() {
        context.output.json(&ended)?;
    } else {
        context.output.line("it has ended")?;
    }
    Ok(ExitCode::SUCCESS)
}
