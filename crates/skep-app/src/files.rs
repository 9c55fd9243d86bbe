//! Files that somebody keeps among their memories, under names of their own: kept as they are written,
//! one at a place, and compared with no statement. What holds for memories holds for them.

use skep_authz::{Authorized, rights::MemoryWrite};
use skep_domain::{FilePath, Limits, MemoryId, MemoryKind, MemoryState, Principal};
use skep_memory::{cut_line, names};
use skep_store::{Kept, Memory, MemoryBody, NewMemory, Tx};

use crate::error::{Invalid, Rule};
use crate::guard::guarded;
use crate::intake::Taken;
use crate::memories::{Edit, KEY, Remember, Remembered, whose_word};
use crate::{App, AppError};

const TAKEN: AppError = AppError::Conflict(
    "a file or a folder stands there already, or a file where its folder would be",
);
const FULL: AppError =
    AppError::Conflict("there are 500 files already: forget some that are not needed any more");
const HELD: AppError = AppError::Conflict(
    "this version reads like an order to a model: write what is so, not what a model should do",
);

impl App {
    /// Keeps a new file.
    ///
    /// # Errors
    /// [`AppError::Conflict`] where something stands already.
    pub(crate) async fn keep_file(
        &self,
        authorized: Authorized<MemoryWrite>,
        statement: Remember,
        path: FilePath,
    ) -> Result<Remembered, AppError> {
        let taken = self.take_in_file(&statement.text)?;
        let tenant = (authorized.organization(), authorized.workspace());
        let trust = whose_word(authorized.agent().is_some() || statement.by_agent);
        let mut tx = self.store.begin(authorized).await?;
        let writer = tx.writer()?;
        // Writers of a workspace take turns, so what is free here is free until it is taken.
        let there = tx
            .list_files(writer.owner(), &root()?, Limits::FILES as u32)
            .await?;
        check_free(&there, &path, None)?;
        if there.len() >= Limits::FILES {
            return Err(FULL);
        }
        let new = guarded(NewMemory {
            body: body(path, taken.text),
            ..self.spoken("", &statement, trust, None)
        });
        let kept = tx.put_memory_for(&writer, named(new)).await?;
        let memory = tx.get_kept(&kept).await?;
        let memory = memory.ok_or(AppError::Internal("a file was not kept"))?;
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(Remembered {
            memory,
            known: matches!(kept, Kept::Known(_)),
            redacted: taken.redacted,
            superseded: Vec::new(),
            conflicts: Vec::new(),
        })
    }

    /// Puts a new version in a file's place, or the file elsewhere.
    ///
    /// # Errors
    /// [`AppError::Conflict`] for somebody else's, and where something stands already.
    pub(crate) async fn edit_file(
        &self,
        tx: &mut Tx<MemoryWrite>,
        old: &Memory,
        edit: &Edit,
        (by_agent, reason): (bool, &str),
    ) -> Result<(Memory, u32), AppError> {
        let Some(at) = &old.body.path else {
            return Err(Invalid::unknown(
                "path",
                "only a file stands somewhere: this is a statement",
            ));
        };
        if tx.principal() != Some(old.owner) {
            return Err(AppError::Conflict(
                "this file is somebody else's: remember what you have to say yourself",
            ));
        }
        if edit.kind.is_some_and(|kind| kind != MemoryKind::Note) {
            return Err(Invalid::unknown("kind", "a file is a note"));
        }
        let path = edit.path.clone().unwrap_or_else(|| at.clone());
        if path != *at {
            let there = tx
                .list_files(old.owner, &root()?, Limits::FILES as u32)
                .await?;
            check_free(&there, &path, Some(old.id))?;
        }
        let taken = self.take_in_file(edit.text.as_deref().unwrap_or(&old.body.text))?;
        let statement = Remember {
            text: String::new(),
            kind: MemoryKind::Note,
            project: None,
            visibility: edit.visibility.unwrap_or(old.visibility),
            by_agent,
            path: None,
        };
        let trust = whose_word(by_agent);
        let is_new = path != *at || taken.text != old.body.text;
        let new = guarded(NewMemory {
            body: body(path, taken.text),
            ..self.spoken("", &statement, trust, old.project_id)
        });
        if is_new && new.state == MemoryState::Quarantined {
            return Err(HELD);
        }
        let new = NewMemory {
            state: MemoryState::Active,
            reasons: Vec::new(),
            ..new
        };
        let memory = self
            .put_version(tx, old, named(new), (reason, false))
            .await?;
        Ok((memory, taken.redacted))
    }

    /// Every letter counts in a file, so nothing is cut out of it.
    fn take_in_file(&self, text: &str) -> Result<Taken, AppError> {
        Invalid::check_length("text", text, Limits::MEMORY_TEXT)?;
        let taken = self.take_in(text, Limits::MEMORY_TEXT);
        if taken.cut {
            return Err(AppError::Invalid(Invalid {
                field: "text".into(),
                rule: Rule::TooLong,
                message: "text is too long once what is not kept of it is marked".into(),
            }));
        }
        Ok(taken)
    }
}

/// Whether a file may stand at a path: nothing else is there, below it, or in its way.
///
/// # Errors
/// [`AppError::Conflict`]; [`AppError::Invalid`] for the folder of all.
pub(crate) fn check_free(
    there: &[Memory],
    path: &FilePath,
    except: Option<MemoryId>,
) -> Result<(), AppError> {
    if path.is_root() {
        return Err(Invalid::unknown(
            "path",
            "/memories is the folder of all files, and no file",
        ));
    }
    let others = there.iter().filter(|file| Some(file.id) != except);
    let mut taken = others.filter_map(|file| file.body.path.as_ref());
    let stands_in_the_way = |other: &FilePath| {
        other == path || other.below(path).is_some() || path.below(other).is_some()
    };
    if taken.any(stands_in_the_way) {
        return Err(TAKEN);
    }
    Ok(())
}

/// The files of a principal, as far as whoever asks may see them.
pub(crate) fn root() -> Result<FilePath, AppError> {
    FilePath::parse(FilePath::ROOT).map_err(|_| AppError::Internal("the folder of all is no path"))
}

/// Whose file a memory is, and where it stands.
pub(crate) fn place_of(memory: &Memory) -> Option<(Principal, &FilePath)> {
    memory.body.path.as_ref().map(|path| (memory.owner, path))
}

fn body(path: FilePath, text: String) -> MemoryBody {
    let first = text.lines().find(|line| !line.trim().is_empty());
    let key = match first {
        Some(first) => format!("{path}: {}", first.trim()),
        None => path.to_string(),
    };
    MemoryBody {
        key: cut_line(&key, KEY).into_owned(),
        entities: names(&text),
        text,
        path: Some(path),
        ..MemoryBody::default()
    }
}

/// What counts for being the same: two files never are, whatever they say, but the same one that waits for
/// a human waits once.
fn named(mut new: NewMemory) -> NewMemory {
    let path = new.body.path.as_ref().map_or("", FilePath::as_str);
    new.normal_form = if new.state == MemoryState::Quarantined {
        format!("{path}\0{}", new.body.text)
    } else {
        format!("{path}\0\0{:?}", new.id)
    };
    new.topics = Vec::new();
    new
}
