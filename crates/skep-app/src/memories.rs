//! Memories one by one: remember, get, list, forget, resolve.

use skep_authz::{
    Authorized,
    rights::{MemoryDelete, MemoryRead, MemoryWrite},
};
use skep_domain::{
    Harness, Limits, MemoryId, MemoryKind, MemoryState, Tier, Trust, Validity, Visibility,
};
use skep_memory::{cut_line, names, normal_form};
use skep_store::{Kept, Memory, MemoryBody, MemoryFilter, NewMemory, PageOf, Project, Turn};

use crate::error::Invalid;
use crate::guard::guarded;
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
}

/// Which memories to list.
#[derive(Clone, Debug)]
pub struct ListMemories {
    /// Only this kind.
    pub kind: Option<MemoryKind>,
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
const KEY: usize = 160;
/// Bytes of a reason.
const REASON: usize = 1_024;

impl App {
    /// Keeps a statement in somebody's own words.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn remember(
        &self,
        authorized: Authorized<MemoryWrite>,
        statement: Remember,
    ) -> Result<Remembered, AppError> {
        if statement.text.trim().is_empty() {
            return Err(Invalid::required("text"));
        }
        Invalid::check_length("text", &statement.text, Limits::MEMORY_TEXT)?;
        let tenant = (authorized.organization(), authorized.workspace());
        let trust = if authorized.agent().is_some() {
            Trust::Agent
        } else {
            Trust::User
        };
        let taken = self.take_in(statement.text.trim(), Limits::MEMORY_TEXT);
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
        let now = self.store.now();
        let kept = tx
            .put_memory(guarded(NewMemory {
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
                normal_form: normal_form(&taken.text),
                body: body(taken.text),
                origins: Vec::new(),
                topics: Vec::new(),
                reasons: Vec::new(),
            }))
            .await?;
        let memory = tx
            .get_kept(&kept)
            .await?
            .ok_or(AppError::NotFound(MEMORY))?;
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(Remembered {
            memory,
            known: matches!(kept, Kept::Known(_)),
            redacted: taken.redacted,
        })
    }

    /// One memory, in any state.
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
            Tier::Raw => tx.get_turns(&memory.turns).await?,
            Tier::Key => {
                memory.body.text.clear();
                Vec::new()
            }
            Tier::Summary => Vec::new(),
        };
        Ok(Resolved { memory, turns })
    }
}

/// The first sentence or line, cut to the length of a key.
pub(crate) fn body(text: String) -> MemoryBody {
    MemoryBody {
        key: key_line(&text),
        entities: names(&text),
        text,
        ..MemoryBody::default()
    }
}

fn key_line(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(text)
        .trim();
    cut_line(line, KEY).into_owned()
}
