//! What the program finds in its environment: the way to the proxy, and placeholders.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use skep_api::lease::{BegunLease, Placeholder};

use crate::failure::Failure;
use crate::layout::one_line;

/// The lease, for whoever wants to end it.
const LEASE: &str = "SKEP_LEASE";

/// What was asked for.
#[derive(Debug)]
pub(super) struct Wishes {
    /// Variable and secret.
    secrets: Vec<(String, String)>,
    /// Variable and base.
    bases: Vec<(String, String)>,
}

/// Variables of the program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Surroundings {
    variables: BTreeMap<String, String>,
    /// Those that hold a placeholder.
    placed: Vec<String>,
}

impl Wishes {
    pub(super) fn of(env: &[String], base: &[String]) -> Result<Self, Failure> {
        let secrets = env.iter().map(|wish| {
            let pair = wish
                .split_once('=')
                .filter(|(_, secret)| !secret.is_empty());
            let (variable, secret) = pair.ok_or_else(|| {
                Failure::usage(format!(
                    "--env {wish}: expected VAR=SECRET, such as GH_TOKEN=github"
                ))
            })?;
            Ok((named(variable)?, secret.to_owned()))
        });
        let bases = base.iter().map(|wish| {
            let pair = wish.split_once(':').filter(|(base, _)| !base.is_empty());
            let (base, variable) = pair.ok_or_else(|| {
                Failure::usage(format!(
                    "--base {wish}: expected BASE:VAR, such as openai:OPENAI_BASE_URL"
                ))
            })?;
            Ok((named(variable)?, base.to_owned()))
        });
        let secrets = secrets.collect::<Result<Vec<_>, Failure>>()?;
        let bases = bases.collect::<Result<Vec<_>, Failure>>()?;
        let mut all: Vec<&String> = secrets.iter().chain(&bases).map(|(name, _)| name).collect();
        all.sort_unstable();
        let same = |two: &[&String; 2]| two[0] == two[1];
        if let Some([twice, _]) = all.array_windows().find(|two| same(two)) {
            return Err(Failure::usage(format!("{twice} is asked for twice")));
        }
        Ok(Self { secrets, bases })
    }
}

impl Surroundings {
    /// `bundle` is where the file of certificates can be read.
    pub(super) fn of(begun: &BegunLease, wishes: &Wishes, bundle: &Path) -> Result<Self, Failure> {
        let mut variables = BTreeMap::new();
        for variable in &begun.environment {
            let value = variable.value.expose();
            let value = if value == begun.bundle {
                bundle.display().to_string()
            } else {
                value.to_owned()
            };
            variables.insert(variable.name.clone(), value);
        }
        let taken: Vec<String> = variables.keys().cloned().collect();
        let mut placed = Vec::new();
        for (variable, wanted) in wishes.secrets.iter().chain(&wishes.bases) {
            if taken.contains(variable) || variable == LEASE {
                let problem = format!("{variable} is one of the variables that lead to the proxy");
                return Err(Failure::usage(problem).hint(format!("put {wanted} into another one")));
            }
        }
        for (variable, secret) in &wishes.secrets {
            let found = find(begun, secret)?;
            variables.insert(variable.clone(), found.placeholder.clone());
            placed.push(variable.clone());
        }
        for (variable, base) in &wishes.bases {
            let found = begun.bases.iter().find(|known| known.name == *base);
            let found = found.ok_or_else(|| {
                let known = begun.bases.iter().map(|base| base.name.as_str());
                unknown("base", base, known)
            })?;
            variables.insert(variable.clone(), found.url.expose().to_owned());
        }
        for known in &begun.placeholders {
            let is_placed = |(_, secret): &(String, String)| is_of(known, secret);
            if let Some(variable) = &known.variable
                && !wishes.secrets.iter().any(is_placed)
                && !variables.contains_key(variable)
            {
                variables.insert(variable.clone(), known.placeholder.clone());
                placed.push(variable.clone());
            }
        }
        variables.insert(LEASE.into(), begun.id.clone());
        Ok(Self { variables, placed })
    }

    /// Name and value of each.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names of those that hold something here which is no placeholder, and will not there.
    pub(super) fn replaced(&self, held: impl Fn(&str) -> Option<OsString>) -> Vec<&str> {
        let held = |name: &&String| {
            let held = held(name).unwrap_or_default();
            let ours = self.variables.get(*name).map(OsString::from);
            !held.is_empty() && Some(held) != ours
        };
        self.placed
            .iter()
            .filter(held)
            .map(String::as_str)
            .collect()
    }
}

/// The placeholder of a secret, by its name in any case, or by the placeholder itself.
fn find<'a>(begun: &'a BegunLease, secret: &str) -> Result<&'a Placeholder, Failure> {
    let found = begun.placeholders.iter().find(|known| is_of(known, secret));
    found.ok_or_else(|| {
        let known = begun.placeholders.iter().map(|known| known.secret.as_str());
        unknown("secret", secret, known)
    })
}

fn is_of(known: &Placeholder, secret: &str) -> bool {
    known.secret.eq_ignore_ascii_case(secret) || known.placeholder == secret
}

fn unknown<'a>(what: &str, wanted: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<String> = known.map(one_line).collect();
    let problem = format!(
        "no template of this lease has the {what} {}",
        one_line(wanted)
    );
    let hint = if known.is_empty() {
        "see which templates there are: skep template list".to_owned()
    } else {
        format!("they have: {}", known.join(", "))
    };
    Failure::usage(problem).hint(hint)
}

fn named(variable: &str) -> Result<String, Failure> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_name = variable.bytes().all(fits)
        && variable.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if is_name {
        Ok(variable.to_owned())
    } else {
        Err(Failure::usage(format!(
            "{} is no name of a variable",
            one_line(variable)
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use skep_api::lease::BegunLease;

    use super::{Surroundings, Wishes};

    fn begun() -> BegunLease {
        serde_json::from_str(
            r#"{"id":"lse_1","proxy":"http://skep:p@127.0.0.1:1","bundle":"/d/ca.pem","templates":["t"],
            "environment":[{"name":"HTTPS_PROXY","value":"http://skep:p@127.0.0.1:1"},
                           {"name":"SSL_CERT_FILE","value":"/d/ca.pem"}],
            "placeholders":[{"placeholder":"__skep_github-token__","secret":"github-token","owner":"workspace",
                             "variable":"GITHUB_TOKEN","goes":[]},
                            {"placeholder":"__skep_path__","secret":"PATH","owner":"workspace","goes":[]}],
            "bases":[{"name":"api","origin":"https://a.example","url":"http://127.0.0.1:1/p/api"}],
            "ends_at":"2026-11-22T12:00:00Z","cannot":[]}"#,
        )
        .unwrap()
    }

    fn made(env: &[&str], base: &[&str]) -> Result<Vec<String>, String> {
        let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let wishes = Wishes::of(&owned(env), &owned(base)).map_err(|failure| failure.told())?;
        let made = Surroundings::of(&begun(), &wishes, Path::new("/mine.pem"));
        let made = made.map_err(|failure| failure.told())?;
        Ok(made
            .all()
            .map(|(name, value)| format!("{name}={value}"))
            .collect())
    }

    #[test]
    fn secrets_stand_where_their_names_say_or_where_they_are_wished() {
        let always = [
            "HTTPS_PROXY=http://skep:p@127.0.0.1:1",
            "SKEP_LEASE=lse_1",
            "SSL_CERT_FILE=/mine.pem",
        ];
        let with = |more: &[&str]| {
            let mut all: Vec<String> = always.iter().chain(more).map(ToString::to_string).collect();
            all.sort();
            Ok(all)
        };
        assert_eq!(
            made(&[], &[]),
            with(&["GITHUB_TOKEN=__skep_github-token__"])
        );
        assert_eq!(
            made(&["GH=GitHub-Token", "P=path"], &["api:API_URL"]),
            with(&[
                "GH=__skep_github-token__",
                "P=__skep_path__",
                "API_URL=http://127.0.0.1:1/p/api"
            ])
        );
    }

    #[test]
    fn what_cannot_be_wished_is_said() {
        for (env, base, says) in [
            (&["GH"][..], &[][..], "VAR=SECRET"),
            (&["GH="], &[], "VAR=SECRET"),
            (&["G H=path"], &[], "no name of a variable"),
            (&["GH=other"], &[], "they have: github-token, PATH"),
            (&["HTTPS_PROXY=path"], &[], "lead to the proxy"),
            (&["A=path", "A=github-token"], &[], "twice"),
            (&[], &["api"], "BASE:VAR"),
            (&[], &["none:X"], "they have: api"),
        ] {
            let said = made(env, base).unwrap_err();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn a_value_that_gives_way_is_told_of_and_a_placeholder_is_not() {
        let made = Surroundings::of(&begun(), &Wishes::of(&[], &[]).unwrap(), Path::new("/d"));
        let made = made.unwrap();
        let with = |value: &str| {
            let held = |name: &str| (name == "GITHUB_TOKEN").then(|| value.into());
            made.replaced(held).len()
        };
        assert_eq!(with("ghp_real"), 1);
        assert_eq!(with("__skep_github-token__"), 0);
        assert_eq!(with(""), 0);
    }
}
