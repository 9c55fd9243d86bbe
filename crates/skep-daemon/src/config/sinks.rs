//! The section `[sinks]`: where webhooks may lead, how long they may fail, and folders that everything is written to.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{anyhow, bail};
use serde::Deserialize;
use skep_app::{FileSink, Log, SinkSettings, Wanted, is_sink_name};
use skep_egress::Origin;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sinks {
    /// Servers inside that an organization may name as a sink, such as `http://siem.internal:8080`. Whatever else is
    /// called has a public address.
    private_origins: Vec<String>,
    /// Seconds until a sink has answered.
    answer_seconds: u64,
    /// Days that a sink may fail before it is given up.
    give_up_days: u64,
    /// Folders that entries of every organization are written to.
    file: Vec<ToFile>,
}

/// A folder that entries are written to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToFile {
    /// What it is called; how far it has come is kept under this name.
    name: String,
    folder: PathBuf,
    /// `audit` and `usage`; both if there are none, and `audit` alone where events are named.
    #[serde(default)]
    logs: Vec<String>,
    /// Actions of the record of decisions; all if there are none.
    #[serde(default)]
    events: Vec<String>,
    /// Mebibytes after which another file is begun.
    #[serde(default = "rotate")]
    rotate_mib: u64,
}

const fn rotate() -> u64 {
    64
}

impl Default for Sinks {
    fn default() -> Self {
        Self {
            private_origins: Vec::new(),
            answer_seconds: 15,
            give_up_days: 5,
            file: Vec::new(),
        }
    }
}

impl Sinks {
    /// Whether all of it can be.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.settings(Path::new("/")).map(drop)
    }

    /// What the application is told. Relative folders are within the data directory.
    pub(crate) fn settings(&self, home: &Path) -> anyhow::Result<SinkSettings> {
        for (name, number, most) in [
            ("answer_seconds", self.answer_seconds, 60),
            ("give_up_days", self.give_up_days, 365),
        ] {
            if !(1..=most).contains(&number) {
                bail!("sinks.{name} must be 1 to {most}");
            }
        }
        let origins = self.private_origins.iter();
        let inside = origins
            .map(|url| super::sources::origin("sinks.private_origins", url))
            .collect::<anyhow::Result<Vec<Origin>>>()?;
        let mut names = BTreeSet::new();
        for folder in &self.file {
            if !names.insert(&folder.name) {
                bail!("there are two sinks.file of the name {:?}", folder.name);
            }
        }
        let files = self.file.iter().map(|folder| folder.sink(home));
        Ok(SinkSettings {
            inside,
            answer: Duration::from_secs(self.answer_seconds),
            give_up: Duration::from_hours(self.give_up_days * 24),
            files: files.collect::<anyhow::Result<_>>()?,
        })
    }
}

impl ToFile {
    fn sink(&self, home: &Path) -> anyhow::Result<FileSink> {
        let name = &self.name;
        if !is_sink_name(name) {
            bail!(
                "sinks.file has the name {name:?}: it is 1 to 32 small letters, digits and -, a letter first"
            );
        }
        if !(1..=1_048_576).contains(&self.rotate_mib) {
            bail!("rotate_mib of the sink {name} must be 1 to 1048576");
        }
        let logs = self.logs.iter().map(|log| {
            let told =
                || anyhow!("the sink {name} has the log {log:?}: there are two, audit and usage");
            Log::parse(log).ok_or_else(told)
        });
        let wanted = Wanted {
            logs: logs.collect::<anyhow::Result<Vec<_>>>()?,
            events: self.events.clone(),
        };
        if let Some(problem) = wanted.problem() {
            bail!("the sink {name} has events that cannot be: {problem}");
        }
        Ok(FileSink {
            name: name.clone(),
            folder: home.join(&self.folder),
            wanted: wanted.completed(),
            rotate: self.rotate_mib << 20,
        })
    }
}

impl fmt::Display for Sinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "sinks.private_origins = {:?}", self.private_origins)?;
        writeln!(f, "sinks.answer_seconds = {}", self.answer_seconds)?;
        write!(f, "sinks.give_up_days = {}", self.give_up_days)?;
        for ToFile { name, folder, .. } in &self.file {
            write!(
                f,
                "\nsinks.file = {name:?} in {:?}",
                folder.display().to_string()
            )?;
        }
        Ok(())
    }
}
