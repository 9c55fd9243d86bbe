//! Templates as somebody writes them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use skep_api::template::TemplateText;

use crate::context::Context;
use crate::failure::Failure;

/// More than any template has.
const MOST: u64 = 256 << 10;

const PROGRAM: &str = include_str!("program.toml");
const REQUESTS: &str = include_str!("requests.toml");

/// A template from a file.
pub(super) fn read(path: &Path) -> Result<TemplateText, Failure> {
    let mut text = String::new();
    let is_input = path == Path::new("-");
    let read = if is_input {
        io::stdin().take(MOST + 1).read_to_string(&mut text)
    } else {
        let file = File::open(path).map_err(|error| Failure::from(error).at(path))?;
        file.take(MOST + 1).read_to_string(&mut text)
    };
    read.map_err(|error| Failure::from(error).at(path))?;
    if text.len() as u64 > MOST {
        return Err(Failure::new("TOO_LARGE", "a template has at most 256 KiB").at(path));
    }
    let is_json = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let parsed = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        parse(&text)
    };
    parsed.map_err(|why| {
        Failure::new("INVALID", why)
            .at(path)
            .hint("`skep template example program` prints one to begin with")
    })
}

/// Says the line, and not what stands in it: somebody may have put a secret there.
fn parse(text: &str) -> Result<TemplateText, String> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        format!("line {line}: {}", error.message())
    })
}

/// Prints a template to begin with.
pub(super) fn example(context: &Context<'_>, form: &str) -> Result<(), Failure> {
    let text = if form == "program" { PROGRAM } else { REQUESTS };
    if context.output.is_json() {
        let parsed = parse(text).map_err(|why| Failure::new("INTERNAL", why))?;
        return Ok(context.output.json(&parsed)?);
    }
    Ok(context.output.bytes(text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::{PROGRAM, REQUESTS, parse};

    #[test]
    fn examples_are_templates() {
        assert!(parse(PROGRAM).unwrap().program.is_some());
        assert!(parse(REQUESTS).unwrap().requests.is_some());
    }

    #[test]
    fn a_mistake_is_named_by_its_line_alone() {
        let wrong =
            "name = \"a\"\npurpose = \"b\"\n[program]\npath = \"/x\"\nshell = \"hunter2\"\n";
        let why = parse(wrong).unwrap_err();
        assert!(why.contains("line 5") && why.contains("shell"), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }
}
