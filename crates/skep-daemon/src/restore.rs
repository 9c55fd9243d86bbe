//! `skepd restore`: an archive into an empty installation, one workspace of it into one that goes on, or a
//! look at whether it could be.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use skep_api::Instant;
use skep_crypto::{FileRootKey, RootKeyProvider, SystemRandom, machine_id};
use skep_domain::{Id, OrganizationId, WorkspaceId};
use skep_store::archive::{
    Archive, Chosen, Erasures, Installation, Into, Party, Summary, open_all, restore,
    restore_workspace,
};
use skep_store::{NewWorkspace, Store, StoreParts};
use skep_store_sqlite::{Options, SqliteBackend};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::key::Root;
use crate::progress::Progress;
use crate::secret::Secret;
use crate::{local, process};

/// What to put back, and where.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The archive, as `skep backup` wrote it
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    secret: Secret,
    #[command(flatten)]
    single: Single,
    /// Restore into a scratch directory, compare every row, open every sealed column, remove it; nothing else is
    /// touched
    #[arg(long, conflicts_with = "list")]
    verify: bool,
    /// Say what the archive has; nothing is touched
    #[arg(long)]
    list: bool,
    /// Say what was done as JSON
    #[arg(long)]
    json: bool,
}

/// One workspace of it.
#[derive(Debug, Args)]
struct Single {
    /// One workspace, by name or by the id that --list shows, into the installation that is there
    #[arg(long, value_name = "NAME|ID", conflicts_with_all = ["verify", "list"])]
    workspace: Option<String>,
    /// Take away the rows that the workspace has, and put the archive's in their place
    #[arg(long, requires = "workspace")]
    replace: bool,
    /// The organization that gets it, by id, if it is not the one that had it
    #[arg(long, value_name = "ID", requires = "workspace")]
    organization: Option<String>,
    /// Another name for it
    #[arg(long, value_name = "NAME", requires = "workspace")]
    name: Option<String>,
    /// Let come back what was erased after the backup
    #[arg(long, requires = "workspace")]
    bring_back_erased: bool,
}

impl Single {
    fn chosen(workspace: &str) -> Chosen {
        unhex(workspace).map_or_else(
            || Chosen::Name(workspace.to_owned()),
            |id| Chosen::Id(WorkspaceId::from_bytes(id)),
        )
    }

    fn destination(&self) -> anyhow::Result<Into> {
        let organization = self.organization.as_deref().map(|text| {
            unhex(text).map(OrganizationId::from_bytes).with_context(|| {
                format!("{text:?} is no id of an organization: 32 hexadecimal digits, as --list shows them")
            })
        });
        Ok(Into {
            organization: organization.transpose()?,
            name: self.name.clone(),
            replaces: self.replace,
        })
    }
}

impl Restore {
    /// Whether a daemon may run meanwhile.
    pub(crate) fn only_looks(&self) -> bool {
        self.verify || self.list
    }

    pub(crate) async fn run(&self, home: &Path, config: &Config) -> anyhow::Result<()> {
        let archive = Archive::new(&self.from, self.secret.read()?);
        if self.list {
            return self.list(&archive);
        }
        if self.verify {
            return self.verify(&archive, home).await;
        }
        let root = Root::of(home, config)?;
        let party = local::party(home, config, &root).await?;
        match &self.single.workspace {
            Some(workspace) => self.workspace(&archive, &party, workspace).await,
            None => self.whole(&archive, &party, &root.shown()).await,
        }
    }

    fn list(&self, archive: &Archive) -> anyhow::Result<()> {
        let summary = archive.read_through()?;
        let names = archive.names()?;
        let name = |id: &WorkspaceId| {
            let found = names.iter().find(|(known, _)| known == id);
            found.map_or(String::new(), |(_, name)| name.clone())
        };
        if self.json {
            let workspaces = summary.workspaces.iter().map(|(organization, id, rows)| {
                json!({ "id": hex(id.to_bytes()), "organization": hex(organization.to_bytes()),
                        "name": name(id), "rows": rows })
            });
            process::say(
                &json!({
                    "made_at_micros": summary.made_at.as_micros(), "whole": summary.is_whole,
                    "rows": summary.rows, "workspaces": workspaces.collect::<Vec<_>>(),
                })
                .to_string(),
            );
            return Ok(());
        }
        process::say(&described(&summary));
        for (organization, id, rows) in &summary.workspaces {
            let (id, of, name) = (hex(id.to_bytes()), hex(organization.to_bytes()), name(id));
            process::say(&format!(
                "workspace {id}  of organization {of}  {rows} rows  {}",
                shown(&name)
            ));
        }
        Ok(())
    }

    async fn whole(&self, archive: &Archive, party: &Party<'_>, key: &str) -> anyhow::Result<()> {
        let mut progress = Progress::new("rows restored");
        let done = restore(archive, party, false, &mut |rows| progress.reach(rows)).await;
        let done = done.context("restoring the archive: a daemon would serve nothing of it")?;
        let rate = progress.rate(done.rows);
        if self.json {
            let said = json!({ "workspaces": done.workspaces, "rows": done.rows, "rows_per_second": rate });
            process::say(&said.to_string());
        } else {
            process::say(&format!(
                "restored: {} workspaces, {} rows, {rate} rows/s\n\
                 What was revoked after the backup is good again, and what was erased is there again: look at \
                 `skep key list` and the list of members before you let anybody in.\n\
                 The root key: {}. It is in no archive: keep a copy elsewhere.",
                done.workspaces, done.rows, key
            ));
        }
        Ok(())
    }

    async fn workspace(
        &self,
        archive: &Archive,
        party: &Party<'_>,
        workspace: &str,
    ) -> anyhow::Result<()> {
        let installation = party.installation().await?;
        let installation = installation.context(
            "there is no installation here: leave --workspace out, or start a daemon first",
        )?;
        let (chosen, into) = (Single::chosen(workspace), self.single.destination()?);
        let erasures = if self.single.bring_back_erased {
            Erasures::Undone
        } else {
            Erasures::Win
        };
        let done = restore_workspace(
            archive,
            &installation,
            (&chosen, &into),
            erasures,
            &SystemClock,
        );
        let done = done.await.context(
            "restoring the workspace (the flags are --replace, --bring-back-erased, \
                                       --organization and --name)",
        )?;
        if self.json {
            let said = json!({
                "workspace": hex(done.workspace.to_bytes()), "name": done.name, "rows": done.rows,
                "replaced": done.replaced, "withheld": done.withheld,
            });
            process::say(&said.to_string());
            return Ok(());
        }
        let how = if done.replaced {
            "in the place of what it had"
        } else {
            "to where it was not"
        };
        process::say(&format!(
            "restored: workspace {}, {} rows, {how}",
            shown(&done.name),
            done.rows
        ));
        match done.withheld {
            Some(0) => {}
            Some(rows) => process::say(&format!(
                "{rows} rows stayed away: they were erased after the backup"
            )),
            None => process::say("whether anything was erased after the backup was not looked at"),
        }
        Ok(())
    }

    /// Into files of a directory that goes away, under a root key of their own.
    async fn verify(&self, archive: &Archive, home: &Path) -> anyhow::Result<()> {
        let scratch = Scratch::new(home)?;
        let progress = Progress::new("rows restored");
        let summary = archive.read_through()?;
        let (compared, opened) = {
            let root = FileRootKey::new(scratch.0.join("root.key"));
            let installation = if summary.is_whole {
                let party = scratch.party(&root).await?;
                restore(archive, &party, true, &mut |_| {}).await?;
                party.installation().await?
            } else {
                scratch.single(archive, &summary, &root).await?
            };
            let installation = installation.context("nothing was restored")?;
            (
                archive.compare(&installation).await?,
                open_all(&installation).await?,
            )
        };
        let rate = progress.rate(summary.rows);
        if self.json {
            let said = json!({
                "rows": summary.rows, "compared": compared, "opened": opened.sealed,
                "workspaces": summary.workspaces.len(), "closed": opened.closed, "rows_per_second": rate,
            });
            process::say(&said.to_string());
        } else {
            if opened.closed > 0 {
                process::say(&format!(
                    "{} workspaces are closed by keys that their organizations keep; what is in them was not opened",
                    opened.closed
                ));
            }
            process::say(&format!(
                "{}\nsound: {compared} rows are what they were, all {} sealed columns open ({rate} rows/s)",
                described(&summary),
                opened.sealed
            ));
        }
        Ok(())
    }
}

/// A directory for a look, in the data directory since what is in it is as secret; removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(home: &Path) -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let path = home.join(format!("verify-{}", std::process::id()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }

    async fn party<'r>(&self, root: &'r dyn RootKeyProvider) -> anyhow::Result<Party<'r>> {
        let backend = SqliteBackend::open(&self.0.join("data"), Options::default()).await?;
        Ok(Party {
            backend: Arc::new(backend),
            root,
            machine_id: machine_id(),
            random: Arc::new(SystemRandom),
        })
    }

    /// An installation that has the organization, and then the workspace.
    async fn single(
        &self,
        archive: &Archive,
        summary: &Summary,
        root: &dyn RootKeyProvider,
    ) -> anyhow::Result<Option<Installation>> {
        let Some((organization, workspace, _)) = summary.workspaces.first().copied() else {
            bail!("the archive has no workspace");
        };
        let party = self.party(root).await?;
        let store = Store::open(StoreParts {
            backend: Arc::clone(&party.backend),
            root,
            machine_id: machine_id(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        });
        let store = store.await?;
        let own = NewWorkspace {
            organization,
            workspace: store.mint(),
            name: "verification of an archive".into(),
            credentials: Vec::new(),
        };
        store.put_workspace(own).await?;
        let installation = party.installation().await?.context("an installation")?;
        let (chosen, into) = (Chosen::Id(workspace), Into::default());
        let erasures = Erasures::Win;
        restore_workspace(
            archive,
            &installation,
            (&chosen, &into),
            erasures,
            &SystemClock,
        )
        .await?;
        Ok(Some(installation))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            let path = self.0.display();
            process::complain(&format!("skepd: {path} could not be removed: {error}"));
        }
    }
}

fn described(summary: &Summary) -> String {
    let what = if summary.is_whole {
        "everything"
    } else {
        "one workspace"
    };
    let (workspaces, rows) = (summary.workspaces.len(), summary.rows);
    let begun = Instant(summary.made_at);
    format!("an archive of {what}, begun at {begun}: {workspaces} workspaces, {rows} rows")
}

/// A name may hold what a terminal would obey.
fn shown(name: &str) -> String {
    format!("{name:?}")
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = is_hex.then(|| u128::from_str_radix(text, 16).ok())?;
    number.map(u128::to_be_bytes)
}
