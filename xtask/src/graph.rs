//! The dependency graph that the rules read: `cargo metadata`, cut down to plain values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// A package of the build.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// A member of this workspace.
    pub(crate) ours: bool,
    pub(crate) license: Option<String>,
    /// Where it is fetched from; `None` for a folder on this disk.
    pub(crate) source: Option<String>,
    /// Ids of what it needs to build and run.
    pub(crate) needs: BTreeSet<String>,
    /// Ids of what only its tests need.
    pub(crate) needs_for_tests: BTreeSet<String>,
}

/// Packages by an opaque id: two versions of one crate are two packages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) packages: BTreeMap<String, Package>,
}

impl Graph {
    /// Asks cargo, for every platform at once.
    ///
    /// # Errors
    /// When cargo cannot resolve the workspace.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .exec()
            .context("cargo metadata")?;
        let members: BTreeSet<_> = metadata.workspace_members.iter().cloned().collect();
        let mut graph = Self::default();
        for package in metadata.packages {
            graph.packages.insert(
                package.id.repr.clone(),
                Package {
                    name: package.name.to_string(),
                    version: package.version.to_string(),
                    ours: members.contains(&package.id),
                    license: package.license,
                    source: package.source.map(|source| source.repr),
                    ..Package::default()
                },
            );
        }
        let resolve = metadata
            .resolve
            .context("cargo metadata gave no resolution")?;
        for node in resolve.nodes {
            let Some(package) = graph.packages.get_mut(&node.id.repr) else {
                continue;
            };
            for dependency in node.deps {
                let id = dependency.pkg.repr;
                let tests_only = dependency
                    .dep_kinds
                    .iter()
                    .all(|kind| kind.kind == DependencyKind::Development);
                if tests_only {
                    package.needs_for_tests.insert(id);
                } else {
                    package.needs.insert(id);
                }
            }
        }
        Ok(graph)
    }

    /// The members of this workspace.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (&String, &Package)> {
        self.packages.iter().filter(|(_, package)| package.ours)
    }

    /// The name behind an id; an id that is not in the graph stands for itself.
    pub(crate) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.packages
            .get(id)
            .map_or(id, |package| package.name.as_str())
    }

    /// Everything a package needs to build and run, through any number of steps, each with the
    /// chain of names that leads there.
    pub(crate) fn reach<'a>(&'a self, from: &'a str) -> BTreeMap<&'a str, Vec<&'a str>> {
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut open = vec![(from, vec![self.name(from)])];
        while let Some((id, chain)) = open.pop() {
            for next in self.packages.get(id).iter().flat_map(|p| &p.needs) {
                if next != from && !found.contains_key(next.as_str()) {
                    let mut longer = chain.clone();
                    longer.push(self.name(next));
                    found.insert(next, longer.clone());
                    open.push((next, longer));
                }
            }
        }
        found
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Graph, Package};

    /// How cargo writes the one registry we build from.
    pub(crate) const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

    /// A small graph from lines such as `skep-cli > skep-client clap`; names with the prefix
    /// `skep-` and `xtask` are ours.
    pub(crate) fn drawn(lines: &str) -> Graph {
        let mut graph = Graph::default();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (from, needs) = line.split_once('>').unwrap_or((line, ""));
            let needs = needs.split_whitespace().map(str::to_owned);
            add(&mut graph, from.trim()).needs.extend(needs.clone());
            for need in needs {
                add(&mut graph, &need);
            }
        }
        graph
    }

    fn add<'g>(graph: &'g mut Graph, name: &str) -> &'g mut Package {
        let ours = name.starts_with("skep-") || name == "xtask";
        graph
            .packages
            .entry(name.to_owned())
            .or_insert_with(|| Package {
                name: name.to_owned(),
                version: "1.0.0".to_owned(),
                ours,
                license: Some("Apache-2.0".to_owned()),
                source: (!ours).then(|| CRATES_IO.to_owned()),
                ..Package::default()
            })
    }

    #[test]
    fn reach_follows_every_step_and_survives_a_cycle() {
        let graph = drawn("skep-a > b\n b > c\n c > b");
        let reached = graph.reach("skep-a");
        assert_eq!(reached["c"], ["skep-a", "b", "c"]);
        assert_eq!(reached.len(), 2);
    }
}
