//! `healthcheck`: asks the exporter on this machine whether it lives.

use std::io;
use std::time::Duration;

use anyhow::{Context, bail};
use exporter_web::listen::ListenAddress;
use rolling_upgrade_exporter::text::exact_length;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Failure;
use crate::cli::Healthcheck;

/// For the whole check, whatever the number of addresses.
const LIMIT: Duration = Duration::from_secs(3);

pub(super) async fn run(flags: Healthcheck) -> Result<(), Failure> {
    // With several addresses it is one server: the first speaks for all.
    let Some(address) = flags.web.addresses.first() else {
        return Ok(());
    };
    let path = format!("{}/-/healthy", flags.web.prefix().as_str());
    Ok(check(address, &path, LIMIT).await?)
}

async fn check(address: &ListenAddress, path: &str, limit: Duration) -> anyhow::Result<()> {
    let places = address.reachable();
    let asked = timeout(limit, async {
        let mut last = Ok(());
        for place in &places {
            last = ask(place, path).await;
            if last.is_ok() {
                break;
            }
        }
        last
    });
    match asked.await {
        Ok(result) => result,
        Err(_) => bail!(
            "no answer from {} in {}",
            places.join(" or "),
            exact_length(limit)
        ),
    }
}

async fn ask(place: &str, path: &str) -> anyhow::Result<()> {
    let answer = exchange(place, path)
        .await
        .with_context(|| format!("no answer from {place}"))?;
    // Any answer will do: one that asks for a password comes from a server that lives.
    if !answer.starts_with(b"HTTP/1.") {
        bail!("what answers at {place} does not speak HTTP; check --web.listen-address");
    }
    Ok(())
}

/// Sends the request and reads the answer as far as `HTTP/1.`.
async fn exchange(place: &str, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(place).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(7).read_to_end(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one connection with these bytes, once a whole head has come.
    fn server(answer: &'static str) -> (ListenAddress, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut space = [0; 256];
            while !head.ends_with(b"\r\n\r\n") {
                let length = stream.read(&mut space).unwrap();
                head.extend_from_slice(&space[..length]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(head).unwrap()
        });
        (ListenAddress::parse(&address, 9100).unwrap(), served)
    }

    #[tokio::test]
    async fn any_http_answer_is_alive() {
        for answer in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.0 401 Unauthorized\r\n\r\n",
        ] {
            let (address, served) = server(answer);
            check(&address, "/-/healthy", LIMIT).await.unwrap();
            let head = served.join().unwrap();
            assert!(head.starts_with("GET /-/healthy HTTP/1.1\r\n"), "{head}");
        }
    }

    #[tokio::test]
    async fn anything_else_is_not() {
        for answer in ["SSH-2.0-x\r\n", "HTTP", ""] {
            let (address, served) = server(answer);
            let error = check(&address, "/-/healthy", LIMIT)
                .await
                .unwrap_err()
                .to_string();
            assert!(error.contains("does not speak HTTP"), "{error}");
            served.join().unwrap();
        }
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = ListenAddress::parse(&gone.local_addr().unwrap().to_string(), 9100).unwrap();
        drop(gone);
        let error = format!(
            "{:#}",
            check(&address, "/-/healthy", LIMIT).await.unwrap_err()
        );
        assert!(error.starts_with("no answer from 127.0.0.1:"), "{error}");
    }

    #[tokio::test]
    async fn a_silent_server_is_not_waited_for() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address =
            ListenAddress::parse(&silent.local_addr().unwrap().to_string(), 9100).unwrap();
        let limit = Duration::from_millis(100);
        let error = check(&address, "/-/healthy", limit)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("in 100ms"), "{error}");
    }
}
