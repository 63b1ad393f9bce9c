//! An exporter with one gauge: `cargo run -p exporter-web --example hello`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use exporter_web::listen::ListenAddress;
use exporter_web::{Access, Answer, Handler, Metrics, Settings};
use hyper::{Request, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::signal::unix::{SignalKind, signal};

/// Port of this exporter.
const PORT: u16 = 9100;

/// Registry of the metrics that are served.
struct Hello(Registry);

impl Handler for Hello {
    async fn handle(&self, request: &Request<()>) -> Answer {
        match request.uri().path() {
            "/metrics" => {
                let mut body = String::new();
                match encode(&mut body, &self.0) {
                    Ok(()) => exporter_web::respond(
                        StatusCode::OK,
                        "application/openmetrics-text; version=1.0.0; charset=utf-8",
                        body,
                    ),
                    Err(_) => exporter_web::text(StatusCode::INTERNAL_SERVER_ERROR, "no text\n"),
                }
            }
            "/-/healthy" => exporter_web::text(StatusCode::OK, "OK\n"),
            _ => exporter_web::text(StatusCode::NOT_FOUND, "not found; /metrics is here\n"),
        }
    }
}

#[tokio::main]
#[expect(
    clippy::print_stderr,
    reason = "an exporter says why it does not start"
)]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        // Displayed, an error of the web config has a line for each problem, with its place.
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry, "hello");
    let greetings = Gauge::<i64>::default();
    greetings.set(1);
    registry.register("hello_greetings", "Greetings so far", greetings);

    let mut arguments = std::env::args();
    let file = arguments.find_map(|a| a.strip_prefix("--web.config.file=").map(str::to_owned));
    let access = match file {
        Some(path) => Access::load(Path::new(&path))?,
        None => Access::open(),
    };
    let settings = Settings::new(Arc::new(access), metrics);
    let listeners = ListenAddress::parse(":9100", PORT)?.bind().await?;
    // Completes at the first SIGTERM: open requests are then finished, in bounded time.
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = async move {
        terminate.recv().await;
    };
    exporter_web::serve(listeners, settings, Hello(registry), shutdown).await;
    Ok(())
}
