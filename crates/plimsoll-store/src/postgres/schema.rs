//! The tables: laid out by numbered migrations, served by every build that may.
//!
//! | the database has | a node |
//! |---|---|
//! | a layout that it knows, and no older one than it can serve | serves |
//! | a newer one, which says that builds like this may serve it | serves |
//! | a newer one else, or rows that may be of a newer version | answers 503, until it is replaced |
//! | one that is too old for it | does not start |
//!
//! A node says which layout it knows by a shared lock of the transaction in which it watches the
//! database. So a migration that would shut it out is not made while it is there.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::build::Build;
use super::load::unsigned;
use super::options::Target;
use super::session::{Fault, Session};
use crate::store::StoreError;

/// The layout that this build makes.
pub const LAYOUT: u64 = Build::THIS.layout();

/// The version of rows in a database that does not say.
const RECORD_FIRST: u64 = 4;

/// The least version of PostgreSQL, as the server spells it.
const SERVER_VERSION_MIN: i32 = 150_000;

/// What nodes have agreed upon while a copy fills the database: that none serves it.
pub(super) const COPYING: &str = "copying";

/// Held while the layout is changed. The number is the project's first eight letters.
const LOCK: i64 = 0x706c_696d_736f_6c6c;

/// With the number of a layout: shared by the nodes that know no later one. The number is the
/// project's first four letters.
const SERVES: i32 = 0x706c_696d;

/// How long a change of a table waits for those who use it, who wait behind it; how often it is
/// tried, and the pause between.
const TABLE_PATIENCE: &str = "SET LOCAL lock_timeout = '1s'";
const TRIES_MAX: u32 = 30;
const TRY_PAUSE: Duration = Duration::from_millis(300);

/// What a database says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its last migration.
    layout: u64,
    /// The layout that a build must know at least.
    serves_from: u64,
    /// The version of rows that may be written.
    record: u64,
    /// Whether it refuses all writes: a session that is older than that goes on to read.
    only_reads: bool,
}

/// As JSON, so that a column is nothing where a layout does not have it yet.
const STANDING: &str = "\
    SELECT coalesce(max(version), 0), \
    coalesce(max(coalesce((to_jsonb(l) ->> 'serves_from')::bigint, version)), 0), \
    max((to_jsonb(l) ->> 'record')::bigint), \
    current_setting('default_transaction_read_only') = 'on' FROM plimsoll.layout l";

/// Connects, and makes sure that the database is one to serve from; an empty one is laid out.
///
/// Errors: [`StoreError::Database`] says what is wrong and what to do.
pub(super) async fn check(target: Target) -> Result<Session, StoreError> {
    let session = connect(&target).await?;
    let found = inspect(&target, &session).await?;
    if found.is_none() {
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
        None => migrate(target, &session).await?,
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
    let found = expect_ledger(target, &session).await?;
    expect_served(target, Some(found))?;
    Ok(session)
}

/// [`check_as_it_is`] for whoever only reads: where no host takes writes, the first that answers
/// will do.
pub(super) async fn check_to_read(target: &Target) -> Result<Session, StoreError> {
    let session = match connect(target).await {
        Ok(session) => session,
        Err(_) => connect(&target.clone().also_read_only()).await?,
    };
    let found = expect_ledger(target, &session).await?;
    expect_known(target, found)?;
    Ok(session)
}

/// Makes sure that a database holds a ledger, and all of it.
async fn expect_ledger(target: &Target, session: &Session) -> Result<Standing, StoreError> {
    let found = inspect(target, session).await?;
    let found = found.ok_or_else(|| StoreError::NoLedger {
        place: target.address.clone(),
    })?;
    expect_whole(target, session).await?;
    Ok(found)
}

/// Makes sure that a database is one that this build may serve.
fn expect_served(target: &Target, found: Option<Standing>) -> Result<(), StoreError> {
    let Some(found) = found else {
        return Err(target.error("has lost its tables", None));
    };
    if found.only_reads {
        return Err(target.error("takes no writes", None));
    }
    expect_known(target, found)
}

/// Makes sure that this build can read what a database holds.
fn expect_known(target: &Target, found: Standing) -> Result<(), StoreError> {
    let build = &target.build;
    if build.layout() < found.serves_from {
        return Err(newer(target, found));
    }
    if build.record() < found.record {
        let what = format!(
            "may hold rows of version {}, this build reads up to {}: use a newer build",
            found.record,
            build.record()
        );
        return Err(target.error(what, None));
    }
    if found.layout < build.layout_min {
        let what = format!(
            "has layout {}, this build needs {}: stop the older nodes and run `plimsoll migrate`",
            found.layout, build.layout_min
        );
        return Err(target.error(what, None));
    }
    Ok(())
}

fn newer(target: &Target, found: Standing) -> StoreError {
    let (known, found) = (target.build.layout(), found.layout);
    let what = format!(
        "was laid out by a newer build (layout {found}, this build knows {known}): use that build"
    );
    target.error(what, None)
}

/// Makes sure, on a connection that is in use, that the build may go on to serve.
pub(super) async fn still_serves(target: &Target, session: &Session) -> Result<(), StoreError> {
    let found = standing(session).await;
    let found = found.map_err(|fault| cannot(target, "be looked at", fault))?;
    expect_served(target, Some(found))
}

/// Tells those who migrate what this node knows, for as long as the transaction lasts.
///
/// Errors: [`Fault::Again`] while somebody migrates away from it.
pub(super) async fn announce(target: &Target, session: &Session) -> Result<(), Fault> {
    let layout = target.build.layout();
    let sql = format!("SELECT pg_try_advisory_xact_lock_shared({SERVES}, {layout})");
    let rows = session.rows(&sql, &[]).await?;
    if rows.first().is_some_and(|row| row.get(0)) {
        Ok(())
    } else {
        Err(Fault::Again)
    }
}

/// Makes the migrations that are missing; answers the layouts before and after.
pub(super) async fn bring_up(target: Target) -> Result<(u64, u64), StoreError> {
    let session = connect(&target).await?;
    let found = inspect(&target, &session).await?;
    if let Some(found) = found
        && target.build.layout() < found.layout
    {
        return Err(newer(&target, found));
    }
    migrate(&target, &session).await?;
    let before = found.map_or(0, |found| found.layout);
    Ok((before, target.build.layout()))
}

/// Lets nodes write rows of the version that this build reads; answers the versions before and
/// after.
pub(super) async fn finish(target: Target) -> Result<(u64, u64), StoreError> {
    let session = connect(&target).await?;
    let found = inspect(&target, &session).await?;
    expect_served(&target, found)?;
    let before = found.map_or(0, |found| found.record);
    let after = target.build.record();
    let layout = target.build.layout();
    if found.is_none_or(|found| found.layout != layout) {
        let what = "is not of this build's layout: run `plimsoll migrate` first";
        return Err(target.error(what, None));
    }
    let failed = |fault| cannot(&target, "be changed", fault);
    session.run("BEGIN").await.map_err(failed)?;
    let unable = target.build.migrations.iter();
    let unable = unable.take_while(|it| it.record < after).count();
    expect_none_below(&target, &session, unable as u64 + 1).await?;
    let sql = format!("UPDATE plimsoll.layout SET record = {after} WHERE version = {layout}");
    session.run(&sql).await.map_err(failed)?;
    session.run("COMMIT").await.map_err(failed)?;
    Ok((before, after))
}

/// Makes sure that no node serves, nor begins to, which knows no layout from this one on.
async fn expect_none_below(
    target: &Target,
    session: &Session,
    layout: u64,
) -> Result<(), StoreError> {
    for known in 1..layout {
        let sql = format!("SELECT pg_try_advisory_xact_lock({SERVES}, {known})");
        let rows = session.rows(&sql, &[]).await;
        let rows = rows.map_err(|fault| cannot(target, "be looked at", fault))?;
        if !rows.first().is_some_and(|row| row.get(0)) {
            let what = format!(
                "is being served by a node that knows layout {known} at most, and needs {layout} \
                 behind this: replace it first"
            );
            return Err(target.error(what, None));
        }
    }
    Ok(())
}

pub(super) async fn connect(target: &Target) -> Result<Session, StoreError> {
    let opened = tokio::time::timeout(target.open_patience(), Session::open(target)).await;
    let opened = opened.map_err(|_| target.error("does not answer", None))?;
    opened.map_err(|error| {
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

/// What the database says of itself; `None` where it has no layout.
///
/// Errors: where the server is too old, or set to acknowledge what is not durable.
async fn inspect(target: &Target, session: &Session) -> Result<Option<Standing>, StoreError> {
    let failed = |fault| cannot(target, "be looked at", fault);
    let sql = "SELECT current_setting('server_version_num')::int, \
               current_setting('synchronous_commit'), current_setting('fsync'), \
               EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
               ON n.oid = c.relnamespace WHERE n.nspname = 'plimsoll' AND c.relname = 'layout')";
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
        return Ok(None);
    }
    standing(session).await.map(Some).map_err(failed)
}

async fn standing(session: &Session) -> Result<Standing, Fault> {
    let rows = session.rows(STANDING, &[]).await?;
    let Some(row) = rows.first() else {
        return Err(Fault::Damaged("no answer".to_owned()));
    };
    let record: Option<i64> = row.get(2);
    Ok(Standing {
        layout: unsigned(row.get(0))?,
        serves_from: unsigned(row.get(1))?,
        record: record.map_or(Ok(RECORD_FIRST), unsigned)?,
        only_reads: row.get(3),
    })
}

/// Makes the missing migrations in one transaction: all of them or none. Where a table is in use
/// for long, those who use it go first.
async fn migrate(target: &Target, session: &Session) -> Result<(), StoreError> {
    for _ in 1..TRIES_MAX {
        match migrate_once(target, session).await {
            Err(Stop::Busy) => {}
            Err(Stop::Because(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
        let failed = |fault| cannot(target, "be laid out", fault);
        session.run("ROLLBACK").await.map_err(failed)?;
        tokio::time::sleep(TRY_PAUSE).await;
    }
    let what = "cannot be laid out: a transaction uses its tables for long; try again later";
    Err(target.error(what, None))
}

/// Why no migration was made.
enum Stop {
    /// A table is in use.
    Busy,
    Because(StoreError),
}

async fn migrate_once(target: &Target, session: &Session) -> Result<(), Stop> {
    let failed = |fault| match fault {
        Fault::Again => Stop::Busy,
        Fault::Refused(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Stop::Busy,
        fault => Stop::Because(cannot(target, "be laid out", fault)),
    };
    let lock = format!("BEGIN; {TABLE_PATIENCE}; SELECT pg_advisory_xact_lock({LOCK})");
    session.run(&lock).await.map_err(failed)?;
    // Somebody else may have been faster.
    let found = inspect(target, session).await.map_err(Stop::Because)?;
    let made = found.map_or(0, |found| found.layout);
    let missing = (1_u64..).zip(target.build.migrations);
    let missing = missing.skip(usize::try_from(made).unwrap_or(usize::MAX));
    if let Some(needed) = missing.clone().map(|(_, it)| it.serves_from).max() {
        let none_below = expect_none_below(target, session, needed).await;
        none_below.map_err(Stop::Because)?;
    }
    for (number, migration) in missing {
        if number == 1 {
            let schema = "CREATE SCHEMA IF NOT EXISTS plimsoll";
            session.run(schema).await.map_err(failed)?;
        }
        session.run(migration.sql).await.map_err(failed)?;
        let note = if number == 1 {
            "INSERT INTO plimsoll.layout (version) VALUES (1)".to_owned()
        } else {
            let serves_from = migration.serves_from;
            format!(
                "INSERT INTO plimsoll.layout (version, serves_from) VALUES ({number}, {serves_from})"
            )
        };
        session.run(&note).await.map_err(failed)?;
    }
    session.run("COMMIT").await.map_err(failed)
}

/// What a fault is to whoever starts a node.
pub(super) fn cannot(target: &Target, what: &str, fault: Fault) -> StoreError {
    let error = match fault {
        Fault::Lost(error) => error,
        Fault::Refused(error) => Some(error),
        Fault::Again | Fault::Behind { .. } | Fault::Damaged(_) => None,
    };
    target.error(format!("cannot {what}"), error)
}
