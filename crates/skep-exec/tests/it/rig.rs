//! A runner with folders of its own, and ways to look at the machine from outside.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use skep_crypto::Plain;
use skep_exec::{Demand, Draft, Egress, ExecError, Outcome, Runner, Secret};
use tempfile::TempDir;

pub(crate) const PROBE: &str = env!("CARGO_BIN_EXE_skep-exec-probe");
pub(crate) const VALUE: &str = "tk_9fQ2mX7vLr4sWb8zKd1c";

pub(crate) struct Rig {
    pub(crate) home: TempDir,
    pub(crate) runner: Runner,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(Path::new(PROBE))
    }

    /// Where no namespace can be made, as in many containers.
    pub(crate) fn poor() -> Self {
        let home = tempfile::tempdir().unwrap();
        let script = home.path().join("poor");
        let text = format!(
            "#!/bin/sh\nexec unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; \
             exec setpriv --bounding-set -all --inh-caps -all {PROBE} \"$@\"' sh \"$@\"\n"
        );
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Self::within(home, &script)
    }

    fn with(launcher: &Path) -> Self {
        Self::within(tempfile::tempdir().unwrap(), launcher)
    }

    fn within(home: TempDir, launcher: &Path) -> Self {
        let vault = home.path().join("vault");
        fs::create_dir(&vault).unwrap();
        fs::write(vault.join("sealed"), "sealed bytes").unwrap();
        fs::create_dir(home.path().join("open")).unwrap();
        let runner = Runner::new(home.path().join("jobs"), [vault]).unwrap();
        Self {
            runner: runner.with_launcher(launcher),
            home,
        }
    }

    /// A folder that plans may open.
    pub(crate) fn open(&self) -> PathBuf {
        self.home.path().join("open")
    }

    pub(crate) async fn run(&self, draft: Draft) -> Result<Outcome, ExecError> {
        self.runner
            .run(draft.plan().unwrap(), std::future::pending())
            .await
    }

    /// What a script of the shell says.
    pub(crate) async fn shell(&self, script: &str) -> Outcome {
        self.run(shell(script)).await.unwrap()
    }
}

pub(crate) fn secret() -> Secret {
    Secret::new("token", Plain::new(VALUE.as_bytes().to_vec()))
}

pub(crate) fn draft(program: &str) -> Draft {
    Draft::new(program, Egress::None, Demand::usual())
}

pub(crate) fn shell(script: &str) -> Draft {
    draft("/bin/sh").arg("-c").arg(script)
}

pub(crate) fn perl(script: &str) -> Draft {
    draft("/usr/bin/perl").arg("-e").arg(script)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Seconds to sleep that nobody else sleeps: a name for processes.
pub(crate) fn mark() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("9{:07}.{next:03}", std::process::id())
}

/// Processes of this machine with this in their arguments.
pub(crate) fn alive(mark: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let holds = |path: PathBuf| {
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        line.windows(mark.len())
            .any(|window| window == mark.as_bytes())
    };
    let pids = entries.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
    pids.filter(|entry| holds(entry.path())).count()
}

/// Looks again and again until it is so; a test that waits in vain fails.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}
