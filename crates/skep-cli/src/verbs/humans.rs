//! `skep member`, `skep mfa`: who belongs to the organization, and what proves you beside a password.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use skep_api::page::PageQuery;
use skep_api::people::{
    AgainRequest, CodeRequest, FactorResponse, InviteRequest, Member as Listed, MemberRequest,
    WithdrawRequest,
};
use skep_client::Client;

use super::memory_view::date;
use crate::args::humans::{Member, Mfa};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};

#[expect(clippy::too_many_lines, reason = "one arm for each verb")]
pub(super) async fn member(context: &Context<'_>, verb: Member) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    match verb {
        Member::Invite {
            address,
            role,
            workspace_role,
        } => {
            let request = InviteRequest {
                address,
                role: Some(word(&role)),
                workspace_role: Some(word(&workspace_role)),
            };
            let made = client.invite(&request).await?;
            if out.is_json() {
                out.json(&made)?;
            } else {
                out.line(&made.token)?;
                let letter = if made.mailed {
                    "A letter with it is on its way."
                } else {
                    "Hand it over: it is shown once."
                };
                out.note(&format!(
                    "{letter} It is entered on the page /invite, until {}.",
                    date(made.expires_at)
                ));
            }
        }
        Member::SetupToken => {
            let made = client.setup_token().await?;
            if out.is_json() {
                out.json(&made)?;
            } else {
                out.line(&made.token)?;
                out.note("It is entered on the page /setup within a day, and shown once.");
            }
        }
        Member::Invites => {
            let found = client.invites().await?;
            if out.is_json() {
                out.json(&found)?;
            } else {
                let row = |invite: &skep_api::people::Invite| {
                    vec![
                        invite.id.clone(),
                        one_line(&invite.address),
                        invite.role.clone(),
                        format!("until {}", date(invite.expires_at)),
                    ]
                };
                for line in columns(&found.items.iter().map(row).collect::<Vec<_>>()) {
                    out.line(&line)?;
                }
            }
        }
        Member::Withdraw { id } => context.output.answer(
            &client.withdraw_invite(&WithdrawRequest { id }).await?,
            "Taken back.",
        )?,
        Member::List => list(context, &mut client).await?,
        Member::SetRole {
            who,
            role,
            workspace_role,
        } => {
            if role.is_none() && workspace_role.is_none() {
                return Err(Failure::usage("say --role, --workspace-role or both"));
            }
            let change = MemberRequest {
                role: role.as_ref().map(word),
                workspace_role: workspace_role.as_ref().map(word),
                standing: None,
            };
            edit(context, &mut client, &who, change).await?;
        }
        Member::Suspend { who } => edit(context, &mut client, &who, standing("suspended")).await?,
        Member::Resume { who } => edit(context, &mut client, &who, standing("active")).await?,
        Member::Remove { who } => {
            let id = find(&mut client, &who).await?;
            context.output.answer(
                &client.remove_member(&id).await?,
                "Removed, and nothing of theirs counts here any more.",
            )?;
        }
        Member::Reset { who } => {
            let id = find(&mut client, &who).await?;
            let made = client.reset_member(&id).await?;
            if out.is_json() {
                out.json(&made)?;
            } else {
                out.line(&made.token)?;
                out.note("Hand it over: it is shown once, and entered on the page /reset within an hour.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn mfa(context: &Context<'_>, verb: Mfa) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    match verb {
        Mfa::List => {
            let found = client.factors().await?;
            if out.is_json() {
                out.json(&found)?;
            } else {
                let row = |factor: &skep_api::people::Factor| {
                    let state = match (factor.confirmed, factor.left) {
                        (false, _) => "not confirmed".to_owned(),
                        (true, Some(left)) => format!("{left} left"),
                        (true, None) => "counts".to_owned(),
                    };
                    vec![
                        factor.id.clone(),
                        factor.kind.clone(),
                        one_line(&factor.label),
                        state,
                    ]
                };
                for line in columns(&found.items.iter().map(row).collect::<Vec<_>>()) {
                    out.line(&line)?;
                }
            }
        }
        Mfa::Enrol => {
            let new = client.enrol_totp(&AgainRequest::default()).await?;
            if out.is_json() {
                out.json(&new)?;
                return Ok(ExitCode::SUCCESS);
            }
            out.line(&new.qr_terminal)?;
            out.line(&format!("Key: {}", new.secret))?;
            let code = typed("The six digits that the app shows: ")?;
            let done = client.confirm_totp(&CodeRequest { code }).await?;
            codes(context, &done)?;
        }
        Mfa::Confirm => {
            let code = typed("A code of your app, or a recovery code: ")?;
            context.output.answer(
                &client.step_up(&CodeRequest { code }).await?,
                "Confirmed for five minutes.",
            )?;
        }
        Mfa::Recovery => codes(context, &client.renew_recovery_codes().await?)?,
        Mfa::Remove { id } => context
            .output
            .answer(&client.remove_factor(&id).await?, "Removed.")?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context<'_>, client: &mut Client) -> Result<(), Failure> {
    let out = context.output;
    let found = everybody(client).await?;
    if out.is_json() {
        return Ok(out.json(&found)?);
    }
    let row = |member: &Listed| {
        vec![
            member.id.clone(),
            one_line(&member.name),
            one_line(member.address.as_deref().unwrap_or("-")),
            member.role.clone(),
            member.workspace_role.clone().unwrap_or_else(|| "-".into()),
            member.standing.clone(),
        ]
    };
    for line in columns(&found.iter().map(row).collect::<Vec<_>>()) {
        out.line(&line)?;
    }
    Ok(())
}

async fn edit(
    context: &Context<'_>,
    client: &mut Client,
    who: &str,
    change: MemberRequest,
) -> Result<(), Failure> {
    let id = find(client, who).await?;
    let done = client.edit_member(&id, &change).await?;
    Ok(context
        .output
        .answer(&done, "It counts from their next request on.")?)
}

/// Every page of the members.
async fn everybody(client: &mut Client) -> Result<Vec<Listed>, Failure> {
    let mut page = PageQuery {
        limit: Some(200),
        cursor: None,
    };
    let mut all = Vec::new();
    loop {
        let found = client.list_members(&page).await?;
        all.extend(found.items);
        match found.next {
            Some(next) => page.cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// An id stands for itself; an address for whoever has it.
async fn find(client: &mut Client, who: &str) -> Result<String, Failure> {
    if !who.contains('@') {
        return Ok(who.to_owned());
    }
    let mut found = everybody(client).await?;
    found.retain(|member| {
        let address = member.address.as_deref();
        address.is_some_and(|address| address.eq_ignore_ascii_case(who))
    });
    match found.as_slice() {
        [member] => Ok(member.id.clone()),
        [] => Err(Failure::usage(
            "no member has this address: see `skep member list`",
        )),
        // An issuer may call somebody by an address that another member has.
        _ => Err(Failure::usage(
            "several members have this address: name one by id, as `skep member list` shows it",
        )),
    }
}

fn codes(context: &Context<'_>, done: &FactorResponse) -> Result<(), Failure> {
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(done)?);
    }
    for code in &done.recovery_codes {
        out.line(code)?;
    }
    if !done.recovery_codes.is_empty() {
        out.note("Write these down: each is good once, and they are not shown again.");
    }
    Ok(())
}

/// A code is no argument: arguments are seen by everybody on the machine.
fn typed(question: &str) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        let mut err = io::stderr().lock();
        write!(err, "{question}")?;
        err.flush()?;
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn standing(word: &str) -> MemberRequest {
    MemberRequest {
        standing: Some(word.into()),
        ..MemberRequest::default()
    }
}

fn word<T: ValueEnum>(value: &T) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
