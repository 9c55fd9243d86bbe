//! The vault of a daemon under test.

use std::path::Path;
use std::sync::Arc;

use skep_app::{App, ExecHost, ExecSettings, References, Runner, Vault};
use skep_crypto::{KeyEncryptionKey, RootKey, SeededRandom, SystemRandom};
use skep_reference::{Organizations, Source};

use crate::wire::Wired;

/// A vault in the directory of the daemon's socket.
#[expect(clippy::expect_used, reason = "a test without its daemon cannot go on")]
fn open(home: &Path) -> Vault {
    let root = RootKey::generate(&SeededRandom::new(1));
    let lock = KeyEncryptionKey::derive_vault(&root, [1; 16], b"here");
    Vault::open(home, lock, Arc::new(SystemRandom)).expect("a fresh vault")
}

/// Lets everybody refer to one variable, which cargo sets.
pub(crate) fn references() -> References {
    let names = vec!["CARGO_MANIFEST_DIR".into()];
    References::default().with(Organizations::All, Source::Environment(names))
}

/// Room for all that a test asks for: nothing here takes a run out of the queue.
const EXEC: ExecSettings = ExecSettings {
    workers: 1,
    queue: 4_096,
    keep_days: 30,
};

/// A vault, and both ways of using what is in it.
pub(crate) fn with(app: App, wired: Option<Wired>, home: &Path) -> App {
    let vault = Arc::new(open(home));
    let app = match wired {
        None => app,
        Some(wired) => app.with_wire(wired.proxy(home, &vault)),
    };
    with_programs(app.with_vault(vault), home)
}

/// Takes runs of programs in, which wait: no test's own program is a launcher.
#[expect(clippy::expect_used, reason = "a test without its daemon cannot go on")]
fn with_programs(app: App, home: &Path) -> App {
    let runner = Runner::new(home.join("exec"), [home]).expect("a fresh folder");
    let at = ExecHost {
        host: [1; 16],
        sockets: home.join("exec"),
    };
    app.with_exec(Arc::new(runner), EXEC, at)
}
