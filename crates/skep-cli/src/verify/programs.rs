//! What a program that the daemon runs with a secret could do to have it out.

mod walls;

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use skep_api::exec::{Exec, ExecOutput, ExecRequest, ExecStream};
use skep_api::template::{TemplateParameter, TemplateProgram, TemplateSecret, TemplateText};

use super::report::{Attempt, Outcome, Tried};
use super::stand::{SECRET, Stand};
use crate::args::Mode;
use crate::failure::Failure;

/// What the template is called.
const NAME: &str = "skep-verify-programs";
/// Seconds of one question for the end of a run.
const WAIT: u32 = 20;
/// Such questions until a run is given up.
const WAITS: usize = 6;
/// Layers that a machine may not have. What is open without one of them is told as that, and the rest is tried.
const WITHOUT: [&str; 5] = ["processes", "network", "files", "proc", "landlock"];

/// A way to write the secret down, as the shell has it.
pub(super) struct Writing {
    pub(super) name: &'static str,
    pub(super) script: &'static str,
    /// Which of the ways that redaction says it does not cover.
    pub(super) uncovered: Option<&'static str>,
}

const fn covered(name: &'static str, script: &'static str) -> Writing {
    Writing {
        name,
        script,
        uncovered: None,
    }
}

const fn uncovered(name: &'static str, script: &'static str, way: &'static str) -> Writing {
    Writing {
        name,
        script,
        uncovered: Some(way),
    }
}

pub(super) const WRITINGS: &[Writing] = &[
    covered("plain", r#"printf %s "$CANARY""#),
    covered("plain, twice", r#"printf %s%s "$CANARY" "$CANARY""#),
    covered("plain, to stderr", r#"printf %s "$CANARY" >&2"#),
    covered("plain, in an error", r#"cat "/nowhere/$CANARY"; true"#),
    covered("plain, among all variables", "env"),
    covered("plain, out of /proc", "cat /proc/self/environ"),
    covered(
        "a letter a write",
        r#"printf %s "$CANARY" | fold -w 1 | while read -r c; do printf %s "$c"; done"#,
    ),
    covered("a letter a line", r#"printf %s "$CANARY" | fold -w 1"#),
    covered(
        "half on each stream",
        r#"printf %s "$CANARY" | cut -c 1-18 | tr -d '\n'; printf %s "$CANARY" | cut -c 19- >&2"#,
    ),
    covered("spaced", r#"printf %s "$CANARY" | sed 's/./& /g'"#),
    covered("capitals", r#"printf %s "$CANARY" | tr a-z A-Z"#),
    covered("small letters", r#"printf %s "$CANARY" | tr A-Z a-z"#),
    covered(
        "backwards",
        r#"printf %s "$CANARY" | awk '{ for (i = length($0); i; i--) printf "%s", substr($0, i, 1) }'"#,
    ),
    covered("base64", r#"printf %s "$CANARY" | base64"#),
    covered("base64, one off", r#"printf x%s "$CANARY" | base64"#),
    covered("base64, two off", r#"printf xy%sz "$CANARY" | base64"#),
    covered(
        "base64, for URLs",
        r#"printf %s "$CANARY" | base64 | tr '+/' '-_'"#,
    ),
    covered(
        "base64, in short lines",
        r#"printf %s "$CANARY" | base64 | fold -w 5"#,
    ),
    covered("base32", r#"printf %s "$CANARY" | base32"#),
    covered(
        "hex",
        r#"printf %s "$CANARY" | od -An -v -tx1 | tr -d ' \n'"#,
    ),
    covered(
        "hex, in capitals",
        r#"printf %s "$CANARY" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F"#,
    ),
    covered(
        "hex, as od shows it",
        r#"printf %s "$CANARY" | od -An -v -tx1"#,
    ),
    covered(
        "percent",
        r#"printf %s "$CANARY" | od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g'"#,
    ),
    covered(
        "JSON",
        r#"printf %s "$CANARY" | od -An -v -tx1 | tr -d '\n' | sed 's/ /\\u00/g'"#,
    ),
    covered(
        "HTML",
        r#"printf %s "$CANARY" | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) printf "&#%d;", $i }'"#,
    ),
    covered(
        "octal escapes",
        r#"printf %s "$CANARY" | od -An -v -to1 | tr -d '\n' | sed 's/ /\\/g'"#,
    ),
    covered("numbers", r#"printf %s "$CANARY" | od -An -v -tu1"#),
    covered(
        "UTF-16",
        r#"printf %s "$CANARY" | fold -w 1 | while read -r c; do printf '%s\000' "$c"; done"#,
    ),
    covered(
        "hex in base64",
        r#"printf %s "$CANARY" | od -An -v -tx1 | tr -d ' \n' | base64"#,
    ),
    uncovered("gzip", r#"printf %s "$CANARY" | gzip -c"#, "compressed"),
    uncovered(
        "rot13",
        r#"printf %s "$CANARY" | tr A-Za-z N-ZA-Mn-za-m"#,
        "ciphered",
    ),
    uncovered(
        "the next letter",
        r#"printf %s "$CANARY" | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) printf "%c", $i + 1 }'"#,
        "ciphered",
    ),
    uncovered(
        "other letters in between",
        r#"printf %s "$CANARY" | sed 's/./&q/g'"#,
        "interleaved",
    ),
    uncovered(
        "four letters at a time",
        r#"printf %s "$CANARY" | sed 's/..../&+++++/g'"#,
        "in-pieces",
    ),
    uncovered(
        "backwards in hex in base64",
        r#"printf %s "$CANARY" | awk '{ for (i = length($0); i; i--) printf "%s", substr($0, i, 1) }' | od -An -v -tx1 | tr -d ' \n' | base64 | fold -w 9"#,
        "nested-thrice",
    ),
];

/// Tries all of them, each as a run of its own.
pub(super) async fn attempt(stand: &mut Stand<'_>) -> Result<Tried, Failure> {
    let mut tried = Tried::of(Mode::Programs);
    tried.cannot = [
        "a program that was approved holds the value: it can write it in a way that nobody looks for",
        "it can say something of it by its exit code, by how long it takes, and where it may send or write",
        "the same user and root can read the variables of a program that runs",
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(why) = stand.template(&template()).await? {
        tried.skipped = Some(why);
        return Ok(tried);
    }
    for (nth, writing) in WRITINGS.iter().enumerate() {
        let run = match run(stand, nth, 0, 0).await {
            Ok(run) => run,
            Err(refused) if nth == 0 => {
                tried.skipped = Some(format!("no program is run here: {}", refused.message()));
                return Ok(tried);
            }
            Err(failure) => return Err(failure),
        };
        tried.attempts.push(judged(stand, writing, &run)?);
    }
    tried.attempts.extend(walls::attempt(stand).await?);
    Ok(tried)
}

/// One template for all: which row of the table is run is filled in, and nothing else.
fn template() -> TemplateText {
    let first = r#"n=$1 port=$2 mark=$3; shift $((n + 3)); eval "$1""#;
    let rows = WRITINGS.iter().map(|writing| writing.script);
    let rows = rows.chain(walls::WALLS.iter().map(|wall| wall.script));
    let mut arguments: Vec<String> = ["-c", first, "sh", "{row}", "{port}", "{mark}"]
        .map(str::to_owned)
        .to_vec();
    arguments.extend(rows.map(|script| script.replace('{', "{{").replace('}', "}}")));
    let number = |name: &str, most: u64| TemplateParameter {
        name: name.to_owned(),
        least: Some(0),
        most: i64::try_from(most).ok(),
        ..TemplateParameter::default()
    };
    let last = WRITINGS.len() + walls::WALLS.len() - 1;
    TemplateText {
        name: NAME.to_owned(),
        purpose: "skep verify secrets: tries to have a canary out of a program.".to_owned(),
        program: Some(TemplateProgram {
            path: "/bin/sh".to_owned(),
            arguments,
            parameters: vec![
                number("row", last as u64),
                number("port", 65_535),
                number("mark", walls::MOST),
            ],
            secrets: vec![TemplateSecret {
                name: SECRET.to_owned(),
                variable: Some("CANARY".to_owned()),
                ..TemplateSecret::default()
            }],
            variables: BTreeMap::new(),
            directory: String::new(),
            readable: Vec::new(),
            writable: Vec::new(),
            hosts: Vec::new(),
            rules: Vec::new(),
            without: WITHOUT.map(str::to_owned).to_vec(),
            seconds: 20,
            output: 65_536,
        }),
        requests: None,
    }
}

/// A row of the table, run to its end.
async fn run(stand: &mut Stand<'_>, row: usize, port: u16, mark: u64) -> Result<Exec, Failure> {
    let request = ExecRequest {
        template: NAME.to_owned(),
        arguments: [
            ("row", row.to_string()),
            ("port", port.to_string()),
            ("mark", mark.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    };
    let client = stand.client();
    let mut seen = client.ask_exec(&request).await?;
    for _ in 0..WAITS {
        if !is_under_way(&seen) {
            return Ok(seen);
        }
        seen = client.exec(&seen.id, WAIT).await?;
    }
    if is_under_way(&seen) {
        seen = client.cancel_exec(&seen.id).await?;
        seen.reason = Some("it did not end: are other runs in its way?".to_owned());
    }
    Ok(seen)
}

fn is_under_way(run: &Exec) -> bool {
    matches!(run.state.as_str(), "queued" | "running")
}

fn judged(stand: &Stand<'_>, writing: &Writing, run: &Exec) -> Result<Attempt, Failure> {
    let promised = writing.uncovered.is_none();
    let mut attempt = Attempt::new(writing.name, promised);
    attempt.note = writing.uncovered.map(str::to_owned);
    let Some(output) = &run.output else {
        let why = run.reason.clone().unwrap_or_else(|| run.state.clone());
        attempt.outcome = Outcome::NotTried;
        attempt.note = Some(why);
        return Ok(attempt);
    };
    let shown = shown(output)?;
    attempt.judge(stand.canary().recovered(&shown));
    // A machine without the tool has shown nothing that could have been hidden.
    let is_silent = output.redacted.is_empty() && attempt.outcome == Outcome::Hidden;
    if is_silent {
        attempt.outcome = Outcome::NotTried;
        attempt.note = Some("it printed nothing of the canary here: is a tool missing?".to_owned());
    }
    Ok(attempt)
}

fn shown(output: &ExecOutput) -> Result<Vec<u8>, Failure> {
    Ok([bytes(&output.stdout)?, bytes(&output.stderr)?].concat())
}

fn bytes(stream: &ExecStream) -> Result<Vec<u8>, Failure> {
    match (&stream.text, &stream.base64) {
        (Some(text), _) => Ok(text.clone().into_bytes()),
        (None, Some(text)) => Base64::decode_vec(text)
            .map_err(|_| Failure::new("PROTOCOL", "the daemon's answer holds no base64")),
        (None, None) => Ok(Vec::new()),
    }
}
