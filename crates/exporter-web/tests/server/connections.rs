//! Connections: slow and silent clients, limits, the end.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn keeps_a_connection_and_answers_a_half_closed_one() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect();
    for _ in 0..3 {
        send(&mut stream, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(read_answer(&mut stream).ends_with("OK\n"));
    }
    send(&mut stream, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(read_answer(&mut stream).ends_with("OK\n"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_closes_its_connection_only() {
    let limits = Limits {
        head: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut fine = server.connect();
    send(&mut fine, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(&mut fine);
    let mut silent = server.connect();
    let mut slow = server.connect();
    send(&mut slow, "GET / HTTP/1.1\r\nHost: ");
    let mut kept = server.connect();
    send(&mut kept, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(&mut kept);
    send(&mut kept, "GET /");
    for stream in [&mut silent, &mut slow, &mut kept] {
        assert!(is_closed(stream));
    }
    // Idle since before the others came, and still there.
    send(&mut fine, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(read_answer(&mut fine).ends_with("OK\n"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_may_be_without_end() {
    let limits = Limits {
        head: Duration::MAX,
        idle: Duration::MAX,
        write: Duration::MAX,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_head_is_cut_off() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect();
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    // The server may close before it has all of it.
    drop(stream.write_all(long.as_bytes()));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    assert!(!answer.contains(" 200 "), "{answer}");
    assert!(ask(&server, "GET", "/-/healthy").1 == "OK\n");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_after_its_time() {
    let limits = Limits {
        idle: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut stream = server.connect();
    send(&mut stream, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(&mut stream);
    assert!(is_closed(&mut stream));
    server.end().await;
}

/// Asks for an answer of some megabytes and reads nothing of it.
fn never_reads(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    send(&mut stream, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    // The first bytes are on their way: the server is in the middle of it.
    stream.peek(&mut [0]).unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_is_dropped_and_holds_nobody_up() {
    let limits = Limits {
        write: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut slow = never_reads(&server);
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    tokio::time::sleep(limits.write * 4).await;
    // What is in the buffers still comes; the rest never does.
    let mut got = Vec::new();
    drop(slow.read_to_end(&mut got));
    let whole = ask(&server, "GET", "/large").1.len();
    assert!(got.len() < whole, "{} of {whole}", got.len());
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_is_taken_when_silent_ones_have_all_places() {
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut silent: Vec<_> = (0..8).map(|_| server.connect()).collect();
    let start = Instant::now();
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    assert!(start.elapsed() < limits.head, "{:?}", start.elapsed());
    // The oldest had to go, long before its time.
    assert!(is_closed(&mut silent[0]));
    assert!(start.elapsed() < limits.head, "{:?}", start.elapsed());
    let metrics = ask(&server, "GET", "/metrics").1;
    let closed = "test_web_connections_closed_total{reason=\"room\"}";
    let count = metrics.lines().find_map(|line| line.strip_prefix(closed));
    assert!(count.is_some_and(|n| n != " 0"), "{metrics}");
    assert!(metrics.contains("test_web_connections{state=\"active\"} 1\n"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_silent_connections_go_before_one_that_reads() {
    let limits = Limits {
        connections: 16,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let start = Instant::now();
    let mut silent: Vec<_> = (0..12).map(|_| server.connect()).collect();
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    let mut reading = never_reads(&server);
    let _more: Vec<_> = (0..10).map(|_| server.connect()).collect();
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    assert!(is_closed(&mut silent[0]));
    assert!(start.elapsed() < limits.head, "{:?}", start.elapsed());
    let length = read_answer(&mut reading).len();
    assert!(length > 32 << 20, "{length}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_at_once_when_connections_are_idle() {
    let server = Server::start(Limits::default()).await;
    let mut silent = server.connect();
    let mut half = server.connect();
    send(&mut half, "GET / HT");
    let mut idle = server.connect();
    send(&mut idle, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(&mut idle);
    let address = server.address;
    let took = server.end().await;
    assert!(took < Limits::default().end, "{took:?}");
    for stream in [&mut silent, &mut half, &mut idle] {
        assert!(is_closed(stream));
    }
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_in_time_whatever_the_clients_do() {
    let server = Server::start(Limits::default()).await;
    let slow = never_reads(&server);
    let silent = server.connect();
    let mut half = server.connect();
    send(&mut half, "GET / HT");
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    let took = server.end().await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop((slow, silent, half));
}
