//! Real text: paragraphs of doc comments and Markdown from the sources that this project is built of;
//! where more are wanted than there are, halves of them joined anew.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Shorter paragraphs say too little to be a memory.
const SHORTEST: usize = 60;
/// Longer ones become several, about as long as a distilled memory.
const LONGEST: usize = 280;

/// `wanted` different paragraphs, in the order of the paths.
pub(crate) fn read(directories: &[PathBuf], wanted: usize) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for directory in directories {
        list(directory, &mut files)?;
    }
    files.sort();
    let mut seen = HashSet::new();
    let mut paragraphs = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let is_source = file.extension().is_some_and(|end| end == "rs");
        for paragraph in split(&text, is_source)
            .iter()
            .flat_map(|paragraph| pieces(paragraph))
        {
            if paragraphs.len() == wanted {
                return Ok(paragraphs);
            }
            if seen.insert(skep_memory::normal_form(&paragraph)) {
                paragraphs.push(paragraph);
            }
        }
    }
    if paragraphs.len() < ENOUGH.min(wanted) {
        bail!(
            "only {} paragraphs of real text were found, {wanted} are wanted: add --corpus",
            paragraphs.len()
        );
    }
    recombine(&mut paragraphs, wanted);
    Ok(paragraphs)
}

/// Real paragraphs that there have to be before others are made of them.
const ENOUGH: usize = 10_000;

/// Goes on with the first half of one paragraph and the second of another, until there are enough:
/// lengths, words and their frequencies are those of the real text, and no text comes twice.
fn recombine(paragraphs: &mut Vec<String>, wanted: usize) {
    let real = paragraphs.len();
    for number in real..wanted {
        let (round, at) = (number / real, number % real);
        // Steps of different primes: pairs repeat only after as many rounds as there are texts.
        let other = (at + round * 7_919 + at % 97 * 31) % real;
        let (first, second) = (&paragraphs[at], &paragraphs[other]);
        let head = first.len() / 2;
        let head = first[..first.floor_char_boundary(head)].rsplit_once(' ');
        let tail = second[second.floor_char_boundary(second.len() / 2)..].split_once(' ');
        let (head, tail) = (head.map_or("", |cut| cut.0), tail.map_or("", |cut| cut.1));
        paragraphs.push(format!("{head} {tail} {round}"));
    }
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|end| end == "rs" || end == "md")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Paragraphs of a Markdown file; of a source file, those of its comments and its blocks of code.
fn split(text: &str, is_source: bool) -> Vec<String> {
    let mut paragraphs = Vec::new();
    let (mut words, mut code) = (String::new(), String::new());
    for line in text.lines() {
        let line = line.trim();
        let comment = if is_source {
            line.strip_prefix("//")
        } else {
            Some(line)
        };
        match comment.map(|rest| rest.trim_start_matches(['/', '!']).trim()) {
            Some(rest) if !rest.is_empty() && !rest.starts_with("```") => add(&mut words, rest),
            Some(_) => end(&mut words, &mut paragraphs),
            None if line.is_empty() => {
                end(&mut words, &mut paragraphs);
                end(&mut code, &mut paragraphs);
            }
            None => {
                end(&mut words, &mut paragraphs);
                add(&mut code, line);
            }
        }
    }
    end(&mut words, &mut paragraphs);
    end(&mut code, &mut paragraphs);
    paragraphs
}

fn add(paragraph: &mut String, line: &str) {
    if !paragraph.is_empty() {
        paragraph.push(' ');
    }
    paragraph.push_str(line);
}

fn end(paragraph: &mut String, paragraphs: &mut Vec<String>) {
    if paragraph.len() >= SHORTEST && paragraph.contains(' ') {
        paragraphs.push(std::mem::take(paragraph));
    }
    paragraph.clear();
}

/// A paragraph cut at the ends of words.
fn pieces(paragraph: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in paragraph.split_whitespace() {
        if let Some(last) = pieces
            .last_mut()
            .filter(|last| last.len() + word.len() < LONGEST)
        {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        } else {
            pieces.push(word.to_owned());
        }
    }
    pieces.retain(|piece| piece.len() >= SHORTEST);
    pieces
}
