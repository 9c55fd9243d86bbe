//! `arrows`: which crate may depend on which, read from `cargo metadata`.

mod table;
#[cfg(test)]
mod tests;

use anyhow::Result;

use crate::graph::{Graph, Package};
use crate::problem::{Problem, conclude};
use crate::tree;
use table::{APART, ARROWS, FENCES, KEEP_OUT, matches};

/// Checks the workspace.
///
/// # Errors
/// When an arrow points where it may not.
pub(crate) fn run() -> Result<()> {
    let graph = Graph::load(&tree::root()?)?;
    let members = graph.ours().count();
    conclude(
        &check(&graph),
        &format!("arrows: {members} crates, every arrow points down"),
    )
}

fn check(graph: &Graph) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (id, package) in graph.ours() {
        problems.extend(own_arrows(graph, package));
        problems.extend(fences(graph, package));
        problems.extend(kept_out(graph, id, package));
    }
    problems
}

/// The arrows between our own crates.
fn own_arrows(graph: &Graph, package: &Package) -> Vec<Problem> {
    if APART.contains(&package.name.as_str()) {
        return Vec::new();
    }
    let Some((_, may)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
        return vec![Problem::new(
            &package.name,
            "arrows",
            "has no row in xtask/src/arrows/table.rs: add one, and a paragraph in ARCHITECTURE.md",
        )];
    };
    let ours = package
        .needs
        .iter()
        .filter_map(|id| graph.packages.get(id))
        .filter(|need| need.ours);
    ours.filter_map(|need| {
        if APART.contains(&need.name.as_str()) {
            let message = format!("needs `{}`, which no program is built from", need.name);
            Some(Problem::new(&package.name, "arrows", message))
        } else if may.iter().any(|pattern| matches(pattern, &need.name)) {
            None
        } else {
            let message = format!(
                "depends on `{}`, but may depend on {may:?} only: move the code, \
                 or change the table together with an ADR",
                need.name
            );
            Some(Problem::new(&package.name, "arrows", message))
        }
    })
    .collect()
}

/// Crates of others that only some of ours may name.
fn fences(graph: &Graph, package: &Package) -> Vec<Problem> {
    let mut problems = Vec::new();
    for fence in FENCES {
        let inside = fence.may.contains(&package.name.as_str());
        for need in package.needs.iter().map(|id| graph.name(id)) {
            if fence.crates.contains(&need) && !inside {
                let message = format!("names `{need}`: {}", fence.reason);
                problems.push(Problem::new(&package.name, "fence", message));
            }
        }
    }
    problems
}

/// What must stay out of a crate's whole tree, however it gets there.
fn kept_out(graph: &Graph, id: &str, package: &Package) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rule in KEEP_OUT
        .iter()
        .filter(|rule| rule.of.contains(&package.name.as_str()))
    {
        for (reached, chain) in graph.reach(id) {
            let name = graph.name(reached);
            if rule.out.iter().any(|pattern| matches(pattern, name)) {
                let message = format!("reaches `{name}` by {}: {}", chain.join(" > "), rule.reason);
                problems.push(Problem::new(&package.name, "keep-out", message));
            }
        }
    }
    problems
}
