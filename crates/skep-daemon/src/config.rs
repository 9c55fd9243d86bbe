//! Configuration: `skep.toml`, overridden by `SKEP_SECTION__KEY`, read once; unknown keys refused.

mod alerts;
mod auth;
mod capture;
mod exec;
mod gateway;
mod grpc;
mod key;
mod ledger;
pub(crate) mod limits;
pub(crate) mod model;
mod organization;
mod references;
mod server;
mod sinks;
mod source;
mod sources;
pub(crate) mod store;
mod telemetry;
mod wire;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_crypto::Plain;

pub(crate) use grpc::{Endpoint, Files, Listen};
pub(crate) use key::{Key, Kind, Order, Passphrase};
pub(crate) use organization::OrganizationKeys;
pub(crate) use server::Standing;
pub(crate) use source::environment;

/// Everything that can be set.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) server: server::Server,
    pub(crate) store: store::Section,
    pub(crate) index: Index,
    pub(crate) key: Key,
    pub(crate) organization_keys: OrganizationKeys,
    pub(crate) log: Log,
    pub(crate) auth: auth::Auth,
    pub(crate) mail: auth::Mail,
    pub(crate) capture: capture::Capture,
    pub(crate) sources: sources::Sources,
    pub(crate) model: model::Model,
    pub(crate) limits: limits::Limits,
    pub(crate) references: references::Section,
    pub(crate) exec: exec::Exec,
    pub(crate) ledger: ledger::Ledger,
    pub(crate) alerts: alerts::Alerts,
    pub(crate) telemetry: telemetry::Section,
    pub(crate) sinks: sinks::Sinks,
    /// Where all this was read, if it was named.
    #[serde(skip)]
    file: Option<PathBuf>,
    /// What the environment had of the root key, which is in it no more.
    #[serde(skip)]
    pub(crate) root_key: Option<Plain<Vec<u8>>>,
    pub(crate) wire: wire::Wire,
    pub(crate) gateway: gateway::Gateway,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Index {
    /// Mebibytes that all indexes in memory may take.
    pub(crate) budget_mib: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// `error`, `warn`, `info`, `debug`, or a filter such as `skep_app=debug`.
    pub(crate) level: String,
}

impl Default for Index {
    fn default() -> Self {
        Self { budget_mib: 2_048 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
        }
    }
}

impl Config {
    /// Reads the file named, else `skep.toml` in the data directory if there is one.
    pub(crate) fn load(home: &Path, file: Option<&Path>) -> anyhow::Result<Self> {
        let default = home.join("skep.toml");
        let text = match file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("reading {}", file.display()))?,
            None if default.exists() => std::fs::read_to_string(&default)
                .with_context(|| format!("reading {}", default.display()))?,
            None => String::new(),
        };
        let config = Self::parse(&text, &source::overrides())?;
        Ok(Self {
            file: file.map(Path::to_owned),
            ..config
        })
    }

    pub(crate) fn parse(text: &str, overrides: &[source::Override]) -> anyhow::Result<Self> {
        let table = source::merged(text, overrides)?;
        let auth = table.get("auth").and_then(toml::Value::as_table);
        if auth.is_some_and(|auth| auth.contains_key("public_url")) {
            bail!("auth.public_url is server.public_url now: move it to the section [server]");
        }
        let mut config: Self = table.try_into().map_err(|error| source::refusal(&error))?;
        config.store.backend()?;
        config.server.shares_its_store = config.store.is_shared();
        config.auth.issuers()?;
        config.auth.check(&config.mail)?;
        config.auth.grpc.listen()?;
        config.auth.endpoint()?;
        config.mail.security()?;
        config.server.standing()?;
        config.capture.settings()?;
        config.sources.fetching()?;
        config.model.settings()?;
        config.limits.check()?;
        config.references.check()?;
        config.exec.settings()?;
        config.key.check()?;
        config.alerts.settings()?;
        config.telemetry.settings()?;
        config.sinks.check()?;
        config.ledger.check()?;
        config.wire.check()?;
        config.gateway.check()?;
        config.organization_keys.check()?;
        if !(16..=1_048_576).contains(&config.index.budget_mib) {
            bail!("index.budget_mib must be 16 to 1048576");
        }
        Ok(config)
    }

    /// Files of the daemon's that may lie outside of its data directory: what programs and references
    /// lead to is none of them.
    pub(crate) fn files(&self, home: &Path) -> Vec<PathBuf> {
        let mut files = self.key.places(home);
        files.extend(self.organization_keys.places(home));
        files.extend(self.file.clone());
        let named = (self.auth.key_files())
            .chain(self.auth.grpc.key_files())
            .chain(self.mail.key_files())
            .chain(self.limits.key_files())
            .chain(self.store.key_files())
            .chain(self.model.key_files())
            .chain(self.ledger.key_files())
            .chain(self.references.key_files());
        files.extend(named.map(|file| home.join(file)));
        files
    }
}

/// What is in force, and nothing of the root key.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.server)?;
        writeln!(f, "{}", self.store)?;
        writeln!(f, "index.budget_mib = {}", self.index.budget_mib)?;
        writeln!(f, "{}", self.key)?;
        write!(f, "{}", self.organization_keys)?;
        writeln!(f, "log.level = {:?}", self.log.level)?;
        writeln!(f, "{}", self.auth)?;
        writeln!(f, "{}", self.mail)?;
        writeln!(f, "{}", self.capture)?;
        writeln!(f, "{}", self.sources)?;
        writeln!(f, "{}", self.model)?;
        writeln!(f, "{}", self.limits)?;
        writeln!(f, "{}", self.references)?;
        writeln!(f, "{}", self.exec)?;
        writeln!(f, "{}", self.ledger)?;
        writeln!(f, "{}", self.alerts)?;
        writeln!(f, "{}", self.telemetry)?;
        writeln!(f, "{}", self.sinks)?;
        writeln!(f, "{}", self.wire)?;
        write!(f, "{}", self.gateway)
    }
}

#[cfg(test)]
mod tests {
    use super::Config;
    use super::source::Override;

    /// What is in force that is not in force without settings, or what is wrong.
    pub(crate) fn parse(text: &str, overrides: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let overrides: Vec<Override> = overrides
            .iter()
            .map(|(name, value)| Override::new(name, value))
            .collect();
        let config = Config::parse(text, &overrides).map_err(|error| format!("{error:#}"))?;
        let usual = Config::default().to_string();
        let shown = config.to_string();
        let unusual = shown
            .lines()
            .filter(|line| !usual.lines().any(|usual| usual == *line));
        Ok(unusual.map(str::to_owned).collect())
    }

    #[test]
    fn what_is_in_force_without_settings() {
        insta::assert_snapshot!(Config::default());
    }

    const MODEL: &str = "[model]\nbase_url = \"http://127.0.0.1:1\"\nname = \"m\"";

    #[test]
    #[expect(
        clippy::too_many_lines,
        reason = "one table of every setting that can be wrong"
    )]
    fn files_are_overridden_by_the_environment_and_unknown_keys_name_the_nearest() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("[server]\ntcp = \"off\"\n[index]\nbudget_mib = 64", &[]),
            (
                "[server]\ntcp = \"off\"",
                &[
                    ("SKEP_SERVER__TCP", "127.0.0.1:4000"),
                    ("SKEP_INDEX__BUDGET_MIB", "32"),
                ],
            ),
            ("[server]\ntpc = \"off\"", &[]),
            ("[sever]\ntcp = \"off\"", &[]),
            ("", &[("SKEP_INDEX__BUGDET_MIB", "32")]),
            ("[index]\nbudget_mib = \"much\"", &[]),
            ("[server]\ntcp = \"nowhere\"", &[]),
            (
                "[sources]\nfetch = \"off\"\nallow = [\"https://Wiki.internal:8443\"]",
                &[],
            ),
            ("", &[("SKEP_SOURCES__FETCH", "off")]),
            ("", &[("SKEP_SOURCES__FETCH", "everywhere")]),
            ("[sources]\nallow = [\"https://wiki.internal/a\"]", &[]),
            ("[sources]\nallow = [\"http://0x7f.1\"]", &[]),
            ("[server", &[]),
            (
                "[model]\nbase_url = \"http://127.0.0.1:11434/v1\"\nname = \"qwen3:8b\"",
                &[],
            ),
            (
                "[model]\nbase_url = \"https://api.example.com\"\ndialect = \"anthropic\"\nname = \"m\"\n\
                 key_file = \"model.key\"\ndaily_cost = 0.5\ninput_price = 3",
                &[("SKEP_MODEL__OUTPUT_PRICE", "15.25")],
            ),
            ("[model]\nbase_url = \"http://127.0.0.1:1\"", &[]),
            ("[model]\nkey = \"sk-secret\"", &[]),
            (
                "[model]\nbase_url = \"http://me@127.0.0.1:1\"\nname = \"m\"",
                &[],
            ),
            ("[model]\nbase_url = \"file:///etc\"\nname = \"m\"", &[]),
            ("[auth]\npublic_url = \"https://skep.example.org\"", &[]),
            ("", &[("SKEP_AUTH__PUBLIC_URL", "https://skep.example.org")]),
            (
                "[server]\npublic_url = \"https://skep.example.org\"\n[auth]\nsso = \"off\"\n\
                 sso_allow = [\"http://login.internal:8080\"]",
                &[],
            ),
            ("[auth]\nsso = \"everywhere\"", &[]),
            ("[auth]\npublic_registration = true", &[]),
            ("[auth]\nsso_allow = [\"http://login.internal/realm\"]", &[]),
            (
                "[[references.vault]]\nname = \"main\"\naddress = \"https://vault.internal:8200\"\n\
                 token_file = \"vault.token\"\norganizations = [\"*\"]\n\
                 [[references.file]]\nfolder = \"/run/secrets\"\norganizations = [\"*\"]\n\
                 [[references.environment]]\nnames = [\"GITHUB_TOKEN\"]\norganizations = [\"*\"]",
                &[],
            ),
            (
                "[[references.file]]\nfolder = \"/run/secrets\"\norganizations = []",
                &[],
            ),
            (
                "[[references.file]]\nfolder = \"/run/secrets\"\norganizations = [\"acme\"]",
                &[],
            ),
            (
                "[[references.file]]\nfolder = \"/run/../etc\"\norganizations = [\"*\"]",
                &[],
            ),
            (
                "[[references.file]]\nfolder = \"/\"\norganizations = [\"*\"]",
                &[],
            ),
            (
                "[[references.onepassword]]\naddress = \"http://connect.internal\"\ntoken_file = \"t\"\n\
                 organizations = [\"*\"]",
                &[],
            ),
            (
                "[[references.environment]]\nnames = [\"A=B\"]\norganizations = [\"*\"]",
                &[],
            ),
            (
                "[wire]\nprivate_origins = [\"https://git.internal:8443\"]\nauthorities = [\"ours.pem\"]\nleases = 8\n\
                 leases_each = 2",
                &[("SKEP_WIRE__RENEW_SECONDS", "60")],
            ),
            ("[wire]\nprivate_origins = [\"git.internal\"]", &[]),
            (
                "[gateway]\nmock = true\nprivate_origins = [\"http://127.0.0.1:11434\"]",
                &[("SKEP_GATEWAY__IDLE_SECONDS", "60")],
            ),
            (
                "[gateway]\nprivate_origins = [\"http://127.0.0.1:11434/v1\"]",
                &[],
            ),
            ("[gateway]\nfirst_byte_seconds = 0", &[]),
            ("[ledger]\nreads = \"deny\"", &[]),
            (
                "[ledger]\nwitness_url = \"https://witness.example.org/skep\"\nwitness_key_file = \"witness.key\"",
                &[],
            ),
            (
                "[ledger]\nwitness_url = \"https://witness.example.org/\"",
                &[],
            ),
            (
                "[ledger]\nwitness_url = \"witness.example.org\"\nwitness_key_file = \"witness.key\"",
                &[],
            ),
            ("[alerts]\ndenials = \"off\"\nforeign = \"3/min\"", &[]),
            ("[alerts]\nforeign = \"often\"", &[]),
            ("[alerts]\nbudgets = [50, 90]", &[]),
            ("[alerts]\nbudgets = [0]", &[]),
            (
                "[telemetry]\ncollector = \"http://127.0.0.1:4318\"\nsample = 0.1",
                &[],
            ),
            ("[telemetry]\ncollector = \"127.0.0.1:4318\"", &[]),
            ("[telemetry]\nsample = 1.5", &[]),
            ("[telemetry]\nevery_seconds = 0", &[]),
            (
                "[sinks]\nprivate_origins = [\"http://siem.internal:8080\"]\n[[sinks.file]]\nname = \"archive\"\n\
                 folder = \"out\"\nevents = [\"alert.*\"]",
                &[("SKEP_SINKS__GIVE_UP_DAYS", "2")],
            ),
            ("[sinks]\nanswer_seconds = 61", &[]),
            ("[[sinks.file]]\nname = \"Archive\"\nfolder = \"out\"", &[]),
            (
                "[[sinks.file]]\nname = \"a\"\nfolder = \"out\"\nlogs = [\"all\"]",
                &[],
            ),
            (
                "[[sinks.file]]\nname = \"a\"\nfolder = \"x\"\n[[sinks.file]]\nname = \"a\"\nfolder = \"y\"",
                &[],
            ),
            ("[wire]\nleases = 1001", &[]),
            ("[wire]\nleases = 8", &[]),
            ("", &[("SKEP_WIRE__RENEW_SECONDS", "29")]),
            (MODEL, &[("SKEP_MODEL__DIALECT", "gemini")]),
            (MODEL, &[("SKEP_MODEL__DAILY_TOKENS", "39999")]),
            (MODEL, &[("SKEP_MODEL__DAILY_COST", "1")]),
            (MODEL, &[("SKEP_MODEL__INPUT_PRICE", "dear")]),
            (MODEL, &[("SKEP_MODEL__INPUT_PRICE", "-1")]),
            (MODEL, &[("SKEP_MODEL__TIMEOUT_SECONDS", "0")]),
        ];
        let mut shown = String::new();
        for (text, overrides) in cases {
            shown.push_str(&format!(
                "{text:?} {overrides:?}\n{:#?}\n\n",
                parse(text, overrides)
            ));
        }
        insta::assert_snapshot!(shown);
    }
}
