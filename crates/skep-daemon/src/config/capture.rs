//! The section `[capture]`: the off switch, unbound directories, what is kept out by rule.

use std::fmt;

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_app::{CaptureSettings, DenyRules, DropPart, ToolRule};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Capture {
    /// `false` stops all capture, imports included; so does `SKEP_CAPTURE=false`.
    enabled: bool,
    /// `refuse` or `capture` what is done in a directory that is bound to no project.
    unbound: String,
    /// Whether the built-in rules are in force.
    deny_defaults: bool,
    /// Patterns of paths to keep out, after the built-in ones.
    deny_paths: Vec<String>,
    /// Rules for tools, before the built-in ones.
    deny_tools: Vec<Tool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    tool: String,
    /// `output`, `content` or `call`.
    drop: String,
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            enabled: true,
            unbound: "refuse".into(),
            deny_defaults: true,
            deny_paths: Vec::new(),
            deny_tools: Vec::new(),
        }
    }
}

impl Capture {
    /// What the application is told.
    pub(crate) fn settings(&self) -> anyhow::Result<CaptureSettings> {
        let unbound = match self.unbound.as_str() {
            "refuse" => false,
            "capture" => true,
            other => bail!("capture.unbound is {other:?}: it must be refuse or capture"),
        };
        let built_in = DenyRules::default();
        let mut paths = Vec::new();
        let mut tools = self
            .deny_tools
            .iter()
            .map(Tool::rule)
            .collect::<anyhow::Result<Vec<_>>>()?;
        if self.deny_defaults {
            paths.extend_from_slice(built_in.paths());
            tools.extend(built_in.tools().cloned());
        }
        paths.extend_from_slice(&self.deny_paths);
        Ok(CaptureSettings {
            enabled: self.enabled,
            unbound,
            deny: DenyRules::new(&paths, &tools).context("capture.deny_paths or deny_tools")?,
        })
    }
}

impl Tool {
    fn rule(&self) -> anyhow::Result<ToolRule> {
        let drop = DropPart::parse(&self.drop).with_context(|| {
            format!(
                "capture.deny_tools: drop is {:?}; it must be output, content or call",
                self.drop
            )
        })?;
        Ok(ToolRule {
            tool: self.tool.clone(),
            drop,
        })
    }
}

impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "capture.enabled = {}", self.enabled)?;
        writeln!(f, "capture.unbound = {:?}", self.unbound)?;
        writeln!(f, "capture.deny_defaults = {}", self.deny_defaults)?;
        write!(f, "capture.deny_paths = {:?}", self.deny_paths)?;
        for tool in &self.deny_tools {
            write!(
                f,
                "\n# capture.deny_tools: {:?} drops {}",
                tool.tool, tool.drop
            )?;
        }
        Ok(())
    }
}
