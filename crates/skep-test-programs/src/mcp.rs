//! Programs of others that speak the Model Context Protocol: the official conformance tool and the inspector.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::fetched;

/// The conformance tool knows revision 2026-07-28 in its previews alone; both run on Node 22.
const PACKAGES: [&str; 9] = [
    "install",
    "--no-audit",
    "--no-fund",
    "--foreground-scripts",
    "--prefix",
    ".",
    "node@22.23.3",
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "@modelcontextprotocol/inspector@2.12.0",
];

/// Where they are.
#[derive(Debug)]
pub struct Programs {
    /// Node 22, which runs the others.
    pub node: PathBuf,
    /// The conformance tool.
    pub conformance: PathBuf,
    /// The inspector.
    pub inspector: PathBuf,
}

/// Installs them under `place` once.
///
/// # Panics
/// When they cannot be installed.
#[must_use]
pub fn programs(place: &Path) -> Programs {
    let folder = fetched(place, "mcp-programs", "npm", &PACKAGES);
    let node = folder.join("node_modules/node/bin/node");
    if !node.exists() {
        // Where npm runs no scripts of packages unasked, the one that fetches Node has to be asked for.
        let mut npm = Command::new("npm");
        let rebuilt = npm.args(["rebuild", "node"]).current_dir(&folder).output();
        assert!(
            rebuilt.is_ok() && node.exists(),
            "Node 22 cannot be installed: {rebuilt:?}"
        );
    }
    let program = |name: &str| folder.join("node_modules/.bin").join(name);
    Programs {
        node,
        conformance: program("conformance"),
        inspector: program("mcp-inspector"),
    }
}
