//! `skep review`: what is held back, one after the other by key, or by id for scripts.

use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use skep_api::page::PageQuery;
use skep_api::review::{Held, ReviewRequest};
use skep_client::Client;

use super::memory_view::{headline, origin};
use crate::args::Review;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{one_line, wrapped};

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Accept,
    Reject,
    Skip,
    Stop,
}

pub(super) async fn run(context: &Context<'_>, arguments: Review) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let request = ReviewRequest {
        reason: arguments.reason,
    };
    match (&arguments.accept, &arguments.reject) {
        (Some(id), _) => decide(context, &mut client, (id, true), &request).await?,
        (None, Some(id)) => decide(context, &mut client, (id, false), &request).await?,
        (None, None) => {
            let page = PageQuery::new(arguments.limit, None);
            let held = client.quarantine(&page).await?;
            if context.output.is_json() {
                context.output.json(&held)?;
                return Ok(ExitCode::SUCCESS);
            }
            triage(context, &mut client, &held.items, &request).await?;
            if held.next.is_some() {
                context.output.note("there are more: run it again");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn decide(
    context: &Context<'_>,
    client: &mut Client,
    (id, accept): (&str, bool),
    request: &ReviewRequest,
) -> Result<(), Failure> {
    let memory = if accept {
        client.accept(id, request).await?
    } else {
        client.reject(id, request).await?
    };
    let out = context.output;
    if out.is_json() {
        return Ok(out.json(&memory)?);
    }
    let verdict = if accept { "accepted" } else { "rejected" };
    Ok(out.line(&format!("{verdict}: {}", one_line(&memory.key)))?)
}

async fn triage(
    context: &Context<'_>,
    client: &mut Client,
    held: &[Held],
    request: &ReviewRequest,
) -> Result<(), Failure> {
    let out = context.output;
    if held.is_empty() {
        return Ok(out.line("Nothing is held back.")?);
    }
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    for (at, one) in held.iter().enumerate() {
        out.line(&out.style().dim(&format!("{} of {}", at + 1, held.len())))?;
        show(context, one)?;
        if !interactive {
            continue;
        }
        let id = one.memory.id.as_str();
        match ask(context)? {
            Choice::Accept => decide(context, client, (id, true), request).await?,
            Choice::Reject => decide(context, client, (id, false), request).await?,
            Choice::Skip => {}
            Choice::Stop => return Ok(()),
        }
    }
    if !interactive {
        out.note("decide with: skep review --accept ID, skep review --reject ID");
    }
    Ok(())
}

fn show(context: &Context<'_>, held: &Held) -> Result<(), Failure> {
    let out = context.output;
    out.line(&wrapped(&held.memory.text, out.width(), 2))?;
    out.line(&format!("  {}", headline(out.style(), &held.memory)))?;
    let whose = format!(
        "from {} · said by {}",
        origin(&held.memory.provenance),
        one_line(&held.memory.trust)
    );
    out.line(&format!("  {}", out.style().dim(&whose)))?;
    for reason in &held.reasons {
        out.line(&format!("  {}", out.style().bad(&one_line(reason))))?;
    }
    Ok(())
}

/// Asks until a key means something; the end of the input means to stop.
fn ask(context: &Context<'_>) -> Result<Choice, Failure> {
    context
        .output
        .note("  a accept · r reject · s skip · q stop");
    let _keys = Keys::new()?;
    loop {
        let mut key = [0];
        if io::stdin().read(&mut key)? == 0 {
            return Ok(Choice::Stop);
        }
        if let Some(choice) = meaning(key[0]) {
            return Ok(choice);
        }
    }
}

const fn meaning(key: u8) -> Option<Choice> {
    match key {
        b'a' | b'A' => Some(Choice::Accept),
        b'r' | b'R' => Some(Choice::Reject),
        b's' | b'S' | b' ' => Some(Choice::Skip),
        // Escape, and the end of input as a key.
        b'q' | b'Q' | 0x1b | 0x04 => Some(Choice::Stop),
        _ => None,
    }
}

/// The terminal gives single keys while this lives; interrupting works as ever.
struct Keys(Termios);

impl Keys {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut keys = before.clone();
        keys.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &keys)?;
        Ok(Self(before))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // There is nothing to do about a terminal that went away.
        let _gone = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, meaning};

    #[test]
    fn no_other_key_decides_anything() {
        let meant: Vec<u8> = (0..=255).filter(|key| meaning(*key).is_some()).collect();
        assert_eq!(meant, b"\x04\x1b AQRSaqrs");
        assert_eq!(meaning(b'a'), Some(Choice::Accept));
        assert_eq!(meaning(b'\r'), None, "a stray return accepts nothing");
    }
}
