//! Notes in Markdown, as basic-memory and Obsidian keep them: observations and relations become memories of their
//! own, the rest of a note one for each of its sections. What a note has no more leaves recall.

use std::collections::HashSet;
use std::path::Path;

use skep_api::Instant;
use skep_api::source::{DocumentInput, ManifestEntry, MemoryInput};

use super::clip;
use super::cursor::fingerprint;
use super::exports::document;
use super::keeper::Keeper;
use super::progress::{Progress, Unit};
use crate::failure::Failure;
use crate::output::Output;
use crate::reading::Reading;

/// Bytes of a section that is one memory.
const SECTION: usize = 8 << 10;
/// Pieces that can be compared with what is there.
const PIECES: usize = 20_000;

/// Imports a folder.
pub(crate) async fn run(
    keeper: &mut Keeper,
    folder: &Path,
    project: Option<&str>,
    output: &Output,
) -> Result<(), Failure> {
    let reading = Reading::open("folder", folder)?;
    for (path, why) in reading.skipped() {
        keeper.report.unreadable(path, why.clone());
    }
    let names: Vec<String> = reading
        .documents()
        .filter(|(name, _)| is_markdown(name))
        .map(|(name, _)| name.to_owned())
        .collect();
    keeper.report.sources = names.len() as u64;
    let mut manifest: Vec<ManifestEntry> = Vec::new();
    for name in &names {
        for piece in pieces_of(&reading, name, project) {
            manifest.push(ManifestEntry {
                path: piece.path,
                version: piece.version,
            });
        }
    }
    // A folder that is not mounted looks like one that was emptied.
    if manifest.is_empty() && keeper.had() > 0 {
        let message = format!("{} has no notes, and had some", folder.display());
        return Err(Failure::new("EMPTY", message).hint("if that is so: skep source purge"));
    }
    let wanted: Option<HashSet<String>> = if manifest.len() <= PIECES {
        let all = manifest.len();
        let wanted = keeper.wanted(manifest).await?;
        keeper.report.memories_known += (all - wanted.len()) as u64;
        Some(wanted.into_iter().collect())
    } else {
        None
    };
    let mut progress = Progress::new(output, Unit::Notes, names.len() as u64);
    for name in &names {
        progress.name(name);
        for piece in pieces_of(&reading, name, project) {
            if wanted
                .as_ref()
                .is_none_or(|wanted| wanted.contains(&piece.path))
            {
                keeper.keep(piece, (name, 1)).await?;
            }
        }
        progress.advance(1);
    }
    progress.finish();
    Ok(())
}

fn is_markdown(name: &str) -> bool {
    let end = Path::new(name).extension().and_then(|end| end.to_str());
    end.is_some_and(|end| {
        ["md", "markdown", "mdx"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(end))
    })
}

fn pieces_of(reading: &Reading, name: &str, project: Option<&str>) -> Vec<DocumentInput> {
    let Some(note) = reading.read(name) else {
        return Vec::new();
    };
    let mut pieces = pieces(name, &note.text);
    for piece in &mut pieces {
        if let Some(memory) = &mut piece.memory {
            clip::references(&mut memory.references);
            memory.project = project.map(str::to_owned);
        }
    }
    pieces
}

/// A note under way.
struct Note<'a> {
    name: &'a str,
    title: String,
    at: Option<Instant>,
    tags: Vec<String>,
    pieces: Vec<DocumentInput>,
    seen: HashSet<String>,
}

/// What is to be remembered of a note.
fn pieces(name: &str, text: &str) -> Vec<DocumentInput> {
    let (front, body) = front_matter(text);
    let stem = Path::new(name)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let mut note = Note {
        name,
        title: field(front, "title").unwrap_or_else(|| stem.into_owned()),
        at: ["created", "created_at", "date", "modified", "updated"]
            .iter()
            .find_map(|key| field(front, key).and_then(|text| instant(&text))),
        tags: tags_in(front),
        pieces: Vec::new(),
        seen: HashSet::new(),
    };
    let (mut headings, mut section, mut fence): (Vec<(usize, String)>, String, bool) =
        (Vec::new(), String::new(), false);
    for line in body.lines() {
        fence ^= line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        if !fence {
            if let Some((level, heading)) = heading(line) {
                note.section(&headings, &section);
                section.clear();
                headings.retain(|(above, _)| *above < level);
                headings.push((level, heading));
                continue;
            }
            if note.observation(line) || note.relation(line) {
                continue;
            }
        }
        section.push_str(&without_links(line));
        section.push('\n');
    }
    note.section(&headings, &section);
    note.pieces
}

impl Note<'_> {
    /// `- [category] what is so #tag (where from)`.
    fn observation(&mut self, line: &str) -> bool {
        let Some(rest) = item(line).and_then(|item| item.strip_prefix('[')) else {
            return false;
        };
        let Some((category, said)) = rest.split_once("] ") else {
            return false;
        };
        let is_category =
            !category.is_empty() && category.len() <= 40 && !category.contains(['[', ']']);
        // `- [ ]` and `- [x]` are tasks.
        if !is_category || category.trim().len() < 2 || said.trim().is_empty() {
            return false;
        }
        let said = without_links(said.trim());
        let (said, tags) = without_tags(&said);
        let text = format!("{}: {said}", self.title);
        self.keep("observation", text, (kind_of(category), tags));
        true
    }

    /// `- relation [[Other note]]`.
    fn relation(&mut self, line: &str) -> bool {
        let Some((relation, rest)) = item(line).and_then(|item| item.split_once("[[")) else {
            return false;
        };
        let Some((target, after)) = rest.split_once("]]") else {
            return false;
        };
        let after = after.trim();
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == ' ';
        let ends = after.is_empty() || (after.starts_with('(') && after.ends_with(')'));
        if relation.len() > 60 || !relation.chars().all(is_word) || target.is_empty() || !ends {
            return false;
        }
        let target = target.split('|').next().unwrap_or(target);
        let relation = relation.trim().replace('_', " ");
        let relation = if relation.is_empty() {
            "belongs with"
        } else {
            &relation
        };
        let mut text = format!("{} {relation} {target}", self.title);
        if !after.is_empty() {
            text = format!("{text} {after}");
        }
        self.keep("relation", text, ("fact", Vec::new()));
        true
    }

    /// What stands under a heading, in parts that are not too long.
    fn section(&mut self, headings: &[(usize, String)], text: &str) {
        let mut trail = vec![self.title.clone()];
        let own = headings.iter().map(|(_, heading)| heading);
        trail.extend(own.filter(|heading| **heading != self.title).cloned());
        let trail = trail.join(" › ");
        let mut part = String::new();
        for paragraph in text.split("\n\n") {
            if !part.is_empty() && part.len() + paragraph.len() > SECTION {
                self.part(&trail, &part);
                part.clear();
            }
            part.push_str(paragraph);
            part.push_str("\n\n");
        }
        self.part(&trail, &part);
    }

    fn part(&mut self, trail: &str, text: &str) {
        let text = text.trim();
        if text.chars().any(char::is_alphanumeric) {
            self.keep(
                "section",
                format!("{trail}\n\n{text}"),
                ("reference", Vec::new()),
            );
        }
    }

    fn keep(&mut self, sort: &str, text: String, (kind, tags): (&str, Vec<String>)) {
        let path = format!("{}#{sort}-{:016x}", self.name, fingerprint(text.as_bytes()));
        if !self.seen.insert(path.clone()) {
            return;
        }
        let mut references = vec![self.name.to_owned()];
        for tag in self.tags.iter().cloned().chain(tags) {
            if !references.contains(&tag) {
                references.push(tag);
            }
        }
        let memory = MemoryInput {
            kind: Some(kind.into()),
            valid_from: self.at,
            derived_by: Some("person".into()),
            references,
            ..MemoryInput::default()
        };
        self.pieces.push(document(path, text, memory));
    }
}

/// The front matter and what follows it.
fn front_matter(text: &str) -> (&str, &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let inside = text
        .strip_prefix("---\n")
        .or_else(|| text.strip_prefix("---\r\n"));
    let Some(inside) = inside else {
        return ("", text);
    };
    for end in ["\n---\n", "\n---\r\n"] {
        if let Some((front, body)) = inside.split_once(end) {
            return (front, body);
        }
    }
    (inside.strip_suffix("\n---").map_or("", |front| front), "")
}

/// A plain field of the front matter.
fn field(front: &str, name: &str) -> Option<String> {
    let mut lines = front.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| *key == name)?;
    let value = value.trim().trim_matches(['"', '\'']).trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// `tags: [a, b]`, `tags: a, b`, or a list on lines of its own.
fn tags_in(front: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut within = false;
    for line in front.lines() {
        let item = line.trim().strip_prefix("- ");
        if let Some(list) = line.strip_prefix("tags:") {
            within = true;
            tags.extend(
                list.trim()
                    .trim_matches(['[', ']'])
                    .split(',')
                    .map(str::to_owned),
            );
        } else if let Some(tag) = item.filter(|_| within) {
            tags.push(tag.to_owned());
        } else {
            within = false;
        }
    }
    let tags = tags
        .iter()
        .map(|tag| tag.trim().trim_matches(['"', '\'', '#']));
    tags.filter(|tag| !tag.is_empty())
        .take(32)
        .map(|tag| format!("#{tag}"))
        .collect()
}

/// A time, or a day, which means its beginning in UTC.
fn instant(text: &str) -> Option<Instant> {
    text.parse().ok().or_else(|| {
        let day = text.get(..10)?;
        format!("{day}T00:00:00Z").parse().ok()
    })
}

/// What stands after the dash of a list's item.
fn item(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("- ")
        .or_else(|| line.strip_prefix("* "))
        .map(str::trim_start)
}

fn heading(line: &str) -> Option<(usize, String)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let rest = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| {
        (
            level,
            without_links(rest.trim().trim_end_matches('#').trim()),
        )
    })
}

/// `[[Note|as shown]]` as it is shown.
fn without_links(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("[[") {
        let Some((link, behind)) = after.split_once("]]") else {
            break;
        };
        out.push_str(before);
        out.push_str(link.rsplit('|').next().unwrap_or(link));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// A text without the tags in it, and those.
fn without_tags(text: &str) -> (String, Vec<String>) {
    let is_tag =
        |word: &&str| word.len() > 1 && word.starts_with('#') && !word[1..].starts_with('#');
    let (tags, words): (Vec<&str>, Vec<&str>) = text.split_whitespace().partition(is_tag);
    (
        words.join(" "),
        tags.into_iter().map(str::to_owned).collect(),
    )
}

fn kind_of(category: &str) -> &'static str {
    match category.trim().to_lowercase().as_str() {
        "decision" => "decision",
        "preference" => "preference",
        "convention" | "rule" | "standard" | "style" => "convention",
        "gotcha" | "problem" | "issue" | "bug" | "pitfall" | "warning" => "gotcha",
        "method" | "technique" | "procedure" | "step" | "process" | "how-to" | "howto" => {
            "procedure"
        }
        "reference" | "resource" | "link" | "source" => "reference",
        _ => "fact",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::pieces;

    const NOTE: &str = "---\ntitle: Coffee\ntags: [drinks, \"morning\"]\ncreated: 2025-03-01\n---\n\n# Coffee\n\n\
        Brewed at [[The Office|work]].\n\n## Observations\n- [method] Pour over is clearer #brewing (tried)\n\
        - [preference] No sugar\n- [ ] buy beans\n- [link](https://example.com)\n\n## Relations\n\
        - pairs_well_with [[Chocolate]]\n- [[Tea]]\n- see [[a]] and [[b]]\n\n```\n- [decision] in code\n```\n";

    #[test]
    fn a_note_is_its_observations_relations_and_sections() {
        let found: Vec<String> = pieces("drinks/coffee.md", NOTE)
            .iter()
            .map(|piece| {
                let memory = piece.memory.as_ref().unwrap();
                format!(
                    "{} | {} | {}",
                    memory.kind.as_deref().unwrap(),
                    piece.text.replace('\n', "¶"),
                    memory.references.join(" ")
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                "reference | Coffee¶¶Brewed at work. | drinks/coffee.md #drinks #morning",
                "procedure | Coffee: Pour over is clearer (tried) | drinks/coffee.md #drinks #morning #brewing",
                "preference | Coffee: No sugar | drinks/coffee.md #drinks #morning",
                "reference | Coffee › Observations¶¶- [ ] buy beans¶- [link](https://example.com) | drinks/coffee.md #drinks #morning",
                "fact | Coffee pairs well with Chocolate | drinks/coffee.md #drinks #morning",
                "fact | Coffee belongs with Tea | drinks/coffee.md #drinks #morning",
                "reference | Coffee › Relations¶¶- see a and b¶¶```¶- [decision] in code¶``` | drinks/coffee.md #drinks #morning",
            ]
        );
        let at = pieces("x.md", NOTE)[0]
            .memory
            .as_ref()
            .unwrap()
            .valid_from
            .unwrap();
        assert_eq!(at.to_string(), "2025-03-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn n19_any_text_is_read_without_a_panic(text in any::<String>(), name in "[a-z/]{0,20}") {
            pieces(&name, &text);
            pieces(&name, &format!("---\n{text}\n---\n- [{text}] x\n- y [[{text}]]\n# {text}"));
        }
    }
}
