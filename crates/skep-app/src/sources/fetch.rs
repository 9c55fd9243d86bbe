//! Fetching a page, or an export of issues: asked for only if it changed, believed to be gone only
//! when told to.

use std::collections::HashSet;

use skep_authz::{Authorized, Denied, rights::SourceManage};
use skep_domain::{OrganizationId, Quota, SourceId, SourceKind, WorkspaceId};
use skep_egress::{Egress, EgressError, Origin, Request, Response, Target};
use skep_memory::TextForm;
use skep_store::{Source, Validators};

use super::page::{self, Media};
use super::{Document, SOURCE, Synced, refuse_taken_back};
use crate::error::Invalid;
use crate::throttle::Throttle;
use crate::{App, AppError};

/// Where this daemon may fetch from; nowhere, unless it is told.
#[derive(Default)]
pub struct Fetching {
    public: Option<Egress>,
    listed: Option<(Vec<Origin>, Egress)>,
}

/// What to fetch, and what to make of it.
#[derive(Clone, Copy, Debug)]
pub struct Fetch {
    /// The source.
    pub source: SourceId,
    /// Believe that nothing is there any more.
    pub allow_empty: bool,
    /// What reads an export of issues.
    pub read_export: ReadExport,
}

/// Reads an export of issues: a name and a text for each, or what is wrong with it.
pub type ReadExport = fn(&[u8]) -> Result<Vec<(String, String)>, String>;

/// What a fetch found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Something new, which was taken in.
    Changed,
    /// What is known already.
    Unchanged,
    /// That the page is gone. What is known of it stays.
    Gone,
    /// A page with nothing on it. What is known of it stays.
    Empty,
}

/// What became of a fetch.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// What was found.
    pub found: Found,
    /// What the server answered.
    pub status: u16,
    /// Where the answer came from, if a redirect led elsewhere.
    pub moved_to: Option<String>,
    /// What changed.
    pub synced: Synced,
}

/// Whose fetches count together.
pub(crate) type Fetches = Throttle<(OrganizationId, WorkspaceId)>;

/// Twenty at once and thirty a minute: enough to follow a list of pages, too few to bother a server.
pub(crate) fn fetches() -> Fetches {
    Throttle::new(Quota::new(20, 40))
}

/// Bytes of a page.
const PAGE: usize = 1 << 20;
/// Bytes of an export of issues.
const EXPORT: usize = 16 << 20;
/// Documents per transaction: short enough that writers hardly wait.
const STEP: usize = 100;
/// Bytes of a validator that is sent back.
const VALIDATOR: usize = 1 << 10;

const OFF: &str = "this daemon does not fetch from there (sources.fetch and sources.allow in its \
                   configuration): bring the page as a file";
const KIND: &str = "only pages and exports of issues are fetched: sync this source from where its \
                    files are";

impl Fetching {
    /// Also from wherever everybody can.
    #[must_use]
    pub fn with_public(mut self, egress: Egress) -> Self {
        self.public = Some(egress);
        self
    }

    /// Also from these, by a way out of their own: a page outside cannot lead to them.
    #[must_use]
    pub fn with_listed(mut self, origins: Vec<Origin>, egress: Egress) -> Self {
        self.listed = Some((origins, egress));
        self
    }

    fn way(&self, target: &Target) -> Option<&Egress> {
        match &self.listed {
            Some((origins, egress)) if origins.contains(target.origin()) => Some(egress),
            _ => self.public.as_ref(),
        }
    }

    async fn get(&self, source: &Source, validators: &Validators) -> Result<Response, AppError> {
        let (limit, accept) = match source.kind {
            SourceKind::Url => (PAGE, "text/markdown, text/html;q=0.9, text/plain;q=0.8"),
            SourceKind::Issues => (EXPORT, "application/json"),
            SourceKind::Folder | SourceKind::File | SourceKind::Memories => {
                return Err(AppError::Unfit(KIND.into()));
            }
        };
        let target = Target::parse(&source.location)?;
        let egress = self.way(&target).ok_or(AppError::Unfit(OFF.into()))?;
        let mut request = Request::get(target)
            .at_most(limit)
            .header("accept", accept)?;
        for (name, value) in [
            ("if-none-match", &validators.etag),
            ("if-modified-since", &validators.modified),
        ] {
            if let Some(value) = value {
                request = request.header(name, value)?;
            }
        }
        Ok(egress.send(&request).await?)
    }
}

impl App {
    /// Fetches a source and takes in what changed. Each transaction takes a right of its own, so
    /// that none is open while a server is waited for.
    ///
    /// # Errors
    /// [`AppError::Egress`], [`AppError::Upstream`] and [`AppError::Unfit`], after which nothing
    /// has changed; [`AppError::NotFound`] for a source that is not the caller's own.
    pub async fn fetch_source(
        &self,
        right: impl Fn() -> Result<Authorized<SourceManage>, Denied> + Sync,
        fetch: Fetch,
    ) -> Result<Fetched, AppError> {
        let (source, validators) = self.known_of(right()?, fetch.source).await?;
        let response = self.fetching.get(&source, &validators).await?;
        let status = response.status();
        let moved_to = response.target().to_string();
        let asked = Target::parse(&source.location)?.to_string();
        let mut fetched = Fetched {
            found: Found::Unchanged,
            status,
            moved_to: (moved_to != asked).then_some(moved_to),
            synced: Synced::default(),
        };
        let documents = match status {
            304 => {
                let mut tx = self.store.begin(right()?).await?;
                tx.set_source_synced(source.id, self.store.now()).await?;
                tx.commit().await?;
                return Ok(fetched);
            }
            404 | 410 if fetch.allow_empty => Vec::new(),
            404 | 410 => {
                fetched.found = Found::Gone;
                return Ok(fetched);
            }
            200 => documents_of(&source, &response, fetch)?,
            status => return Err(AppError::Upstream { status }),
        };
        if documents.is_empty() && !fetch.allow_empty {
            fetched.found = Found::Empty;
            return Ok(fetched);
        }
        fetched.synced = self.take_all(&right, &source, documents).await?;
        let said = validators_of(&response);
        let mut tx = self.store.begin(right()?).await?;
        tx.put_validators(source.id, &said).await?;
        tx.set_source_synced(source.id, self.store.now()).await?;
        tx.commit().await?;
        let changes = fetched.synced.changes;
        if changes.new + changes.gone + fetched.synced.documents_gone > 0 {
            fetched.found = Found::Changed;
        }
        Ok(fetched)
    }

    /// The source, and what its server said the last time. Nothing is asked "if it changed" of a
    /// page of which nothing is left.
    async fn known_of(
        &self,
        right: Authorized<SourceManage>,
        id: SourceId,
    ) -> Result<(Source, Validators), AppError> {
        let tenant = (right.organization(), right.workspace());
        let mut tx = self.store.begin(right).await?;
        let source = tx.get_source(id).await?.filter(|source| source.is_own);
        let source = source.ok_or(AppError::NotFound(SOURCE))?;
        refuse_taken_back(&mut tx, id).await?;
        let said = tx.get_validators(id).await?.unwrap_or_default();
        self.fetches
            .take(tenant, self.store.now())
            .map_err(|retry_after_ms| AppError::RateLimited { retry_after_ms })?;
        if source.documents == 0 {
            return Ok((source, Validators::default()));
        }
        Ok((source, said))
    }

    /// All the documents that there are now, a few at a time. A kill in between is made good by the
    /// next fetch, which finds them changed still.
    async fn take_all(
        &self,
        right: &(impl Fn() -> Result<Authorized<SourceManage>, Denied> + Sync),
        source: &Source,
        documents: Vec<Document>,
    ) -> Result<Synced, AppError> {
        let manifest: Vec<(String, String)> = documents
            .iter()
            .map(|document| (document.path.clone(), document.version.clone()))
            .collect();
        let right_now = right()?;
        let tenant = (right_now.organization(), right_now.workspace());
        let mut synced = Synced::default();
        let mut tx = self.store.begin(right_now).await?;
        // It may have been purged or taken back while its server was waited for.
        tx.get_source(source.id)
            .await?
            .ok_or(AppError::NotFound(SOURCE))?;
        refuse_taken_back(&mut tx, source.id).await?;
        self.apply_manifest(&mut tx, source.id, &manifest, &mut synced)
            .await?;
        tx.commit().await?;
        let stale: HashSet<String> = std::mem::take(&mut synced.wanted).into_iter().collect();
        let wanted: Vec<&Document> = documents
            .iter()
            .filter(|document| stale.contains(&document.path))
            .collect();
        for step in wanted.chunks(STEP) {
            let mut tx = self.store.begin(right()?).await?;
            tx.get_source(source.id)
                .await?
                .ok_or(AppError::NotFound(SOURCE))?;
            for document in step {
                self.take_document(&mut tx, source, document, &mut synced)
                    .await?;
            }
            tx.commit().await?;
            self.dirty.mark(tenant);
        }
        self.dirty.mark(tenant);
        Ok(synced)
    }
}

fn documents_of(
    source: &Source,
    response: &Response,
    fetch: Fetch,
) -> Result<Vec<Document>, AppError> {
    let unfit = |why: &str| AppError::Unfit(why.to_owned());
    let (media, text) = page::read(source.kind, response).map_err(unfit)?;
    let document = |path: String, form: TextForm, text: String| Document {
        statement: None,
        version: version_of(&text),
        path,
        form,
        text,
    };
    match media {
        Media::Export => {
            let pages = (fetch.read_export)(text.as_bytes()).map_err(AppError::Unfit)?;
            let pages = pages.into_iter();
            Ok(pages
                .map(|(name, text)| document(name, TextForm::Markdown, text))
                .collect())
        }
        Media::Text(form) => {
            let says_something = !skep_memory::chunk(&text, form).0.is_empty();
            let page = document(source.location.clone(), form, text);
            Ok(says_something.then_some(page).into_iter().collect())
        }
    }
}

fn version_of(text: &str) -> String {
    let digest = skep_crypto::sha256(text.as_bytes());
    digest[..16]
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// What is sent back must fit a header again, so what is too long is not kept.
fn validators_of(response: &Response) -> Validators {
    let short = |name: &str| {
        let value = response.header(name)?;
        (value.len() <= VALIDATOR).then(|| value.to_owned())
    };
    Validators {
        etag: short("etag"),
        modified: short("last-modified"),
    }
}

impl From<EgressError> for AppError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Url(why) => {
                Invalid::unknown("location", &format!("this URL cannot be used: {why}"))
            }
            other => Self::Egress(other),
        }
    }
}
