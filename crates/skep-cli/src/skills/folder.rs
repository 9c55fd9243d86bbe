//! Reading a folder that somebody proposes as a skill.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use skep_api::skill::SkillFile;
use skep_api::{Limits, check_skill_path};

use crate::beneath;
use crate::failure::Failure;

/// The files of a skill's folder, and the names of those that were left out for beginning with a dot.
pub(crate) fn read(folder: &Path) -> Result<(Vec<SkillFile>, Vec<String>), Failure> {
    if !folder.join("SKILL.md").is_file() {
        let folder = folder.display();
        return Err(Failure::usage(format!("{folder} has no SKILL.md"))
            .hint("a skill is a folder with a SKILL.md: https://agentskills.io/specification"));
    }
    let mut read = Read {
        root: folder,
        files: Vec::new(),
        hidden: Vec::new(),
        bytes: 0,
    };
    read.walk(folder, "")?;
    read.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((read.files, read.hidden))
}

struct Read<'a> {
    root: &'a Path,
    files: Vec<SkillFile>,
    hidden: Vec<String>,
    bytes: u64,
}

impl Read<'_> {
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
                self.take(path)?;
            } else {
                return Err(
                    Failure::usage(format!("{path} is neither a file nor a folder"))
                        .hint("a skill holds no links: put the file itself there"),
                );
            }
        }
        Ok(())
    }

    fn take(&mut self, path: String) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            let file = self.root.join(&path);
            Failure::new(
                "UNREADABLE",
                format!("cannot read {}: {error}", file.display()),
            )
        };
        // What was seen to be a file is read as one, whatever takes its place meanwhile.
        let file = beneath::open(self.root, Path::new(&path)).map_err(failed)?;
        let room = (Limits::SKILL_BYTES as u64).saturating_sub(self.bytes);
        let mut bytes = Vec::new();
        file.take(room + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if self.files.len() == Limits::SKILL_FILES || bytes.len() as u64 > room {
            let (files, bytes) = (Limits::SKILL_FILES, Limits::SKILL_BYTES);
            let most = format!("a skill has at most {files} files and {bytes} bytes");
            return Err(Failure::usage(most));
        }
        self.bytes += bytes.len() as u64;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::usage(format!("{path} is no text: a skill holds text only")))?;
        self.files.push(SkillFile { path, text });
        Ok(())
    }
}
