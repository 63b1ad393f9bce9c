//! Paths of CA files.

use super::Context;
use crate::http::CaFile;
use crate::text::quote;
use spanned_yaml::Field;

/// Reads the path of a CA file, relative to the config's folder, and the file. An error quotes the path,
/// which is no secret.
pub fn read(field: &Field<'_>, context: &Context<'_>) -> Option<CaFile> {
    let text = field.text()?;
    let read = CaFile::read_blocking(&context.folder.join(text), context.deadline);
    read.map_err(|why| {
        let why = why.named_by(&field.name);
        field.wrong(format!("cannot use {} {}: {why}", field.name, quote(text)));
    })
    .ok()
}
