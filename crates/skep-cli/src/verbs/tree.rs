//! `skep ls|cat|grep|find`: the tree of memories with the verbs that everybody knows.

use std::process::ExitCode;

use serde::Serialize;
use skep_api::Limits;
use skep_api::tree::{
    Entry, File, FileRequest, FindRequest, GrepRequest, GrepResponse, ListRequest, Listing, Type,
};

use super::memory_view::date;
use crate::args::{Cat, Find, Grep, Ls};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, counted, one_line, visible};

/// Several files as JSON.
#[derive(Serialize)]
struct Files {
    files: Vec<File>,
}

pub(super) async fn ls(context: &Context<'_>, arguments: Ls) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    let mut all = Listing::default();
    for path in &arguments.paths {
        let mut request = ListRequest {
            path: absolute(path),
            limit: Some(Limits::PAGE_MAX),
            cursor: None,
        };
        loop {
            let page = client.list_tree(&request).await?;
            all.partial |= page.partial;
            if out.is_json() {
                all.entries.extend(page.entries);
            } else {
                show(context, &page.entries, arguments.long)?;
            }
            request.cursor = page.next;
            if request.cursor.is_none() {
                break;
            }
        }
    }
    if out.is_json() {
        out.json(&all)?;
    } else if all.partial {
        out.note("only the newest memories were counted: there are too many");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn cat(context: &Context<'_>, arguments: Cat) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let mut files = Vec::new();
    for path in &arguments.paths {
        let request = FileRequest {
            path: absolute(path),
        };
        let file = client.tree_file(&request).await?;
        if context.output.is_json() {
            files.push(file);
        } else {
            context.output.bytes(visible(&file.text).as_bytes())?;
        }
    }
    if context.output.is_json() {
        context.output.json(&Files { files })?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn grep(context: &Context<'_>, arguments: Grep) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    let (mut lines, mut all) = (0, GrepResponse::default());
    for path in &arguments.paths {
        let mut request = GrepRequest {
            pattern: arguments.pattern.clone(),
            path: Some(absolute(path)),
            ignore_case: arguments.ignore_case,
            names_only: arguments.files_with_matches,
            limit: Some(Limits::PAGE_MAX),
            cursor: None,
        };
        loop {
            let found = client.grep_tree(&request).await?;
            lines += found.matches.len();
            all.searched += found.searched;
            if out.is_json() {
                all.matches.extend(found.matches);
            } else if !arguments.count {
                for one in &found.matches {
                    out.line(&line(context, one, &arguments))?;
                }
            }
            request.cursor = found.next;
            if request.cursor.is_none() {
                break;
            }
        }
    }
    if out.is_json() {
        out.json(&all)?;
    } else if arguments.count {
        out.line(&lines.to_string())?;
    }
    Ok(ExitCode::from(u8::from(lines == 0)))
}

pub(super) async fn find(context: &Context<'_>, arguments: Find) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    let mut all = Listing::default();
    for path in &arguments.paths {
        let mut request = FindRequest {
            path: Some(absolute(path)),
            name: arguments.name.clone(),
            kind: arguments.kind.clone(),
            project: arguments.project.clone(),
            day: arguments.day.clone(),
            limit: Some(Limits::PAGE_MAX),
            ..FindRequest::default()
        };
        loop {
            let page = client.find_in_tree(&request).await?;
            if out.is_json() {
                all.entries.extend(page.entries);
            } else {
                for entry in &page.entries {
                    out.line(&one_line(&entry.path))?;
                }
            }
            request.cursor = page.next;
            if request.cursor.is_none() {
                break;
            }
        }
    }
    if out.is_json() {
        out.json(&all)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A path as the daemon takes it: there is no folder that one stands in but the root.
fn absolute(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    match path {
        "" | "." => "/".into(),
        _ if path.starts_with('/') => path.into(),
        _ => format!("/{path}"),
    }
}

fn line(context: &Context<'_>, one: &skep_api::tree::Match, arguments: &Grep) -> String {
    let style = context.output.style();
    let path = one_line(&one.path);
    if arguments.files_with_matches {
        return path;
    }
    let path = style.dim(&path);
    let text = visible(&one.text);
    if arguments.line_number {
        format!("{path}:{}:{text}", one.line)
    } else {
        format!("{path}:{text}")
    }
}

fn show(context: &Context<'_>, entries: &[Entry], long: bool) -> Result<(), Failure> {
    let out = context.output;
    if !long {
        for entry in entries {
            out.line(&shown(context, entry))?;
        }
        return Ok(());
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let word = |text: &Option<String>| one_line(text.as_deref().unwrap_or("-"));
            let size = match entry.node {
                Type::Folder => entry
                    .memories
                    .map(|count| counted(count, "memory", "memories")),
                Type::File => entry.bytes.map(|bytes| format!("{bytes} B")),
            };
            vec![
                word(&entry.kind),
                word(&entry.trust),
                size.unwrap_or_else(|| "-".into()),
                entry.valid_from.map_or_else(|| "-".into(), date),
                shown(context, entry),
            ]
        })
        .collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(())
}

/// The name; a folder's with a slash.
fn shown(context: &Context<'_>, entry: &Entry) -> String {
    let name = one_line(&entry.name);
    match entry.node {
        Type::Folder => context.output.style().bold(&format!("{name}/")),
        Type::File => name,
    }
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn paths_begin_at_the_root() {
        for (path, expected) in [
            ("", "/"),
            (".", "/"),
            ("./", "/"),
            ("/", "/"),
            ("projects", "/projects"),
            ("./projects/", "/projects/"),
            ("/days", "/days"),
            ("..", "/.."),
        ] {
            assert_eq!(absolute(path), expected, "{path:?}");
        }
    }
}
