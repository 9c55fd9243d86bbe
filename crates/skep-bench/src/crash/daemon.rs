//! A real daemon process that can be killed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use skep_client::{Client, Endpoint};
use tokio::process::{Child, Command};

use crate::measure::Measure;

/// Longer than any restart that still counts, so that a slow one is reported as slow.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Daemon {
    child: Child,
    socket: PathBuf,
}

impl Daemon {
    /// Starts one and waits for its first answer; says how long that took.
    pub(crate) async fn start(skepd: &Path, home: &Path) -> Result<(Self, Duration)> {
        Self::start_on(skepd, home, "off").await
    }

    /// The same, listening on this address of loopback too.
    pub(crate) async fn start_on(skepd: &Path, home: &Path, tcp: &str) -> Result<(Self, Duration)> {
        let started = Measure::start();
        let child = Command::new(skepd)
            .arg("--home")
            .arg(home)
            .arg("serve")
            .env("SKEP_SERVER__TCP", tcp)
            .env("SKEP_CAPTURE__UNBOUND", "capture")
            .env("SKEP_LOG__LEVEL", "error")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", skepd.display()))?;
        let mut daemon = Self {
            child,
            socket: home.join("skepd.sock"),
        };
        loop {
            if let Ok(mut client) = daemon.client().await
                && client.readyz().await.is_ok()
            {
                return Ok((daemon, started.wall()));
            }
            if let Some(status) = daemon.child.try_wait()? {
                bail!("skepd ended at its start with {status}");
            }
            if started.wall() > PATIENCE {
                bail!("skepd did not answer within {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) async fn client(&self) -> Result<Client> {
        Ok(Client::connect(&Endpoint::Unix(self.socket.clone())).await?)
    }

    /// Its process.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().context("skepd ended by itself")
    }

    /// SIGKILL; no handler of the daemon runs. Waits until the kernel has let go of its lock.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        let id = self.id()?;
        let pid = Pid::from_raw(id.cast_signed()).context("a process id")?;
        kill_process(pid, Signal::KILL).context("killing skepd")?;
        self.child.wait().await.context("waiting for its end")?;
        Ok(())
    }
}
