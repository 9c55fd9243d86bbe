//! Memories that others made: each is a document of its source, with a kind and a time of its own.
//!
//! They pass what every memory passes: cleaning, redaction, the scorer. What they say of themselves is
//! believed as far as their source is.

use std::collections::HashMap;

use skep_authz::rights::SourceManage;
use skep_domain::{
    DerivedBy, Harness, Limits, MemoryKind, MemoryState, ProjectId, SourceKind, Timestamp, Trust,
    Validity, Visibility,
};
use skep_memory::{cut_line, normal_form, topics};
use skep_store::{NewChunk, NewMemory, Origin, Project, Source, Tx};

use super::{Document, KEY, Synced};
use crate::guard::{guarded_all, guarded_beside};
use crate::memories::body;
use crate::{App, AppError};

/// What a document says of the memory that it is.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    /// What sort; a fact if absent.
    pub kind: Option<MemoryKind>,
    /// Its line; the first of the text if absent.
    pub key: Option<String>,
    /// Whose word it is; the source's trust at most.
    pub trust: Option<Trust>,
    /// Who may read it; as the source says if absent.
    pub visibility: Option<Visibility>,
    /// Its project; the source's if absent.
    pub project: Option<String>,
    /// Since when it holds; now if absent.
    pub valid_from: Option<Timestamp>,
    /// Until when it held.
    pub valid_to: Option<Timestamp>,
    /// What it came through at first.
    pub harness: Option<Harness>,
    /// What made it.
    pub derived_by: Option<DerivedBy>,
    /// Where it was before.
    pub references: Vec<String>,
}

impl App {
    /// Takes in documents that are memories. They are scored together: an instruction may come in parts.
    pub(super) async fn take_statements(
        &self,
        tx: &mut Tx<SourceManage>,
        source: &Source,
        documents: &[Document],
        synced: &mut Synced,
    ) -> Result<(), AppError> {
        debug_assert_eq!(source.kind, SourceKind::Memories);
        let mut projects: HashMap<String, ProjectId> = HashMap::new();
        let (mut of, mut news) = (Vec::new(), Vec::new());
        for document in documents {
            let taken = self.take_in(document.text.trim(), Limits::MEMORY_TEXT);
            synced.redacted += taken.redacted;
            synced.cut += u32::from(taken.cut);
            let text = taken.text.trim();
            if text.is_empty() {
                continue;
            }
            let statement = document.statement.clone().unwrap_or_default();
            let project = match &statement.project {
                None => source.project_id,
                Some(name) => Some(self.project_named(tx, name, &mut projects).await?),
            };
            let name = statement.project.clone();
            let memory = self.stated(source, text, statement, project);
            of.push(document);
            news.push(guarded_beside(memory, name.as_deref()));
        }
        for (document, memory) in of.into_iter().zip(guarded_all(news)) {
            let held = memory.state == MemoryState::Quarantined;
            let chunk = NewChunk {
                identity: identity(&memory),
                memory,
                shared: true,
            };
            let version = (document.path.as_str(), document.version.as_str());
            let now = self.store.now();
            let changes = tx
                .put_document(source.id, version, vec![chunk], now)
                .await?;
            synced.held += u32::from(held) * changes.new;
            synced.changes.new += changes.new;
            synced.changes.same += changes.same;
            synced.changes.gone += changes.gone;
        }
        Ok(())
    }

    async fn project_named(
        &self,
        tx: &mut Tx<SourceManage>,
        name: &str,
        known: &mut HashMap<String, ProjectId>,
    ) -> Result<ProjectId, AppError> {
        if let Some(id) = known.get(name) {
            return Ok(*id);
        }
        let project = Project {
            id: self.store.mint(),
            name: self.take_in_line(name),
        };
        let id = tx.put_project(&project).await?;
        known.insert(name.to_owned(), id);
        Ok(id)
    }

    fn stated(
        &self,
        source: &Source,
        text: &str,
        statement: Statement,
        project: Option<ProjectId>,
    ) -> NewMemory {
        let now = self.store.now();
        let trust = statement.trust.unwrap_or(source.trust).min(source.trust);
        let kind = match statement.kind.unwrap_or(MemoryKind::Fact) {
            // What comes from outside never becomes steps to follow.
            MemoryKind::Procedure if trust < Trust::Agent => MemoryKind::Reference,
            // A source has no place among anybody's files.
            MemoryKind::Note => MemoryKind::Reference,
            kind => kind,
        };
        let mut validity = Validity::open(statement.valid_from.unwrap_or(now).min(now), now);
        validity.to = statement.valid_to;
        let mut body = body(text.to_owned());
        let key = statement.key.map(|key| self.take_in_line(&key));
        let key = key.as_deref().and_then(|key| key.lines().next());
        if let Some(key) = key.map(str::trim).filter(|key| !key.is_empty()) {
            body.key = cut_line(key, KEY).into_owned();
        }
        let references = statement.references.iter();
        body.references = references.map(|one| self.take_in_line(one)).collect();
        body.derived_by = statement.derived_by.unwrap_or(DerivedBy::Rules);
        NewMemory {
            id: self.store.mint(),
            kind,
            trust,
            state: MemoryState::Active,
            validity,
            visibility: statement.visibility.unwrap_or(source.visibility),
            project,
            harness: statement.harness.unwrap_or(Harness::Source),
            session: None,
            turns: Vec::new(),
            normal_form: normal_form(text),
            body,
            origins: vec![Origin::Source(source.id)],
            topics: topics(text),
            reasons: Vec::new(),
        }
    }
}

/// What makes a memory another one, for the source that it is of.
fn identity(memory: &NewMemory) -> String {
    let from = memory.validity.from.as_micros();
    format!(
        "{} {from} {:?}\n{}",
        memory.kind.as_str(),
        memory.project,
        memory.body.text
    )
}
