//! `skep consent` and `skep observe`.

use std::process::ExitCode;

use skep_api::participant::{ConsentQuery, ConsentRequest, Consents, ObserveRequest};

use super::participant::{find, show_observation};
use crate::args::people::{Consent as Verb, Observe, Say};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line, shortened};

pub(super) async fn run(context: &Context<'_>, verb: Verb) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let consents = match verb {
        Verb::Give(say) => {
            let request = request(&mut client, say).await?;
            client.give_consent(&request).await?
        }
        Verb::Revoke(say) => {
            let request = request(&mut client, say).await?;
            client.revoke_consent(&request).await?
        }
        Verb::List { participant } => {
            let subject = Some(find(&mut client, &participant).await?);
            client.consents(&ConsentQuery { subject }).await?
        }
    };
    show(context, &consents)?;
    Ok(ExitCode::SUCCESS)
}

async fn request(client: &mut skep_client::Client, say: Say) -> Result<ConsentRequest, Failure> {
    Ok(ConsentRequest {
        subject: find(client, &say.participant).await?,
        observer: match say.observer {
            Some(observer) => Some(find(client, &observer).await?),
            None => None,
        },
        note: say.note,
    })
}

fn show(context: &Context<'_>, consents: &Consents) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(consents)?);
    }
    let rows: Vec<_> = consents
        .history
        .iter()
        .map(|entry| {
            let observer = entry.observer.as_deref().map_or("anybody".into(), one_line);
            vec![
                one_line(&entry.at.to_string()),
                if entry.given { "given" } else { "withdrawn" }.to_owned(),
                format!("for {observer}"),
                shortened(entry.note.as_deref().unwrap_or_default(), 60),
            ]
        })
        .collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if consents.history.is_empty() {
        out.line("No consent was ever given: nothing may be observed.")?;
    }
    Ok(())
}

pub(super) async fn observe(
    context: &Context<'_>,
    arguments: Observe,
) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let subject = find(&mut client, &arguments.participant).await?;
    let observer = match arguments.observer {
        Some(observer) => Some(find(&mut client, &observer).await?),
        None => None,
    };
    let request = ObserveRequest {
        text: arguments.text.join(" "),
        kind: Some(arguments.kind),
        visibility: Some(arguments.visibility),
        observer,
    };
    let kept = client.observe(&subject, &request).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&kept)?;
        return Ok(ExitCode::SUCCESS);
    }
    show_observation(context, &kept.observation)?;
    if kept.known {
        out.note("known already");
    }
    if kept.redacted > 0 {
        out.note(&format!(
            "{} secrets were taken out before storing",
            kept.redacted
        ));
    }
    Ok(ExitCode::SUCCESS)
}
