//! `export`: writes the files that the program carries to a folder: all of them or none. Below the folder
//! it follows no link: somebody else may have put one there.

mod folder;

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use anyhow::anyhow;
use rolling_upgrade_exporter::assets::{ASSETS, Asset};

use super::{Failure, say};
use crate::cli::Export;
use folder::{Entry, Folder};

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
    /// A link, which is replaced by itself.
    Link,
}

/// Writes what is not there yet, and tells it file by file. A file that differs is replaced by
/// `force` alone; without it nothing is written then.
fn export(assets: &[Asset], to: &Path, force: bool) -> Result<Vec<String>, Failure> {
    if fs::metadata(to).is_ok_and(|found| !found.is_dir()) {
        let why = format!("{} is not a folder: name one with --to", to.display());
        return Err(Failure::Usage(why));
    }
    let root = match Folder::open(to) {
        Ok(root) => Some(root),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(cannot("open", to, &error)),
    };
    let mut found = Vec::with_capacity(assets.len());
    for asset in assets {
        let place = to.join(asset.path);
        let state = match &root {
            Some(root) => look(root, asset)?,
            None => Found::Nothing,
        };
        found.push((asset, place, state));
    }
    let others: Vec<String> = found
        .iter()
        .filter_map(|(_, place, state)| match state {
            Found::Nothing | Found::Same => None,
            Found::Other => Some(format!("  {}", place.display())),
            Found::Link => Some(format!("  {} (a link)", place.display())),
        })
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
    let root = match root {
        Some(root) => root,
        None => fs::create_dir_all(to)
            .and_then(|()| Folder::open(to))
            .map_err(|error| cannot("make", to, &error))?,
    };
    let mut staged = Vec::new();
    for (asset, _, state) in &found {
        if *state != Found::Same {
            staged.push(Staged::write(&root, asset)?);
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
                Found::Other | Found::Link => "replaced ",
            };
            format!("{word} {}", place.display())
        })
        .collect())
}

fn look(root: &Folder, asset: &Asset) -> Result<Found, Failure> {
    let (folders, name) = steps(asset);
    let mut opened = None;
    for step in folders {
        let folder = opened.as_ref().unwrap_or(root);
        match folder.below(step) {
            Ok(next) => opened = Some(next),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(no_way("open", folder, step, &error)),
        }
    }
    let folder = opened.as_ref().unwrap_or(root);
    let place = folder.place(name);
    let entry = folder.entry(name);
    match entry.map_err(|error| cannot("look at", &place, &error))? {
        Entry::Nothing => return Ok(Found::Nothing),
        Entry::Link => return Ok(Found::Link),
        Entry::File(length) if length != asset.bytes.len() as u64 => return Ok(Found::Other),
        Entry::File(_) => {}
        Entry::Folder | Entry::Other => {
            let why = "something that is not a file stands there: move it away, or name another \
                       folder with --to";
            return Err(anyhow!("cannot write {}: {why}", place.display()).into());
        }
    }
    let mut there = Vec::new();
    folder
        .read(name)
        .and_then(|file| {
            file.take(asset.bytes.len() as u64 + 1)
                .read_to_end(&mut there)
        })
        .map_err(|error| cannot("read", &place, &error))?;
    Ok(if there == asset.bytes {
        Found::Same
    } else {
        Found::Other
    })
}

/// The folders that lead to an asset, and its own name.
fn steps(asset: &Asset) -> (impl Iterator<Item = &'static str> + use<>, &'static str) {
    let (folders, name) = asset.path.rsplit_once('/').unwrap_or(("", asset.path));
    (folders.split('/').filter(|step| !step.is_empty()), name)
}

/// A file under a name of its own beside its place; gone again unless it is published.
struct Staged {
    folder: Folder,
    beside: String,
    name: &'static str,
}

impl Staged {
    fn write(root: &Folder, asset: &Asset) -> Result<Self, Failure> {
        let (folders, name) = steps(asset);
        let mut folder = root
            .same()
            .map_err(|error| cannot("open", &root.place(""), &error))?;
        for step in folders {
            let made = folder.make(step);
            folder = made.map_err(|error| no_way("make", &folder, step, &error))?;
        }
        let place = folder.place(name);
        let failed = |error: io::Error| cannot("write", &place, &error);
        let beside = format!(".{name}.{:08x}.tmp", fastrand::u32(..));
        let mut file = folder.create(&beside).map_err(failed)?;
        let staged = Self {
            folder,
            beside,
            name,
        };
        // Some file systems tell a full disk only now.
        file.write_all(asset.bytes)
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        Ok(staged)
    }

    fn publish(self) -> Result<(), Failure> {
        let renamed = self.folder.rename(&self.beside, self.name);
        renamed.map_err(|error| cannot("write", &self.folder.place(self.name), &error))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Once it is published there is nothing of this name.
        drop(self.folder.remove(&self.beside));
    }
}

/// A step that leads to no folder.
fn no_way(what: &str, folder: &Folder, step: &str, error: &io::Error) -> Failure {
    let place = folder.place(step);
    if folder.is_link(step, error) {
        return anyhow!(
            "{} is a link, and none is followed below the folder of --to; nothing was written: \
             remove it, or name another folder with --to",
            place.display()
        )
        .into();
    }
    cannot(what, &place, error)
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
