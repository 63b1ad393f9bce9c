//! A browser with a new empty profile, over the `WebDriver` protocol.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Process, client, eventually, free_port, get};

/// What every browser of these tests is started with.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--lang=en-US",
];

pub(crate) struct Browser {
    port: u16,
    session: String,
    _driver: Process,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start(folder: &Path) -> Self {
        let port = free_port();
        let driver = Process::start(folder, "chromedriver", &[&format!("--port={port}")]);
        let status = format!("http://127.0.0.1:{port}/status");
        eventually(Duration::from_secs(30), "chromedriver", || get(&status)).await;
        let profile = tempfile::tempdir().unwrap();
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let mut browser = Self {
            port,
            session: String::new(),
            _driver: driver,
            _profile: profile,
        };
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "unhandledPromptBehavior": "ignore",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": flags, "binary": chromium()},
        }}});
        let session = browser.post("/session", &wanted).await;
        let id = session["sessionId"].as_str().unwrap();
        browser.session = format!("/session/{id}");
        browser.size(1200, 900, "light").await;
        browser
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = client()
            .post(&url)
            .timeout(Duration::from_secs(60))
            .header("content-type", "application/json")
            .body(body.to_string());
        let text = request.send().await.unwrap().text().await.unwrap();
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        self.post(&format!("{}{path}", self.session), &body).await
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn cdp(&self, command: &str, params: Value) -> Value {
        let body = json!({"cmd": command, "params": params});
        self.command("/goog/cdp/execute", body).await
    }

    pub(crate) async fn open(&self, url: &str) {
        self.command("/url", json!({ "url": url })).await;
    }

    /// Runs the body of a function in the page.
    pub(crate) async fn run(&self, script: &str, args: Value) -> Value {
        let body = json!({"script": script, "args": args});
        self.command("/execute/sync", body).await
    }

    /// The value of an expression.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"), json!([])).await
    }

    pub(crate) async fn text(&self, expression: &str) -> String {
        let value = self.eval(expression).await;
        value
            .as_str()
            .unwrap_or_else(|| panic!("{expression}: {value}"))
            .to_owned()
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&self, expression: &str) {
        eventually(Duration::from_secs(60), expression, || async {
            match self.eval(expression).await {
                Value::Bool(true) => Ok(()),
                other => Err(format!(
                    "{other}\n{}",
                    self.text("document.body.innerText").await
                )),
            }
        })
        .await;
    }

    /// Presses a key, of `WebDriver`'s private characters or a plain one.
    pub(crate) async fn key(&self, key: &str) {
        let keys = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": keys}]});
        self.command("/actions", body).await;
    }

    /// The size of the screen, and the colours that the reader likes.
    pub(crate) async fn size(&self, width: u32, height: u32, scheme: &str) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }

    /// Everything that the console was told since the last time.
    pub(crate) async fn console(&self) -> Vec<String> {
        let log = self.command("/se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().unwrap();
        entries.iter().map(ToString::to_string).collect()
    }

    /// Ends the session, and the browser with it.
    fn end(&self) -> std::io::Result<String> {
        let (port, session) = (self.port, &self.session);
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        // The driver answers nobody who calls it by another name.
        write!(
            stream,
            "DELETE {session} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = [0; 64];
        let length = stream.read(&mut answer)?;
        let answer = answer.get(..length).unwrap_or_default();
        Ok(String::from_utf8_lossy(answer).into_owned())
    }

    /// Keeps a picture of the whole page where `SCREENSHOTS` says, for people to look at.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("SCREENSHOTS") else {
            return;
        };
        let params = json!({"format": "png", "captureBeyondViewport": true});
        let shot = self.cdp("Page.captureScreenshot", params).await;
        let data = shot["data"].as_str().unwrap();
        let data = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data);
        std::fs::write(
            Path::new(&folder).join(format!("{name}.png")),
            data.unwrap(),
        )
        .unwrap();
    }
}

impl Drop for Browser {
    /// Without this the browser would outlive its driver.
    fn drop(&mut self) {
        let ended = self.end();
        // The test's own failure is the one to tell.
        if !std::thread::panicking() {
            let ended = ended.unwrap();
            assert!(ended.starts_with("HTTP/1.1 200"), "{ended}");
        }
    }
}

/// Where Debian and others put it.
fn chromium() -> &'static str {
    [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ]
    .into_iter()
    .find(|path| Path::new(path).exists())
    .expect("no Chromium: tests/setup.sh installs it")
}
