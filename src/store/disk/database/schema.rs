//! Tables of the database, by version.

use rusqlite::Connection;

/// Steps from each version of the tables to the next; the version of a file is the number of its steps.
pub(super) const MIGRATIONS: &[&str] = &[
    "CREATE TABLE clusters (
        account TEXT NOT NULL,
        product TEXT NOT NULL,
        location TEXT NOT NULL,
        id TEXT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (account, product, location, id)
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE ended (
        account TEXT NOT NULL,
        product TEXT NOT NULL,
        outcome TEXT NOT NULL,
        total INTEGER NOT NULL CHECK (total >= 0),
        PRIMARY KEY (account, product, outcome)
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE alerts (
        labels TEXT NOT NULL PRIMARY KEY,
        sight TEXT NOT NULL
    ) WITHOUT ROWID, STRICT;",
    // Times are microseconds since 1970.
    "CREATE TABLE upgrades (
        account TEXT NOT NULL,
        product TEXT NOT NULL,
        location TEXT NOT NULL,
        cluster_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        first_seen INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (account, product, location, cluster_id, kind, first_seen)
    ) STRICT;
    CREATE INDEX upgrades_by_end ON upgrades (ended);
    CREATE TABLE durations (
        product TEXT NOT NULL,
        outcome TEXT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (product, outcome)
    ) WITHOUT ROWID, STRICT;",
    // Last good polls that changed nothing else in the record; nanoseconds since 1970.
    "CREATE TABLE polls (
        account TEXT NOT NULL,
        product TEXT NOT NULL,
        location TEXT NOT NULL,
        id TEXT NOT NULL,
        last_success INTEGER NOT NULL,
        PRIMARY KEY (account, product, location, id)
    ) WITHOUT ROWID, STRICT;",
    "CREATE TABLE discoveries (
        account TEXT NOT NULL,
        product TEXT NOT NULL,
        location TEXT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (account, product, location)
    ) WITHOUT ROWID, STRICT;",
];

/// Version of the tables from which on there is a history.
pub(super) const HISTORY: usize = 2;

/// Mark of the program's files among those of SQLite: the letters `RUEx`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"RUEx");

/// Owner of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// No program: the file has no tables.
    None,
    /// This program, with the number of migrations that the file went through.
    Own(usize),
    /// Another program, or damage to the header.
    Other,
}

/// Returns who made the file.
pub(super) fn owner(connection: &Connection) -> rusqlite::Result<Owner> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match usize::try_from(version) {
        _ if tables == 0 && (id != APPLICATION_ID || version == 0) => Owner::None,
        Ok(version) if id == APPLICATION_ID && version > 0 => Owner::Own(version),
        _ => Owner::Other,
    })
}

/// Applies the steps that the file lacks, each in a transaction with its version.
pub(super) fn migrate(
    connection: &mut Connection,
    steps: &[&str],
    from: usize,
) -> rusqlite::Result<()> {
    for (step, version) in steps.iter().zip(1i32..).skip(from) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}
