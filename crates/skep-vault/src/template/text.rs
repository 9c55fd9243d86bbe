//! What texts of a template may be: nothing that a screen hides, hosts, paths.

use std::path::{Component, Path};

use super::{ARGUMENT, HOSTS, TemplateError};

pub(super) type Checked = Result<(), TemplateError>;

/// Not too many, and each one a host.
pub(super) fn hosts(field: &str, all: &[String]) -> Checked {
    require(all.len() <= HOSTS, field, &at_most(HOSTS))?;
    for (at, one) in all.iter().enumerate() {
        if let Some(why) = fault(one) {
            let known = "is no host such as api.example.com, *.example.com or git.example.com:8443";
            return Err(refused(
                &format!("{field}[{at}]"),
                &format!("{known}: {why}"),
            ));
        }
    }
    Ok(())
}

/// Why it is no host, in words; nothing if it is one.
fn fault(text: &str) -> Option<&'static str> {
    if is_host(text) {
        return None;
    }
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    let is_address = host.rsplit('.').next().is_some_and(|top| {
        top.bytes()
            .next()
            .is_some_and(|first| first.is_ascii_digit())
    });
    Some(match text {
        _ if text.contains("://") || text.contains('/') => "leave out the scheme and the path",
        _ if text.starts_with('[') || is_address => {
            "an address, or a name that ends in a number, is none"
        }
        _ if host.bytes().any(|byte| byte.is_ascii_uppercase()) => "write it in small letters",
        _ if !host.trim_start_matches("*.").contains('.') => "it has no dot",
        _ if is_host(host) && !port.is_empty() => "its port is no number from 1 to 65535",
        _ => "it has letters that no name has",
    })
}

/// A name of the public internet, or everything below one: never an address, and never a whole top level.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_port = |port: &str| {
        port.parse::<u16>()
            .is_ok_and(|number| number.to_string() == port && number > 0)
    };
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let labels: Vec<&str> = name.split('.').collect();
    let top = labels.last().copied().unwrap_or_default();
    host.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| is_label(label))
        && top.starts_with(|first: char| first.is_ascii_lowercase())
        && port.is_none_or(is_port)
}

/// An absolute path in its plainest form.
pub(super) fn path(field: &str, text: &str) -> Checked {
    shown(field, text)?;
    let path = Path::new(text);
    let is_plain = path.is_absolute()
        && path
            .components()
            .skip(1)
            .all(|part| matches!(part, Component::Normal(_)))
        && path
            .components()
            .collect::<std::path::PathBuf>()
            .as_os_str()
            == path.as_os_str()
        && text.len() > 1;
    require(
        is_plain,
        field,
        "is no absolute path without dots and doubled slashes",
    )
}

/// What an approver sees is what is meant: nothing that a screen does not show, and nothing endless.
pub(super) fn shown(field: &str, text: &str) -> Checked {
    require(
        text.len() <= ARGUMENT,
        field,
        &format!("has more than {ARGUMENT} bytes"),
    )?;
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    require(
        !text.contains(hides),
        field,
        "holds a character that is not shown",
    )
}

pub(super) fn at_most(count: usize) -> String {
    format!("has more than {count}")
}

pub(super) fn require(holds: bool, field: &str, why: &str) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(refused(field, why))
    }
}

pub(super) fn refused(field: &str, why: &str) -> TemplateError {
    TemplateError {
        field: field.into(),
        why: why.into(),
    }
}
