//! Where settings come from: a TOML table with the environment laid over it.

use anyhow::{Context, anyhow, bail};
use toml::{Table, Value};

const PREFIX: &str = "SKEP_";
/// The one switch with a name of its own, which the client heeds as well.
const CAPTURE: &str = "SKEP_CAPTURE";
const CAPTURE_ENABLED: &str = "SKEP_CAPTURE__ENABLED";

/// One `SKEP_SECTION__KEY`.
#[derive(Debug)]
pub(crate) struct Override {
    section: String,
    key: String,
    value: String,
    name: String,
}

impl Override {
    pub(crate) fn new(name: &str, value: &str) -> Self {
        let path = name
            .strip_prefix(PREFIX)
            .unwrap_or(name)
            .to_ascii_lowercase();
        let (section, key) = path.rsplit_once("__").unwrap_or((&path, ""));
        Self {
            section: section.into(),
            key: key.into(),
            value: value.into(),
            name: name.into(),
        }
    }
}

/// One variable of the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "configuration is read here, once"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Every override in the environment; other variables of ours have no double underscore.
pub(crate) fn overrides() -> Vec<Override> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .filter_map(|(name, value)| {
            if name == CAPTURE {
                Some(Override::new(CAPTURE_ENABLED, switch(&value)))
            } else {
                name.contains("__").then(|| Override::new(&name, &value))
            }
        })
        .collect()
}

/// Whatever does not clearly say yes means no: who set it wanted something stopped.
fn switch(value: &str) -> &'static str {
    match value.trim().to_ascii_lowercase().as_str() {
        "" | "1" | "true" | "yes" | "on" => "true",
        _ => "false",
    }
}

/// The file's table with the overrides in it.
pub(crate) fn merged(text: &str, overrides: &[Override]) -> anyhow::Result<Table> {
    let mut table: Table = text.parse().context("the configuration file is not TOML")?;
    for over in overrides {
        let mut section = &mut table;
        for name in over.section.split("__") {
            let inner = section
                .entry(name)
                .or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else {
                bail!("{name} is not a section")
            };
            section = inner;
        }
        if over.key.is_empty() {
            bail!("{} names no key: use SKEP_SECTION__KEY", over.name);
        }
        let value = match (over.value.parse::<i64>(), over.value.parse::<bool>()) {
            (Ok(number), _) => Value::Integer(number),
            (_, Ok(switch)) => Value::Boolean(switch),
            _ => Value::String(over.value.clone()),
        };
        section.insert(over.key.clone(), value);
    }
    Ok(table)
}

/// Says which key is unknown and which is the nearest.
pub(crate) fn refusal(error: &toml::de::Error) -> anyhow::Error {
    let text = error.message();
    let mut names = text.split('`').skip(1).step_by(2);
    if !text.starts_with("unknown field") {
        return anyhow!("the configuration is not usable: {}", text.trim());
    }
    let unknown = names.next().unwrap_or_default();
    // Two letters that changed places are one slip, which the first measure does not see.
    let alike = |name: &str| {
        strsim::jaro_winkler(name, unknown) + strsim::normalized_damerau_levenshtein(name, unknown)
    };
    let nearest = names.max_by(|a, b| alike(a).total_cmp(&alike(b)));
    match nearest {
        Some(nearest) => anyhow!("there is no setting {unknown}; did you mean {nearest}?"),
        None => anyhow!("there is no setting {unknown}"),
    }
}
