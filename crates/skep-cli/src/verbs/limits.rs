//! `skep limits`.

use std::process::ExitCode;

use skep_api::limit::{RateLimits, SetLimitRequest};

use crate::args::access::Limits;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

pub(super) async fn run(context: &Context<'_>, what: Option<Limits>) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let limits = match what {
        None | Some(Limits::List) => client.limits().await?,
        Some(Limits::Set { name, quota }) => {
            let quota = Some(quota).filter(|quota| quota != "default");
            client.set_limit(&SetLimitRequest { name, quota }).await?
        }
    };
    show(context, &limits)?;
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context<'_>, limits: &RateLimits) -> Result<(), Failure> {
    if context.output.is_json() {
        context.output.json(limits)?;
        return Ok(());
    }
    let style = context.output.style();
    let rows: Vec<Vec<String>> = limits
        .items
        .iter()
        .map(|limit| {
            let set = if limit.is_set {
                format!(
                    "set here; the installation allows {}",
                    one_line(&limit.ceiling)
                )
            } else {
                String::new()
            };
            vec![
                one_line(&limit.name),
                one_line(&limit.quota),
                style.dim(&format!("of one {}", one_line(&limit.counts))),
                style.dim(&set),
            ]
        })
        .collect();
    for line in columns(&rows) {
        context.output.line(&line)?;
    }
    Ok(())
}
