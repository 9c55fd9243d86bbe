//! Markdown, as people and agents write it, into blocks of running text.

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Heading,
    Paragraph,
    Item,
    Code,
}

/// One block, its lines joined and its markers gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) kind: BlockKind,
    pub(super) text: String,
}

/// Splits a text into blocks. Quotations, tables, check lists and HTML comments are left out: they
/// are somebody else's words, or no statements.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let text = without_html(text);
    let mut reader = Reader::default();
    for line in text.lines() {
        reader.read(line);
    }
    reader.end_block();
    reader.blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    open: Option<Block>,
    fence: Option<&'static str>,
    after_blank: bool,
    in_skipped: bool,
}

impl Reader {
    fn read(&mut self, line: &str) {
        let trimmed = line.trim();
        if let Some(fence) = self.fence {
            if trimmed.starts_with(fence) {
                self.fence = None;
                self.end_block();
            } else {
                self.add_code(line);
            }
            return;
        }
        if let Some(fence) = ["```", "~~~"]
            .into_iter()
            .find(|fence| trimmed.starts_with(fence))
        {
            self.end_block();
            self.fence = Some(fence);
            self.open = Some(Block {
                kind: BlockKind::Code,
                text: String::new(),
            });
            return;
        }
        if trimmed.is_empty() {
            if self
                .open
                .as_ref()
                .is_some_and(|open| open.kind != BlockKind::Code)
            {
                self.end_block();
            }
            self.after_blank = true;
            self.in_skipped = false;
            return;
        }
        self.read_text(line, trimmed);
        self.after_blank = false;
    }

    fn read_text(&mut self, line: &str, trimmed: &str) {
        let indent = line.len() - line.trim_start().len() + 3 * line.matches('\t').count();
        let is_open_code = self
            .open
            .as_ref()
            .is_some_and(|open| open.kind == BlockKind::Code);
        let after_item = self
            .blocks
            .last()
            .is_some_and(|block| block.kind == BlockKind::Item);
        if indent >= 4
            && (is_open_code || (self.after_blank && !after_item && item(trimmed).is_none()))
        {
            if !is_open_code {
                self.end_block();
            }
            self.add_code(line);
            return;
        }
        if is_open_code {
            self.end_block();
        }
        if trimmed.starts_with('>') || trimmed.starts_with('|') || is_rule(trimmed) {
            self.end_block();
            self.in_skipped = !is_rule(trimmed);
        } else if let Some(title) = heading(trimmed) {
            self.end_block();
            self.blocks.push(Block {
                kind: BlockKind::Heading,
                text: plain(title),
            });
            self.in_skipped = false;
        } else if let Some(body) = item(trimmed) {
            self.end_block();
            self.in_skipped = is_check(body);
            if !self.in_skipped {
                self.open = Some(Block {
                    kind: BlockKind::Item,
                    text: body.to_owned(),
                });
            }
        } else if !self.in_skipped {
            // Labels and signs open a new statement; two blanks at the end close one.
            if trimmed.starts_with("**") || starts_with_sign(trimmed) {
                self.end_block();
            }
            self.add_line(trimmed);
            if line.ends_with("  ") || line.ends_with('\\') {
                self.end_block();
            }
        }
    }

    fn add_line(&mut self, line: &str) {
        match &mut self.open {
            Some(open) => {
                open.text.push(' ');
                open.text.push_str(line);
            }
            None => {
                self.open = Some(Block {
                    kind: BlockKind::Paragraph,
                    text: line.to_owned(),
                });
            }
        }
    }

    fn add_code(&mut self, line: &str) {
        let open = self.open.get_or_insert(Block {
            kind: BlockKind::Code,
            text: String::new(),
        });
        if !open.text.is_empty() {
            open.text.push('\n');
        }
        open.text.push_str(line);
    }

    fn end_block(&mut self) {
        if let Some(mut block) = self.open.take() {
            if block.kind != BlockKind::Code {
                block.text = plain(&block.text);
            }
            if !block.text.trim().is_empty() {
                self.blocks.push(block);
            }
        }
    }
}

/// ✅, ❌, ⚠️ and their like stand where a bullet would.
fn starts_with_sign(line: &str) -> bool {
    line.chars()
        .next()
        .is_some_and(|c| !c.is_ascii() && !c.is_alphanumeric() && !"–—“‘«…".contains(c))
}

/// Drops HTML comments, and the tags (not the content) of what pull requests are decorated with.
fn without_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let end = if tag.starts_with("<!--") {
            tag.find("-->").map(|end| end + 3)
        } else {
            decoration(tag)
        };
        match end {
            Some(end) => rest = &tag[end..],
            None if tag.starts_with("<!--") => return out,
            None => {
                out.push('<');
                rest = &tag[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

const DECORATIONS: &str = "a img picture source sup sub br details summary p div span h1 h2 h3 h4 table tr td th tbody thead hr \
kbd center b i em strong ul li ol blockquote";

/// The length of a decorating tag.
fn decoration(tag: &str) -> Option<usize> {
    let name = tag[1..].trim_start_matches('/');
    let name = &name[..name
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(name.len())];
    let window = &tag[..tag.floor_char_boundary(800)];
    let end = window.find('>')?;
    let is_known = DECORATIONS
        .split(' ')
        .any(|known| known.eq_ignore_ascii_case(name));
    // `Vec<T>` and `a < b` are no tags: a tag has a known name and nothing odd up to its end.
    let after = tag[1..].trim_start_matches('/')[name.len()..]
        .chars()
        .next();
    let ends = after.is_some_and(|c| matches!(c, '>' | ' ' | '/'));
    (is_known && ends).then_some(end + 1)
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3
        && (line.bytes().all(|b| b == b'-')
            || line.bytes().all(|b| b == b'*')
            || line.bytes().all(|b| b == b'=')
            || line.bytes().all(|b| b == b'_'))
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    if title.len() < line.len() && title.starts_with(' ') {
        return Some(title.trim().trim_end_matches('#').trim_end());
    }
    // A line of bold text alone, or a short one that ends in a colon, opens a section too.
    let bold = line
        .strip_prefix("**")
        .and_then(|rest| rest.strip_suffix("**").or_else(|| rest.strip_suffix("**:")));
    bold.filter(|title| !title.contains("**") && title.len() <= 60)
}

fn item(line: &str) -> Option<&str> {
    let bullet = ["- ", "* ", "+ ", "• ", "– "]
        .iter()
        .find_map(|mark| line.strip_prefix(mark));
    bullet
        .or_else(|| {
            let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let rest = &line[digits..];
            (1..=3)
                .contains(&digits)
                .then(|| rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")))
                .flatten()
        })
        .map(str::trim_start)
}

fn is_check(item: &str) -> bool {
    ["[ ]", "[x]", "[X]", "☐", "☑", "✅ [", "[-]"]
        .iter()
        .any(|mark| item.starts_with(mark))
}

/// Emphasis and link syntax removed; code spans keep their backticks.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        let next = &rest[c.len_utf8()..];
        if c == '`' {
            in_code = !in_code;
        } else if !in_code {
            if let Some(after) = rest.strip_prefix("**") {
                rest = after;
                continue;
            }
            if c == '*'
                && (out.ends_with(' ') || out.is_empty())
                && next.contains('*')
                && !next.starts_with(' ')
            {
                rest = next;
                continue;
            }
            if c == '*'
                && out.ends_with(|c: char| c.is_alphanumeric())
                && !next.starts_with(|c: char| c.is_alphanumeric() || c == '/' || c == '.')
            {
                rest = next;
                continue;
            }
            if c == '!'
                && let Some((_, after)) = next.strip_prefix('[').and_then(link)
            {
                rest = after;
                continue;
            }
            if c == '['
                && let Some((shown, after)) = link(next)
            {
                out.push_str(&shown);
                rest = after;
                continue;
            }
        }
        if c.is_whitespace() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
        rest = next;
    }
    out.trim().to_owned()
}

/// `text](target)` as `text (target)`, or only the text where the target adds nothing.
fn link(rest: &str) -> Option<(String, &str)> {
    let end = rest.find(']').filter(|end| *end <= 200)?;
    let label = &rest[..end];
    let target = rest[end + 1..].strip_prefix('(')?;
    let close = target.find(')').filter(|close| *close <= 300)?;
    let (target, after) = (&target[..close], &target[close + 1..]);
    let adds = target.contains("://") && !label.contains("://") && !label.starts_with('#');
    let shown = if adds {
        format!("{label} ({target})")
    } else {
        label.to_owned()
    };
    Some((shown, after))
}

#[cfg(test)]
mod tests {
    use super::{BlockKind, blocks, plain};

    #[test]
    fn blocks_are_told_apart() {
        let text = "# Title\nFirst line\nsecond line.\n\n- one\n  more of one\n- [x] done\n2. two\n\n> quoted\nstill quoted\n\n```sh\ncargo test\n```\n\n    indented code\n\n**Root cause**\nA race.\n| a | b |\n<!-- template\ntext -->\nEnd";
        let found: Vec<(BlockKind, String)> =
            blocks(text).into_iter().map(|b| (b.kind, b.text)).collect();
        insta::assert_debug_snapshot!(found);
    }

    #[test]
    fn markup_goes_and_code_stays() {
        for (marked, expected) in [
            (
                "**bold** and *thin* and `**code**`",
                "bold and thin and `**code**`",
            ),
            (
                "see [the guide](https://a.example/g) now",
                "see the guide (https://a.example/g) now",
            ),
            ("see [pool.rs](src/pool.rs)", "see pool.rs"),
            ("glob src/*.rs and 2 * 3", "glob src/*.rs and 2 * 3"),
            ("array[0] stays", "array[0] stays"),
            (
                "a picture ![of it](https://a.example/x.png) goes",
                "a picture goes",
            ),
        ] {
            assert_eq!(plain(marked), expected);
        }
    }
}
