//! What an operator sets about capture.

use skep_memory::DenyRules;

/// Settings of capture.
#[derive(Clone, Debug)]
pub struct CaptureSettings {
    /// Whether anything is captured at all, imports included.
    pub enabled: bool,
    /// Whether work in a directory that is bound to no project is captured.
    pub unbound: bool,
    /// What is kept out by rule.
    pub deny: DenyRules,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            unbound: false,
            deny: DenyRules::default(),
        }
    }
}
