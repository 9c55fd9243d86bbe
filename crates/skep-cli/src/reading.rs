//! Reads the documents of a source: a folder, a file, an export of issues. What is there may be
//! hostile: nothing is followed, everything is bounded, what does not fit is named and left out.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use skep_api::issues;
use skep_api::source::{DocumentInput, Format};

use crate::beneath;
use crate::failure::Failure;
use crate::layout::counted;

/// Bytes of one document.
const DOCUMENT: u64 = 1 << 20;
/// Documents of one source.
const DOCUMENTS: usize = 20_000;
/// Bytes of an export of issues.
const EXPORT: u64 = 64 << 20;

/// Folders of what others wrote, or what was built: not looked into, unless they are the source.
const FOREIGN: &[&str] = &["node_modules", "target", "vendor", "dist"];

/// A source that was looked through.
pub(crate) struct Reading {
    root: PathBuf,
    /// By name: the version, and where its text is.
    documents: BTreeMap<String, (String, Place)>,
    skipped: Vec<(String, String)>,
}

enum Place {
    File(PathBuf),
    /// Below the root, which no link leads out of.
    Below(PathBuf),
    Text(String),
}

/// What sort of source a path is.
pub(crate) fn kind_of(path: &Path, issues: bool) -> Result<&'static str, Failure> {
    let facts = std::fs::metadata(path)
        .map_err(|error| Failure::new("NOT_THERE", format!("{}: {error}", path.display())))?;
    match (facts.is_dir(), facts.is_file(), issues) {
        (true, _, false) => Ok("folder"),
        (_, true, false) => Ok("file"),
        (_, true, true) => Ok("issues"),
        _ => Err(Failure::usage(format!(
            "{} is neither a folder nor a file of the kind asked for",
            path.display()
        ))),
    }
}

impl Reading {
    /// Looks through a source.
    pub(crate) fn open(kind: &str, location: &Path) -> Result<Self, Failure> {
        let mut reading = Self {
            root: location.to_owned(),
            documents: BTreeMap::new(),
            skipped: Vec::new(),
        };
        match kind {
            "folder" => reading.walk(location)?,
            "file" => {
                let name = location.file_name().unwrap_or(location.as_os_str());
                let place = Place::File(location.to_owned());
                reading.file(name.to_string_lossy().into_owned(), place);
            }
            "issues" => reading.issues(location)?,
            other => {
                let message = format!("this skep cannot read sources of the kind {other}");
                return Err(Failure::new("KIND", message));
            }
        }
        Ok(reading)
    }

    /// Names and versions, in order.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&str, &str)> {
        self.documents
            .iter()
            .map(|(name, (version, _))| (name.as_str(), version.as_str()))
    }

    /// What was left out, and why.
    pub(crate) fn skipped(&self) -> &[(String, String)] {
        &self.skipped
    }

    /// A document, unless it went meanwhile. The version is of what is read now.
    pub(crate) fn read(&self, name: &str) -> Option<DocumentInput> {
        let (version, place) = self.documents.get(name)?;
        let (version, text) = match place {
            Place::Text(text) => (version.clone(), text.clone()),
            Place::File(_) | Place::Below(_) => {
                let bytes = self.contents(place).ok()?;
                (
                    version_of(&bytes),
                    String::from_utf8_lossy(&bytes).into_owned(),
                )
            }
        };
        Some(DocumentInput {
            path: name.to_owned(),
            version,
            format: format_of(name, place),
            text,
            memory: None,
        })
    }

    fn walk(&mut self, root: &Path) -> Result<(), Failure> {
        std::fs::read_dir(root)?;
        let mut open = vec![root.to_owned()];
        let mut foreign = 0;
        while let Some(folder) = open.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.skip(&folder, error.to_string());
                    continue;
                }
            };
            for entry in entries.flatten() {
                let path = entry.path();
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                let is_foreign = FOREIGN.iter().any(|name| entry.file_name() == *name);
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && is_foreign => foreign += 1,
                    // A link could lead out, or round in circles.
                    Ok(kind) if kind.is_dir() && !hidden => open.push(path),
                    Ok(kind) if kind.is_file() && !hidden && is_text(&path) => {
                        if self.documents.len() == DOCUMENTS {
                            self.skip(root, format!("more than {DOCUMENTS} documents"));
                            return Ok(());
                        }
                        let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
                        self.file(name.to_string_lossy().into_owned(), Place::Below(name));
                    }
                    _ => {}
                }
            }
        }
        if foreign > 0 {
            let what = counted(foreign, "folder", "folders");
            let names = FOREIGN.join(", ");
            self.skip(root, format!("{what} named {names} not looked into"));
        }
        Ok(())
    }

    fn file(&mut self, name: String, place: Place) {
        match self.contents(&place) {
            Ok(bytes) => {
                let version = version_of(&bytes);
                self.documents.insert(name, (version, place));
            }
            Err(why) => self.skip(&self.root.join(name), why),
        }
    }

    /// The bytes of a document; the reason why not, otherwise.
    fn contents(&self, place: &Place) -> Result<Vec<u8>, String> {
        let file = match place {
            Place::File(path) => unblocked(path),
            Place::Below(name) => beneath::open(&self.root, name),
            Place::Text(text) => return Ok(text.clone().into_bytes()),
        };
        bounded(file, DOCUMENT)
    }

    fn skip(&mut self, path: &Path, why: String) {
        if self.skipped.len() < 1_000 {
            self.skipped.push((path.display().to_string(), why));
        }
    }

    fn issues(&mut self, path: &Path) -> Result<(), Failure> {
        let refused = |why: String| Failure::new("ISSUES", format!("{}: {why}", path.display()));
        let bytes = bounded(unblocked(path), EXPORT).map_err(refused)?;
        let (pages, more) = issues::read(&bytes).map_err(refused)?;
        for page in pages {
            let version = version_of(page.text.as_bytes());
            let place = Place::Text(page.text);
            self.documents.insert(page.name, (version, place));
        }
        if more {
            self.skip(path, format!("more than {DOCUMENTS} issues"));
        }
        Ok(())
    }
}

/// Opens without waiting: a pipe that lies in the way would never answer.
fn unblocked(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn bounded(file: io::Result<File>, limit: u64) -> Result<Vec<u8>, String> {
    let file = file.map_err(|error| error.to_string())?;
    let facts = file.metadata().map_err(|error| error.to_string())?;
    if !facts.is_file() {
        return Err("not a regular file".into());
    }
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than {limit} bytes"));
    }
    if bytes.iter().take(8_192).any(|byte| *byte == 0) {
        return Err("not text".into());
    }
    Ok(bytes)
}

/// Tells versions apart; nobody is kept from anything by it.
fn version_of(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let one = hasher.finish();
    one.hash(&mut hasher);
    bytes.hash(&mut hasher);
    format!("{}-{one:016x}{:016x}", bytes.len(), hasher.finish())
}

fn is_text(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    end.is_some_and(|end| {
        ["md", "markdown", "mdx", "txt", "rst", "org", "html", "htm"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(end))
    })
}

fn format_of(name: &str, place: &Place) -> Format {
    if matches!(place, Place::Text(_)) {
        return Format::Markdown;
    }
    let end = Path::new(name).extension().and_then(|end| end.to_str());
    match end.unwrap_or_default().to_ascii_lowercase().as_str() {
        "md" | "markdown" | "mdx" => Format::Markdown,
        "html" | "htm" => Format::Html,
        _ => Format::Text,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::{DOCUMENT, Reading};

    fn names(reading: &Reading) -> Vec<&str> {
        reading.documents().map(|(name, _)| name).collect()
    }

    #[test]
    fn n12_a_hostile_folder_is_read_as_far_as_it_is_one() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("a/.git")).unwrap();
        fs::write(at("a/note.md"), "# x\ny").unwrap();
        fs::write(at("a/.git/hidden.md"), "no").unwrap();
        fs::write(at("bad.md"), b"caf\xe9 \xff").unwrap();
        fs::write(at("zero.md"), b"a\0b").unwrap();
        fs::write(at("bomb.zip"), "PK").unwrap();
        fs::File::create(at("huge.md"))
            .unwrap()
            .set_len(10 << 30)
            .unwrap();
        fs::write(at("edge.md"), "x".repeat(DOCUMENT as usize)).unwrap();
        symlink(root.path(), at("loop")).unwrap();
        symlink("/etc/passwd", at("out.md")).unwrap();
        Command::new("mkfifo").arg(at("pipe.md")).status().unwrap();
        let reading = Reading::open("folder", root.path()).unwrap();
        assert_eq!(names(&reading), ["a/note.md", "bad.md", "edge.md"]);
        assert_eq!(reading.skipped().len(), 2, "{:?}", reading.skipped());
        let bad = reading.read("bad.md").unwrap();
        assert!(bad.text.starts_with("caf\u{fffd}"));
        assert!(
            Reading::open("file", &at("pipe.md"))
                .unwrap()
                .documents
                .is_empty()
        );
        assert!(Reading::open("folder", &at("nowhere")).is_err());
        // What was a file, or stood in a folder, when it was looked at.
        fs::remove_file(at("bad.md")).unwrap();
        symlink("/etc/passwd", at("bad.md")).unwrap();
        assert!(reading.read("bad.md").is_none());
        fs::create_dir(at("b")).unwrap();
        fs::write(at("b/note.md"), "another").unwrap();
        fs::rename(at("a"), at("c")).unwrap();
        symlink(at("b"), at("a")).unwrap();
        assert!(reading.read("a/note.md").is_none());
    }

    #[test]
    fn issues_become_pages_and_other_json_is_named() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("issues.json");
        let export = r#"[{"number":7,"title":"Cranes\nstop","body":"At noon.","state":"open","comments":[{"user":{"login":"ann"},"body":"Grease."}]},
            {"number":7,"title":null,"comments":3},{}]"#;
        fs::write(&path, export).unwrap();
        let reading = Reading::open("issues", &path).unwrap();
        assert_eq!(names(&reading), ["#3", "#7", "#7 (2)"]);
        let first = reading.read("#7").unwrap().text;
        assert!(first.contains("# Cranes stop") && first.contains("## Comment by ann\n\nGrease."));
        for wrong in ["{}", "[1]", "[", &"[".repeat(100_000), "hunter2"] {
            fs::write(&path, wrong).unwrap();
            let failure = Reading::open("issues", &path);
            assert!(failure.is_err(), "{}", &wrong[..wrong.len().min(9)]);
        }
    }
}
