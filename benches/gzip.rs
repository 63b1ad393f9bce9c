//! Times of a compressed scrape of 100,000 series over loopback: the exporter's server beside a plain
//! hyper server that sends the bytes of such a scrape from memory. Each server has its own process;
//! `cargo bench --bench gzip`.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "shared/clusters.rs"]
mod clusters;
#[path = "gzip/servers.rs"]
mod servers;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

/// Scrapes of each server, one after another.
const ROUNDS: usize = 61;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve-exporter"] => servers::exporter(),
        ["serve-hyper", body] => servers::hyper(body),
        _ => compare(),
    }
}

fn compare() {
    let mut exporter = Server::start(&["serve-exporter"]);
    let (_, body) = exporter.scrape();
    let path = format!("{}/gzip-body", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, &body).expect("a file for the body");
    let mut hyper = Server::start(&["serve-hyper", &path]);
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(exporter.scrape().0);
        plain.push(hyper.scrape().0);
    }
    let (ours, plain) = (median(ours), median(plain));
    let series = servers::series();
    println!("{series} series, {} bytes compressed", body.len());
    println!("exporter       {:>7.2} ms", ours * 1000.0);
    println!("plain hyper    {:>7.2} ms", plain * 1000.0);
    println!("ratio          {:>7.2} x", ours / plain);
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// Server in a process that ends with this, and a connection to it.
struct Server {
    process: Child,
    stream: BufReader<TcpStream>,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut process = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let output = process.stdout.take().expect("its output is piped");
        let mut address = String::new();
        BufReader::new(output)
            .read_line(&mut address)
            .expect("the address of the listener");
        let stream = TcpStream::connect(address.trim()).expect("a connection");
        stream.set_nodelay(true).expect("an option of the socket");
        let stream = BufReader::with_capacity(64 << 10, stream);
        Self { process, stream }
    }

    /// Scrapes once; returns the time from the request to the last byte, and the body.
    fn scrape(&mut self) -> (Duration, Vec<u8>) {
        let begun = Instant::now();
        let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n";
        self.stream
            .get_mut()
            .write_all(request)
            .expect("the server reads");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream
                .read_line(&mut line)
                .expect("the server answers");
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().expect("a number");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the whole body");
        (begun.elapsed(), body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
