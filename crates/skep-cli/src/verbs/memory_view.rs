//! How a memory looks on a terminal.

use skep_api::Instant;
use skep_api::memory::{Memory, Provenance};

use crate::layout::{one_line, shortened};
use crate::style::Style;

/// Id, kind, project and date.
pub(super) fn headline(style: Style, memory: &Memory) -> String {
    let mut parts = vec![one_line(&memory.id), one_line(&memory.kind)];
    parts.extend(memory.project.as_deref().map(one_line));
    parts.push(date(memory.valid_from));
    if memory.state != "active" {
        parts.push(style.bad(&one_line(&memory.state)));
    }
    style.dim(&parts.join(" · "))
}

/// Where it comes from: the harness, and its commit or session.
pub(super) fn origin(provenance: &Provenance) -> String {
    let harness = one_line(&provenance.harness);
    let references = &provenance.references;
    match (references.first(), &provenance.session) {
        (Some(first), _) if harness == "git" => {
            let more = more(references.len());
            let short: String = one_line(first).chars().take(12).collect();
            format!("commit {short}{more}")
        }
        (_, Some(session)) => {
            let turns = match provenance.turns.len() {
                0 => String::new(),
                1 => ", 1 turn".into(),
                count => format!(", {count} turns"),
            };
            format!("{harness} {}{turns}", one_line(session))
        }
        (Some(first), None) => format!(
            "{harness} {}{}",
            shortened(first, 40),
            more(references.len())
        ),
        (None, None) => harness,
    }
}

/// The day, in UTC.
pub(super) fn date(instant: Instant) -> String {
    instant.to_string().chars().take(10).collect()
}

fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    }
}
