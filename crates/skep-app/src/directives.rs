//! Standing texts of an organization and of a workspace: versions that never change, of which one at a time counts.
//!
//! Whoever configures the gateway drafts; whoever manages the workspace, or the organization, says which version counts.
//! What counts is put before models by the hooks, at a session's start, and by the gateway.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_authz::rights::{GatewayConfigure, OrgManage, SettingRead, WorkspaceManage};
use skep_authz::{Authorized, Denied};
use skep_crypto::sha256;
use skep_domain::{OrganizationId, Permission, Timestamp};
use skep_memory::Standing;
use skep_store::{Directive, DirectivePlace, Mode, Promotion};

use crate::access::door;
use crate::error::Invalid;
use crate::upkeep::Tenant;
use crate::{App, AppError};

/// Bytes of a text, as it stands before a model. Two of them and a few memories are what a harness takes.
const TEXT: usize = 3_000;
/// Versions of one place.
const VERSIONS: u32 = 10_000;
/// Versions that are listed.
const LISTED: u32 = 200;
/// How long what counts is known without another look: a change on another node counts after that.
const FRESH_MICROS: i64 = 900_000;
/// Workspaces that it is known of.
const HELD: usize = 4_096;

/// A version, and whether it counts.
#[derive(Clone, Debug)]
pub struct DirectiveView {
    /// What it is.
    pub directive: Directive,
    /// Whether it counts now.
    pub is_in_force: bool,
}

/// The versions of a place.
#[derive(Debug)]
pub struct DirectiveList {
    /// Newest first.
    pub versions: Vec<DirectiveView>,
    /// What was said of which counts, newest first.
    pub promotions: Vec<Promotion>,
}

/// What counts in workspaces, as it was last read.
#[derive(Default)]
pub(crate) struct Standings(Mutex<HashMap<Tenant, Entry>>);

/// When it was read, unless something has changed since.
type Entry = (Option<Timestamp>, Arc<[Directive]>);

impl Standings {
    fn held(&self) -> MutexGuard<'_, HashMap<Tenant, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has what is known of an organization read anew. Until it is, it stands for what cannot be read in time.
    fn look_again(&self, organization: OrganizationId) {
        let mut held = self.held();
        let own = held
            .iter_mut()
            .filter(|((whose, _), _)| *whose == organization);
        own.for_each(|(_, (at, _))| *at = None);
    }

    /// Drops what is known of an organization.
    pub(crate) fn forget(&self, organization: OrganizationId) {
        self.held().retain(|(whose, _), _| *whose != organization);
    }

    /// What was known last, however long ago.
    pub(crate) fn last_known(&self, tenant: Tenant) -> Option<Arc<[Directive]>> {
        self.held().get(&tenant).map(|(_, known)| Arc::clone(known))
    }
}

/// As it is put before a model.
pub(crate) fn standing(directives: &[Directive]) -> Vec<Standing<'_>> {
    let written = directives.iter().map(|one| Standing {
        of: name(one.place),
        version: one.version,
        sha256: &one.sha256,
        text: &one.text,
    });
    written.collect()
}

/// What a place is called.
#[must_use]
pub const fn name(place: DirectivePlace) -> &'static str {
    match place {
        DirectivePlace::Organization => "organization",
        DirectivePlace::Workspace => "workspace",
    }
}

impl App {
    /// The standing texts that count in a workspace, as of a second ago at most.
    pub(crate) async fn directives_of(&self, tenant: Tenant) -> Result<Arc<[Directive]>, AppError> {
        let now = self.store.now();
        let known = self.standings.held().get(&tenant).cloned();
        if let Some((Some(at), known)) = known
            && (0..FRESH_MICROS).contains(&(now.as_micros() - at.as_micros()))
        {
            return Ok(known);
        }
        let mut tx = door!(self, Mode::Read).await?;
        let found: Arc<[Directive]> = tx.list_directives_in_force(tenant).await?.into();
        drop(tx);
        let mut held = self.standings.held();
        if held.len() >= HELD {
            held.clear();
        }
        held.insert(tenant, (Some(now), Arc::clone(&found)));
        Ok(found)
    }

    /// The versions of the organization's standing text, or of the workspace's.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_directives(
        &self,
        authorized: Authorized<SettingRead>,
        place: DirectivePlace,
    ) -> Result<DirectiveList, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let promotions = tx.list_promotions(place, LISTED).await?;
        let versions = tx.list_directives(place, LISTED).await?;
        let counts = promotions.first().map(|last| last.version);
        let versions = versions.into_iter().map(|directive| DirectiveView {
            is_in_force: counts == Some(directive.version),
            directive,
        });
        Ok(DirectiveList {
            versions: versions.collect(),
            promotions,
        })
    }

    /// One version; the one that counts if none is named.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn get_directive(
        &self,
        authorized: Authorized<SettingRead>,
        (place, version): (DirectivePlace, Option<u32>),
    ) -> Result<DirectiveView, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let counts = tx.list_promotions(place, 1).await?;
        let counts = counts.first().map_or(0, |last| last.version);
        let found = tx.get_directive(place, version.unwrap_or(counts)).await?;
        let directive = found.ok_or(AppError::NotFound("version of the directive"))?;
        Ok(DirectiveView {
            is_in_force: counts == directive.version,
            directive,
        })
    }

    /// Adds a version, which does nothing before it is promoted.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a text that is empty, too long, or seems to hold a secret; [`AppError::Conflict`] when
    /// there are too many.
    pub async fn draft_directive(
        &self,
        authorized: Authorized<GatewayConfigure>,
        place: DirectivePlace,
        text: &str,
    ) -> Result<DirectiveView, AppError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::required("text"));
        }
        Invalid::check_length("text", &skep_memory::escaped(text), TEXT)?;
        if !self.redactor.redact(text).found.is_empty() {
            let message = "text seems to hold a secret, and every model would be given it";
            return Err(Invalid::unknown("text", message));
        }
        let digest = crate::skills::hex(&sha256(text.as_bytes()));
        let mut tx = self.store.begin_org(authorized).await?;
        let version = tx.put_directive(place, (text, &digest)).await?;
        if version > VERSIONS {
            return Err(AppError::Conflict("there are 10000 versions already"));
        }
        let made = tx.get_directive(place, version).await?;
        let directive = made.ok_or(AppError::Internal("a version could not be read"))?;
        tx.commit().await?;
        Ok(DirectiveView {
            directive,
            is_in_force: false,
        })
    }

    /// Says which version counts from now on; none for 0. For all workspaces only by whoever manages the organization.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn promote_directive(
        &self,
        authorized: Authorized<WorkspaceManage>,
        shared: Option<Authorized<OrgManage>>,
        (place, version): (DirectivePlace, u32),
    ) -> Result<Option<DirectiveView>, AppError> {
        let organization = authorized.organization();
        let manages = shared.is_some_and(|right| right.organization() == organization);
        if place == DirectivePlace::Organization && !manages {
            return Err(Denied::MissingPermission(Permission::OrgManage).into());
        }
        let mut tx = self.store.begin_org(authorized).await?;
        let found = tx.get_directive(place, version).await?;
        if version != 0 && found.is_none() {
            return Err(AppError::NotFound("version of the directive"));
        }
        tx.put_promotion(place, version).await?;
        tx.commit().await?;
        self.standings.look_again(organization);
        Ok(found.map(|directive| DirectiveView {
            directive,
            is_in_force: true,
        }))
    }

    /// The standing texts as they stand in a conversation that comes whole with each call: the same bytes each time,
    /// with a nonce that nobody outside can foresee.
    pub(crate) fn standing_text(&self, directives: &[Directive], conversation: &str) -> String {
        let key = &self.store.instance_keys().fingerprint;
        let marks: Vec<String> = directives
            .iter()
            .map(|one| format!("{} {} {}", name(one.place), one.version, one.sha256))
            .collect();
        let marks = marks.join("\n");
        let parts = [b"standing", conversation.as_bytes(), marks.as_bytes()];
        skep_memory::standing_text(&standing(directives), key.tag16(&parts))
    }
}
