//! The keys of one workspace, and how its rows are sealed and opened with them.

use std::sync::Arc;

use skep_crypto::{DataKey, Identity, MacKey, Plain, Random, Sealed, SigningKey};
use skep_domain::{Id, WorkspaceId};

use crate::StoreError;
use crate::row::Fingerprint;

/// A sealed column: where in the store a ciphertext belongs.
#[derive(Clone, Copy)]
pub(crate) struct Column(&'static str, &'static str);

impl Column {
    /// The place of a value that is of a whole workspace.
    pub(crate) fn at(self, workspace: WorkspaceId) -> Identity<'static> {
        Identity {
            table: self.0,
            column: self.1,
            workspace: workspace.to_bytes(),
            row: workspace.to_bytes(),
        }
    }
}

/// Every sealed column there is; the names are part of each ciphertext's identity.
pub(crate) mod column {
    use super::Column;
    pub(crate) const WORKSPACE_NAME: Column = Column("workspace", "name");
    pub(crate) const PROJECT_NAME: Column = Column("project", "name");
    pub(crate) const SESSION_BODY: Column = Column("session", "body");
    pub(crate) const TURN_BODY: Column = Column("turn", "body");
    pub(crate) const MEMORY_BODY: Column = Column("memory", "body");
    pub(crate) const MEMORY_VECTOR: Column = Column("memory_vector", "vector");
    pub(crate) const HISTORY_REASON: Column = Column("memory_history", "reason");
    pub(crate) const REMOVAL_REASON: Column = Column("removal", "reason");
    pub(crate) const INDEX_SNAPSHOT: Column = Column("index_snapshot", "snapshot");
    pub(crate) const BINDING_BODY: Column = Column("capture_binding", "body");
    pub(crate) const SOURCE_BODY: Column = Column("source", "body");
    pub(crate) const SOURCE_FETCH: Column = Column("source_fetch", "body");
    pub(crate) const INJECTION_BODY: Column = Column("injection", "body");
    pub(crate) const PARTICIPANT_NAME: Column = Column("participant", "name");
    pub(crate) const PARTICIPANT_CARD: Column = Column("participant", "card");
    pub(crate) const CONSENT_NOTE: Column = Column("consent_note", "note");
    pub(crate) const CURSOR_POSITION: Column = Column("import_cursor", "position");
    pub(crate) const PROPOSAL_BODY: Column = Column("ontology_proposal", "body");
    pub(crate) const ANSWER_BODY: Column = Column("model_answer", "body");
    pub(crate) const EXEC_BODY: Column = Column("exec_job", "body");
    pub(crate) const EXEC_OUTCOME: Column = Column("exec_job", "outcome");
    pub(crate) const SKILL_BODY: Column = Column("skill", "body");
    pub(crate) const SKILL_FILES: Column = Column("skill", "files");
    pub(crate) const SKILL_DECISION: Column = Column("skill", "decision");
    pub(crate) const TEMPLATE_BODY: Column = Column("template", "body");
    pub(crate) const TEMPLATE_DECISION: Column = Column("template", "decision");
    pub(crate) const ACCESS_BODY: Column = Column("secret_access", "body");
    pub(crate) const ACCESS_DECISION: Column = Column("secret_access", "decision");
}

/// What a fingerprint is of; the same bytes under two purposes never match.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Project,
    Session,
    Turn,
    Memory,
    Source,
    Topic,
    Spool,
    Directory,
    SourcePlace,
    Document,
    DocumentVersion,
    Chunk,
    ParticipantName,
    CommandRun,
    Skill,
    Template,
    File,
    AnswerKey,
    AnswerAsked,
}

/// The keys of one workspace.
pub(crate) struct WorkspaceKeys {
    workspace: WorkspaceId,
    data: DataKey,
    fingerprint: MacKey,
    random: Arc<dyn Random>,
}

/// Opens values into the same bytes, which are wiped each time and in the end.
pub(crate) struct OpenBuffer<'a> {
    keys: &'a WorkspaceKeys,
    opened: Plain<Vec<u8>>,
}

impl OpenBuffer<'_> {
    pub(crate) fn open(
        &mut self,
        column: Column,
        row: [u8; 16],
        sealed: &(impl AsRef<[u8]> + ?Sized),
    ) -> Result<&[u8], StoreError> {
        let identity = self.keys.identity(column, row);
        self.keys
            .data
            .open_over(&identity, sealed, &mut self.opened)?;
        Ok(self.opened.expose())
    }
}

impl WorkspaceKeys {
    pub(crate) fn new(workspace: WorkspaceId, data: DataKey, random: Arc<dyn Random>) -> Self {
        let fingerprint = data.fingerprint_key();
        Self {
            workspace,
            data,
            fingerprint,
            random,
        }
    }

    pub(crate) fn seal(&self, column: Column, row: [u8; 16], plain: &[u8]) -> Sealed {
        self.data
            .seal(&*self.random, &self.identity(column, row), plain)
    }

    pub(crate) fn open(
        &self,
        column: Column,
        row: [u8; 16],
        sealed: &Sealed,
    ) -> Result<Plain<Vec<u8>>, StoreError> {
        Ok(self.data.open(&self.identity(column, row), sealed)?)
    }

    /// Something that nobody can guess.
    pub(crate) fn chance(&self) -> [u8; 16] {
        self.random.array()
    }

    /// Room to open one value after the other in.
    pub(crate) fn buffer(&self) -> OpenBuffer<'_> {
        OpenBuffer {
            keys: self,
            opened: Plain::new(Vec::new()),
        }
    }

    /// Opens a short text.
    pub(crate) fn open_text(
        &self,
        column: Column,
        row: [u8; 16],
        sealed: &Sealed,
    ) -> Result<String, StoreError> {
        String::from_utf8(self.open(column, row, sealed)?.expose().clone())
            .map_err(|_| StoreError::Damaged("a sealed text is not text"))
    }

    pub(crate) fn fingerprint(&self, purpose: Purpose, parts: &[&[u8]]) -> Fingerprint {
        let mut all: Vec<&[u8]> = vec![match purpose {
            Purpose::Project => b"project",
            Purpose::Session => b"session",
            Purpose::Turn => b"turn",
            Purpose::Memory => b"memory",
            Purpose::Source => b"source",
            Purpose::Topic => b"topic",
            Purpose::Spool => b"spool",
            Purpose::Directory => b"directory",
            Purpose::SourcePlace => b"source place",
            Purpose::Document => b"document",
            Purpose::DocumentVersion => b"document version",
            Purpose::Chunk => b"chunk",
            Purpose::ParticipantName => b"participant name",
            Purpose::CommandRun => b"command run",
            Purpose::Skill => b"skill",
            Purpose::Template => b"template",
            Purpose::File => b"file",
            Purpose::AnswerKey => b"answer key",
            Purpose::AnswerAsked => b"answer asked",
        }];
        all.extend_from_slice(parts);
        self.fingerprint.tag16(&all)
    }

    /// Signs what a human of the workspace approved.
    pub(crate) fn approval_key(&self) -> SigningKey {
        self.data.approval_key()
    }

    fn identity(&self, column: Column, row: [u8; 16]) -> Identity<'static> {
        Identity {
            table: column.0,
            column: column.1,
            workspace: self.workspace.to_bytes(),
            row,
        }
    }
}
