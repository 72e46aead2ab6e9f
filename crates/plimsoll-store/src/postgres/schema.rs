//! The tables: laid out by numbered migrations, served only where every one is known.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::options::Target;
use super::session::{Fault, Session};
use crate::store::StoreError;

/// The migrations, the first with number 1.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001.sql")];

/// The layout that this build knows.
pub const LAYOUT: u64 = MIGRATIONS.len() as u64;

/// The least version of PostgreSQL, as the server spells it.
const SERVER_VERSION_MIN: i32 = 150_000;

/// What nodes have agreed upon while a copy fills the database: that none serves it.
pub(super) const COPYING: &str = "copying";

/// Held while the layout is changed. The number is the project's first eight letters.
const LOCK: i64 = 0x706c_696d_736f_6c6c;

/// Connects, and makes sure that the database is one to serve from; an empty one is laid out.
///
/// Errors: [`StoreError::Database`] says what is wrong and what to do.
pub(super) async fn check(target: Target) -> Result<Session, StoreError> {
    let session = connect(&target).await?;
    let found = inspect(&target, &session).await?;
    if found == 0 {
        migrate(&target, &session).await?;
        tracing::info!(database = target.address, "an empty database was laid out");
        return Ok(session);
    }
    expect_served(&target, found)?;
    expect_whole(&target, &session).await?;
    Ok(session)
}

/// Connects to a database that is to be filled; one without a layout is laid out.
pub(super) async fn lay_out(target: &Target) -> Result<Session, StoreError> {
    let session = connect(target).await?;
    match inspect(target, &session).await? {
        0 => migrate(target, &session).await?,
        found => expect_served(target, found)?,
    }
    Ok(session)
}

/// Makes sure that no copy is filling the database.
async fn expect_whole(target: &Target, session: &Session) -> Result<(), StoreError> {
    let sql = "SELECT FROM plimsoll.agreed WHERE name = $1";
    let found = session.rows(sql, &[(&COPYING as _, Type::TEXT)]).await;
    let found = found.map_err(|fault| cannot(target, "be looked at", fault))?;
    if found.is_empty() {
        return Ok(());
    }
    Err(StoreError::Copying {
        place: target.address.clone(),
    })
}

/// Connects to a database that is there to be looked at, and leaves it as it is.
///
/// Errors: also where it is empty.
pub(super) async fn check_as_it_is(target: &Target) -> Result<Session, StoreError> {
    let session = connect(target).await?;
    match inspect(target, &session).await? {
        0 => {
            return Err(StoreError::NoLedger {
                place: target.address.clone(),
            });
        }
        found => expect_served(target, found)?,
    }
    expect_whole(target, &session).await?;
    Ok(session)
}

/// Makes sure that a layout is one to serve from.
fn expect_served(target: &Target, found: u64) -> Result<(), StoreError> {
    expect_known(target, found)?;
    if found < LAYOUT {
        let what = format!(
            "has layout {found}, this build needs {LAYOUT}: stop the older nodes and run \
             `plimsoll migrate`"
        );
        return Err(target.error(what, None));
    }
    Ok(())
}

/// Makes the migrations that are missing; answers the layouts before and after.
pub(super) async fn bring_up(target: Target) -> Result<(u64, u64), StoreError> {
    let session = connect(&target).await?;
    let found = inspect(&target, &session).await?;
    expect_known(&target, found)?;
    migrate(&target, &session).await?;
    Ok((found, LAYOUT))
}

fn expect_known(target: &Target, found: u64) -> Result<(), StoreError> {
    if found <= LAYOUT {
        return Ok(());
    }
    let what = format!(
        "was laid out by a newer build (layout {found}, this build knows {LAYOUT}): use that build"
    );
    Err(target.error(what, None))
}

pub(super) async fn connect(target: &Target) -> Result<Session, StoreError> {
    Session::open(target).await.map_err(|error| {
        let refused = [
            SqlState::INVALID_PASSWORD,
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        ];
        let what = match error.code() {
            Some(code) if refused.contains(code) => "refuses the user or the password",
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => "does not exist",
            Some(_) | None => "cannot be reached, or takes no writes",
        };
        target.error(what, Some(error))
    })
}

/// The layout that the database has; 0 where it has none.
///
/// Errors: where the server is too old, or set to acknowledge what is not durable.
async fn inspect(target: &Target, session: &Session) -> Result<u64, StoreError> {
    let failed = |fault| cannot(target, "be looked at", fault);
    let sql = "SELECT current_setting('server_version_num')::int, \
               current_setting('synchronous_commit'), current_setting('fsync'), \
               to_regclass('plimsoll.layout') IS NOT NULL";
    let rows = session.rows(sql, &[]).await.map_err(failed)?;
    let Some(row) = rows.first() else {
        return Err(target.error("cannot be looked at", None));
    };
    let version: i32 = row.get(0);
    if version < SERVER_VERSION_MIN {
        let what = format!("runs version {version} of PostgreSQL: 15 is the oldest that will do");
        return Err(target.error(what, None));
    }
    if row.get::<_, &str>(1) == "off" {
        let what =
            "has `synchronous_commit` off: what is acknowledged could be lost; set it to `on`";
        return Err(target.error(what, None));
    }
    if row.get::<_, &str>(2) == "off" {
        tracing::warn!("the database has `fsync` off: a power cut loses what was acknowledged");
    }
    if !row.get::<_, bool>(3) {
        return Ok(0);
    }
    let sql = "SELECT coalesce(max(version), 0) FROM plimsoll.layout";
    let rows = session.rows(sql, &[]).await.map_err(failed)?;
    let version = rows.first().map_or(0, |row| row.get::<_, i64>(0));
    Ok(u64::try_from(version).unwrap_or(u64::MAX))
}

/// Makes the missing migrations in one transaction: all of them or none.
async fn migrate(target: &Target, session: &Session) -> Result<(), StoreError> {
    let failed = |fault| cannot(target, "be laid out", fault);
    let lock = format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})");
    session.run(&lock).await.map_err(failed)?;
    // Somebody else may have been faster.
    let found = inspect(target, session).await?;
    for (number, sql) in (1_u64..)
        .zip(MIGRATIONS)
        .skip(usize::try_from(found).unwrap_or(0))
    {
        if number == 1 {
            let schema = "CREATE SCHEMA IF NOT EXISTS plimsoll";
            session.run(schema).await.map_err(failed)?;
        }
        session.run(sql).await.map_err(failed)?;
        let note = format!("INSERT INTO plimsoll.layout (version) VALUES ({number})");
        session.run(&note).await.map_err(failed)?;
    }
    session.run("COMMIT").await.map_err(failed)
}

fn cannot(target: &Target, what: &str, fault: Fault) -> StoreError {
    let error = match fault {
        Fault::Lost(error) => error,
        Fault::Refused(error) => Some(error),
        Fault::Again | Fault::Behind { .. } | Fault::Damaged(_) => None,
    };
    target.error(format!("cannot {what}"), error)
}
