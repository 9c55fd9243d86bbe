//! From PostgreSQL's errors to the few that a caller can do something about. Texts are ours: the server's
//! name tables and values.

use skep_store::StoreError;
use tokio_postgres::error::SqlState;

/// What a piece of work on a connection can end with.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server's word, or what happened on the way.
    Sql(tokio_postgres::Error),
    /// Ours.
    Store(StoreError),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
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
        matches!(self, Self::Sql(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION))
    }

    /// A column that holds what no version of this program writes.
    pub(crate) fn damaged() -> Self {
        skep_store::column::damaged().into()
    }
}

/// A taken key, under the name of what holds it.
pub(crate) fn named<T>(outcome: Result<T, Failure>, what: &'static str) -> Result<T, Failure> {
    outcome.map_err(|failure| {
        if failure.is_taken() {
            StoreError::Conflict(what).into()
        } else {
            failure
        }
    })
}

fn judge(error: &tokio_postgres::Error) -> StoreError {
    let unavailable = |why: &str| StoreError::Unavailable(why.into());
    let Some(code) = error.code() else {
        return if error.is_closed() {
            unavailable("the connection to the database was lost")
        } else {
            let reason = crate::server::reason(error);
            unavailable(&format!("the database cannot be reached: {reason}"))
        };
    };
    match *code {
        SqlState::UNIQUE_VIOLATION => StoreError::Conflict("a row with this identity"),
        SqlState::FOREIGN_KEY_VIOLATION => {
            StoreError::Refused("the row it belongs to does not exist".into())
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            StoreError::Refused("this transaction only reads".into())
        }
        SqlState::IN_FAILED_SQL_TRANSACTION => over(),
        SqlState::INSUFFICIENT_PRIVILEGE => crate::rights::taken(),
        SqlState::LOCK_NOT_AVAILABLE => unavailable("another transaction writes this workspace"),
        SqlState::QUERY_CANCELED => unavailable("a statement took too long"),
        SqlState::DISK_FULL => unavailable("the database's disk is full"),
        SqlState::TOO_MANY_CONNECTIONS => unavailable("the database has no connection left"),
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
            unavailable("another transaction was in the way")
        }
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            unavailable("the database is shutting down or starting")
        }
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            unavailable("the database refuses this login: its role, password or the server's rules")
        }
        SqlState::UNDEFINED_DATABASE => unavailable("the server has no database of this name"),
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => StoreError::Refused(
            "the database has another schema: run `skepd migrate --admin-url` as whoever runs it"
                .into(),
        ),
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => StoreError::Damaged("the database"),
        ref other if other.code().starts_with("23") => {
            StoreError::Refused("the row cannot be stored".into())
        }
        _ => unavailable("the database refused a statement"),
    }
}

pub(crate) fn over() -> StoreError {
    StoreError::Refused("the transaction failed before: begin another".into())
}
