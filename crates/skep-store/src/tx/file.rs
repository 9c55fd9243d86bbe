//! Files that somebody keeps among their memories: found by where they stand, by digests alone.

use skep_authz::CanRead;
use skep_domain::{FilePath, Principal};

use super::Tx;
use super::read::open_memory;
use crate::StoreError;
use crate::keys::{Purpose, WorkspaceKeys};
use crate::row::Fingerprint;
use crate::value::Memory;

/// What a digest is of: the file at a path, or all that stands below one.
#[derive(Clone, Copy)]
enum What {
    At = 0,
    Below = 1,
}

impl<P: CanRead> Tx<P> {
    /// The file of somebody that stands at a path, if whoever acts may see it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_file(
        &mut self,
        owner: Principal,
        path: &FilePath,
    ) -> Result<Option<Memory>, StoreError> {
        let found = self.filed(owner, (What::At, path), 1).await?;
        Ok(found.into_iter().next())
    }

    /// The files of somebody below a folder that whoever acts may see, at most so many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_files(
        &mut self,
        owner: Principal,
        folder: &FilePath,
        limit: u32,
    ) -> Result<Vec<Memory>, StoreError> {
        self.filed(owner, (What::Below, folder), limit).await
    }

    async fn filed(
        &mut self,
        owner: Principal,
        (what, path): (What, &FilePath),
        limit: u32,
    ) -> Result<Vec<Memory>, StoreError> {
        let topic = digest(&self.keys, owner, what, path.as_str());
        let rows = self
            .backend
            .of_topic(&self.scope, &self.ring, topic, limit)
            .await?;
        rows.into_iter()
            .map(|row| open_memory(&self.keys, row))
            .collect()
    }
}

/// What a file of an owner is found by.
pub(super) fn digests(keys: &WorkspaceKeys, owner: Principal, path: &FilePath) -> Vec<Fingerprint> {
    let folders = path
        .folders()
        .map(|folder| digest(keys, owner, What::Below, folder));
    let at = digest(keys, owner, What::At, path.as_str());
    folders.chain([at]).collect()
}

fn digest(keys: &WorkspaceKeys, owner: Principal, what: What, path: &str) -> Fingerprint {
    let kind = match owner {
        Principal::User(_) => 0,
        Principal::Agent(_) => 1,
    };
    let whose = owner.to_bytes();
    keys.fingerprint(
        Purpose::File,
        &[&whose, &[kind, what as u8], path.as_bytes()],
    )
}
