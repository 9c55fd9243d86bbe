//! The part of `deny.toml` that is read here, and what it says about a graph.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use cargo_metadata::semver::{Version, VersionReq};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::graph::{Graph, Package};
use crate::problem::Problem;

/// The rules. Keys that only cargo-deny knows are left to it.
#[derive(Debug, Deserialize)]
pub(super) struct Rules {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

/// Licences that one crate may have and no other.
#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Bans {
    multiple_versions: Level,
    deny: Vec<Ban>,
    #[serde(default)]
    skip: Vec<Skip>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Level {
    Allow,
    Warn,
    Deny,
}

/// A crate that nobody may use, or only `wrappers` may.
#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

/// A version that may stand beside a newer one.
#[derive(Debug, Deserialize)]
struct Skip {
    /// `name@1.2.3` or `name:^1`.
    #[serde(rename = "crate")]
    spec: String,
    /// Why it may: `deny.toml` is not read without one.
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

impl Rules {
    /// # Errors
    /// When the text is not TOML, a rule lacks its reason, or a licence is not an SPDX name.
    pub(super) fn read(text: &str) -> Result<Self> {
        let rules: Self = toml::from_str(text).context("deny.toml")?;
        let exceptions = rules.licenses.exceptions.iter();
        let excepted = exceptions.flat_map(|exception| &exception.allow);
        for name in rules.licenses.allow.iter().chain(excepted) {
            if spdx::license_id(name).is_none() {
                bail!("deny.toml: `{name}` is no SPDX licence");
            }
        }
        for skip in &rules.bans.skip {
            skip.parts()?;
        }
        Ok(rules)
    }

    pub(super) fn check(&self, graph: &Graph) -> Vec<Problem> {
        let mut problems = Vec::new();
        for package in graph.packages.values() {
            problems.extend(self.licence(package));
            problems.extend(self.source(package));
        }
        problems.extend(self.bans.deny.iter().flat_map(|ban| banned(ban, graph)));
        problems.extend(self.duplicates(graph));
        problems
    }

    fn licence(&self, package: &Package) -> Option<Problem> {
        let problem = |message: String| Some(Problem::new(full_name(package), "licence", message));
        let Some(text) = &package.license else {
            return problem("declares no licence".to_owned());
        };
        // Old manifests write `MIT/Apache-2.0`, some with blanks.
        let Ok(expression) = Expression::parse_mode(&text.replace('/', " OR "), ParseMode::LAX)
        else {
            return problem(format!("`{text}` is no SPDX expression"));
        };
        let own = self.licenses.exceptions.iter();
        let own = own.filter(|exception| exception.name == package.name);
        let own: Vec<&String> = own.flat_map(|exception| &exception.allow).collect();
        let allowed = |asked: &LicenseReq| {
            let on_a_list = |id: spdx::LicenseId| {
                let mut names = self.licenses.allow.iter().chain(own.iter().copied());
                names.any(|name| name == id.name)
            };
            asked.addition.is_none() && asked.license.id().is_some_and(on_a_list)
        };
        if expression.evaluate(allowed) {
            return None;
        }
        problem(format!("`{text}` is not on the allow list of deny.toml"))
    }

    fn source(&self, package: &Package) -> Option<Problem> {
        let known = match &package.source {
            None => package.ours,
            Some(source) => source
                .strip_prefix("registry+")
                .is_some_and(|url| self.sources.allow_registry.iter().any(|known| known == url)),
        };
        if known {
            return None;
        }
        let source = package.source.as_deref().unwrap_or("a folder outside");
        let message = format!("comes from {source}: only crates.io is built from");
        Some(Problem::new(full_name(package), "source", message))
    }

    /// Crates in more versions than one, beside those that `skip` names.
    fn duplicates(&self, graph: &Graph) -> Vec<Problem> {
        if self.bans.multiple_versions != Level::Deny {
            return Vec::new();
        }
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in graph.packages.values() {
            let skipped = self.bans.skip.iter().any(|skip| skip.covers(package));
            if !skipped {
                let known = versions.entry(&package.name).or_default();
                known.insert(&package.version);
            }
        }
        let doubled = versions.into_iter().filter(|(_, found)| found.len() > 1);
        doubled
            .map(|(name, found)| {
                let found: Vec<&str> = found.into_iter().collect();
                let message = format!(
                    "is built in versions {}: unify them, or name the older one under `skip` \
                     with the reason",
                    found.join(" and ")
                );
                Problem::new(name, "duplicate", message)
            })
            .collect()
    }
}

fn banned(ban: &Ban, graph: &Graph) -> Vec<Problem> {
    let is_it = |id: &String| graph.name(id) == ban.name;
    let wrapped = |package: &&Package| ban.wrappers.contains(&package.name);
    if ban.wrappers.is_empty() {
        let found = graph.packages.keys().find(|id| is_it(id));
        let problem = |_| Problem::new(&ban.name, "banned", format!("is banned: {}", ban.reason));
        return found.map(problem).into_iter().collect();
    }
    let users = graph
        .packages
        .values()
        .filter(|package| package.needs.iter().any(is_it));
    users
        .filter(|package| !wrapped(package))
        .map(|package| {
            let message = format!(
                "uses `{}`, which only {} may: {}",
                ban.name,
                ban.wrappers.join(", "),
                ban.reason
            );
            Problem::new(full_name(package), "banned", message)
        })
        .collect()
}

impl Skip {
    /// # Errors
    /// When the version is none.
    fn parts(&self) -> Result<(&str, VersionReq)> {
        let (name, version) = match self.spec.split_once('@') {
            Some((name, version)) => (name, format!("={version}")),
            None => self
                .spec
                .split_once(':')
                .map(|(name, range)| (name, range.to_owned()))
                .with_context(|| format!("deny.toml: skip `{}` names no version", self.spec))?,
        };
        let range = VersionReq::parse(&version)
            .with_context(|| format!("deny.toml: skip `{}`", self.spec))?;
        Ok((name, range))
    }

    fn covers(&self, package: &Package) -> bool {
        let version = Version::parse(&package.version);
        self.parts().is_ok_and(|(name, range)| {
            name == package.name && version.is_ok_and(|version| range.matches(&version))
        })
    }
}

fn full_name(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}
