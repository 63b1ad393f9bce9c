//! `export`: writes the files that the program carries to a folder: all of them or none.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use rolling_upgrade_exporter::assets::{ASSETS, Asset};

use super::{Failure, say};
use crate::cli::Export;

pub(super) fn run(flags: &Export) -> Result<(), Failure> {
    let lines = export(ASSETS, &flags.to, flags.force)?;
    for line in lines {
        say(&line)?;
    }
    Ok(())
}

/// What stands at the place of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Same,
    Other,
}

/// Writes what is not there yet, and tells it file by file. A file that differs is replaced by
/// `force` alone; without it nothing is written then.
fn export(assets: &[Asset], to: &Path, force: bool) -> Result<Vec<String>, Failure> {
    if fs::metadata(to).is_ok_and(|found| !found.is_dir()) {
        let why = format!("{} is not a folder: name one with --to", to.display());
        return Err(Failure::Usage(why));
    }
    let mut found = Vec::with_capacity(assets.len());
    for asset in assets {
        let place = to.join(asset.path);
        let state = look(&place, asset.bytes)?;
        found.push((asset, place, state));
    }
    let others: Vec<String> = found
        .iter()
        .filter(|(_, _, state)| *state == Found::Other)
        .map(|(_, place, _)| format!("  {}", place.display()))
        .collect();
    if !others.is_empty() && !force {
        return Err(anyhow!(
            "these files are there already and differ; nothing was written. Name another folder \
             with --to, or replace them with --force:\n{}",
            others.join("\n")
        )
        .into());
    }
    // First everything beside its place, so that a full disk changes nothing.
    let mut staged = Vec::new();
    for (asset, place, state) in &found {
        if *state != Found::Same {
            staged.push(Staged::write(place, asset.bytes)?);
        }
    }
    for file in staged {
        file.publish()?;
    }
    Ok(found
        .iter()
        .map(|(_, place, state)| {
            let word = match state {
                Found::Nothing => "wrote    ",
                Found::Same => "unchanged",
                Found::Other => "replaced ",
            };
            format!("{word} {}", place.display())
        })
        .collect())
}

fn look(place: &Path, bytes: &[u8]) -> Result<Found, Failure> {
    let found = match fs::metadata(place) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(cannot("look at", place, &error)),
    };
    if !found.is_file() {
        let why = "something that is not a file stands there: move it away, or name another \
                   folder with --to";
        return Err(anyhow!("cannot write {}: {why}", place.display()).into());
    }
    if found.len() != bytes.len() as u64 {
        return Ok(Found::Other);
    }
    match fs::read(place) {
        Ok(there) if there == bytes => Ok(Found::Same),
        Ok(_) => Ok(Found::Other),
        Err(error) => Err(cannot("read", place, &error)),
    }
}

/// A file under a name of its own beside its place; gone again unless it is published.
struct Staged {
    beside: PathBuf,
    place: PathBuf,
}

impl Staged {
    fn write(place: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(|error| cannot("make", folder, &error))?;
        }
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let beside = place.with_file_name(format!(".{name}.{:08x}.tmp", fastrand::u32(..)));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)
            .map_err(|error| cannot("write", place, &error))?;
        let staged = Self {
            beside,
            place: place.to_owned(),
        };
        // Some file systems tell a full disk only now.
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| cannot("write", place, &error))?;
        Ok(staged)
    }

    fn publish(self) -> Result<(), Failure> {
        fs::rename(&self.beside, &self.place).map_err(|error| cannot("write", &self.place, &error))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Once it is published there is nothing of this name.
        drop(fs::remove_file(&self.beside));
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "make room, or name another folder with --to"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "a file stands where a folder is needed: move it away, or name another folder with --to"
        }
        _ => "let this user write there, or name another folder with --to",
    };
    anyhow!("cannot {what} {}: {error}: {advice}", path.display()).into()
}

#[cfg(test)]
mod tests;
