//! Roles and schema, made by whoever runs the database: nodes are let in afterwards.

use skep_crypto::{Plain, SystemRandom, scram_fits, scram_verifier};
use skep_store::StoreError;
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::Failure;
use crate::{Server, distributed, rights};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Held while a node's operator brings the schema up to date, so that two of them take turns.
const TURN: &str = "SELECT pg_advisory_lock(6001122334)";

/// Which of them are not there yet.
const MISSING: &str = "SELECT role FROM unnest(ARRAY['skep_owner', 'skep_app']) AS role
    WHERE role NOT IN (SELECT rolname FROM pg_roles)";

/// Both roles; they belong to the server, not to one database of it, so another run may make them meanwhile.
const ROLES: &str = "
DO $$
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'skep_owner') THEN
            CREATE ROLE skep_owner NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
    END;
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'skep_app') THEN
            CREATE ROLE skep_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
    END;
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
enum Roles {
    /// By a password; as its SCRAM verifier, so that the server's log never has it.
    Verifier(String),
    /// By whatever the server's own rules say, such as a certificate or the socket's owner.
    Elsewhere,
}

/// What a run has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Roles that were missing.
    pub roles: Vec<String>,
    /// Whether nodes log in by another password than before.
    pub password: bool,
    /// Migrations that were missing, such as `V1__installation`.
    pub applied: Vec<String>,
    /// Rights that nodes lacked though they had been given, such as `SELECT on skep.memory`.
    pub rights: Vec<String>,
    /// How many there are now.
    pub schema: u64,
}

/// Migrates a database as the administrator whom `server` names. Nodes log in by `password`, if there is
/// one: the server is given what checks it, never the password.
///
/// # Errors
/// [`StoreError::Refused`] when the schema is of a later version or was changed; [`StoreError::Unavailable`]
/// when the database refuses, or cannot be reached; [`StoreError::Crypto`] when that password is none.
pub async fn migrate_at(
    server: &Server,
    password: Option<&Plain<String>>,
) -> Result<Migrated, StoreError> {
    let (config, tls) = server.settings()?;
    let connected = config.connect(MakeRustlsConnect::new(tls)).await;
    let (mut admin, connection) = connected.map_err(Failure::from)?;
    let work = async move {
        let roles = match password {
            None => Roles::Elsewhere,
            Some(password) => login(&admin, password.expose()).await?,
        };
        migrate(&mut admin, &roles).await
    };
    // The work takes the client with it, which ends the connection.
    let (_ended, done) = tokio::join!(connection, work);
    done.map_err(told)
}

/// In the server's own words: an administrator may read them, and can do something about it.
fn told(failure: Failure) -> StoreError {
    match failure {
        Failure::Sql(error) if error.as_db_error().is_some() => {
            let why = crate::server::reason(&error);
            StoreError::Unavailable(format!("the database refuses: {why}"))
        }
        other => other.into(),
    }
}

/// A new verifier, unless the one that the server has is this password's. Only a superuser may look.
async fn login(admin: &Client, password: &str) -> Result<Roles, Failure> {
    const KEPT: &str = "SELECT rolpassword FROM pg_authid WHERE rolname = 'skep_app'";
    const MAY_LOOK: &str = "SELECT has_table_privilege('pg_authid', 'SELECT')";
    if admin.query_one(MAY_LOOK, &[]).await?.get(0) {
        let kept = admin.query_opt(KEPT, &[]).await?;
        let kept = kept.and_then(|row| row.get::<_, Option<String>>(0));
        if kept.is_some_and(|verifier| scram_fits(&verifier, password)) {
            return Ok(Roles::Elsewhere);
        }
    }
    let verifier = scram_verifier(password, &SystemRandom).map_err(StoreError::from)?;
    Ok(Roles::Verifier(verifier))
}

/// Makes the roles if they are missing, sets how nodes log in, and brings the schema up to date.
async fn migrate(admin: &mut Client, roles: &Roles) -> Result<Migrated, Failure> {
    let made = prepare(admin, roles).await?;
    let is_spread = distributed::is_to_be_spread(admin).await?;
    let owner = if is_spread {
        "RESET ROLE"
    } else {
        "SET ROLE skep_owner"
    };
    admin
        .batch_execute(&format!("{owner}; SET search_path = skep, pg_temp"))
        .await?;
    let report = embedded::migrations::runner()
        .set_grouped(true)
        .run_async(admin)
        .await
        .map_err(|error| refused(&error))?;
    if is_spread {
        distributed::spread(admin).await?;
    }
    // Whose hands a table fell into, an administrator may give what is missing of it.
    admin.batch_execute("RESET ROLE; RESET search_path").await?;
    let rights = rights::restore(admin).await?;
    admin
        .batch_execute("SELECT pg_advisory_unlock_all()")
        .await?;
    let applied = report.applied_migrations().iter();
    Ok(Migrated {
        roles: made,
        password: matches!(roles, Roles::Verifier(_)),
        applied: applied.map(ToString::to_string).collect(),
        rights,
        schema: count(),
    })
}

/// Everything before the schema; says which roles it made.
async fn prepare(admin: &Client, roles: &Roles) -> Result<Vec<String>, Failure> {
    admin.batch_execute(TURN).await?;
    let missing = admin.query(MISSING, &[]).await?;
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
    // Whoever makes something for a role has to be a member of it, or a superuser.
    admin
        .batch_execute(
            "DO $$ BEGIN
                 IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                     EXECUTE format('GRANT skep_owner TO %I', current_user);
                 END IF;
             END $$;
             CREATE SCHEMA IF NOT EXISTS skep AUTHORIZATION skep_owner;",
        )
        .await?;
    Ok(missing.iter().map(|row| row.get(0)).collect())
}

fn refused(error: &refinery::Error) -> StoreError {
    use refinery::error::Kind;
    match error.kind() {
        Kind::DivergentVersion(..) | Kind::MissingVersion(..) | Kind::InvalidVersion => {
            StoreError::Refused(
                "the database was migrated by another version of this program".into(),
            )
        }
        _ => {
            // Whoever runs the database may know why, and cannot do anything about it otherwise.
            let why = crate::server::reason(error);
            StoreError::Unavailable(format!("the database refuses a migration: {why}"))
        }
    }
}
