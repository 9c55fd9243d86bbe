//! Whether a draft is something that somebody could approve.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use skep_domain::RecordName;

use super::fill::{Part, parts, whole};
use super::{
    ARGUMENT, ARGUMENTS, CHOICES, Draft, HOSTS, Into, Kind, OUTPUT, PARAMETERS, PATHS, PATTERN,
    SECONDS, SECRETS, Template, VARIABLES,
};

/// Which field of a draft is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct TemplateError {
    /// Its path, such as `parameters[1].pattern`.
    pub field: String,
    /// What is wrong.
    pub why: String,
}

type Checked = Result<(), TemplateError>;

impl Draft {
    /// Checks all of it.
    ///
    /// # Errors
    /// [`TemplateError`] names the first field that is not as it must be.
    pub fn check(self) -> Result<Template, TemplateError> {
        let name =
            RecordName::parse(&self.name).map_err(|error| refused("name", &error.to_string()))?;
        shown("purpose", &self.purpose)?;
        require(!self.purpose.trim().is_empty(), "purpose", "says nothing")?;
        path("program", &self.program)?;
        if !self.directory.is_empty() {
            path("directory", &self.directory)?;
        }
        self.check_arguments()?;
        self.check_secrets()?;
        self.check_variables()?;
        for (field, paths) in [("readable", &self.readable), ("writable", &self.writable)] {
            require(paths.len() <= PATHS, field, &at_most(PATHS))?;
            for (at, one) in paths.iter().enumerate() {
                path(&format!("{field}[{at}]"), one)?;
            }
        }
        require(self.hosts.len() <= HOSTS, "hosts", &at_most(HOSTS))?;
        for (at, one) in self.hosts.iter().enumerate() {
            let why = "is no host such as api.example.com, *.example.com or git.example.com:8443";
            require(is_host(one), &format!("hosts[{at}]"), why)?;
        }
        let times = (1..=SECONDS).contains(&self.seconds);
        require(times, "seconds", &format!("is not from 1 to {SECONDS}"))?;
        let sizes = (1..=OUTPUT).contains(&self.output);
        require(sizes, "output", &format!("is not from 1 to {OUTPUT} bytes"))?;
        Ok(Template { draft: self, name })
    }

    fn check_arguments(&self) -> Checked {
        require(
            self.parameters.len() <= PARAMETERS,
            "parameters",
            &at_most(PARAMETERS),
        )?;
        let mut names = BTreeSet::new();
        for (at, parameter) in self.parameters.iter().enumerate() {
            let field = format!("parameters[{at}]");
            let why = "has no name of lower-case letters, digits and underscores";
            require(is_parameter(&parameter.name), &field, why)?;
            require(names.insert(&parameter.name), &field, "is there twice")?;
            check_kind(&field, &parameter.kind)?;
        }
        require(
            self.arguments.len() <= ARGUMENTS,
            "arguments",
            &at_most(ARGUMENTS),
        )?;
        let mut used = BTreeSet::new();
        for (at, argument) in self.arguments.iter().enumerate() {
            let field = format!("arguments[{at}]");
            shown(&field, argument)?;
            let found = parts(argument);
            let found =
                found.ok_or_else(|| refused(&field, "has a brace without its other half"))?;
            for part in found {
                if let Part::Parameter(name) = part {
                    require(
                        names.contains(&name),
                        &field,
                        "names a parameter that there is not",
                    )?;
                    used.insert(name);
                }
            }
        }
        let unused = names.into_iter().find(|name| !used.contains(*name));
        require(
            unused.is_none(),
            "parameters",
            "has one that no argument takes",
        )
    }

    fn check_secrets(&self) -> Checked {
        require(self.secrets.len() <= SECRETS, "secrets", &at_most(SECRETS))?;
        let mut places = BTreeSet::new();
        for (at, secret) in self.secrets.iter().enumerate() {
            let field = format!("secrets[{at}]");
            if let Err(error) = secret.record() {
                return Err(refused(&field, &error.to_string()));
            }
            let place = match &secret.into {
                Into::Variable(name) => {
                    require(is_variable(name), &field, NO_VARIABLE)?;
                    name.clone()
                }
                Into::Descriptor(number) => {
                    require(
                        (3..=63).contains(number),
                        &field,
                        "is on no descriptor from 3 to 63",
                    )?;
                    number.to_string()
                }
                Into::Input => "-".into(),
            };
            require(places.insert(place), &field, "is put where another one is")?;
        }
        Ok(())
    }

    fn check_variables(&self) -> Checked {
        require(
            self.variables.len() <= VARIABLES,
            "variables",
            &at_most(VARIABLES),
        )?;
        let mut names = BTreeSet::new();
        for secret in &self.secrets {
            if let Into::Variable(name) = &secret.into {
                names.insert(name);
            }
        }
        for (at, (name, value)) in self.variables.iter().enumerate() {
            let field = format!("variables[{at}]");
            require(is_variable(name), &field, NO_VARIABLE)?;
            require(names.insert(name), &field, "is there twice")?;
            shown(&field, value)?;
        }
        Ok(())
    }
}

fn check_kind(field: &str, kind: &Kind) -> Checked {
    match kind {
        Kind::Text { pattern } => {
            let field = format!("{field}.pattern");
            shown(&field, pattern)?;
            let fits = !pattern.is_empty() && pattern.len() <= PATTERN;
            require(fits, &field, &format!("has not 1 to {PATTERN} bytes"))?;
            let regex = whole(pattern);
            require(
                regex.is_some(),
                &field,
                "is no regular expression, or too large a one",
            )
        }
        Kind::Number { least, most } => require(least <= most, field, "allows no number"),
        Kind::Choice { of } => {
            let field = format!("{field}.of");
            let fits = (1..=CHOICES).contains(&of.len());
            require(fits, &field, &format!("has not 1 to {CHOICES} choices"))?;
            for one in of {
                shown(&field, one)?;
                let is_value = !one.is_empty() && !one.starts_with('-');
                require(
                    is_value,
                    &field,
                    "has a choice that is empty or begins with a dash",
                )?;
            }
            Ok(())
        }
    }
}

const NO_VARIABLE: &str =
    "has no name of upper-case letters, digits and underscores that a program may be given";

/// Variables that load code into a program, whoever wrote it.
const LOADS: [&str; 8] = [
    "LD_",
    "DYLD_",
    "GLIBC_",
    "BASH_",
    "NODE_OPTIONS",
    "PYTHON",
    "PERL5",
    "RUBYOPT",
];

fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
        && name.bytes().all(fits)
        && name != "ENV"
        && !LOADS.iter().any(|loads| name.starts_with(loads))
}

fn is_parameter(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(fits)
}

/// A name of the public internet, or everything below one: never an address, and never a whole top level.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_port = |port: &str| {
        port.parse::<u16>()
            .is_ok_and(|number| number.to_string() == port && number > 0)
    };
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let labels: Vec<&str> = name.split('.').collect();
    let top = labels.last().copied().unwrap_or_default();
    host.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| is_label(label))
        && top.starts_with(|first: char| first.is_ascii_lowercase())
        && port.is_none_or(is_port)
}

/// An absolute path in its plainest form.
fn path(field: &str, text: &str) -> Checked {
    shown(field, text)?;
    let path = Path::new(text);
    let is_plain = path.is_absolute()
        && path
            .components()
            .skip(1)
            .all(|part| matches!(part, Component::Normal(_)))
        && path
            .components()
            .collect::<std::path::PathBuf>()
            .as_os_str()
            == path.as_os_str()
        && text.len() > 1;
    require(
        is_plain,
        field,
        "is no absolute path without dots and doubled slashes",
    )
}

/// What an approver sees is what is meant: nothing that a screen does not show, and nothing endless.
fn shown(field: &str, text: &str) -> Checked {
    require(
        text.len() <= ARGUMENT,
        field,
        &format!("has more than {ARGUMENT} bytes"),
    )?;
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    require(
        !text.contains(hides),
        field,
        "holds a character that is not shown",
    )
}

fn at_most(count: usize) -> String {
    format!("has more than {count}")
}

fn require(holds: bool, field: &str, why: &str) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(refused(field, why))
    }
}

fn refused(field: &str, why: &str) -> TemplateError {
    TemplateError {
        field: field.into(),
        why: why.into(),
    }
}
