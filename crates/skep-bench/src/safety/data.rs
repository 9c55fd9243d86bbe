//! The labelled texts: attacks and contexts of BIPIA, the validation and benign sets of `InjecGuard`
//! (both MIT), and this project's own documents, comments and commits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

/// One labelled text.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) text: String,
    pub(crate) hostile: bool,
    /// Texts of one group are never on both sides of a split.
    pub(crate) group: usize,
}

/// Texts of one source with one label.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) hostile: bool,
    pub(crate) samples: Vec<Sample>,
}

impl Set {
    fn new(name: &str, hostile: bool, texts: impl IntoIterator<Item = (usize, String)>) -> Self {
        let sample = |(group, text)| Sample {
            text,
            hostile,
            group,
        };
        Self {
            name: name.to_owned(),
            hostile,
            samples: texts.into_iter().map(sample).collect(),
        }
    }
}

/// The labelled sets; `None` when it is not said where they are.
pub(crate) fn labelled() -> Result<Option<Vec<Set>>> {
    let Some(root) = std::env::var_os("SKEP_BENCH_DATA") else {
        return Ok(None);
    };
    let root = PathBuf::from(root).join("injection-tune");
    let mut sets = Vec::new();
    let emails = lines(&root.join("email_contexts_train.jsonl"))?;
    let emails: Vec<String> = emails
        .iter()
        .map(|line| text_of(&line["context"]))
        .collect();
    for (name, file) in [
        ("bipia_text", "text_attack_train.json"),
        ("bipia_code", "code_attack_train.json"),
    ] {
        let attacks = attacks(&root.join(file))?;
        // As it comes in life: in the middle of something that is no attack.
        let within = attacks.iter().enumerate().map(|(at, (group, attack))| {
            let around = &emails[at % emails.len()];
            (*group, format!("{around}\n{attack}\nBest regards"))
        });
        sets.push(Set::new(
            &format!("{name}_in_email"),
            true,
            within.collect::<Vec<_>>(),
        ));
        sets.push(Set::new(name, true, attacks));
    }
    sets.extend(validation(&root.join("valid.json"))?);
    let benign = numbered(
        array(&root.join("wildguard.json"))?
            .iter()
            .map(|row| text_of(&row["prompt"])),
    );
    sets.push(Set::new("wildguard", false, benign));
    sets.push(Set::new(
        "email_contexts",
        false,
        numbered(emails.into_iter()),
    ));
    let code = lines(&root.join("code_contexts_train.jsonl"))?;
    let code = code.iter().map(|line| {
        ["error", "code", "context"]
            .map(|part| text_of(&line[part]))
            .join("\n")
    });
    sets.push(Set::new("code_contexts", false, numbered(code)));
    Ok(Some(sets))
}

fn numbered(texts: impl Iterator<Item = String>) -> Vec<(usize, String)> {
    texts.enumerate().collect()
}

/// Attacks by kind; the kind is the group.
fn attacks(path: &Path) -> Result<Vec<(usize, String)>> {
    let kinds: BTreeMap<String, Vec<String>> = serde_json::from_str(&read(path)?)?;
    let kinds = kinds.into_values().enumerate();
    Ok(kinds
        .flat_map(|(group, texts)| texts.into_iter().map(move |text| (group, text)))
        .collect())
}

fn validation(path: &Path) -> Result<Vec<Set>> {
    let mut sets: BTreeMap<(String, bool), Vec<String>> = BTreeMap::new();
    for row in array(path)? {
        let name = format!("valid_{}", text_of(&row["source"]).to_lowercase());
        let hostile = row["label"] == 1;
        sets.entry((name, hostile))
            .or_default()
            .push(text_of(&row["prompt"]));
    }
    Ok(sets
        .into_iter()
        .map(|((name, hostile), texts)| Set::new(&name, hostile, numbered(texts.into_iter())))
        .collect())
}

/// Paragraphs of the project's documents and comments, and the messages of its history.
pub(crate) fn project(root: &Path) -> Result<Set> {
    let files = git(root, &["ls-files", "-z"])?;
    let mut texts = Vec::new();
    for file in files.split('\0') {
        let end = Path::new(file).extension().and_then(|end| end.to_str());
        // What the scorer's own tests quote is hostile on purpose.
        if !matches!(end, Some("md" | "rs" | "txt" | "toml" | "sql"))
            || file.contains("guard")
            || file.contains("safety")
        {
            continue;
        }
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        texts.extend(text.split("\n\n").map(str::to_owned));
    }
    let history = git(root, &["log", "-z", "--format=%B"])?;
    texts.extend(history.split('\0').map(str::to_owned));
    texts.retain(|text| text.trim().len() >= 20);
    Ok(Set::new("own", false, numbered(texts.into_iter())))
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output();
    let output = output.context("running git")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn array(path: &Path) -> Result<Vec<Value>> {
    Ok(serde_json::from_str(&read(path)?)?)
}

fn lines(path: &Path) -> Result<Vec<Value>> {
    let text = read(path)?;
    text.lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// A text, or lines of one.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().map(text_of).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}
