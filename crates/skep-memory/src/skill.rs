//! What a skill says of itself: the front matter of its `SKILL.md`
//! (<https://agentskills.io/specification>).

/// The two fields that the standard demands; the rest is the harnesses' business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontMatter {
    /// What it is called.
    pub name: String,
    /// What it is for, and when.
    pub description: String,
}

/// Reads the front matter.
///
/// Of YAML it takes what people write there: plain, quoted and block texts. What readers of YAML do not
/// agree on, such as a field that stands there twice, is refused, so that a reviewer and a harness never see
/// two different descriptions.
///
/// # Errors
/// What is wrong, for the proposer.
pub fn front_matter(text: &str) -> Result<FrontMatter, String> {
    let mut lines = text.lines();
    if lines.next() != Some("---") {
        return Err(
            "SKILL.md must begin with front matter: a line ---, then name and description".into(),
        );
    }
    let mut block = Vec::new();
    loop {
        match lines.next() {
            Some("---") => break,
            Some(line) => block.push(line),
            None => return Err("the front matter of SKILL.md has no second line ---".into()),
        }
    }
    Ok(FrontMatter {
        name: field(&block, "name")?,
        description: field(&block, "description")?,
    })
}

fn field(block: &[&str], name: &str) -> Result<String, String> {
    let starts: Vec<usize> = (0..block.len())
        .filter(|at| key(block[*at]) == Some(name))
        .collect();
    let at = match starts[..] {
        [at] => at,
        [] => return Err(format!("the front matter of SKILL.md has no {name}")),
        _ => {
            return Err(format!(
                "the front matter of SKILL.md has {name} more than once"
            ));
        }
    };
    let first = block[at]
        .split_once(':')
        .map_or("", |(_, rest)| rest.trim());
    let more: Vec<&str> = block[at + 1..]
        .iter()
        .take_while(|line| line.is_empty() || line.starts_with([' ', '\t']))
        .map(|line| line.trim())
        .collect();
    let value = scalar(first, &more).ok_or_else(|| {
        format!("{name} in the front matter of SKILL.md is not a plain or quoted text")
    })?;
    if value.is_empty() {
        return Err(format!("{name} in the front matter of SKILL.md is empty"));
    }
    Ok(value)
}

fn key(line: &str) -> Option<&str> {
    let (key, rest) = line.split_once(':')?;
    let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
    // A quoted key is the same key to YAML.
    ends.then(|| key.trim_end().trim_matches(['"', '\'']))
}

fn scalar(first: &str, more: &[&str]) -> Option<String> {
    let more = || more.iter().filter(|line| !line.is_empty());
    match first.chars().next() {
        Some('|' | '>') if first[1..].chars().all(|c| "+-".contains(c)) => {
            let between = if first.starts_with('|') { "\n" } else { " " };
            Some(more().copied().collect::<Vec<_>>().join(between))
        }
        Some(quote @ ('"' | '\'')) => {
            let inner = first.strip_prefix(quote)?.strip_suffix(quote)?;
            let plain = !inner.contains([quote, '\\']);
            (plain && more().next().is_none()).then(|| inner.to_owned())
        }
        // Anchors, tags, lists and maps are no texts.
        Some(c) if "&*!%@`{}[],?|>#".contains(c) => None,
        _ => {
            let joined: Vec<&str> = std::iter::once(first).chain(more().copied()).collect();
            let text = joined.join(" ");
            let is_plain = !text.contains(": ") && !text.contains(" #") && !text.ends_with(':');
            is_plain.then(|| text.trim().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::front_matter;

    #[test]
    fn front_matter_is_read_as_people_write_it() {
        let table = [
            ("name: a\ndescription: Does it.", "a|Does it."),
            (
                "description: \"Does: it # well\"\nname: 'a'",
                "a|Does: it # well",
            ),
            (
                "name: a\ndescription: >-\n  Does\n  it.\nlicense: MIT",
                "a|Does it.",
            ),
            ("name: a\ndescription: |\n  Does\n\n  it.", "a|Does\nit."),
            (
                "name: a\ndescription: Does\n  it.\nmetadata:\n  name: inner",
                "a|Does it.",
            ),
            ("name:   a  \r\ndescription: x\r", "a|x"),
        ];
        for (block, expected) in table {
            let read = front_matter(&format!("---\n{block}\n---\n# Body"));
            let read = read.map(|found| format!("{}|{}", found.name, found.description));
            assert_eq!(read.as_deref(), Ok(expected), "{block}");
        }
    }

    #[test]
    fn what_readers_of_yaml_disagree_on_is_refused() {
        let table = [
            "name: a",
            "description: x",
            "name: a\nname: b\ndescription: x",
            "name: a\n\"description\": x\ndescription: y",
            "name: a\ndescription: x: y",
            "name: a\ndescription: x # hidden",
            "name: a\ndescription: *anchor",
            "name: a\ndescription: [x]",
            "name: a\ndescription: \"x\\u0041\"",
            "name: a\ndescription:",
        ];
        for block in table {
            assert!(
                front_matter(&format!("---\n{block}\n---\n")).is_err(),
                "{block}"
            );
        }
        for whole in [
            "",
            "name: a\ndescription: x",
            "---\nname: a\ndescription: x",
            "\u{feff}---\n",
        ] {
            assert!(front_matter(whole).is_err(), "{whole}");
        }
    }
}
