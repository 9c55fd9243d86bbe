//! Memories one by one: remember, get, list, forget, resolve.

use std::collections::BTreeSet;

use skep_authz::{
    Authorized,
    rights::{MemoryDelete, MemoryRead, MemoryWrite},
};
use skep_domain::{
    ConflictId, FilePath, Harness, Limits, MemoryId, MemoryKind, MemoryState, ProjectId, SessionId,
    Tier, Timestamp, Trust, Validity, Visibility,
};
use skep_memory::{cut_line, names, normal_form, topics};
use skep_store::{
    Kept, Memory, MemoryBody, MemoryFilter, NewMemory, PageOf, Piece, Project, Turn, Tx,
};

use crate::access::show;
use crate::error::Invalid;
use crate::guard::guarded;
use crate::review::REASON;
use crate::{App, AppError};

/// A statement that somebody asks to keep.
#[derive(Clone, Debug)]
pub struct Remember {
    /// The statement.
    pub text: String,
    /// What sort.
    pub kind: MemoryKind,
    /// Its project.
    pub project: Option<String>,
    /// Who may read it.
    pub visibility: Visibility,
    /// An agent says it, whatever the credential proves: then it is an agent's word.
    pub by_agent: bool,
    /// Where it stands as a file; then it is a note.
    pub path: Option<FilePath>,
}

/// What became of it.
#[derive(Debug)]
pub struct Remembered {
    /// The memory, new or known.
    pub memory: Memory,
    /// It was known already.
    pub known: bool,
    /// Secrets taken out.
    pub redacted: u32,
    /// Memories whose place it took.
    pub superseded: Vec<MemoryId>,
    /// Conflicts that it began.
    pub conflicts: Vec<ConflictId>,
}

/// A new version of a memory.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The statement as it should read; as it was if absent.
    pub text: Option<String>,
    /// What sort; as it was if absent.
    pub kind: Option<MemoryKind>,
    /// Who may read it; as it was if absent.
    pub visibility: Option<Visibility>,
    /// Why it is changed.
    pub reason: Option<String>,
    /// An agent says it, whatever the credential proves: then it is an agent's word.
    pub by_agent: bool,
    /// Of a file, where it stands from now on.
    pub path: Option<FilePath>,
}

/// Which memories to list.
#[derive(Clone, Debug)]
pub struct ListMemories {
    /// Only this kind.
    pub kind: Option<MemoryKind>,
    /// As it was known then; now if `None`.
    pub as_of: Option<Timestamp>,
    /// Which page.
    pub page: PageOf<MemoryId>,
}

/// A page of memories.
#[derive(Debug)]
pub struct Page {
    /// Newest first.
    pub items: Vec<Memory>,
    /// Whether there may be more.
    pub more: bool,
}

/// A memory, and for the raw tier its turns.
#[derive(Debug)]
pub struct Resolved {
    /// The memory; without its text for the key tier.
    pub memory: Memory,
    /// The turns it cites, for the raw tier.
    pub turns: Vec<Turn>,
}

const MEMORY: &str = "memory";
/// Characters of a key line.
pub(crate) const KEY: usize = 160;

impl App {
    /// Keeps a statement in somebody's own words, or a file.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Conflict`] where a file stands already.
    pub async fn remember(
        &self,
        authorized: Authorized<MemoryWrite>,
        mut statement: Remember,
    ) -> Result<Remembered, AppError> {
        if let Some(path) = statement.path.take() {
            return self.keep_file(authorized, statement, path).await;
        }
        let taken = self.take_in_said(&statement.text)?;
        let tenant = (authorized.organization(), authorized.workspace());
        let trust = whose_word(authorized.agent().is_some() || statement.by_agent);
        let mut tx = self.store.begin(authorized).await?;
        let project = match &statement.project {
            Some(name) => {
                Invalid::check_length("project", name, Limits::QUERY)?;
                let project = Project {
                    id: self.store.mint(),
                    name: self.take_in_line(name),
                };
                Some(tx.put_project(&project).await?)
            }
            None => None,
        };
        let new = guarded(self.spoken(&taken.text, &statement, trust, project));
        let writer = tx.writer()?;
        let settled = self.keep_statement(&mut tx, &writer, new).await?;
        let memory = tx
            .get_kept(&settled.kept)
            .await?
            .ok_or(AppError::NotFound(MEMORY))?;
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(Remembered {
            memory,
            known: matches!(settled.kept, Kept::Known(_)),
            redacted: taken.redacted,
            superseded: settled.superseded,
            conflicts: settled.conflicts,
        })
    }

    /// A statement in somebody's own words as a memory.
    pub(crate) fn spoken(
        &self,
        text: &str,
        statement: &Remember,
        trust: Trust,
        project: Option<ProjectId>,
    ) -> NewMemory {
        let now = self.store.now();
        NewMemory {
            id: self.store.mint(),
            kind: statement.kind,
            trust,
            state: MemoryState::Active,
            validity: Validity::open(now, now),
            visibility: statement.visibility,
            project,
            harness: Harness::Cli,
            session: None,
            turns: Vec::new(),
            normal_form: normal_form(text),
            body: body(text.to_owned()),
            origins: Vec::new(),
            topics: topics(text),
            reasons: Vec::new(),
        }
    }

    /// Puts a new version in a memory's place; the one before stays in its history.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] for one that is not in recall, that another
    /// memory repeats, or that is somebody's whose word counts for more than the editor's.
    pub async fn edit_memory(
        &self,
        authorized: Authorized<MemoryWrite>,
        id: MemoryId,
        edit: Edit,
    ) -> Result<Remembered, AppError> {
        let tenant = (authorized.organization(), authorized.workspace());
        let by_agent = authorized.agent().is_some() || edit.by_agent;
        let reason = edit.reason.as_deref().unwrap_or_default();
        Invalid::check_length("reason", reason, REASON)?;
        let reason = self.take_in_line(reason);
        let mut tx = self.store.begin(authorized).await?;
        let old = tx.get_memory(id).await?.ok_or(AppError::NotFound(MEMORY))?;
        if old.state != MemoryState::Active {
            return Err(AppError::Conflict(
                "only a memory in recall can be edited: edit the version that took its place",
            ));
        }
        let by = (by_agent, reason.as_str());
        let (memory, redacted) = if old.body.path.is_some() || edit.path.is_some() {
            self.edit_file(&mut tx, &old, &edit, by).await?
        } else {
            self.edit_statement(&mut tx, &old, &edit, by).await?
        };
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(Remembered {
            memory,
            known: false,
            redacted,
            superseded: vec![id],
            conflicts: Vec::new(),
        })
    }

    async fn edit_statement(
        &self,
        tx: &mut Tx<MemoryWrite>,
        old: &Memory,
        edit: &Edit,
        (by_agent, reason): (bool, &str),
    ) -> Result<(Memory, u32), AppError> {
        if edit.kind == Some(MemoryKind::Note) {
            return Err(Invalid::unknown(
                "kind",
                "a statement is no note: notes are files",
            ));
        }
        let taken = self.take_in_said(edit.text.as_deref().unwrap_or(&old.body.text))?;
        let statement = Remember {
            text: taken.text.clone(),
            kind: edit.kind.unwrap_or(old.kind),
            project: None,
            visibility: edit.visibility.unwrap_or(old.visibility),
            by_agent,
            path: None,
        };
        let trust = whose_word(by_agent);
        let project = match &old.project {
            Some(name) => tx.get_project(name).await?,
            None => None,
        };
        let new = guarded(self.spoken(&taken.text, &statement, trust, project));
        let same = new.normal_form == normal_form(&old.body.text);
        if new.state == MemoryState::Quarantined && !same {
            // A version cannot wait while the one before it stands, and an edit is no way past the scorer.
            return Err(AppError::Conflict(
                "this version reads like an order to a model: remember it as a statement of its own, which a person has to accept",
            ));
        }
        let new = NewMemory {
            state: MemoryState::Active,
            reasons: Vec::new(),
            ..new
        };
        let memory = self.put_version(tx, old, new, (reason, same)).await?;
        Ok((memory, taken.redacted))
    }

    pub(crate) async fn put_version(
        &self,
        tx: &mut Tx<MemoryWrite>,
        old: &Memory,
        mut new: NewMemory,
        (reason, same_words): (&str, bool),
    ) -> Result<Memory, AppError> {
        if same_words {
            // The words may stand once in recall, so the version is told apart by what it replaces.
            new.normal_form = format!("{} after {:?}", new.normal_form, old.id);
        }
        let writer = tx.writer()?;
        let kept = tx.put_memory_for(&writer, new).await?;
        let Kept::New(id) = kept else {
            return Err(AppError::Conflict(
                "another memory says this already: forget one of the two",
            ));
        };
        let pair = (old.id, id);
        let reason = Some(reason).filter(|reason| !reason.is_empty());
        if !tx
            .put_version(&writer, pair, reason, self.store.now())
            .await?
        {
            return Err(AppError::Conflict(
                "this memory is not yours to change: remember your version, and both are kept as a conflict",
            ));
        }
        tx.get_memory(id).await?.ok_or(AppError::NotFound(MEMORY))
    }

    /// One memory, in any state but quarantined.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn get_memory(
        &self,
        authorized: Authorized<MemoryRead>,
        id: MemoryId,
    ) -> Result<Memory, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        tx.get_memory(id).await?.ok_or(AppError::NotFound(MEMORY))
    }

    /// Memories that recall may return, newest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_memories(
        &self,
        authorized: Authorized<MemoryRead>,
        list: ListMemories,
    ) -> Result<Page, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let filter = MemoryFilter {
            kinds: list.kind.into_iter().collect(),
            as_of: list.as_of,
            ..MemoryFilter::default()
        };
        let items = tx.list_memories(&filter, list.page).await?;
        let more = items.len() == list.page.limit as usize;
        Ok(Page { items, more })
    }

    /// Takes a memory out of recall. Forgetting a forgotten one changes nothing.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn forget(
        &self,
        authorized: Authorized<MemoryDelete>,
        id: MemoryId,
        reason: &str,
    ) -> Result<Memory, AppError> {
        if reason.trim().is_empty() {
            return Err(Invalid::required("reason"));
        }
        Invalid::check_length("reason", reason, REASON)?;
        let reason = self.take_in_line(reason);
        let mut tx = self.store.begin(authorized).await?;
        tx.get_memory(id).await?.ok_or(AppError::NotFound(MEMORY))?;
        tx.forget(id, &reason, self.store.now())
            .await?
            .ok_or(AppError::NotFound(MEMORY))?;
        let memory = tx.get_memory(id).await?.ok_or(AppError::NotFound(MEMORY))?;
        tx.commit().await?;
        Ok(memory)
    }

    /// Walks from the key line to the statement to the turns, by id, without a search.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn resolve(
        &self,
        authorized: Authorized<MemoryRead>,
        id: MemoryId,
        tier: Tier,
    ) -> Result<Resolved, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let mut memory = tx.get_memory(id).await?.ok_or(AppError::NotFound(MEMORY))?;
        let turns = match tier {
            Tier::Raw => {
                let turns = tx.get_turns(&memory.turns).await?;
                let sessions: BTreeSet<SessionId> = turns.iter().map(|turn| turn.session).collect();
                for id in sessions {
                    if let Some(session) = tx.get_session(id).await? {
                        show(session.owner, Piece::Session(id));
                    }
                }
                turns
            }
            Tier::Key => {
                memory.body.text.clear();
                Vec::new()
            }
            Tier::Summary => Vec::new(),
        };
        Ok(Resolved { memory, turns })
    }
}

/// Whose word a statement is that somebody asks to keep.
pub(crate) const fn whose_word(by_agent: bool) -> Trust {
    if by_agent { Trust::Agent } else { Trust::User }
}

pub(crate) fn body(text: String) -> MemoryBody {
    MemoryBody {
        key: key_line(&text),
        entities: names(&text),
        text,
        ..MemoryBody::default()
    }
}

/// The first sentence or line, cut to the length of a key.
fn key_line(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(text)
        .trim();
    cut_line(line, KEY).into_owned()
}
