//! Tables of the history: upgrades that ended, and how long they took.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, params};

use super::error::DiskError;
use super::{Batch, Contents, FILE, open, schema};
use crate::text::json;

/// Most bytes of upgrades that are loaded at the start.
const MOST_BYTES: usize = 64 << 20;

/// Loads the newest upgrades, and the durations of all.
pub(super) fn load(connection: &Connection, contents: &mut Contents) -> rusqlite::Result<()> {
    let mut bytes = 0;
    each(connection, |record| {
        bytes += record.len();
        if bytes > MOST_BYTES {
            contents.upgrades_left_out += 1;
        } else {
            contents.upgrades.push(record);
        }
    })?;
    let mut durations =
        connection.prepare_cached("SELECT product, outcome, record FROM durations")?;
    let mut rows = durations.query([])?;
    while let Some(row) = rows.next()? {
        let key = (row.get(0)?, row.get(1)?);
        contents.durations.insert(key, row.get(2)?);
    }
    Ok(())
}

/// Writes what a batch has of the history, within its transaction.
pub(super) fn write(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    if !batch.upgrades.is_empty() {
        let mut put = connection.prepare_cached(
            "INSERT INTO upgrades \
             (account, product, location, cluster_id, kind, first_seen, ended, record) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
             ON CONFLICT (account, product, location, cluster_id, kind, first_seen) \
             DO UPDATE SET ended = excluded.ended, record = excluded.record",
        )?;
        for (key, upgrade) in &batch.upgrades {
            // It cannot fail: a record is texts and numbers.
            let Ok(record) = json::to_string(&**upgrade) else {
                continue;
            };
            let cluster = &key.cluster;
            put.execute(params![
                cluster.account,
                cluster.product,
                cluster.location,
                cluster.cluster_id,
                key.kind.as_str(),
                key.first_seen.as_microsecond(),
                upgrade.ended.as_microsecond(),
                record,
            ])?;
        }
    }
    for ((product, outcome), record) in &batch.durations {
        let mut put = connection.prepare_cached(
            "INSERT INTO durations (product, outcome, record) VALUES (?1, ?2, ?3) \
             ON CONFLICT (product, outcome) DO UPDATE SET record = excluded.record",
        )?;
        put.execute(params![product, outcome, record])?;
    }
    if let Some(time) = batch.forget_before {
        let mut forget = connection.prepare_cached("DELETE FROM upgrades WHERE ended < ?1")?;
        forget.execute(params![time.as_microsecond()])?;
    }
    Ok(())
}

/// Hands over each upgrade of the database in a folder as JSON, those that ended last first. Changes nothing:
/// a file that is missing is not created, and one that is corrupt stays in its place.
///
/// # Errors
///
/// Fails when the folder has no database, when another process holds it ([`DiskError::Locked`]), when a newer
/// version of the program wrote it ([`DiskError::Newer`]), and when it cannot be read.
pub fn read_history(folder: &Path, record: impl FnMut(String)) -> Result<(), DiskError> {
    let file = folder.join(FILE);
    fs::metadata(&file).map_err(|error| DiskError::io("find the file", &file, error))?;
    open::refuse_lone_log(&file)?;
    let failed = |error| DiskError::of("read", &file, error);
    let connection = open::lock(&file).map_err(failed)?;
    open::refuse_read_only(&connection, &file)?;
    let version = open::version(&connection, &file)?;
    if version < schema::HISTORY {
        return Ok(());
    }
    each(&connection, record).map_err(failed)
}

/// Hands over each upgrade, those that ended last first.
fn each(connection: &Connection, mut record: impl FnMut(String)) -> rusqlite::Result<()> {
    let mut upgrades =
        connection.prepare_cached("SELECT record FROM upgrades ORDER BY ended DESC")?;
    let mut rows = upgrades.query([])?;
    while let Some(row) = rows.next()? {
        record(row.get(0)?);
    }
    Ok(())
}
