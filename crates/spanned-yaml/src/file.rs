//! Files of settings: read and parsed, or the reason why they cannot be used.

use std::path::{Path, PathBuf};

use watched_file::FileError;

use crate::{At, Problem};

/// Reason why a file of settings cannot be used: a line for each problem and warning, with the file, line
/// and column.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {}", path.display(), error.named_by(flag))]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Flag or key that names the file.
        flag: &'static str,
        /// Reason why it was not read.
        error: FileError,
    },
    /// The file was read, and something is wrong in it.
    #[error("{}", lines(path, problems))]
    Invalid {
        /// Path of the file.
        path: PathBuf,
        /// Errors and warnings, by place; at least one error.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// Returns true when no file has this path.
    pub fn is_not_there(&self) -> bool {
        matches!(self, Self::Unreadable { error, .. } if error.is_not_there())
    }
}

fn lines(path: &Path, problems: &[Problem]) -> String {
    let path = path.display();
    let lines: Vec<String> = problems.iter().map(|p| format!("{path}:{p}")).collect();
    lines.join("\n")
}

/// Parses what was read of a file. The error names the file, and the flag or key that names it; displayed, it
/// has a line for each problem.
///
/// ```
/// use std::path::Path;
///
/// use spanned_yaml::{At, Problem, Problems, Section, parse, parse_file};
/// use tokio::time::Instant;
/// use watched_file::{FileKind, LIMIT, read_text};
///
/// fn port(text: &str) -> Result<u64, Vec<Problem>> {
///     let problems = Problems::default();
///     let port = parse(text, &problems).and_then(|root| {
///         let mut section = Section::new(&root, "the file", At::START, &problems);
///         let port = section.need("port").and_then(|field| field.integer(1..=65_535));
///         section.finish();
///         port
///     });
///     problems.settle(port)
/// }
///
/// let path = Path::new("no-such-file.yml");
/// let text = read_text(path, FileKind::CONFIG, Instant::now() + LIMIT);
/// let error = parse_file(path, "--config.file", text, |text| port(&text)).unwrap_err();
/// assert!(error.to_string().starts_with("cannot read no-such-file.yml: "));
/// ```
pub fn parse_file<Content, T>(
    path: &Path,
    flag: &'static str,
    read: Result<Content, FileError>,
    parse: impl FnOnce(Content) -> Result<T, Vec<Problem>>,
) -> Result<T, ConfigError> {
    let path = path.to_owned();
    match read.map(parse) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(problems)) => Err(ConfigError::Invalid { path, problems }),
        Err(error) => Err(ConfigError::Unreadable { path, flag, error }),
    }
}

/// Returns the text of a file.
///
/// # Errors
/// Returns the place of the first byte that is not UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, Vec<Problem>> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let good = String::from_utf8_lossy(good);
        let at = At {
            line: good.matches('\n').count() + 1,
            column: good.rsplit('\n').next().unwrap_or("").chars().count() + 1,
        };
        let message = "this is not UTF-8: save the file in that encoding";
        vec![Problem::new(at, message)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_is_named_with_its_flag() {
        let missing = FileError::from(std::io::Error::from(std::io::ErrorKind::NotFound));
        let read: Result<&str, _> = Err(missing);
        let error = parse_file(Path::new("a.yml"), "--file", read, |_| Ok(())).unwrap_err();
        assert!(error.is_not_there());
        let error = error.to_string();
        assert!(error.starts_with("cannot read a.yml: "), "{error}");
        assert!(error.ends_with("with --file"), "{error}");
    }

    #[test]
    fn each_problem_has_a_line_with_the_path() {
        let wrong = |_| {
            let second = At { line: 2, column: 3 };
            Err::<(), _>(vec![
                Problem::new(At::START, "bad"),
                Problem::new(second, "worse"),
            ])
        };
        let error = parse_file(Path::new("a.yml"), "--file", Ok("text"), wrong).unwrap_err();
        assert_eq!(error.to_string(), "a.yml:1:1: bad\na.yml:2:3: worse");
        assert!(!error.is_not_there());
    }

    #[test]
    fn a_file_in_another_encoding_is_told_with_its_place() {
        let problems = text(b"# a\n# \xea\xb0\x80\xff\n").unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            "2:4: this is not UTF-8: save the file in that encoding"
        );
    }
}
