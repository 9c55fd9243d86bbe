//! The one change of an entry of the ledger: its line is erased, and the columns that say who and where; what the
//! tree needs stays.
//!
//! Connections refuse every change ([`connection::keep_the_record`]). For as long as this takes one lets these
//! columns be changed, under triggers that let them become nothing and nothing else. They are of the connection,
//! and are made each time: those in a file do not fire here, whoever put them there.

use std::rc::Rc;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use skep_store::row::{Log, LogKey};

use crate::connection::keep_the_record;
use crate::failure::Failure;

/// The columns that become nothing.
const ERASED: [&str; 5] = [
    "workspace",
    "principal_kind",
    "principal",
    "credential",
    "body",
];

/// An entry becomes a tombstone, whole: one that is in the tree, that does not say what was erased, and that the last
/// entry of the record says is erased.
const TRIGGERS: &str = "
    CREATE TEMP TRIGGER keep_audit BEFORE UPDATE ON main.audit
    WHEN NOT (length(new.body) = 0 AND new.workspace IS NULL AND new.principal_kind IS NULL
        AND new.principal IS NULL AND new.credential IS NULL
        AND new.organization = old.organization AND new.seq = old.seq AND new.id = old.id AND new.at = old.at
        AND new.action = old.action AND new.outcome = old.outcome AND new.times = old.times
        AND new.leaf IS old.leaf AND old.leaf IS NOT NULL AND old.action <> 'audit.erase'
        AND 'audit.erase' IS (SELECT action FROM main.audit WHERE organization = old.organization
            ORDER BY seq DESC LIMIT 1))
    BEGIN SELECT RAISE(ABORT, 'an entry is erased whole, or not at all'); END;
    CREATE TEMP TRIGGER keep_usage BEFORE UPDATE ON main.usage
    WHEN NOT (length(new.body) = 0 AND new.workspace IS NULL AND new.principal_kind IS NULL
        AND new.principal IS NULL AND new.credential IS NULL
        AND new.organization = old.organization AND new.seq = old.seq AND new.id = old.id AND new.at = old.at
        AND new.leaf = old.leaf
        AND 'audit.erase' IS (SELECT action FROM main.audit WHERE organization = old.organization
            ORDER BY seq DESC LIMIT 1))
    BEGIN SELECT RAISE(ABORT, 'an entry is erased whole, or not at all'); END;
    CREATE TEMP TRIGGER keep_seen BEFORE DELETE ON main.audit_seen
    WHEN NOT EXISTS (SELECT 1 FROM main.audit AS a
        WHERE a.organization = old.organization AND a.seq = old.seq AND length(a.body) = 0)
    BEGIN SELECT RAISE(ABORT, 'what an entry names goes with its line'); END;";

const NO_TRIGGERS: &str =
    "DROP TRIGGER temp.keep_audit; DROP TRIGGER temp.keep_usage; DROP TRIGGER temp.keep_seen;";

/// A connection that lets entries be erased. Dropped, it refuses that again.
struct Letting<'c>(&'c mut Connection);

impl Drop for Letting<'_> {
    fn drop(&mut self) {
        // It says no only where no such hook can be had, and then there was none before either.
        let _ = self.0.authorizer(Some(keep_the_record));
    }
}

/// Runs `work` on a connection that lets entries be erased meanwhile.
pub(crate) fn let_erase<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // Before anything may change, and in the same transaction: what fails leaves none behind.
    connection.execute_batch(TRIGGERS)?;
    connection.authorizer(Some(erase_alone))?;
    let letting = Letting(connection);
    let outcome = work(letting.0);
    drop(letting);
    if outcome.is_ok() {
        connection.execute_batch(NO_TRIGGERS)?;
    }
    outcome
}

fn erase_alone(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Update {
            table_name: "audit" | "usage",
            column_name,
        } if ERASED.contains(&column_name) => Authorization::Allow,
        AuthAction::Delete {
            table_name: "audit_seen",
        } => Authorization::Allow,
        AuthAction::DropTempTrigger { .. } | AuthAction::DropTrigger { .. } => Authorization::Deny,
        _ => keep_the_record(context),
    }
}

/// Erases the entries at these places, and says how many there were.
pub(crate) fn erase(connection: &Connection, key: LogKey, places: &[u64]) -> Result<u64, Failure> {
    let sql = match key.log {
        Log::Audit => {
            "UPDATE audit SET workspace = NULL, principal_kind = NULL, principal = NULL,
                 credential = NULL, body = x''
             WHERE organization = ?1 AND seq = ?2 AND length(body) > 0"
        }
        Log::Usage => {
            "UPDATE usage SET workspace = NULL, principal_kind = NULL, principal = NULL,
                 credential = NULL, body = x''
             WHERE organization = ?1 AND seq = ?2 AND length(body) > 0"
        }
    };
    let mut statement = connection.prepare(sql)?;
    let mut erased = 0;
    for place in places {
        erased += statement.execute(params![key.owner(), place])? as u64;
    }
    if key.log == Log::Audit {
        // No index leads there, since whoever is shown something would pay for it: all that the organization has is
        // looked through.
        let sql = "DELETE FROM audit_seen
             WHERE organization = ?1 AND seq IN (SELECT value FROM rarray(?2))";
        let places = places.iter().map(|place| Value::from(place.cast_signed()));
        let places: Rc<Vec<Value>> = Rc::new(places.collect());
        connection.execute(sql, params![key.owner(), places])?;
    }
    Ok(erased)
}

#[cfg(test)]
mod tests;
