//! The way to a running exporter, by the flags of `status` and `history`.

use std::path::Path;

use rolling_upgrade_exporter::http::Login;
use rolling_upgrade_exporter::report::remote::{Remote, RemoteError, Trust};
use rolling_upgrade_exporter::secret::Secret;
use tokio::time::Instant;

use super::Failure;
use crate::cli;

/// Builds the client of the exporter at `url`; reads the files that the flags name.
pub(super) fn remote(url: &str, flags: &cli::Remote) -> Result<Remote, Failure> {
    let login = match (
        &flags.username,
        &flags.password_file,
        &flags.bearer_token_file,
    ) {
        (Some(username), Some(file), _) => Login::Basic {
            username: username.clone(),
            password: secret("--password-file", file)?,
        },
        (_, _, Some(file)) => Login::Bearer(secret("--bearer-token-file", file)?),
        _ => Login::None,
    };
    let trust = Trust {
        ca_file: flags.ca_file.clone(),
        identity: flags.cert_file.clone().zip(flags.key_file.clone()),
    };
    Ok(Remote::new(url, login, &trust)?)
}

/// A secret that is read again for each call; that it can be read is checked now.
/// The path is not quoted: it may be the secret itself.
fn secret(flag: &str, path: &Path) -> Result<Secret, Failure> {
    Secret::in_file(path.to_owned(), Instant::now() + watched_file::LIMIT).map_err(|why| {
        let what = "write the path of a file that holds the secret";
        Failure::Usage(format!("cannot use the file of {flag}: {why}; {what}"))
    })
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Usage(why) => Self::Usage(why),
            RemoteError::Answer(_) => Self::Run(error.into()),
        }
    }
}
