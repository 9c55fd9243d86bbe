//! The section `[references]`: stores that secrets may be looked up in, and for which organizations.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_api::id::{self, Tagger};
use skep_domain::{IdKind, OrganizationId, Reference};
use skep_egress::{Host, Scheme, Target};
use skep_reference::{Connect, Folder, Organizations, References, Server, Source, Token};

use crate::files;

/// Nothing is looked up unless it is named here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Section {
    /// Servers of Vault, for `vault://name/…`.
    vault: Vec<Vault>,
    /// Servers of 1Password Connect, for `op://…`.
    onepassword: Vec<OnePassword>,
    /// Folders, for `file:///…`.
    file: Vec<Files>,
    /// Variables, for `env://…`.
    environment: Vec<Environment>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vault {
    /// What references call it.
    name: String,
    address: String,
    /// A file with the token, readable by its owner alone, read at each use.
    token_file: PathBuf,
    /// Whose certificates count beside those that the system trusts, in PEM.
    ca_file: Option<PathBuf>,
    namespace: Option<String>,
    /// Beginnings of `mount/path`; everything that the token may read if there are none.
    #[serde(default)]
    paths: Vec<String>,
    organizations: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnePassword {
    address: String,
    token_file: PathBuf,
    ca_file: Option<PathBuf>,
    /// Vaults as references call them; all that the token sees if there are none.
    #[serde(default)]
    vaults: Vec<String>,
    organizations: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Files {
    folder: PathBuf,
    organizations: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Environment {
    names: Vec<String>,
    organizations: Vec<String>,
}

/// Takes tags as they come: whoever writes this file is the operator, and an id that is nobody's
/// allows nothing.
struct AsWritten;

impl Tagger for AsWritten {
    fn tag(&self, _: IdKind, _: &[u8; 16]) -> [u8; 4] {
        [0; 4]
    }

    fn verify(&self, _: IdKind, _: &[u8; 16], _: [u8; 4]) -> bool {
        true
    }
}

impl Section {
    /// The files in which it has keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        let vault = self.vault.iter().map(|of| of.token_file.as_path());
        vault.chain(self.onepassword.iter().map(|of| of.token_file.as_path()))
    }

    /// What is wrong with it, whatever the files that it names hold.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for vault in &self.vault {
            address("references.vault", &vault.address)?;
            whose("references.vault", &vault.organizations)?;
            let probe = format!("vault://{}/mount/path#field", vault.name);
            if Reference::parse(&probe).is_err() {
                bail!(
                    "references.vault has the name {:?}: letters, digits, '-', '_' and '.' only",
                    vault.name
                );
            }
        }
        for server in &self.onepassword {
            address("references.onepassword", &server.address)?;
            whose("references.onepassword", &server.organizations)?;
        }
        for files in &self.file {
            whose("references.file", &files.organizations)?;
            let folder = &files.folder;
            let is_plain = folder
                .components()
                .all(|part| !matches!(part, std::path::Component::ParentDir));
            if !folder.is_absolute() || !is_plain || folder.parent().is_none() {
                bail!(
                    "references.file has the folder {:?}: give a whole path, without \"..\", that is not /",
                    folder.display().to_string()
                );
            }
        }
        for variables in &self.environment {
            whose("references.environment", &variables.organizations)?;
            for name in &variables.names {
                if Reference::parse(&format!("env://{name}")).is_err() {
                    bail!("references.environment has the name {name:?}, which no variable has");
                }
            }
        }
        Ok(())
    }

    /// What the application is told. `guarded` are files of the daemon's own outside of its data directory:
    /// neither they nor what is in there are anybody's to refer to.
    pub(crate) fn open(&self, home: &Path, guarded: &[PathBuf]) -> anyhow::Result<References> {
        self.check()?;
        let mut all = References::default();
        for vault in &self.vault {
            let mut server = Server::new(
                vault.name.clone(),
                address("references.vault", &vault.address)?,
                authorities(home, vault.ca_file.as_deref())?,
                token(home, &vault.token_file),
            )
            .below(vault.paths.clone());
            if let Some(namespace) = &vault.namespace {
                server = server.in_namespace(namespace.clone());
            }
            let whose = whose("references.vault", &vault.organizations)?;
            all = all.with(whose, Source::Vault(server));
        }
        for named in &self.onepassword {
            let server = Connect::new(
                address("references.onepassword", &named.address)?,
                authorities(home, named.ca_file.as_deref())?,
                token(home, &named.token_file),
            )
            .only(named.vaults.clone());
            let whose = whose("references.onepassword", &named.organizations)?;
            all = all.with(whose, Source::OnePassword(server));
        }
        for files in &self.file {
            apart("references.file", &files.folder, home, guarded)?;
            let whose = whose("references.file", &files.organizations)?;
            all = all.with(whose, Source::File(Folder::new(files.folder.clone())));
        }
        for variables in &self.environment {
            let whose = whose("references.environment", &variables.organizations)?;
            all = all.with(whose, Source::Environment(variables.names.clone()));
        }
        Ok(all)
    }
}

/// Neither contains the other.
fn apart(setting: &str, folder: &Path, home: &Path, guarded: &[PathBuf]) -> anyhow::Result<()> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real(folder);
    for path in guarded.iter().map(PathBuf::as_path).chain([home]) {
        let path = real(path);
        if folder.starts_with(&path) || path.starts_with(&folder) {
            bail!(
                "{setting} has {}, which holds keys or data of the daemon's own: put secrets that are referred to into \
                 a folder of their own",
                folder.display()
            );
        }
    }
    Ok(())
}

fn whose(setting: &str, organizations: &[String]) -> anyhow::Result<Organizations> {
    let expected = "as ids (org_…, see `skep org list`), or [\"*\"] for every one";
    match organizations {
        [] => bail!(
            "{setting} names no organizations: name those whose references may lead there, {expected}"
        ),
        [all] if all == "*" => Ok(Organizations::All),
        these => {
            let parsed: Result<Vec<OrganizationId>, _> = these
                .iter()
                .map(|text| id::parse(&AsWritten, text))
                .collect();
            let these =
                parsed.with_context(|| format!("{setting}.organizations: name them {expected}"))?;
            Ok(Organizations::These(these))
        }
    }
}

/// A token goes there, so it is not sent in clear over a network.
fn address(setting: &str, url: &str) -> anyhow::Result<Target> {
    let target =
        Target::parse(url).with_context(|| format!("{setting} has the address {url:?}"))?;
    let origin = target.origin();
    let is_here = match &origin.host {
        Host::Address(address) => address.is_loopback(),
        Host::Name(name) => name == "localhost",
    };
    if origin.scheme == Scheme::Http && !is_here {
        bail!("{setting} has the address {url:?}: a token goes there, so it must be https://");
    }
    Ok(target)
}

fn token(home: &Path, file: &Path) -> Token {
    let path = home.join(file);
    Arc::new(move || files::read_key(&path).map_err(|error| format!("{error:#}")))
}

fn authorities(home: &Path, file: Option<&Path>) -> anyhow::Result<Vec<Vec<u8>>> {
    let Some(file) = file else {
        return Ok(Vec::new());
    };
    let path = home.join(file);
    let pem = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    skep_egress::authorities_in(&pem)
        .with_context(|| format!("{} holds no certificates in PEM", path.display()))
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for vault in &self.vault {
            lines.push(format!(
                "# vault://{}/… is looked up at {}, for {:?}",
                vault.name, vault.address, vault.organizations
            ));
        }
        for server in &self.onepassword {
            lines.push(format!(
                "# op://… is looked up at {}, for {:?}",
                server.address, server.organizations
            ));
        }
        for files in &self.file {
            lines.push(format!(
                "# file://{}/… is looked up, for {:?}",
                files.folder.display(),
                files.organizations
            ));
        }
        for variables in &self.environment {
            lines.push(format!(
                "# env:// is looked up as {:?}, for {:?}",
                variables.names, variables.organizations
            ));
        }
        if lines.is_empty() {
            lines.push("# no references are looked up".into());
        }
        f.write_str(&lines.join("\n"))
    }
}
