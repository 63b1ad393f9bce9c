//! Opening: the folder and the file are created, checked and locked.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::aside;
use super::error::DiskError;
use super::schema::{self, MIGRATIONS, Owner};
use super::{Contents, Database, FILE, Opened};

/// Length to which the write-ahead log is cut after its pages went into the database.
const LOG_LIMIT: i64 = 4 << 20;

/// Opens the database in a folder; `now` names a file that is moved aside.
pub(super) fn open(folder: &Path, now: Timestamp) -> Result<Opened, DiskError> {
    create_folder(folder)?;
    let file = folder.join(FILE);
    let ((connection, contents), set_aside) = match read(&file) {
        Err(DiskError::Corrupt { .. }) => {
            let moved = aside::set_aside(&file, now)?;
            (read(&file)?, Some(moved))
        }
        read => (read?, None),
    };
    Ok(Opened {
        database: Database { connection, file },
        contents,
        set_aside,
    })
}

/// Connects to a file and loads it: the check of the file does not see a text that is none.
fn read(file: &Path) -> Result<(Connection, Contents), DiskError> {
    let connection = connect(file)?;
    let contents = super::load(&connection);
    let contents = contents.map_err(|error| DiskError::of("read", file, error))?;
    Ok((connection, contents))
}

fn create_folder(folder: &Path) -> Result<(), DiskError> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|error| DiskError::io("create the folder", folder, error))
}

/// Creates the file where it is missing. Never opens one that exists: closing it would drop the lock of a
/// database that this process holds already.
fn create_file(file: &Path) -> Result<(), DiskError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        created => created.map_err(|error| DiskError::io("create the file", file, error))?,
    };
    file.parent().map_or(Ok(()), aside::sync_folder)
}

/// Opens a file, locks it, checks all of it and brings its tables up to date.
fn connect(file: &Path) -> Result<Connection, DiskError> {
    create_file(file)?;
    refuse_lone_log(file)?;
    let failed = |error| DiskError::of("open", file, error);
    let mut connection = lock(file).map_err(failed)?;
    refuse_read_only(&connection, file)?;
    let from = version(&connection, file)?;
    let check: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(failed)?;
    if check != "ok" {
        return Err(DiskError::corrupt(file, check));
    }
    finish(&mut connection, from).map_err(failed)?;
    Ok(connection)
}

/// Fails when the log is there without its database: SQLite deletes the log of an empty database, and a
/// single byte is empty to it.
pub(super) fn refuse_lone_log(file: &Path) -> Result<(), DiskError> {
    if aside::length(file) <= 1 && aside::length(&aside::with_suffix(file, aside::LOG)) > 0 {
        return Err(DiskError::corrupt(
            file,
            "its write-ahead log is there without it",
        ));
    }
    Ok(())
}

/// Fails when the file cannot be written to, and so not be locked.
pub(super) fn refuse_read_only(connection: &Connection, file: &Path) -> Result<(), DiskError> {
    let is_read_only = connection.is_readonly(MAIN_DB);
    if is_read_only.map_err(|error| DiskError::of("open", file, error))? {
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        return Err(DiskError::io("write to the file", file, error));
    }
    Ok(())
}

/// Returns the version of the file's tables; 0 when it has none.
pub(super) fn version(connection: &Connection, file: &Path) -> Result<usize, DiskError> {
    let owner = schema::owner(connection);
    match owner.map_err(|error| DiskError::of("open", file, error))? {
        Owner::None => Ok(0),
        Owner::Own(found) if found > MIGRATIONS.len() => Err(DiskError::Newer {
            path: file.to_owned(),
            found,
            known: MIGRATIONS.len(),
        }),
        Owner::Own(found) => Ok(found),
        Owner::Other => Err(DiskError::corrupt(file, "another program made it")),
    }
}

/// Opens a file so that nothing writes to it yet, not even the end of the connection.
pub(super) fn lock(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // Damage that is found at once is an error; found later it could be written back.
    connection.pragma_update(None, "cell_size_check", true)?;
    // The program may run where no other folder can be written to.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Takes the lock for writing, and brings the tables up to date.
fn finish(connection: &mut Connection, from: usize) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
    schema::migrate(connection, MIGRATIONS, from)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}
