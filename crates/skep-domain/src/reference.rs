//! References to secrets that are kept elsewhere.

use std::fmt;

use crate::Limits;

/// Where a secret is kept that is not kept here: it is looked up whenever it is used, and stored by
/// nobody on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `op://vault/item[/section]/field`, in 1Password.
    OnePassword {
        /// The vault, by name or id.
        vault: String,
        /// The item, by title or id.
        item: String,
        /// The section of the item.
        section: Option<String>,
        /// The field, by label or id.
        field: String,
    },
    /// `vault://server/mount/path[?version=N]#field`, in the second version of Vault's key-value store.
    Vault {
        /// The server, as the operator calls it.
        server: String,
        /// Where the store is mounted.
        mount: String,
        /// The path in it.
        path: String,
        /// Which version; the newest if none is named.
        version: Option<u32>,
        /// The field.
        field: String,
    },
    /// `env://NAME`, in a variable that the daemon was started with.
    Environment {
        /// The variable.
        name: String,
    },
    /// `file:///path`, in a file on the daemon's host.
    File {
        /// The file, by its absolute path.
        path: String,
    },
}

/// Which kinds of stores there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// `op://`
    OnePassword,
    /// `vault://`
    Vault,
    /// `env://`
    Environment,
    /// `file://`
    File,
}

/// Why a reference was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Of no scheme that is known.
    #[error("a reference begins with op://, vault://, env:// or file://")]
    Scheme,
    /// Not of the form that its scheme has.
    #[error("such a reference has the form {0}")]
    Form(&'static str),
    /// A part of it that is empty, a dot, or has letters that it must not have.
    #[error(
        "{0} of the reference is empty, '.', '..', or has characters that are not allowed in it"
    )]
    Part(&'static str),
    /// Too long.
    #[error("a reference has {} bytes at most", Limits::REFERENCE)]
    Length,
}

const ONE_PASSWORD: &str = "op://vault/item/field or op://vault/item/section/field";
const VAULT: &str = "vault://server/mount/path#field, with ?version=3 before the # if need be";

impl Reference {
    /// Reads one.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.len() > Limits::REFERENCE {
            return Err(ReferenceError::Length);
        }
        let (scheme, rest) = text.split_once("://").ok_or(ReferenceError::Scheme)?;
        match scheme {
            "op" => one_password(rest),
            "vault" => vault(rest),
            "env" => Ok(Self::Environment {
                name: part(rest, "the variable", |letter| {
                    letter.is_ascii_alphanumeric() || letter == '_'
                })?,
            }),
            "file" => file(rest),
            _ => Err(ReferenceError::Scheme),
        }
    }

    /// In which kind of store it is.
    #[must_use]
    pub const fn kind(&self) -> ReferenceKind {
        match self {
            Self::OnePassword { .. } => ReferenceKind::OnePassword,
            Self::Vault { .. } => ReferenceKind::Vault,
            Self::Environment { .. } => ReferenceKind::Environment,
            Self::File { .. } => ReferenceKind::File,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnePassword {
                vault,
                item,
                section,
                field,
            } => {
                write!(f, "op://{vault}/{item}/")?;
                if let Some(section) = section {
                    write!(f, "{section}/")?;
                }
                f.write_str(field)
            }
            Self::Vault {
                server,
                mount,
                path,
                version,
                field,
            } => {
                write!(f, "vault://{server}/{mount}/{path}")?;
                if let Some(version) = version {
                    write!(f, "?version={version}")?;
                }
                write!(f, "#{field}")
            }
            Self::Environment { name } => write!(f, "env://{name}"),
            Self::File { path } => write!(f, "file://{path}"),
        }
    }
}

fn one_password(rest: &str) -> Result<Reference, ReferenceError> {
    let parts: Vec<&str> = rest.split('/').collect();
    let (vault, item, section, field) = match parts[..] {
        [vault, item, field] => (vault, item, None, field),
        [vault, item, section, field] => (vault, item, Some(section), field),
        _ => return Err(ReferenceError::Form(ONE_PASSWORD)),
    };
    Ok(Reference::OnePassword {
        vault: part(vault, "the vault", is_of_a_title)?,
        item: part(item, "the item", is_of_a_title)?,
        section: section
            .map(|section| part(section, "the section", is_of_a_title))
            .transpose()?,
        field: part(field, "the field", is_of_a_title)?,
    })
}

fn vault(rest: &str) -> Result<Reference, ReferenceError> {
    const FORM: ReferenceError = ReferenceError::Form(VAULT);
    let (rest, field) = rest.split_once('#').ok_or(FORM)?;
    let (place, version) = match rest.split_once('?') {
        None => (rest, None),
        Some((place, query)) => {
            let number = query.strip_prefix("version=").ok_or(FORM)?;
            let number = number.parse().ok().filter(|number| *number > 0);
            (place, Some(number.ok_or(FORM)?))
        }
    };
    let mut parts = place.splitn(3, '/');
    let mut next = || parts.next().ok_or(FORM);
    let (server, mount, path) = (next()?, next()?, next()?);
    for step in path.split('/') {
        part(step, "the path", is_of_a_path)?;
    }
    Ok(Reference::Vault {
        server: part(server, "the server", is_of_a_path)?,
        mount: part(mount, "the mount", is_of_a_path)?,
        path: path.to_owned(),
        version,
        field: part(field, "the field", is_of_a_title)?,
    })
}

fn file(rest: &str) -> Result<Reference, ReferenceError> {
    let steps = rest
        .strip_prefix('/')
        .ok_or(ReferenceError::Form("file:///path"))?;
    for step in steps.split('/') {
        part(step, "the path", |letter| !letter.is_control())?;
    }
    Ok(Reference::File {
        path: rest.to_owned(),
    })
}

fn part(
    text: &str,
    what: &'static str,
    fits: impl Fn(char) -> bool,
) -> Result<String, ReferenceError> {
    if text.is_empty() || matches!(text, "." | "..") || !text.chars().all(fits) {
        return Err(ReferenceError::Part(what));
    }
    Ok(text.to_owned())
}

/// What needs no escape in a URL's path, and means nothing there.
fn is_of_a_path(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '@')
}

/// What may stand in a reference to 1Password; whoever has other names uses ids.
fn is_of_a_title(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | ' ' | '@')
}

#[cfg(test)]
mod tests {
    use super::{Reference, ReferenceError as E};

    #[test]
    fn references_are_read_and_written_alike() {
        for text in [
            "op://Engineering/GitHub bot/token",
            "op://Engineering/db.main/admin/password",
            "vault://main/secret/team/app#password",
            "vault://main/kv-2/a/b/c?version=3#api key",
            "env://GITHUB_TOKEN",
            "file:///run/secrets/github token",
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn x05_references_lead_to_what_they_say() {
        let form = |text: &str| matches!(Reference::parse(text), Err(E::Form(_)));
        let part = |text: &str| matches!(Reference::parse(text), Err(E::Part(_)));
        for text in ["", "github", "https://a/b", "OP://a/b/c", "op:/a/b/c"] {
            assert_eq!(Reference::parse(text), Err(E::Scheme), "{text:?}");
        }
        for text in [
            "op://a/b",
            "op://a/b/c/d/e",
            "vault://main/secret/team",
            "vault://main/secret#field",
            "vault://main/secret/a?version=#f",
            "vault://main/secret/a?version=0#f",
            "vault://main/secret/a?version=-1#f",
            "vault://main/secret/a?list=true#f",
            "file://host/etc/passwd",
            "file://etc",
        ] {
            assert!(form(text), "{text:?}: {:?}", Reference::parse(text));
        }
        for text in [
            "op:///b/c",
            "op://a/../c",
            "op://a/b/c?attribute=otp",
            "op://a/b\"/c",
            "vault://main/secret/../sys#f",
            "vault://main/secret/a//b#f",
            "vault://main/../sys/a#f",
            "vault://ma%2fin/secret/a#f",
            "vault://main/secret/%2e%2e/a#f",
            "vault://main/secret/a#",
            "env://",
            "env://A=B",
            "env://A B",
            "file:///",
            "file:///etc/../root",
            "file:///etc//passwd",
            "file:///etc/\npasswd",
        ] {
            assert!(part(text), "{text:?}: {:?}", Reference::parse(text));
        }
        let long = format!("env://{}", "A".repeat(1_100));
        assert_eq!(Reference::parse(&long), Err(E::Length));
    }
}
