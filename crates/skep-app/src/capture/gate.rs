//! Whether a batch may be captured at all: the off switch, pauses, opt-outs, bound directories.

use skep_authz::rights::SessionCapture;
use skep_domain::{CaptureOrigin, Harness, TurnOutcome};
use skep_store::{PausedSession, Tx};

use crate::{App, AppError};

/// Directories above a working directory that are looked at.
const DEPTH: usize = 64;

/// What the gate looks at.
pub(crate) struct CameFrom<'a> {
    /// Which harness.
    pub(crate) harness: Harness,
    /// What the harness calls the session.
    pub(crate) external_id: &'a str,
    /// Its working directory.
    pub(crate) cwd: Option<&'a str>,
    /// Whether somebody asked for it, or a harness is at work.
    pub(crate) origin: CaptureOrigin,
}

/// What the gate says about a batch.
pub(crate) enum Gate {
    /// It may come in; its directory is bound to this project, if it is bound.
    Open(Option<String>),
    /// It may not.
    Shut(TurnOutcome, String),
}

impl App {
    /// An import is its own consent, so it passes a pause and an unbound directory; a session that
    /// opted out and the off switch stop it as well.
    pub(crate) async fn gate(
        &self,
        tx: &mut Tx<SessionCapture>,
        batch: &CameFrom<'_>,
    ) -> Result<Gate, AppError> {
        if !self.capturing.enabled {
            let note = "capture is switched off: set capture.enabled in skep.toml, or unset SKEP_CAPTURE, and restart skepd";
            return Ok(Gate::Shut(TurnOutcome::Off, note.into()));
        }
        let session = PausedSession {
            harness: batch.harness,
            external_id: batch.external_id.to_owned(),
        };
        let pauses = tx.list_pauses(Some(&session), self.store.now()).await?;
        if pauses.iter().any(|pause| pause.session) {
            let note = "this session opted out: skep resume --session lets it in again";
            return Ok(Gate::Shut(TurnOutcome::SessionOff, note.into()));
        }
        if batch.origin == CaptureOrigin::Import {
            return Ok(Gate::Open(None));
        }
        if let Some(pause) = pauses.first() {
            let who = if pause.holder.is_none() {
                " --everyone"
            } else {
                ""
            };
            let note = format!("capture is paused: skep resume{who} lets it go on");
            return Ok(Gate::Shut(TurnOutcome::Paused, note));
        }
        if batch.origin == CaptureOrigin::Call {
            return Ok(Gate::Open(None));
        }
        let cwd = batch.cwd.map(directory).unwrap_or_default();
        let bound = tx.find_binding(&ancestors(&cwd)).await?;
        match bound {
            Some(binding) => Ok(Gate::Open(Some(binding.project))),
            None if self.capturing.unbound => Ok(Gate::Open(None)),
            None => {
                let note = "this directory is bound to no project: skep project bind, in it, lets its sessions in";
                Ok(Gate::Shut(TurnOutcome::Unbound, note.into()))
            }
        }
    }
}

/// One spelling of a directory: `/` between parts, no `.`, no `..`, no `/` at the end.
pub(super) fn directory(path: &str) -> String {
    let slashes = path.trim().replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in slashes.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if slashes.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// A directory and those above it, the nearest first.
fn ancestors(directory: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = directory;
    while !rest.is_empty() && all.len() < DEPTH {
        all.push(rest);
        rest = match rest.rfind('/') {
            Some(0) if rest.len() > 1 => "/",
            Some(at) => &rest[..at],
            None => "",
        };
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{ancestors, directory};

    #[test]
    fn a_directory_has_one_spelling() {
        for (path, is) in [
            ("/w/app/", "/w/app"),
            ("/w//./app/../app", "/w/app"),
            ("C:\\code\\app", "C:/code/app"),
            ("/", "/"),
            ("/..", "/"),
            ("", ""),
            (" /w ", "/w"),
        ] {
            assert_eq!(directory(path), is, "{path:?}");
        }
    }

    #[test]
    fn n12_ancestors_are_nearest_first_and_few() {
        assert_eq!(ancestors("/w/app"), ["/w/app", "/w", "/"]);
        assert_eq!(ancestors("C:/a"), ["C:/a", "C:"]);
        assert_eq!(ancestors("/"), ["/"]);
        assert!(ancestors("").is_empty());
        assert_eq!(ancestors(&"/a".repeat(5_000)).len(), 64);
    }
}
