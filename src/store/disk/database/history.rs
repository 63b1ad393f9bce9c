//! Tables of the history: upgrades that ended, and how long they took.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::{Connection, params};

use super::error::DiskError;
use super::{Batch, Contents, FILE, open, schema};
use crate::model::PastUpgrade;
use crate::store::history::{MOST_ITEMS, size};
use crate::text::json;

/// Loads the newest upgrades, as many as the memory takes, and the durations of all.
pub(super) fn load(connection: &Connection, contents: &mut Contents) -> rusqlite::Result<()> {
    let mut items = 0;
    let mut read = 0;
    each(connection, |record| {
        match serde_json::from_str::<PastUpgrade>(&record) {
            Ok(upgrade) => {
                items += size(&upgrade);
                if items > MOST_ITEMS {
                    return ControlFlow::Break(());
                }
                contents.upgrades.push(upgrade);
            }
            Err(_) => contents.upgrades_unreadable += 1,
        }
        read += 1;
        ControlFlow::Continue(())
    })?;
    let all: i64 = connection.query_row("SELECT count(*) FROM upgrades", [], |row| row.get(0))?;
    contents.upgrades_left_out = u64::try_from(all).unwrap_or_default().saturating_sub(read);
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
pub fn read_history(folder: &Path, mut record: impl FnMut(String)) -> Result<(), DiskError> {
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
    let all = |text| {
        record(text);
        ControlFlow::Continue(())
    };
    each(&connection, all).map_err(failed)
}

/// Hands over each upgrade, those that ended last first, until one breaks.
fn each(
    connection: &Connection,
    mut record: impl FnMut(String) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let mut upgrades =
        connection.prepare_cached("SELECT record FROM upgrades ORDER BY ended DESC")?;
    let mut rows = upgrades.query([])?;
    while let Some(row) = rows.next()? {
        if record(row.get(0)?).is_break() {
            break;
        }
    }
    Ok(())
}
