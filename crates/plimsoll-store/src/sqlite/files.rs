//! Making, locking and recognising the files of a data directory.

use std::cmp::Ordering;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{history_schema, ledger};
use crate::StoreError;

/// The two databases of a data directory.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Journal,
    Ledger,
}

/// Held by the process that serves the directory.
const LOCK_FILE: &str = "plimsoll.lock";

/// The header of an SQLite file: <https://www.sqlite.org/fileformat2.html>, section 1.3.
const HEADER_BYTES: u64 = 100;

/// Where in the header the application id stands.
const APPLICATION_ID: Range<usize> = 68..72;

/// Bytes of a page of our files.
pub(super) const PAGE_BYTES: usize = 4_096;

const REMEDY_OF_LEDGER: &str = "move it away, and the next start makes it anew from `journal.db`";

/// One row per batch, append only.
const JOURNAL_SCHEMA: &str = "
    CREATE TABLE journal (
        sequence INTEGER PRIMARY KEY, -- from 1, without gaps
        record   BLOB NOT NULL        -- the events of one batch: see record/mod.rs
    ) STRICT;
";

impl Kind {
    pub(super) fn path(self, directory: &Path) -> PathBuf {
        directory.join(self.file_name())
    }

    fn file_name(self) -> &'static str {
        match self {
            Kind::Journal => "journal.db",
            Kind::Ledger => "ledger.db",
        }
    }

    /// The number that SQLite keeps in the header of our files: `PlmJ` and `PlmL`.
    fn application_id(self) -> i32 {
        match self {
            Kind::Journal => i32::from_be_bytes(*b"PlmJ"),
            Kind::Ledger => i32::from_be_bytes(*b"PlmL"),
        }
    }

    fn schema_version(self) -> i32 {
        match self {
            Kind::Journal => 1,
            Kind::Ledger => ledger::SCHEMA_VERSION,
        }
    }

    fn schemas(self) -> &'static [&'static str] {
        match self {
            Kind::Journal => &[JOURNAL_SCHEMA],
            Kind::Ledger => &[ledger::SCHEMA, history_schema::SCHEMA],
        }
    }
}

/// Says that one process serves the directory, for as long as it lives.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    file: File,
}

impl DirectoryLock {
    /// Takes the lock. The system gives it back however the process ends.
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(LOCK_FILE);
        let file = File::create(&path).map_err(file_error(&path, "created"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                path: directory.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(file_error(&path, "locked")(error)),
        }
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is just being started by another thread
        // may hold a copy of it for a moment. Where this fails, closing has to do.
        let _ = self.file.unlock();
    }
}

/// Makes the directory where it does not exist, and closes it to others.
///
/// Errors: [`StoreError::NotOurs`] for a directory that others use, which would be closed to them.
pub(super) fn prepare_directory(directory: &Path) -> Result<(), StoreError> {
    let missing: Vec<&Path> = directory
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(file_error(directory, "created"))?;
    for folder in missing {
        match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => flush_directory(parent)?,
            Some(_) | None => flush_directory(Path::new("."))?,
        }
    }
    let metadata = fs::metadata(directory).map_err(file_error(directory, "opened"))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        let mut files = fs::read_dir(directory).map_err(file_error(directory, "opened"))?;
        let is_ours = Kind::Journal.path(directory).exists();
        if !is_ours && files.next().is_some() {
            return Err(StoreError::NotOurs {
                path: directory.to_owned(),
            });
        }
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
            .map_err(file_error(directory, "closed to others"))?;
    }
    Ok(())
}

/// Makes a database: under another name first, so that a file of the right name is whole.
pub(super) fn create(directory: &Path, kind: Kind) -> Result<(), StoreError> {
    let path = kind.path(directory);
    let unfinished = directory.join(format!("{}.new", kind.file_name()));
    // What stands beside a database that is gone would be taken for a part of the new one.
    for suffix in [
        ".new",
        ".new-journal",
        ".new-wal",
        ".new-shm",
        "-journal",
        "-wal",
        "-shm",
    ] {
        let leftover = directory.join(format!("{}{suffix}", kind.file_name()));
        match fs::remove_file(&leftover) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_error(&leftover, "removed")(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    // SQLite gives the files that it makes beside a database the mode of the database.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(file_error(&unfinished, "created"))?;
    let sqlite = sqlite_error(&unfinished);
    let connection = Connection::open(&unfinished).map_err(&sqlite)?;
    fill(&connection, kind).map_err(&sqlite)?;
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(&sqlite)?;
    connection.close().map_err(|(_, error)| sqlite(error))?;
    let file = File::open(&unfinished).map_err(file_error(&unfinished, "opened"))?;
    file.sync_all()
        .map_err(file_error(&unfinished, "flushed"))?;
    fs::rename(&unfinished, &path).map_err(file_error(&path, "created"))?;
    flush_directory(directory)
}

/// Makes a database anew in the place of one that holds nothing of its own.
pub(super) fn make_anew(directory: &Path, kind: Kind) -> Result<(), StoreError> {
    let path = kind.path(directory);
    // Gone before what stands beside it, without which it would be a damaged one.
    fs::remove_file(&path).map_err(file_error(&path, "removed"))?;
    flush_directory(directory)?;
    create(directory, kind)
}

/// Makes the tables of a database, in pages of [`PAGE_BYTES`].
pub(super) fn fill(connection: &Connection, kind: Kind) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    overwrite_what_goes(connection)?;
    connection.pragma_update(None, "application_id", kind.application_id())?;
    connection.pragma_update(None, "user_version", kind.schema_version())?;
    for schema in kind.schemas() {
        connection.execute_batch(schema)?;
    }
    Ok(())
}

/// Lets SQLite put zeros where a page was used and is no more: `verify` knows all others.
pub(super) fn overwrite_what_goes(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "secure_delete", "FAST")
}

pub(super) fn flush_directory(directory: &Path) -> Result<(), StoreError> {
    let folder = File::open(directory).map_err(file_error(directory, "opened"))?;
    folder.sync_all().map_err(file_error(directory, "flushed"))
}

/// Opens a database that exists, and makes sure that it is ours.
///
/// Until it is [accepted](accept), closing it leaves its files as they are.
pub(super) fn open(path: &Path, kind: Kind, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = connect(path, flags)?;
    expect_ours(&connection, path, kind)?;
    Ok(connection)
}

/// [`open`] for a database that an older build may have laid out: answers whether one has.
pub(super) fn open_or_older(
    path: &Path,
    kind: Kind,
    flags: OpenFlags,
) -> Result<(Connection, bool), StoreError> {
    let connection = connect(path, flags)?;
    let version = own_layout(&connection, path, kind)?;
    if version < kind.schema_version() {
        return Ok((connection, true));
    }
    expect_ours(&connection, path, kind)?;
    Ok((connection, false))
}

/// [`open`] for a database of which a part may be missing: what is left can be read.
pub(super) fn open_what_is_left(path: &Path, kind: Kind) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Without it SQLite refuses to read any page of a file that has fewer than its header says.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)
        .map_err(sqlite_error(path))?;
    expect_ours(&connection, path, kind)?;
    Ok(connection)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let sqlite = sqlite_error(path);
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(&sqlite)?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(&sqlite)?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(&sqlite)?;
    Ok(connection)
}

/// The layout of a database, which must be ours.
fn own_layout(connection: &Connection, path: &Path, kind: Kind) -> Result<i32, StoreError> {
    let sqlite = sqlite_error(path);
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    if number("application_id").map_err(&sqlite)? != kind.application_id() {
        return Err(not_ours(path, kind));
    }
    number("user_version").map_err(&sqlite)
}

fn expect_ours(connection: &Connection, path: &Path, kind: Kind) -> Result<(), StoreError> {
    let version = own_layout(connection, path, kind)?;
    let known = kind.schema_version();
    match version.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::Layout {
            path: path.to_owned(),
            maker: "a newer",
            found: version,
            known,
            remedy: "start that one, or a still newer one",
        }),
        Ordering::Less => Err(StoreError::Layout {
            path: path.to_owned(),
            maker: "an older",
            found: version,
            known,
            remedy: match kind {
                Kind::Journal => "CHANGELOG.md says how to bring it up to date",
                Kind::Ledger => REMEDY_OF_LEDGER,
            },
        }),
    }
}

/// Makes sure that a journal which stands where no server has been yet is ours, before anything is
/// made beside it or closed to others.
///
/// The header is read as plain bytes: SQLite would make files of its own beside another program's
/// database. A lock file says that we have been here; then [`open`] finds out in time, and reading
/// around SQLite a file that this process may have open would take its locks away.
pub(super) fn expect_own_journal(directory: &Path) -> Result<(), StoreError> {
    let path = Kind::Journal.path(directory);
    if directory.join(LOCK_FILE).exists() || !path.exists() {
        return Ok(());
    }
    let mut header = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(HEADER_BYTES).read_to_end(&mut header))
        .map_err(file_error(&path, "read"))?;
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(damaged(&path, "it is no SQLite database"));
    }
    if header.get(APPLICATION_ID) != Some(&Kind::Journal.application_id().to_be_bytes()) {
        return Err(not_ours(&path, Kind::Journal));
    }
    Ok(())
}

/// Says that what a database holds is right: when its last connection is closed, SQLite may move
/// everything into the one file.
pub(super) fn accept(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(|_| ())
}

/// Turns what SQLite says of a file into what the user is told.
pub(super) fn sqlite_error(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| match (source.sqlite_error_code(), &source) {
        (Some(ErrorCode::NotADatabase), _) => damaged(&path, "it is no SQLite database"),
        (Some(ErrorCode::DatabaseCorrupt), _) => damaged(&path, source.to_string()),
        // Our statements are right: tables or columns are not what they should be.
        (Some(ErrorCode::Unknown), rusqlite::Error::SqliteFailure(_, Some(what)))
        | (_, rusqlite::Error::SqlInputError { msg: what, .. }) => damaged(&path, what.as_str()),
        (Some(_), _) => StoreError::Sqlite {
            path: path.clone(),
            source,
        },
        (None, _) => damaged(&path, source.to_string()),
    }
}

fn not_ours(path: &Path, kind: Kind) -> StoreError {
    damaged(path, format!("it is not a Plimsoll `{}`", kind.file_name()))
}

pub(super) fn damaged(path: &Path, what: impl Into<String>) -> StoreError {
    let is_ledger = path.ends_with(Kind::Ledger.file_name());
    StoreError::Damaged {
        path: path.to_owned(),
        what: what.into(),
        remedy: if is_ledger {
            REMEDY_OF_LEDGER
        } else {
            "restore it from a backup"
        },
    }
}

pub(super) fn file_error(
    path: &Path,
    verb: &'static str,
) -> impl Fn(std::io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::File {
        path: path.clone(),
        verb,
        source,
    }
}
