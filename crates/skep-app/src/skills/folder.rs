//! The files of a skill: what may be in them, and what a reviewer should know of them.

use std::collections::BTreeSet;

use skep_crypto::sha256;
use skep_domain::{Limits, SkillName, Trust, check_skill_path};
use skep_memory::guard::assess;
use skep_memory::{Redactor, clean, front_matter};
use skep_store::SkillFile;

use crate::AppError;
use crate::error::Invalid;
use crate::guard::windows;

/// What every skill has.
const MAIN: &str = "SKILL.md";
/// Findings that are kept.
const FINDINGS: usize = 32;

/// Files that may be proposed.
pub(super) struct Folder {
    pub(super) name: SkillName,
    pub(super) description: String,
    /// In the order of their paths.
    pub(super) files: Vec<SkillFile>,
}

/// Checks what somebody proposes.
pub(super) fn check(mut files: Vec<SkillFile>, redactor: &Redactor) -> Result<Folder, AppError> {
    Invalid::check_count("files", files.len(), Limits::SKILL_FILES)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // Two names that one file system holds apart are one file on another.
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    for file in &files {
        check_skill_path(&file.path)
            .map_err(|error| refused(&format!("{:?}: {error}", file.path)))?;
        if !seen.insert(file.path.to_ascii_lowercase()) {
            return Err(refused(&format!("{} is there twice", file.path)));
        }
        bytes += file.text.len();
        check_text(file, redactor)?;
    }
    let paths: Vec<String> = seen.into_iter().collect();
    for pair in paths.windows(2) {
        if pair[1].starts_with(&format!("{}/", pair[0])) {
            return Err(refused(&format!("{} is a file and a folder", pair[0])));
        }
    }
    if bytes > Limits::SKILL_BYTES {
        let limit = Limits::SKILL_BYTES;
        return Err(refused(&format!(
            "the files have {bytes} bytes together; at most {limit} are allowed"
        )));
    }
    let main = files.iter().find(|file| file.path == MAIN);
    let main = main.ok_or_else(|| refused("a skill has a file SKILL.md"))?;
    let said = front_matter(&main.text).map_err(|why| refused(&why))?;
    let name = SkillName::parse(&said.name).map_err(|error| refused(&error.to_string()))?;
    Invalid::check_length("description", &said.description, Limits::SKILL_DESCRIPTION)?;
    Ok(Folder {
        name,
        description: said.description,
        files,
    })
}

impl Folder {
    /// By which a reviewer says what they read: SHA-256 over each path, a zero and the SHA-256 of the text.
    pub(super) fn digest(&self) -> String {
        let parts: Vec<u8> = self
            .files
            .iter()
            .flat_map(|file| {
                let text = sha256(file.text.as_bytes());
                [file.path.as_bytes(), &[0], &text].concat()
            })
            .collect();
        format!("sha256:{}", hex(&sha256(&parts)))
    }

    /// What in it looks as if somebody spoke past the reviewer to the model, and whose data it holds.
    pub(super) fn findings(&self, is_from_agent: bool) -> Vec<String> {
        let trust = if is_from_agent {
            Trust::Agent
        } else {
            Trust::User
        };
        let mut findings = BTreeSet::new();
        for file in &self.files {
            for window in windows(&file.text) {
                let found = assess(window, trust);
                if found.held {
                    let reasons = found.reasons.iter();
                    findings.extend(reasons.map(|reason| format!("{}: {reason}", file.path)));
                }
                let personal = found.personal.iter();
                findings
                    .extend(personal.map(|place| {
                        format!("{}: holds personal data: {}", file.path, place.kind)
                    }));
            }
        }
        findings.into_iter().take(FINDINGS).collect()
    }
}

/// Whether somebody names a digest as [`Folder::digest`] writes it.
pub(crate) fn check_digest(field: &str, digest: &str) -> Result<(), AppError> {
    let is_hex = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == 64 && text.bytes().all(plain)
    };
    if digest.strip_prefix("sha256:").is_some_and(is_hex) {
        Ok(())
    } else {
        let message = "a digest is sha256: and 64 hexadecimal digits, as the review shows it";
        Err(Invalid::unknown(field, message))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A text is kept to the byte, so what would have to be taken out of one is refused.
fn check_text(file: &SkillFile, redactor: &Redactor) -> Result<(), AppError> {
    let path = &file.path;
    let text = file.text.replace("\r\n", "\n");
    let seen = clean(&text);
    if seen != text {
        return Err(refused(&format!(
            "{path} holds characters that cannot be seen or that reorder what is: take them out"
        )));
    }
    if let Some(found) = redactor.redact(&seen).found.first() {
        return Err(refused(&format!(
            "{path} holds what looks like a secret ({}): take it out, and let the skill name where to get it",
            found.rule
        )));
    }
    Ok(())
}

fn refused(message: &str) -> AppError {
    Invalid::unknown("files", message)
}
