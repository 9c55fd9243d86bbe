//! Sources: folders, files, pages and issue exports whose pieces are memories.
//!
//! The client reads files, and the daemon fetches pages, through the one way out that checks where
//! it leads; the daemon opens no file that somebody names to it. It cuts, redacts and keeps, so one
//! rule cuts what every client brings.

mod fetch;
mod page;
mod statement;

use skep_authz::{Authorized, Denied, rights::SourceManage};
use skep_domain::{
    Harness, Limits, MemoryKind, MemoryState, Permission, SourceId, SourceKind, Trust, Validity,
    Visibility,
};
use skep_memory::{Chunk, TextForm, chunk, cut_line};
use skep_store::{
    MemoryBody, NewChunk, NewMemory, NewSource, Origin, PageOf, Project, Root, Source,
    SourceChanges, Tx,
};

use crate::error::{Invalid, Rule};
use crate::guard::guarded;
use crate::{App, AppError};

pub use fetch::{Fetch, Fetched, Fetching, Found, ReadExport};
pub(crate) use fetch::{Fetches, fetches};
pub use statement::Statement;

/// A source that somebody adds.
#[derive(Clone, Debug)]
pub struct AddSource {
    /// What sort of place.
    pub kind: SourceKind,
    /// Where it is.
    pub location: String,
    /// What a person would call it.
    pub title: Option<String>,
    /// Whose word its memories are.
    pub trust: Trust,
    /// Who may read them.
    pub visibility: Visibility,
    /// Its project.
    pub project: Option<String>,
}

/// A document of a source.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its name in the source.
    pub path: String,
    /// What the client calls this version of it.
    pub version: String,
    /// How it is written.
    pub form: TextForm,
    /// What it says.
    pub text: String,
    /// What is known of it beside its text, if it is a memory.
    pub statement: Option<Statement>,
}

/// What a client brings of a source.
#[derive(Clone, Debug)]
pub struct SourceSync {
    /// All the documents that there are, each with its version; what is not among them goes.
    pub manifest: Option<Vec<(String, String)>>,
    /// Documents to take in.
    pub documents: Vec<Document>,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Synced {
    /// Documents of the manifest that the source does not have in that version.
    pub wanted: Vec<String>,
    /// What changed in pieces.
    pub changes: SourceChanges,
    /// Documents that went.
    pub documents_gone: u32,
    /// Documents that have more pieces than one may.
    pub cut: u32,
    /// Secrets taken out.
    pub redacted: u32,
    /// Documents of a folder that a rule of capture keeps out by their path.
    pub withheld: u32,
    /// Memories that wait for a human.
    pub held: u32,
}

/// A page of sources.
#[derive(Debug)]
pub struct SourcePage {
    /// Newest first.
    pub items: Vec<Source>,
    /// Whether there may be more.
    pub more: bool,
}

const SOURCE: &str = "source";
/// Characters of a key line.
const KEY: usize = 160;
/// Documents of one source.
const DOCUMENTS: usize = 20_000;
/// References of one memory.
const REFERENCES: usize = 1_000;
/// Documents of one call.
const BATCH: usize = 500;

impl App {
    /// Adds a source, or finds the one that the caller added before.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a trust that such a place cannot have.
    pub async fn add_source(
        &self,
        authorized: Authorized<SourceManage>,
        add: AddSource,
    ) -> Result<Source, AppError> {
        check(&add)?;
        if add.trust == Trust::User && authorized.agent().is_some() {
            return Err(Denied::MissingPermission(Permission::SourceManage).into());
        }
        let mut tx = self.store.begin(authorized).await?;
        let project = match &add.project {
            Some(name) => {
                let project = Project {
                    id: self.store.mint(),
                    name: self.take_in_line(name),
                };
                Some(tx.put_project(&project).await?)
            }
            None => None,
        };
        let id = tx
            .put_source(&NewSource {
                id: self.store.mint(),
                kind: add.kind,
                location: self.take_in_line(&add.location),
                title: add.title.as_deref().map(|title| self.take_in_line(title)),
                trust: add.trust,
                visibility: add.visibility,
                project,
                created_at: self.store.now(),
            })
            .await?;
        let source = tx.get_source(id).await?.ok_or(AppError::NotFound(SOURCE))?;
        tx.commit().await?;
        Ok(source)
    }

    /// Sources that the caller may see, newest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_sources(
        &self,
        authorized: Authorized<SourceManage>,
        page: PageOf<SourceId>,
    ) -> Result<SourcePage, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let items = tx.list_sources(page).await?;
        let more = items.len() == page.limit as usize;
        Ok(SourcePage { items, more })
    }

    /// One source.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn get_source(
        &self,
        authorized: Authorized<SourceManage>,
        id: SourceId,
    ) -> Result<Source, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        tx.get_source(id).await?.ok_or(AppError::NotFound(SOURCE))
    }

    /// Takes in what a client brings of its source. Only pieces that changed are written.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a source that is not the caller's own.
    pub async fn sync_source(
        &self,
        authorized: Authorized<SourceManage>,
        id: SourceId,
        sync: &SourceSync,
    ) -> Result<Synced, AppError> {
        check_sync(sync)?;
        let tenant = (authorized.organization(), authorized.workspace());
        let now = self.store.now();
        let mut tx = self.store.begin(authorized).await?;
        let source = tx.get_source(id).await?.filter(|source| source.is_own);
        let source = source.ok_or(AppError::NotFound(SOURCE))?;
        refuse_taken_back(&mut tx, id).await?;
        let mut synced = Synced::default();
        let denied =
            |path: &str| source.kind == SourceKind::Folder && self.capturing.deny.denies_path(path);
        if source.kind == SourceKind::Memories {
            self.take_statements(&mut tx, &source, &sync.documents, &mut synced)
                .await?;
        } else {
            for document in sync.documents.iter().filter(|one| !denied(&one.path)) {
                self.take_document(&mut tx, &source, document, &mut synced)
                    .await?;
            }
        }
        if let Some(manifest) = &sync.manifest {
            // What is kept out is not there, so what was taken in before the rule was made goes.
            let (withheld, kept): (Vec<_>, Vec<_>) =
                manifest.iter().cloned().partition(|(path, _)| denied(path));
            synced.withheld = withheld.len() as u32;
            self.apply_manifest(&mut tx, id, &kept, &mut synced).await?;
        }
        tx.set_source_synced(id, now).await?;
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(synced)
    }

    async fn take_document(
        &self,
        tx: &mut Tx<SourceManage>,
        source: &Source,
        document: &Document,
        synced: &mut Synced,
    ) -> Result<(), AppError> {
        let (chunks, cut, redacted) = self.cut_document(source, document);
        let version = (document.path.as_str(), document.version.as_str());
        let changes = tx
            .put_document(source.id, version, chunks, self.store.now())
            .await?;
        synced.changes.new += changes.new;
        synced.changes.same += changes.same;
        synced.changes.gone += changes.gone;
        synced.cut += u32::from(cut);
        synced.redacted += redacted;
        Ok(())
    }

    async fn apply_manifest(
        &self,
        tx: &mut Tx<SourceManage>,
        id: SourceId,
        manifest: &[(String, String)],
        synced: &mut Synced,
    ) -> Result<(), AppError> {
        let paths: Vec<&str> = manifest.iter().map(|(path, _)| path.as_str()).collect();
        let (documents, chunks) = tx.keep_documents(id, &paths, self.store.now()).await?;
        synced.documents_gone = documents;
        synced.changes.gone += chunks;
        let versions: Vec<(&str, &str)> = manifest
            .iter()
            .map(|(path, version)| (path.as_str(), version.as_str()))
            .collect();
        let stale = tx.list_stale_documents(id, &versions).await?;
        synced.wanted = stale.into_iter().map(|at| manifest[at].0.clone()).collect();
        Ok(())
    }

    /// Takes a source away with everything that was made of it: a removal like any other, of which
    /// the source itself is gone at once. Gives how many memories went.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn purge_source(
        &self,
        authorized: Authorized<SourceManage>,
        id: SourceId,
    ) -> Result<u64, AppError> {
        let tenant = (authorized.organization(), authorized.workspace());
        let mut tx = self.store.begin(authorized).await?;
        let removal = tx
            .purge_source(id, "its source was purged", self.store.now())
            .await?
            .ok_or(AppError::NotFound(SOURCE))?;
        tx.commit().await?;
        let withdrawn = self.carry_out(tenant, &removal).await?;
        self.clear_traces(tenant).await?;
        self.dirty.mark(tenant);
        Ok(withdrawn.removed)
    }

    fn cut_document(&self, source: &Source, document: &Document) -> (Vec<NewChunk>, bool, u32) {
        let taken = self.take_in(&document.text, usize::MAX);
        let (pieces, cut) = chunk(&taken.text, document.form);
        let chunks = pieces
            .into_iter()
            .map(|piece| self.new_chunk(source, &document.path, piece))
            .collect();
        (chunks, cut, taken.redacted)
    }

    /// What a source says is a reference, whatever it says: it never becomes steps to follow.
    fn new_chunk(&self, source: &Source, path: &str, piece: Chunk) -> NewChunk {
        let path = self.take_in_line(path);
        let trail = piece.headings.join(" › ");
        let now = self.store.now();
        let digest = skep_crypto::sha256(piece.text.as_bytes());
        let hash = digest[..8]
            .iter()
            .fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
        let identity = format!("{trail}\n{}", piece.text);
        let lines = format!("{path}#L{}-L{}", piece.lines.start(), piece.lines.end());
        let first = piece.text.lines().next().unwrap_or_default();
        let title = if trail.is_empty() { &path } else { &trail };
        let mut references = vec![source.location.clone(), lines, format!("sha256:{hash}")];
        if !trail.is_empty() {
            references.push(trail.clone());
        }
        NewChunk {
            memory: guarded(NewMemory {
                id: self.store.mint(),
                kind: MemoryKind::Reference,
                trust: source.trust.min(source.kind.greatest_trust()),
                state: MemoryState::Active,
                validity: Validity::open(now, now),
                visibility: source.visibility,
                project: source.project_id,
                harness: Harness::Source,
                session: None,
                turns: Vec::new(),
                // Two sources that say the same are two memories: a purge of one leaves the other.
                normal_form: format!("{:?}\n{path}\n{identity}", source.id),
                body: MemoryBody {
                    derived_by: skep_domain::DerivedBy::Rules,
                    key: cut_line(&format!("{title}: {first}"), KEY).into_owned(),
                    text: piece.text,
                    entities: piece.links,
                    references,
                    path: None,
                },
                origins: vec![Origin::Source(source.id)],
                topics: Vec::new(),
                reasons: Vec::new(),
            }),
            identity,
            shared: false,
        }
    }
}

/// What was taken back does not come in again by the next sync.
async fn refuse_taken_back(tx: &mut Tx<SourceManage>, id: SourceId) -> Result<(), AppError> {
    if tx.is_taken_back(Root::Source(id)).await? {
        return Err(AppError::Conflict(
            "this source was taken back; purge it, then add it again",
        ));
    }
    Ok(())
}

fn check(add: &AddSource) -> Result<(), AppError> {
    if add.location.trim().is_empty() {
        return Err(Invalid::required("location"));
    }
    Invalid::check_length("location", &add.location, Limits::QUERY)?;
    for (field, text) in [("title", &add.title), ("project", &add.project)] {
        Invalid::check_length(field, text.as_deref().unwrap_or_default(), Limits::QUERY)?;
    }
    if add.trust <= add.kind.greatest_trust() {
        return Ok(());
    }
    Err(AppError::Invalid(Invalid {
        field: "trust".into(),
        rule: Rule::Invalid,
        message: format!(
            "a {} is trusted as {} at most",
            add.kind.as_str(),
            add.kind.greatest_trust().as_str()
        ),
    }))
}

fn check_sync(sync: &SourceSync) -> Result<(), AppError> {
    Invalid::check_count("documents", sync.documents.len(), BATCH)?;
    let manifest = sync.manifest.as_deref().unwrap_or_default();
    Invalid::check_count("manifest", manifest.len(), DOCUMENTS)?;
    let documents = sync.documents.iter().enumerate();
    let documents = documents.map(|(at, of)| (format!("documents[{at}]"), &of.path, &of.version));
    let entries = manifest.iter().enumerate();
    let entries = entries.map(|(at, (path, version))| (format!("manifest[{at}]"), path, version));
    for (field, path, version) in documents.chain(entries) {
        if path.is_empty() {
            return Err(Invalid::required(format!("{field}.path")));
        }
        Invalid::check_length(&format!("{field}.path"), path, Limits::QUERY)?;
        Invalid::check_length(&format!("{field}.version"), version, Limits::CLIENT_KEY)?;
    }
    for (at, document) in sync.documents.iter().enumerate() {
        let Some(statement) = &document.statement else {
            continue;
        };
        let field = format!("documents[{at}].memory");
        let references = statement.references.len();
        Invalid::check_count(&format!("{field}.references"), references, REFERENCES)?;
        let project = statement.project.as_deref().unwrap_or_default();
        Invalid::check_length(&format!("{field}.project"), project, Limits::QUERY)?;
        for reference in &statement.references {
            Invalid::check_length(&format!("{field}.references"), reference, Limits::QUERY)?;
        }
        if let (Some(from), Some(to)) = (statement.valid_from, statement.valid_to)
            && to < from
        {
            let message = "nothing ends before it begins";
            return Err(Invalid::unknown(&format!("{field}.valid_to"), message));
        }
    }
    Ok(())
}
