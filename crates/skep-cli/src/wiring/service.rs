//! The daemon as a service of the user's own: started with the session, and again when it falls.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::change::{self, Change};
use super::plan::Step;
use super::receipt::{Kept, Receipt};
use crate::environment::Environment;

/// Its name in the receipt.
pub(crate) const NAME: &str = "service";
/// Its name for systemd.
const UNIT: &str = "skepd.service";
/// Its name for launchd.
const LABEL: &str = "dev.skep.skepd";

/// Who starts services here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Starter {
    Systemd,
    Launchd,
}

/// The one that answers, if any does.
pub(crate) fn starter() -> Option<Starter> {
    if cfg!(target_os = "macos") {
        return Some(Starter::Launchd);
    }
    let answers = run("systemctl", &["--user", "show-environment"]);
    answers.then_some(Starter::Systemd)
}

impl Starter {
    /// Where the file goes that tells it of the daemon.
    pub(crate) fn file(self, environment: &Environment) -> Option<PathBuf> {
        let home = environment.user_home.as_ref()?;
        Some(match self {
            Self::Systemd => {
                let config = environment.config_home.clone();
                let config = config.unwrap_or_else(|| home.join(".config"));
                config.join("systemd/user").join(UNIT)
            }
            Self::Launchd => home.join(format!("Library/LaunchAgents/{LABEL}.plist")),
        })
    }

    /// What the file says.
    pub(crate) fn text(self, program: &Path, data: &Path) -> String {
        match self {
            Self::Systemd => format!(
                "# Written by skep setup; taken away by skep setup --uninstall.\n\
                 [Unit]\nDescription=Skep: memory for coding agents\n\n\
                 [Service]\nExecStart={} --home {} serve\nRestart=on-failure\nRestartSec=2\n\
                 UMask=0077\nNoNewPrivileges=yes\n\n\
                 [Install]\nWantedBy=default.target\n",
                quoted(program),
                quoted(data)
            ),
            Self::Launchd => {
                let words = [program, Path::new("--home"), data, Path::new("serve")];
                let words = words.map(|word| {
                    let word = escaped(&word.to_string_lossy());
                    format!("    <string>{word}</string>\n")
                });
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                     <!-- Written by skep setup; taken away by skep setup --uninstall. -->\n\
                     <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
                     \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
                     <plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>{LABEL}</string>\n  \
                     <key>ProgramArguments</key>\n  <array>\n{}  </array>\n  <key>RunAtLoad</key>\n  <true/>\n  \
                     <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n  \
                     <key>Umask</key>\n  <integer>63</integer>\n</dict>\n</plist>\n",
                    words.concat()
                )
            }
        }
    }

    /// Tells it of the file; `false` if it would not hear.
    pub(crate) fn enable(self, file: &Path) -> bool {
        match self {
            Self::Systemd => {
                run("systemctl", &["--user", "daemon-reload"])
                    && run("systemctl", &["--user", "enable", UNIT])
            }
            Self::Launchd => run("launchctl", &["load", "-w", &file.to_string_lossy()]),
        }
    }

    /// Tells it that the file goes.
    pub(crate) fn disable(self, file: &Path) -> bool {
        match self {
            Self::Systemd => run("systemctl", &["--user", "disable", UNIT]),
            Self::Launchd => run("launchctl", &["unload", "-w", &file.to_string_lossy()]),
        }
    }
}

/// What installing it would change.
pub(crate) fn put_in(file: PathBuf, text: String, receipt: &Receipt) -> Result<Step, String> {
    let now = change::read(&file).map_err(|error| error.to_string())?;
    let before = match receipt.of(NAME) {
        Some(kept) if now.as_ref() == Some(&kept.after) => kept.before.clone(),
        _ => now.clone(),
    };
    let kept = Kept {
        name: NAME.into(),
        path: file.clone(),
        before,
        after: text.clone(),
        made: Vec::new(),
        made_hooks: false,
    };
    Ok(Step {
        change: Change {
            path: file,
            before: now,
            after: Some(text),
        },
        kept: Some(kept),
    })
}

/// What taking it away would change; what somebody wrote to since stays.
pub(crate) fn take_out(kept: &Kept) -> Result<Step, String> {
    let now = change::read(&kept.path).map_err(|error| error.to_string())?;
    let after = match &now {
        Some(text) if *text == kept.after => kept.before.clone(),
        other => other.clone(),
    };
    Ok(Step {
        change: Change {
            path: kept.path.clone(),
            before: now,
            after,
        },
        kept: None,
    })
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// As systemd reads a word.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let escaped = text
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    format!("\"{escaped}\"")
}

/// As XML reads text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Starter;

    #[test]
    fn a_path_is_a_word_to_whoever_reads_it() {
        let (program, data) = (Path::new("/a b/skepd"), Path::new("/x\"%$<&>"));
        insta::assert_snapshot!("systemd", Starter::Systemd.text(program, data));
        insta::assert_snapshot!("launchd", Starter::Launchd.text(program, data));
    }
}
