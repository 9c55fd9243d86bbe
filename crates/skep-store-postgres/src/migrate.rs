//! Roles and schema, made by whoever runs the database: nodes are let in afterwards.

use skep_store::StoreError;
use tokio_postgres::Client;

use crate::failure::Failure;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Held while a node's operator brings the schema up to date, so that two of them take turns.
const TURN: &str = "SELECT pg_advisory_lock(6001122334)";

/// Both roles; they belong to the server, not to one database of it.
const ROLES: &str = "
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'skep_owner') THEN
        CREATE ROLE skep_owner NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'skep_app') THEN
        CREATE ROLE skep_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
END $$;";

/// The migrations of this program, in a word: another text is another word.
#[must_use]
pub fn schema() -> String {
    let runner = embedded::migrations::runner();
    let migrations = runner.get_migrations();
    let mark = migrations.iter().fold(0_u64, |mark, migration| {
        mark.rotate_left(7) ^ migration.checksum()
    });
    format!("{}_{mark:016x}", migrations.len())
}

/// How many migrations this program knows; they are numbered from 1.
pub(crate) fn count() -> u64 {
    embedded::migrations::runner().get_migrations().len() as u64
}

/// What a node logs in with.
#[derive(Clone, Debug)]
pub enum Roles {
    /// By a password; as its SCRAM verifier, so that the server's log never has it.
    Verifier(String),
    /// By whatever the server's own rules say, such as a certificate or the socket's owner.
    Elsewhere,
}

/// Makes the roles if they are missing, sets how nodes log in, and brings the schema up to date.
///
/// # Errors
/// [`StoreError::Refused`] when the schema is of a later version or was changed; [`StoreError::Unavailable`]
/// when the database refuses.
pub async fn migrate(admin: &mut Client, roles: &Roles) -> Result<(), StoreError> {
    prepare(admin, roles).await.map_err(StoreError::from)?;
    admin
        .batch_execute("SET search_path = skep, pg_temp")
        .await
        .map_err(Failure::from)?;
    embedded::migrations::runner()
        .set_grouped(true)
        .run_async(admin)
        .await
        .map_err(|error| refused(&error))?;
    admin
        .batch_execute("RESET ROLE; RESET search_path; SELECT pg_advisory_unlock_all()")
        .await
        .map_err(Failure::from)?;
    Ok(())
}

async fn prepare(admin: &Client, roles: &Roles) -> Result<(), Failure> {
    admin.batch_execute(TURN).await?;
    admin.batch_execute(ROLES).await?;
    if let Roles::Verifier(verifier) = roles {
        // A verifier has letters, digits and `$:+/=-`: none that ends a literal.
        let safe = |c: char| c.is_ascii_alphanumeric() || "$:+/=-".contains(c);
        if !verifier.starts_with("SCRAM-SHA-256$") || !verifier.chars().all(safe) {
            return Err(StoreError::Refused("that is no SCRAM verifier".into()).into());
        }
        let set = format!("ALTER ROLE skep_app PASSWORD '{verifier}'");
        admin.batch_execute(&set).await?;
    }
    // Whoever makes something for a role has to be a member of it.
    admin
        .batch_execute(
            "DO $$ BEGIN EXECUTE format('GRANT skep_owner TO %I', current_user); END $$;
             CREATE SCHEMA IF NOT EXISTS skep AUTHORIZATION skep_owner;
             SET ROLE skep_owner;",
        )
        .await?;
    Ok(())
}

fn refused(error: &refinery::Error) -> StoreError {
    use refinery::error::Kind;
    match error.kind() {
        Kind::DivergentVersion(..) | Kind::MissingVersion(..) | Kind::InvalidVersion => {
            StoreError::Refused(
                "the database was migrated by another version of this program".into(),
            )
        }
        _ => StoreError::Unavailable("the database refuses a migration".into()),
    }
}
