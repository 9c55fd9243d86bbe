//! Backups, for whoever runs the installation.

use skep_authz::Caller;
use skep_crypto::{ArchiveLock, Plain, RecoveryKey};
use skep_store::archive::{Backup, Contents};

use crate::{App, AppError, Invalid};

/// Characters of a passphrase.
const PASSPHRASE: std::ops::RangeInclusive<usize> = 12..=1_024;

/// What to archive, and for whom it is closed.
#[derive(Default)]
pub struct BackupOrder {
    /// What a human remembers.
    pub passphrase: Option<String>,
    /// What a file keeps.
    pub recovery_key: Option<String>,
    /// The one workspace, by name.
    pub workspace: Option<String>,
}

impl App {
    /// Begins a backup of everything, or of one workspace. It goes on as its bytes are asked for.
    ///
    /// # Errors
    /// [`AppError::Denied`] for anybody but whoever runs the installation; [`AppError::Invalid`].
    pub async fn begin_backup(
        &self,
        caller: &Caller,
        order: BackupOrder,
    ) -> Result<Backup, AppError> {
        caller.require_installation()?;
        let contents = match &order.workspace {
            None => Contents::Everything,
            Some(name) => self.named_workspace(name).await?,
        };
        let lock = lock(order)?;
        Ok(self.store.begin_backup(caller, lock, contents).await?)
    }

    /// Names are unique in an organization, and an installation may have several.
    async fn named_workspace(&self, name: &str) -> Result<Contents, AppError> {
        let mut found = None;
        for tenant in self.store.workspaces().await? {
            if self.store.name_for_member(tenant).await? != name {
                continue;
            }
            if found.replace(tenant).is_some() {
                return Err(AppError::Conflict(
                    "several organizations have a workspace of this name: back everything up, and restore the one by its id",
                ));
            }
        }
        let (organization, workspace) = found.ok_or(AppError::NotFound("workspace"))?;
        Ok(Contents::Workspace(organization, workspace))
    }
}

fn lock(order: BackupOrder) -> Result<ArchiveLock, AppError> {
    match (order.passphrase, order.recovery_key) {
        (Some(passphrase), None) => {
            let passphrase = Plain::new(passphrase);
            if !PASSPHRASE.contains(&passphrase.expose().chars().count()) {
                return Err(Invalid::unknown(
                    "passphrase",
                    "A passphrase has 12 to 1024 characters.",
                ));
            }
            Ok(ArchiveLock::Passphrase(passphrase))
        }
        (None, Some(key)) => {
            let key = Plain::new(key);
            let key = RecoveryKey::parse(key.expose())
                .map_err(|_| Invalid::unknown("recovery_key", "This is no recovery key."))?;
            Ok(ArchiveLock::Recovery(key))
        }
        _ => Err(Invalid::unknown(
            "passphrase",
            "Say either a passphrase or a recovery key: an archive is never open.",
        )),
    }
}
