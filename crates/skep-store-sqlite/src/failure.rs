//! From SQLite's errors to the few that a caller can do something about. Texts are ours: SQLite's
//! name tables and paths.

use rusqlite::ErrorCode;
use rusqlite::ffi;
use skep_store::StoreError;

/// What a piece of work on a connection can end with.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite's word.
    Sql(rusqlite::Error),
    /// Ours.
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Sql(error) => judge(&error),
        }
    }
}

impl Failure {
    /// Whether a key was taken already.
    pub(crate) fn is_taken(&self) -> bool {
        let Self::Sql(rusqlite::Error::SqliteFailure(error, _)) = self else {
            return false;
        };
        matches!(
            error.extended_code,
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE
        )
    }
}

/// Whether the connection that ended so may be used again. After a failed write or sync nothing is
/// known about its caches, and after damage nothing about its pages: it is closed, and the next
/// use reads the file anew.
pub(crate) fn spoils(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_) | StoreError::Damaged(_))
}

fn judge(error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error as Sql;
    match error {
        Sql::SqliteFailure(cause, _) => judge_code(*cause),
        Sql::InvalidColumnType(..)
        | Sql::IntegralValueOutOfRange(..)
        | Sql::FromSqlConversionFailure(..)
        | Sql::Utf8Error(..)
        | Sql::QueryReturnedNoRows => StoreError::Damaged("a column holds what was never written"),
        _ => StoreError::Unavailable("the database refused a statement".into()),
    }
}

fn judge_code(cause: ffi::Error) -> StoreError {
    let unavailable = |why: &str| StoreError::Unavailable(why.into());
    match cause.code {
        ErrorCode::DatabaseCorrupt => StoreError::Damaged("a database file"),
        ErrorCode::NotADatabase => StoreError::Damaged("a file is not a database"),
        ErrorCode::ConstraintViolation => match cause.extended_code {
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE => {
                StoreError::Conflict("a row with this identity")
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
                StoreError::Refused("the row it belongs to does not exist".into())
            }
            _ => StoreError::Refused("the row cannot be stored".into()),
        },
        ErrorCode::ReadOnly => match cause.extended_code {
            ffi::SQLITE_READONLY => StoreError::Refused("this transaction only reads".into()),
            _ => unavailable("the disk can only be read"),
        },
        ErrorCode::DiskFull => unavailable("the disk is full"),
        ErrorCode::SystemIoFailure => unavailable("reading or writing the disk failed"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            unavailable("another process holds the database")
        }
        ErrorCode::CannotOpen => unavailable("a database file could not be opened"),
        ErrorCode::OutOfMemory => unavailable("out of memory"),
        ErrorCode::TooBig => StoreError::Refused("the row is too large".into()),
        _ => unavailable("the database refused a statement"),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;
    use skep_store::StoreError;

    use super::{Failure, spoils};

    fn of_code(code: i32) -> StoreError {
        let text = Some("INSERT INTO turn in /srv/data/ws/0a.db".to_owned());
        Failure::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(code), text)).into()
    }

    #[test]
    fn f04_failing_disks_are_unavailable_and_spoil_the_connection() {
        let codes = [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_READONLY_DIRECTORY,
        ];
        for code in codes {
            let error = of_code(code);
            assert!(
                matches!(error, StoreError::Unavailable(_)),
                "{code}: {error:?}"
            );
            assert!(spoils(&error), "{code}");
        }
    }

    #[test]
    fn damage_is_damage_and_taken_is_a_conflict() {
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB] {
            assert!(matches!(of_code(code), StoreError::Damaged(_)), "{code}");
        }
        let taken = of_code(ffi::SQLITE_CONSTRAINT_UNIQUE);
        assert!(matches!(taken, StoreError::Conflict(_)));
        assert!(!spoils(&taken), "an ordinary refusal keeps the connection");
    }

    #[test]
    fn no_error_repeats_what_sqlite_said() {
        for code in 1..32 {
            let text = of_code(code).to_string();
            for leak in ["INSERT", "turn", "/srv", ".db"] {
                assert!(!text.contains(leak), "{code}: {text}");
            }
        }
    }
}
