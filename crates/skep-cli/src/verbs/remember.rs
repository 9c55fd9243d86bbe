//! `skep remember`.

use std::io::{self, Read};
use std::process::ExitCode;

use skep_api::Limits;
use skep_api::memory::RememberRequest;

use super::memory_view::headline;
use crate::args::Remember;
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{one_line, wrapped};

pub(super) async fn run(context: &Context<'_>, arguments: Remember) -> Result<ExitCode, Failure> {
    let text = match arguments.text.as_slice() {
        [dash] if dash == "-" => from_stdin()?,
        words => words.join(" "),
    };
    if text.trim().is_empty() {
        return Err(Failure::usage(
            "there is nothing to remember: the text is empty",
        ));
    }
    if text.len() > Limits::MEMORY_TEXT {
        let limit = Limits::MEMORY_TEXT >> 10;
        return Err(
            Failure::usage(format!("a memory holds at most {limit} KiB of text"))
                .hint("longer material is for: skep import"),
        );
    }
    let request = RememberRequest {
        text,
        kind: Some(arguments.kind),
        project: arguments.project,
        visibility: arguments.visibility,
        said_by: None,
        path: None,
    };
    let answer = context.client().await?.remember(&request).await?;
    if context.output.is_json() {
        context.output.json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let verdict = if answer.known {
        "known already"
    } else {
        "remembered"
    };
    let out = context.output;
    out.line(&format!(
        "{verdict}: {}",
        headline(out.style(), &answer.memory)
    ))?;
    out.line(&wrapped(&answer.memory.text, out.width(), 2))?;
    for replaced in &answer.superseded {
        out.note(&format!(
            "it takes the place of {0}: skep history {0}",
            one_line(replaced)
        ));
    }
    if !answer.conflicts.is_empty() {
        out.note("it contradicts what is known: skep conflicts");
    }
    if answer.redacted > 0 {
        out.note(&format!(
            "{} secrets were taken out before storing",
            answer.redacted
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// At most one byte more than fits, so that too much is seen to be too much.
fn from_stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let limit = Limits::MEMORY_TEXT as u64 + 1;
    io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    // The cut may fall into a character; the length is checked before anything is sent.
    if bytes.len() > Limits::MEMORY_TEXT {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|_| Failure::usage("stdin is not UTF-8 text"))
}
