//! Table of the discoveries.

use rusqlite::{Connection, params};

use super::{Batch, Contents, StoredDiscovery};

/// Loads all records.
pub(super) fn load(connection: &Connection, contents: &mut Contents) -> rusqlite::Result<()> {
    let mut discoveries =
        connection.prepare_cached("SELECT account, product, location, record FROM discoveries")?;
    let mut rows = discoveries.query([])?;
    while let Some(row) = rows.next()? {
        let key = StoredDiscovery {
            account: row.get(0)?,
            product: row.get(1)?,
            location: row.get(2)?,
        };
        contents.discoveries.insert(key, row.get(3)?);
    }
    Ok(())
}

/// Writes what a batch has of discoveries, within its transaction.
pub(super) fn write(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO discoveries (account, product, location, record) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (account, product, location) DO UPDATE SET record = excluded.record",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM discoveries WHERE account = ?1 AND product = ?2 AND location = ?3",
    )?;
    for (key, record) in &batch.discoveries {
        let StoredDiscovery {
            account,
            product,
            location,
        } = key;
        match record {
            Some(record) => put.execute(params![account, product, location, record])?,
            None => remove.execute(params![account, product, location])?,
        };
    }
    Ok(())
}
