//! An export of issues, in the form that GitHub's API and those like it give: a JSON array of
//! issues, their comments in each. Read by whoever has the bytes.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// Bytes of one issue with its comments.
const PAGE: usize = 1 << 20;
/// Issues of one export.
const PAGES: usize = 20_000;
/// Comments of one issue.
const COMMENTS: usize = 1_000;

/// One issue and its comments, in Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuePage {
    /// `#12`
    pub name: String,
    /// What it says.
    pub text: String,
}

/// One issue of an export; what else it has is not read.
#[derive(Deserialize)]
struct Issue {
    number: Option<u64>,
    id: Option<u64>,
    title: Option<String>,
    body: Option<String>,
    state: Option<String>,
    /// A list of them, or only how many there are.
    #[serde(default)]
    comments: Value,
}

/// The issues of an export; `true` if it has more than are given.
///
/// # Errors
/// Where it is no JSON array of issues; nothing of what it says.
pub fn read(export: &[u8]) -> Result<(Vec<IssuePage>, bool), String> {
    let issues: Vec<Issue> = serde_json::from_slice(export).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("not a JSON array of issues (line {line}, column {column})")
    })?;
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let pages = issues.iter().take(PAGES).enumerate().map(|(at, issue)| {
        let number = issue.number.or(issue.id).unwrap_or(at as u64 + 1);
        let again = seen.entry(number).or_default();
        *again += 1;
        let name = match *again {
            1 => format!("#{number}"),
            again => format!("#{number} ({again})"),
        };
        let text = written(issue);
        IssuePage { name, text }
    });
    Ok((pages.collect(), issues.len() > PAGES))
}

fn written(issue: &Issue) -> String {
    let title = issue.title.as_deref().unwrap_or("untitled");
    let title = title.replace('\n', " ");
    let state = issue.state.as_deref().unwrap_or("unknown");
    let mut text = format!("# {title}\n\nState: {state}\n\n");
    text.push_str(issue.body.as_deref().unwrap_or_default());
    let comments = issue.comments.as_array().into_iter().flatten();
    for comment in comments.take(COMMENTS) {
        let user = &comment["user"];
        let who = user["login"].as_str().or_else(|| user.as_str());
        let who = who.unwrap_or("somebody").replace('\n', " ");
        let body = comment["body"].as_str().unwrap_or_default();
        text.push_str(&format!("\n\n## Comment by {who}\n\n{body}"));
    }
    text.truncate(text.floor_char_boundary(PAGE));
    text
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn issues_become_pages_and_other_json_is_named() {
        let export = r#"[{"number":7,"title":"Cranes\nstop","body":"At noon.","state":"open","comments":[{"user":{"login":"ann"},"body":"Grease."}]},
            {"number":7,"title":null,"comments":3},{}]"#;
        let (pages, more) = read(export.as_bytes()).unwrap();
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        assert_eq!((names, more), (vec!["#7", "#7 (2)", "#3"], false));
        let first = &pages[0].text;
        assert!(first.contains("# Cranes stop") && first.contains("## Comment by ann\n\nGrease."));
        for wrong in ["{}", "[1]", "[", &"[".repeat(100_000), "hunter2"] {
            let problem = read(wrong.as_bytes()).unwrap_err();
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        let many = format!("[{}]", vec!["{}"; 20_001].join(","));
        let (pages, more) = read(many.as_bytes()).unwrap();
        assert_eq!((pages.len(), more), (20_000, true));
    }
}
