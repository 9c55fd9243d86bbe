//! The environment variables that `skep` heeds, read once.

use std::env::var_os;
use std::path::PathBuf;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// `SKEP_HOME`: the data directory.
    pub(crate) skep_home: Option<PathBuf>,
    /// `HOME`: under which the data directory and the harnesses' own are found.
    pub(crate) user_home: Option<PathBuf>,
    /// `SKEP_URL`: a daemon at this URL instead of the socket.
    pub(crate) url: Option<String>,
    /// `SKEP_TOKEN_FILE`: whom the key in this file says we are.
    pub(crate) token_file: Option<PathBuf>,
    /// `SKEP_CAPTURE` says no: nothing is sent and nothing spooled.
    pub(crate) capture_off: bool,
    /// `NO_COLOR`, non-empty; or a terminal that says it is dumb.
    pub(crate) no_colour: bool,
    /// `CLAUDE_CONFIG_DIR`: where Claude Code keeps its files, if not in `~/.claude`.
    pub(crate) claude_home: Option<PathBuf>,
    /// `CODEX_HOME`: where Codex keeps its files, if not in `~/.codex`.
    pub(crate) codex_home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`: where programs keep their configuration, if not in `~/.config`.
    pub(crate) config_home: Option<PathBuf>,
}

impl Environment {
    pub(crate) fn read() -> Self {
        let path = |name| {
            var_os(name)
                .filter(|text| !text.is_empty())
                .map(PathBuf::from)
        };
        let said = |name| var_os(name).filter(|text| !text.is_empty());
        Self {
            skep_home: path("SKEP_HOME"),
            user_home: path("HOME"),
            url: said("SKEP_URL").map(|url| url.to_string_lossy().into_owned()),
            token_file: path("SKEP_TOKEN_FILE"),
            capture_off: said("SKEP_CAPTURE").is_some_and(|text| {
                let text = text.to_string_lossy().trim().to_ascii_lowercase();
                !matches!(text.as_str(), "" | "1" | "true" | "yes" | "on")
            }),
            no_colour: said("NO_COLOR").is_some() || said("TERM").is_some_and(|t| t == "dumb"),
            claude_home: path("CLAUDE_CONFIG_DIR"),
            codex_home: path("CODEX_HOME"),
            config_home: path("XDG_CONFIG_HOME"),
        }
    }
}
