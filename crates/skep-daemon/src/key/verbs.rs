//! `skepd key`: the root key made, looked at, and moved to another place.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use skep_crypto::{RootKey, RootKeyProvider, SystemRandom};
use skep_vault::Vault;

use super::{Root, Slot, asked, rotate};
use crate::config::{Config, Kind};
use crate::{files, local, process, vault};

/// What is to be done with the root key.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make the root key where the configuration says, before the first start
    Init,
    /// Say where the root key is, and whether it is there; nothing is opened with it
    Status {
        /// Say it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Open the installation, the key of each workspace and the vault with it
    Check {
        /// Say what was opened as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a fresh root key into a new file (0600), for a place that only others can put it into
    New {
        /// The file to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Write the root key that is in force into a new file (0600)
    Export {
        /// The file to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Put another root key in force, and wrap everything anew under it; goes on where a kill stopped it
    RotateRoot {
        /// A file with that key (0600): one that another node of the database has changed to, or one for a place
        /// that only others can put it into [default: a fresh one]
        #[arg(long, value_name = "FILE")]
        new_key_file: Option<PathBuf>,
    },
    /// Remove the root key from a place that is not configured any more
    Forget {
        /// Which place
        #[arg(long, value_name = "PROVIDER")]
        from: Kind,
    },
    /// Put the keys of an organization's workspaces under one that it keeps itself, while the daemon runs
    Enclose(Whose),
    /// Put another key of an organization's own in force, while the daemon runs
    Change(Whose),
    /// Take an organization's own key off again, while the daemon runs
    Release {
        /// Its name, or its id
        organization: String,
    },
    /// Bring the root key to another place, and see that it opens everything from there
    Move {
        /// Where to; the settings of the section `key` say where that is
        #[arg(long, value_name = "PROVIDER")]
        to: Kind,
    },
}

/// Whose key, and where it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Whose {
    /// The organization's name, or its id
    organization: String,
    /// The section of the configuration that says where the key is kept [default: the one of that name]
    #[arg(long, value_name = "NAME")]
    place: Option<String>,
}

/// What a root key opened.
#[derive(Default)]
pub(super) struct Opened {
    workspaces: u64,
    has_installation: bool,
    has_vault: bool,
}

impl Verb {
    /// Whether a daemon may run meanwhile.
    pub(crate) fn only_looks(&self) -> bool {
        matches!(
            self,
            Self::Status { .. }
                | Self::New { .. }
                | Self::Export { .. }
                | Self::Enclose(_)
                | Self::Change(_)
                | Self::Release { .. }
        )
    }

    /// Whether the key may be in a variable of the environment, whatever is configured.
    pub(crate) fn moves_to_the_environment(&self) -> bool {
        matches!(
            self,
            Self::Move {
                to: Kind::Environment
            }
        )
    }

    /// What changes nothing of the installation.
    pub(crate) fn look(&self, home: &Path, config: &Config) -> anyhow::Result<()> {
        let root = Root::of(home, config)?;
        match self {
            Self::Status { json } => status(&root, home, config, *json),
            Self::New { to } => {
                let key = RootKey::generate(&SystemRandom);
                written(to, &key, "a fresh root key is")
            }
            Self::Enclose(whose) => asked::change(home, "enclose", whose.parts()),
            Self::Change(whose) => asked::change(home, "change", whose.parts()),
            Self::Release { organization } => asked::change(home, "release", (organization, None)),
            Self::Export { to } => written(to, &present(&root)?, "the root key is"),
            _ => Ok(()),
        }
    }

    /// The rest. Whoever calls holds the lock of the data directory.
    pub(crate) async fn run(&self, home: &Path, config: &Config) -> anyhow::Result<()> {
        let root = Root::of(home, config)?;
        match self {
            Self::Init => init(&root, home, config).await,
            Self::Check { json } => check(&root, home, config, *json).await,
            Self::Move { to } => move_to(&root, *to, home, config).await,
            Self::RotateRoot { new_key_file } => {
                rotate::rotate(&root, new_key_file.as_deref(), home, config).await
            }
            Self::Forget { from } => forget(&root, *from, home, config).await,
            _ => Ok(()),
        }
    }
}

impl Whose {
    fn parts(&self) -> (&str, Option<&str>) {
        (&self.organization, self.place.as_deref())
    }
}

fn present(root: &Root) -> anyhow::Result<RootKey> {
    let key = root.load()?;
    key.with_context(|| format!("there is no root key in {}", root.shown()))
}

fn written(to: &Path, key: &RootKey, what: &str) -> anyhow::Result<()> {
    files::write_new(to, key.text().expose())?;
    process::say(&format!(
        "{what} in {0}: whoever has that file and the data reads everything; remove it when it is where it \
         belongs",
        to.display()
    ));
    Ok(())
}

fn status(root: &Root, home: &Path, config: &Config, as_json: bool) -> anyhow::Result<()> {
    let has = |slot| root.keeper().has(slot);
    let (is_there, is_changing) = (has(Slot::Current), has(Slot::Next)?);
    let problem = is_there.as_ref().err().map(|error| format!("{error:#}"));
    let is_there = is_there.unwrap_or(false);
    let left_behind = left_behind(home, config)?;
    let own = asked::list(home);
    if as_json {
        let said = json!({
            "provider": config.key.kind()?.as_str(), "place": root.shown(), "is_there": is_there,
            "is_changing": is_changing, "left_behind": left_behind, "problem": problem,
            "organizations": own.as_ref().ok().map(|own| &own.items),
            "named": config.organization_keys.0.keys().collect::<Vec<_>>(),
        });
        process::say(&said.to_string());
    } else {
        process::say(&format!("root key: {}", root.shown()));
        process::say(match (&problem, is_there) {
            (Some(_), _) => "it cannot be had",
            (None, true) => "it is there",
            (None, false) => "there is none",
        });
        if is_changing {
            process::say(
                "another one is about to take its place: `skepd key rotate-root` finishes that",
            );
        }
        for path in &left_behind {
            process::say(&format!(
                "{path} holds a root key too, and is not used: see `skepd key forget`"
            ));
        }
        asked::show(own, config);
    }
    match problem {
        Some(problem) => bail!(problem),
        None => Ok(()),
    }
}

/// Files with root keys that are not those in force.
fn left_behind(home: &Path, config: &Config) -> anyhow::Result<Vec<String>> {
    let kind = config.key.kind()?;
    let files = [
        (Kind::File, config.key.file(home)),
        (Kind::Passphrase, config.key.locked_file(home)),
    ];
    let others = files
        .into_iter()
        .filter(|(of, path)| *of != kind && path.exists());
    Ok(others.map(|(_, path)| path.display().to_string()).collect())
}

async fn init(root: &Root, home: &Path, config: &Config) -> anyhow::Result<()> {
    let party = local::party(home, config, root).await?;
    if party.has_installation().await? {
        bail!(
            "there is an installation already, which a new root key would not open: bring the one back that it \
             was made with, or see `skepd key move`"
        );
    }
    root.create(&SystemRandom)?;
    process::say(&format!(
        "a root key is in {}: keep a copy elsewhere (`skepd key export --to FILE`); without it nothing that is \
         made here can ever be read",
        root.shown()
    ));
    Ok(())
}

async fn check(root: &Root, home: &Path, config: &Config, as_json: bool) -> anyhow::Result<()> {
    let key = present(root)?;
    let opened = open_everything(root, &key, home, config).await?;
    if as_json {
        let said = json!({
            "place": root.shown(), "installation": opened.has_installation,
            "workspaces": opened.workspaces, "vault": opened.has_vault,
        });
        process::say(&said.to_string());
    } else {
        process::say(&format!(
            "the root key ({}) opens {}",
            root.shown(),
            opened.in_words()
        ));
    }
    Ok(())
}

/// Opens whatever is under a root key, with this one.
pub(super) async fn open_everything(
    root: &dyn RootKeyProvider,
    key: &RootKey,
    home: &Path,
    config: &Config,
) -> anyhow::Result<Opened> {
    let party = local::party(home, config, root).await?;
    let installation = party.installation().await;
    let installation = installation.context("opening the installation with this root key")?;
    let Some(installation) = installation else {
        return Ok(Opened {
            workspaces: 0,
            has_installation: false,
            has_vault: false,
        });
    };
    let workspaces = installation.open_keys().await;
    let workspaces = workspaces.context("opening the keys of the workspaces")?;
    let keys = installation
        .instance_keys()
        .context("the installation has no keys")?;
    let has_vault = Vault::opens(home, &vault::lock(key, &keys))?;
    Ok(Opened {
        workspaces,
        has_installation: true,
        has_vault,
    })
}

impl Opened {
    pub(super) fn in_words(&self) -> String {
        if !self.has_installation {
            return "nothing yet: there is no installation".into();
        }
        let vault = if self.has_vault {
            ", and the vault of this host"
        } else {
            ""
        };
        format!(
            "the installation, the keys of {} workspaces{vault}",
            self.workspaces
        )
    }
}

/// Two places have it afterwards; the one that is configured counts, until somebody changes that.
async fn move_to(root: &Root, to: Kind, home: &Path, config: &Config) -> anyhow::Result<()> {
    if config.key.kind()? == to {
        bail!("the root key is in {} already", root.shown());
    }
    let key = present(root)?;
    // What opens nothing here is not the one to keep.
    open_everything(root, &key, home, config).await?;
    let place = Root::at(to, home, config)?;
    let shown = place.shown();
    match place.keeper().read_only() {
        None => match place.keeper().load(Slot::Current)? {
            None => place.keeper().keep(Slot::Current, &key)?,
            Some(found) if found.is(&key) => {}
            Some(_) => {
                bail!("{shown} holds another root key: move that away first; nothing was changed")
            }
        },
        Some(how) => {
            let found = place.keeper().load(Slot::Current);
            let found = found.with_context(|| {
                format!(
                    "this root key has to be put there by hand, then this can be run again. Write it with `skepd \
                     key export --to FILE` in the place of a new one, and {how}"
                )
            })?;
            if !found.is_some_and(|found| found.is(&key)) {
                bail!(
                    "{shown} holds another root key: put the one there that `skepd key export` writes"
                );
            }
        }
    }
    // From there, as the next start will.
    let there = Root::at(to, home, config)?;
    let again = present(&there)?;
    if !again.is(&key) {
        bail!("{shown} gives another root key than it was given; nothing else was changed");
    }
    let opened = open_everything(&there, &again, home, config).await?;
    process::say(&format!(
        "the root key is in {shown} as well, and opens from there {}.\n\
         To use it from there, put this into skep.toml:\n\n[key]\nprovider = \"{}\"\n\n\
         It is still in {} too. When the daemon has run with the new place, stop it, and: `skepd key \
         forget --from {}`.",
        opened.in_words(),
        to.as_str(),
        root.shown(),
        config.key.kind()?.as_str()
    ));
    Ok(())
}

/// Only what is kept elsewhere, and opens everything from there.
async fn forget(root: &Root, from: Kind, home: &Path, config: &Config) -> anyhow::Result<()> {
    if config.key.kind()? == from {
        bail!(
            "the root key in {} is in force: move it and set key.provider first",
            root.shown()
        );
    }
    let key = present(root)?;
    let opened = open_everything(root, &key, home, config).await?;
    let place = Root::at(from, home, config)?;
    let shown = place.shown();
    if place.keeper().read_only().is_some() {
        bail!("{shown} cannot be written to from here: remove it there by hand");
    }
    let found = place.keeper().load(Slot::Current)?;
    let found = found.with_context(|| format!("there is no root key in {shown}"))?;
    if !found.is(&key) {
        bail!(
            "{shown} holds another root key than the one in force: whatever it is for, remove it by hand"
        );
    }
    place.keeper().forget(Slot::Current)?;
    process::say(&format!(
        "removed from {shown}; the root key ({}) opens {}. A file that was removed may still be found on the disk \
         and in copies of it: `skepd key rotate-root` makes it worthless.",
        root.shown(),
        opened.in_words()
    ));
    Ok(())
}
