//! Reading a folder that somebody proposes as a skill.

use std::fs;
use std::path::Path;

use skep_api::skill::SkillFile;
use skep_api::{Limits, check_skill_path};

use crate::failure::Failure;

/// The files of a skill's folder, and the names of those that were left out for beginning with a dot.
pub(crate) fn read(folder: &Path) -> Result<(Vec<SkillFile>, Vec<String>), Failure> {
    if !folder.join("SKILL.md").is_file() {
        let folder = folder.display();
        return Err(Failure::usage(format!("{folder} has no SKILL.md"))
            .hint("a skill is a folder with a SKILL.md: https://agentskills.io/specification"));
    }
    let mut read = Read::default();
    read.walk(folder, "")?;
    read.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((read.files, read.hidden))
}

#[derive(Default)]
struct Read {
    files: Vec<SkillFile>,
    hidden: Vec<String>,
    bytes: u64,
}

impl Read {
    fn walk(&mut self, folder: &Path, below: &str) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(
                "UNREADABLE",
                format!("cannot read {}: {error}", folder.display()),
            )
        };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let path = format!("{below}{}", name.to_string_lossy());
            if name.as_encoded_bytes().starts_with(b".") {
                self.hidden.push(path);
                continue;
            }
            check_skill_path(&path).map_err(|error| {
                Failure::usage(format!("{path:?} cannot be part of a skill: {error}"))
            })?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                self.walk(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                self.take(&entry.path(), path)?;
            } else {
                return Err(
                    Failure::usage(format!("{path} is neither a file nor a folder"))
                        .hint("a skill holds no links: put the file itself there"),
                );
            }
        }
        Ok(())
    }

    fn take(&mut self, file: &Path, path: String) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(
                "UNREADABLE",
                format!("cannot read {}: {error}", file.display()),
            )
        };
        self.bytes += fs::metadata(file).map_err(failed)?.len();
        if self.files.len() == Limits::SKILL_FILES || self.bytes > Limits::SKILL_BYTES as u64 {
            let (files, bytes) = (Limits::SKILL_FILES, Limits::SKILL_BYTES);
            let most = format!("a skill has at most {files} files and {bytes} bytes");
            return Err(Failure::usage(most));
        }
        let bytes = fs::read(file).map_err(failed)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::usage(format!("{path} is no text: a skill holds text only")))?;
        self.files.push(SkillFile { path, text });
        Ok(())
    }
}
