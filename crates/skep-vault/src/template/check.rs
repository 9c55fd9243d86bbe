//! Whether a draft is something that somebody could approve.

use std::collections::BTreeSet;

use skep_domain::RecordName;

use super::fill::{Part, parts, whole};
use super::text::{Checked, at_most, hosts, path, refused, require, shown};
use super::{
    ARGUMENTS, CHOICES, Draft, Form, Into, Kind, LAYERS, OUTPUT, PARAMETERS, PATHS, PATTERN,
    Program, SECONDS, SECRETS, SecretIn, Template, VARIABLES, rules,
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
        match &self.form {
            Form::Program(program) => program.check()?,
            Form::Requests(requests) => rules::check(requests)?,
        }
        Ok(Template { draft: self, name })
    }
}

impl Program {
    fn check(&self) -> Checked {
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
        hosts("hosts", &self.hosts)?;
        rules::check_rules(&self.rules)?;
        self.check_sent()?;
        require(self.without.len() <= LAYERS, "without", &at_most(LAYERS))?;
        let mut layers = BTreeSet::new();
        for (at, layer) in self.without.iter().enumerate() {
            let field = format!("without[{at}]");
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            let is_name = (1..=32).contains(&layer.len()) && layer.bytes().all(is_word);
            require(is_name, &field, "is no layer of the sandbox")?;
            require(layers.insert(layer), &field, "is there twice")?;
        }
        let times = (1..=SECONDS).contains(&self.seconds);
        require(times, "seconds", &format!("is not from 1 to {SECONDS}"))?;
        let sizes = (1..=OUTPUT).contains(&self.output);
        require(sizes, "output", &format!("is not from 1 to {OUTPUT} bytes"))
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

    /// What is put in on the wire is not held as well.
    fn check_sent(&self) -> Checked {
        for (at, rule) in self.rules.iter().enumerate() {
            let is_it = |given: &SecretIn| {
                given.owner == rule.owner && given.name.eq_ignore_ascii_case(&rule.secret)
            };
            require(
                !self.secrets.iter().any(is_it),
                &format!("rules[{at}].secret"),
                "is one that the program is given: it would hold what is put in for it",
            )?;
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
