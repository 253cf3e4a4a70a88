//! The processes beside the API, as containers run them: what they show of themselves, and how that is asked.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// A folder with a database of its own, and the processes that work in it.
struct Site {
    folder: TempDir,
}

impl Site {
    /// Makes a site whose database has been migrated.
    async fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        assert!(site.command(&["migrate"]).output().await.unwrap().status.success());
        site
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jumun"));
        command.args(arguments).current_dir(self.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear().kill_on_drop(true);
        command
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a worker that shows itself on `addr`.
    fn start_worker(&self, addr: SocketAddr) -> Child {
        let mut command = self.command(&["worker"]);
        for service in ["JUMUN_DATA_PLATFORM_URL", "JUMUN_PAYMENT_GATEWAY_URL"] {
            command.env(service, "http://127.0.0.1:9");
        }
        command.stdout(Stdio::null());
        command.env("JUMUN_WORKER_HTTP_ADDR", addr.to_string()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs `jumun health` and returns whether it succeeded, and what it printed.
    async fn health(&self, addr: SocketAddr) -> (bool, String) {
        let output = self.command(&["health", "--addr", &addr.to_string()]).output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// Waits until the process that listens on `addr` says that it is ready.
    async fn assert_becomes_ready(&self, addr: SocketAddr) {
        let begun = Instant::now();
        while !self.health(addr).await.0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "{addr} does not become ready");
        }
    }
}

/// An address that is free.
fn free_addr() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn get(addr: SocketAddr, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{addr}{path}")).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Asks the process to end, as a container's runtime does.
async fn terminate(mut child: Child) -> Option<i32> {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    child.wait().await.unwrap().code()
}

#[tokio::test]
async fn a_worker_shows_its_health_and_its_metrics_and_nothing_else() {
    let site = Site::new().await;
    let addr = free_addr();
    let worker = site.start_worker(addr);
    site.assert_becomes_ready(addr).await;

    let (status, live) = get(addr, "/health/live").await;
    assert_eq!((status, live.as_str()), (200, r#"{"status":"UP","dependencies":[]}"#));
    let (status, ready) = get(addr, "/health/ready").await;
    assert!(status == 200 && ready.contains(r#""name":"database","status":"UP""#), "{ready}");
    let begun = Instant::now();
    loop {
        let (status, metrics) = get(addr, "/metrics").await;
        assert_eq!(status, 200);
        if ["jumun_outbox_waiting 0", "jumun_database_connections{state=\"max\"}"]
            .iter()
            .all(|measured| metrics.contains(measured))
        {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{metrics}");
    }
    for path in ["/api/v1/products", "/docs/", "/openapi.json"] {
        let (status, problem) = get(addr, path).await;
        assert!(status == 404 && problem.contains("\"error\":\"NOT_FOUND\""), "{path}: {problem}");
    }
    assert_eq!(terminate(worker).await, Some(0));
}

#[tokio::test]
async fn stand_ins_tell_that_they_are_ready() {
    let site = Site::new().await;
    let addr = free_addr();
    let stand_ins = site.command(&["stand-ins", "--addr", &addr.to_string()]).spawn().unwrap();
    site.assert_becomes_ready(addr).await;
    assert_eq!(get(addr, "/health/live").await.0, 200);
    assert_eq!(terminate(stand_ins).await, Some(0));
}

#[tokio::test]
async fn health_says_in_a_line_who_does_not_answer() {
    let site = Site::new().await;
    let addr = free_addr();
    let (healthy, line) = site.health(addr).await;
    assert!(!healthy && line.starts_with(&format!("jumun: {addr} does not answer: ")), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[tokio::test]
async fn health_waits_only_so_long_for_a_process_that_is_stuck() {
    let site = Site::new().await;
    // The system accepts the connection; nobody answers.
    let stuck = TcpListener::bind("127.0.0.1:0").unwrap();
    let begun = Instant::now();
    let (healthy, line) = site.health(stuck.local_addr().unwrap()).await;
    assert!(!healthy && line.contains("does not answer"), "{line}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn health_reports_a_process_that_is_not_ready() {
    let site = Site::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 1024];
        let read = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let (healthy, line) = site.health(addr).await;
    assert!(!healthy, "{line}");
    assert_eq!(line, format!("jumun: {addr} is not ready: it answers 503\n"));
    assert!(server.await.unwrap().starts_with("GET /health/ready HTTP/1.1\r\n"));
}

/// The published key of `local`, under which its demo data is.
const LOCAL_KEY: &str = "anVtdW4sIGxvY2FsOiBwdWJsaXNoZWQgcGlpIGtleS4=";
const NEW_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

impl Site {
    /// Starts a server that knows its callers by their tokens.
    fn start_server(&self, addr: SocketAddr, key: &str) -> Child {
        let mut command = self.command(&["serve"]);
        command.env("JUMUN_AUTH", "jwt").env("JUMUN_PII_KEY", key).env("JUMUN_HTTP_ADDR", addr.to_string());
        command.env("JUMUN_STAND_INS_ADDR", "127.0.0.1:0").stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Encrypts personal data anew and returns whether nothing is left, and what was printed.
    async fn rotate_keys(&self, key: &str, previous: Option<&str>) -> (bool, String) {
        let mut command = self.command(&["rotate-keys"]);
        command.env("JUMUN_PII_KEY", key).env("JUMUN_PII_KEY_PREVIOUS", previous.unwrap_or_default());
        let output = command.output().await.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }
}

/// Logs a user of the demo data in and shows the wallet.
async fn buy_as_demo_user(addr: SocketAddr) {
    let client = reqwest::Client::new();
    let api = format!("http://{addr}/api/v1");
    let login = serde_json::json!({"email": "user2@example.com", "password": "demo-password-2"});
    let answer = client.post(format!("{api}/auth/login")).json(&login).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let tokens: serde_json::Value = answer.json().await.unwrap();
    let wallet = client.get(format!("{api}/wallets")).bearer_auth(tokens["accessToken"].as_str().unwrap());
    let wallet: serde_json::Value = wallet.send().await.unwrap().json().await.unwrap();
    assert_eq!(wallet["userId"], "00000000-0000-7000-8000-000000000002");
    let by_header = client.get(format!("{api}/wallets"));
    let by_header =
        by_header.header("X-User-Id", "00000000-0000-7000-8000-000000000002").send().await.unwrap();
    assert_eq!(by_header.status(), 401);
}

#[tokio::test]
async fn a_server_knows_its_callers_by_their_tokens_before_and_after_keys_are_rotated() {
    let site = Site::new().await;
    let addr = free_addr();
    let server = site.start_server(addr, LOCAL_KEY);
    site.assert_becomes_ready(addr).await;
    buy_as_demo_user(addr).await;
    assert_eq!(terminate(server).await, Some(0));

    let (complete, text) = site.rotate_keys(NEW_KEY, None).await;
    assert!(!complete && text.contains("10 users are left under another key"), "{text}");
    let (complete, text) = site.rotate_keys(NEW_KEY, Some(LOCAL_KEY)).await;
    assert!(complete && text.starts_with("personal data of 10 users is encrypted anew\n"), "{text}");
    let (complete, text) = site.rotate_keys(NEW_KEY, None).await;
    assert!(complete && text.starts_with("personal data of 0 users"), "{text}");

    let addr = free_addr();
    let server = site.start_server(addr, NEW_KEY);
    site.assert_becomes_ready(addr).await;
    buy_as_demo_user(addr).await;
    assert_eq!(terminate(server).await, Some(0));
}
