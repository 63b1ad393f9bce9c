//! Database of records: one SQLite file that one process holds.
//!
//! A commit survives a kill and a power cut: the write-ahead log is synced before it returns. A file that is
//! corrupt is moved aside and never deleted; a file of a newer version stays untouched.

mod aside;
mod discoveries;
mod error;
mod history;
mod open;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use crate::clock::Clock;
use crate::model::{PastKey, PastUpgrade};

pub use error::DiskError;
pub use history::read_history;

/// Name of the database's file in its folder.
const FILE: &str = "state.db";

/// Identity of a stored cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredKey {
    /// Name of the account in the config.
    pub account: String,
    /// Name of the product.
    pub product: String,
    /// Region or zone of the cluster, which keeps equal ids apart.
    pub location: String,
    /// The vendor's id of the cluster.
    pub id: String,
}

/// Identity of the stored discovery of a product of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredDiscovery {
    /// Name of the account in the config.
    pub account: String,
    /// Name of the product.
    pub product: String,
    /// Region or zone of the clusters.
    pub location: String,
}

/// Changes that are committed together. Writing a batch twice stores what writing it once stores.
#[derive(Debug, Default)]
pub struct Batch {
    /// Records of clusters, as JSON; `None` removes the cluster.
    pub clusters: BTreeMap<StoredKey, Option<String>>,
    /// Last good polls of clusters whose record is else as it was. A record that is written later has its own.
    pub polls: BTreeMap<StoredKey, Timestamp>,
    /// Records of discoveries, as JSON; `None` removes the discovery.
    pub discoveries: BTreeMap<StoredDiscovery, Option<String>>,
    /// Counts of ended upgrades: account, product, outcome -> total, at most `i64::MAX`; `None` removes the
    /// count.
    pub ended: BTreeMap<(String, String, String), Option<u64>>,
    /// First sights of alerts by their labels, both as JSON; `None` removes the alert.
    pub alerts: BTreeMap<String, Option<String>>,
    /// Upgrades that ended.
    pub upgrades: BTreeMap<PastKey, Arc<PastUpgrade>>,
    /// Durations of ended upgrades as JSON: product, outcome -> counts.
    pub durations: BTreeMap<(String, String), String>,
    /// Time before which ended upgrades are removed, after the others were put.
    pub forget_before: Option<Timestamp>,
}

/// Everything that was stored.
#[derive(Debug, Default, PartialEq)]
pub struct Contents {
    /// Records of clusters, as JSON.
    pub clusters: BTreeMap<StoredKey, String>,
    /// Last good polls of clusters whose record has an earlier one.
    pub polls: BTreeMap<StoredKey, Timestamp>,
    /// Records of discoveries, as JSON.
    pub discoveries: BTreeMap<StoredDiscovery, String>,
    /// Counts of ended upgrades: account, product, outcome -> total.
    pub ended: BTreeMap<(String, String, String), u64>,
    /// First sights of alerts by their labels, both as JSON.
    pub alerts: BTreeMap<String, String>,
    /// Upgrades that ended, those that ended last first: as many as the memory takes.
    pub upgrades: Vec<PastUpgrade>,
    /// Number of older upgrades, which are not loaded.
    pub upgrades_left_out: u64,
    /// Number of upgrades whose records cannot be read.
    pub upgrades_unreadable: u64,
    /// Durations of ended upgrades as JSON: product, outcome -> counts.
    pub durations: BTreeMap<(String, String), String>,
}

/// Open database; no other process can open it until it is dropped.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    /// Path of the database's file.
    file: PathBuf,
}

/// Database that was opened or created.
#[derive(Debug)]
pub struct Opened {
    /// The open database.
    pub database: Database,
    /// Everything that was stored.
    pub contents: Contents,
    /// File to which a corrupt database was moved; `None` when the database was sound or new.
    pub set_aside: Option<PathBuf>,
}

impl Database {
    /// Opens the database in a folder, and creates what is missing: the folder with mode 0700, files with mode
    /// 0600, since records hold no secrets, but names of clusters.
    ///
    /// Moves a corrupt database aside and creates a new one. Damage inside a record's text is not recognized:
    /// the caller parses each record. Blocks on the disk: not for async code.
    ///
    /// # Errors
    ///
    /// Fails when another process holds the database ([`DiskError::Locked`]), when a newer version of the
    /// program wrote it ([`DiskError::Newer`]), and when the folder or a file cannot be created or used.
    pub fn open(folder: &Path) -> Result<Opened, DiskError> {
        open::open(folder, Clock::system().now())
    }

    /// Loads everything that is stored.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read or is corrupt.
    pub fn load(&self) -> Result<Contents, DiskError> {
        let loaded = load(&self.connection);
        loaded.map_err(|error| DiskError::of("read", &self.file, error))
    }

    /// Commits a batch as a whole; after an error nothing of it is stored, and it can be written again.
    ///
    /// # Errors
    ///
    /// Fails when the disk is full or refuses the write, and when the file is corrupt.
    pub fn write(&mut self, batch: &Batch) -> Result<(), DiskError> {
        let written = write(&mut self.connection, batch);
        written.map_err(|error| DiskError::of("write to", &self.file, error))
    }

    /// Returns the bytes that the database takes on the disk, its write-ahead log included.
    pub fn size(&self) -> u64 {
        let own = aside::length(&self.file);
        let others = aside::COMPANIONS.iter();
        others.fold(own, |sum, suffix| {
            sum + aside::length(&aside::with_suffix(&self.file, suffix))
        })
    }
}

fn load(connection: &Connection) -> rusqlite::Result<Contents> {
    let mut contents = Contents::default();
    let mut clusters =
        connection.prepare_cached("SELECT account, product, location, id, record FROM clusters")?;
    let mut rows = clusters.query([])?;
    while let Some(row) = rows.next()? {
        contents.clusters.insert(stored_key(row)?, row.get(4)?);
    }
    let mut polls = connection
        .prepare_cached("SELECT account, product, location, id, last_success FROM polls")?;
    let mut rows = polls.query([])?;
    while let Some(row) = rows.next()? {
        let nanos: i64 = row.get(4)?;
        // Each number of 64 bits is a time.
        if let Ok(at) = Timestamp::from_nanosecond(nanos.into()) {
            contents.polls.insert(stored_key(row)?, at);
        }
    }
    let mut ended =
        connection.prepare_cached("SELECT account, product, outcome, total FROM ended")?;
    let mut rows = ended.query([])?;
    while let Some(row) = rows.next()? {
        let total: i64 = row.get(3)?;
        let total = u64::try_from(total).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(3, Type::Integer, error.into())
        })?;
        let key = (row.get(0)?, row.get(1)?, row.get(2)?);
        contents.ended.insert(key, total);
    }
    let mut alerts = connection.prepare_cached("SELECT labels, sight FROM alerts")?;
    let mut rows = alerts.query([])?;
    while let Some(row) = rows.next()? {
        contents.alerts.insert(row.get(0)?, row.get(1)?);
    }
    discoveries::load(connection, &mut contents)?;
    history::load(connection, &mut contents)?;
    Ok(contents)
}

/// Reads the identity of a cluster from the first columns.
fn stored_key(row: &Row<'_>) -> rusqlite::Result<StoredKey> {
    Ok(StoredKey {
        account: row.get(0)?,
        product: row.get(1)?,
        location: row.get(2)?,
        id: row.get(3)?,
    })
}

/// Writes a batch in one transaction, which an error rolls back.
fn write(connection: &mut Connection, batch: &Batch) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut put = transaction.prepare_cached(
            "INSERT INTO clusters (account, product, location, id, record) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (account, product, location, id) DO UPDATE SET record = excluded.record",
        )?;
        let mut remove = transaction.prepare_cached(
            "DELETE FROM clusters \
             WHERE account = ?1 AND product = ?2 AND location = ?3 AND id = ?4",
        )?;
        let mut forget_poll = transaction.prepare_cached(
            "DELETE FROM polls WHERE account = ?1 AND product = ?2 AND location = ?3 AND id = ?4",
        )?;
        let mut poll = transaction.prepare_cached(
            "INSERT INTO polls (account, product, location, id, last_success) \
             VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (account, product, location, id) \
             DO UPDATE SET last_success = excluded.last_success",
        )?;
        let mut count = transaction.prepare_cached(
            "INSERT INTO ended (account, product, outcome, total) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (account, product, outcome) DO UPDATE SET total = excluded.total",
        )?;
        let mut discount = transaction.prepare_cached(
            "DELETE FROM ended WHERE account = ?1 AND product = ?2 AND outcome = ?3",
        )?;
        for (key, record) in &batch.clusters {
            let StoredKey {
                account,
                product,
                location,
                id,
            } = key;
            match record {
                Some(record) => put.execute(params![account, product, location, id, record])?,
                None => remove.execute(params![account, product, location, id])?,
            };
            forget_poll.execute(params![account, product, location, id])?;
        }
        for (key, at) in &batch.polls {
            let StoredKey {
                account,
                product,
                location,
                id,
            } = key;
            // Later times are beyond the year 2262.
            let nanos = i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
            poll.execute(params![account, product, location, id, nanos])?;
        }
        for ((account, product, outcome), total) in &batch.ended {
            let total = total.map(|total| i64::try_from(total).unwrap_or(i64::MAX));
            match total {
                Some(total) => count.execute(params![account, product, outcome, total])?,
                None => discount.execute(params![account, product, outcome])?,
            };
        }
        let mut see = transaction.prepare_cached(
            "INSERT INTO alerts (labels, sight) VALUES (?1, ?2) \
             ON CONFLICT (labels) DO UPDATE SET sight = excluded.sight",
        )?;
        let mut end = transaction.prepare_cached("DELETE FROM alerts WHERE labels = ?1")?;
        for (labels, sight) in &batch.alerts {
            match sight {
                Some(sight) => see.execute(params![labels, sight])?,
                None => end.execute(params![labels])?,
            };
        }
    }
    discoveries::write(&transaction, batch)?;
    history::write(&transaction, batch)?;
    transaction.commit()
}
