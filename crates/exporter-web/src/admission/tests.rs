use std::net::Ipv4Addr;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::time::{sleep, timeout};

use super::*;

const MOMENT: Duration = Duration::from_millis(1);

fn admission(limit: usize) -> (Arc<Admission>, Registry) {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry, "test");
    (Arc::new(Admission::new(limit, metrics)), registry)
}

fn peer(n: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, n).into()
}

async fn is_closed(connection: &Connection) -> bool {
    timeout(MOMENT, connection.closed()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn closes_a_silent_connection_when_all_places_are_taken() {
    let (admission, registry) = admission(2);
    let busy = Arc::new(admission.admit(peer(1), true));
    let request = InFlight::begin(&busy);
    let silent = admission.admit(peer(1), true);
    sleep(Duration::from_secs(1)).await;
    let new = admission.admit(peer(2), true);
    assert!(is_closed(&silent).await);
    assert!(!is_closed(&busy).await && !is_closed(&new).await);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    for line in [
        "test_web_connections{state=\"new\"} 1\n",
        "test_web_connections{state=\"active\"} 1\n",
        "test_web_connections_closed_total{reason=\"room\"} 1\n",
        "test_web_connections_closed_total{reason=\"share\"} 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    drop((request, busy, silent, new));
    assert_eq!(admission.lock().counts(), table::Counts::default());
    assert_eq!(admission.open.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn is_idle_only_between_requests() {
    let (admission, _) = admission(2);
    let limit = Duration::from_secs(150);
    let connection = Arc::new(admission.admit(peer(1), true));
    sleep(Duration::from_secs(100)).await;
    let requests = [(); 2].map(|()| InFlight::begin(&connection));
    assert!(
        timeout(10 * limit, connection.idle_for(limit))
            .await
            .is_err()
    );
    drop(requests);
    let start = Instant::now();
    connection.idle_for(limit).await;
    assert_eq!(start.elapsed(), limit);
}

#[tokio::test(start_paused = true)]
async fn waits_for_descriptors_of_closed_connections() {
    let (admission, _) = admission(1);
    let mut open: Vec<_> = (0..=MAX_CLOSING)
        .map(|_| admission.admit(peer(1), true))
        .collect();
    assert!(timeout(MOMENT, admission.ready()).await.is_err());
    let (ready, ()) = tokio::join!(timeout(MOMENT, admission.ready()), async {
        open.pop();
    });
    assert!(ready.is_ok());
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_read_are_bounded() {
    let (admission, _) = admission(100);
    let open: Vec<_> = (0..9)
        .map(|n| Arc::new(admission.admit(peer(n), true)))
        .collect();
    let mut held = Vec::new();
    for connection in &open {
        let mut request = InFlight::begin(connection);
        request.hold(MAX_UNREAD / 8);
        held.push(request);
    }
    assert!(is_closed(&open[0]).await);
    assert!(!is_closed(&open[1]).await);
}

#[tokio::test(start_paused = true)]
async fn a_few_of_the_largest_answers_always_fit() {
    let (admission, _) = admission(100);
    let open: Vec<_> = (0..4)
        .map(|n| Arc::new(admission.admit(peer(n), true)))
        .collect();
    let mut requests: Vec<_> = open.iter().map(InFlight::begin).collect();
    for request in &mut requests {
        request.hold(MAX_UNREAD);
        assert!(request.admitted().await);
    }
    for connection in &open {
        assert!(!is_closed(connection).await);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_wait_for_the_memory_of_closed_connections() {
    let (admission, _) = admission(100);
    let connection = Arc::new(admission.admit(peer(1), true));
    let mut requests: Vec<_> = (0..10).map(|_| InFlight::begin(&connection)).collect();
    for request in &mut requests {
        request.hold(MAX_UNREAD / 4);
    }
    // It has to go, and its answers are still there.
    assert!(is_closed(&connection).await);
    let other = Arc::new(admission.admit(peer(2), true));
    let request = InFlight::begin(&other);
    assert!(timeout(MOMENT, request.admitted()).await.is_err());
    let (waited, ()) = tokio::join!(timeout(MOMENT, request.admitted()), async {
        requests.truncate(8);
    });
    assert!(waited.is_ok());
    // However long they stay, a request is answered in the end.
    requests.extend((0..2).map(|_| InFlight::begin(&connection)));
    for request in &mut requests[8..] {
        request.hold(MAX_UNREAD / 4);
    }
    let start = Instant::now();
    assert!(request.admitted().await);
    assert_eq!(start.elapsed(), MAX_WAIT);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_leaves_much_unread_gets_no_answer() {
    let (admission, _) = admission(100);
    let [greedy, other] = [1, 2].map(|n| Arc::new(admission.admit(peer(n), true)));
    let mut unread = [(); 5].map(|()| InFlight::begin(&greedy));
    for request in &mut unread {
        request.hold(MAX_UNREAD / 8);
    }
    let start = Instant::now();
    assert!(InFlight::begin(&other).admitted().await);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(!InFlight::begin(&greedy).admitted().await);
    assert_eq!(start.elapsed(), MAX_WAIT);
    let request = InFlight::begin(&greedy);
    let (is_admitted, ()) = tokio::join!(request.admitted(), async { drop(unread) });
    assert!(is_admitted);
    assert_eq!(start.elapsed(), MAX_WAIT);
}

#[tokio::test(start_paused = true)]
async fn an_address_has_a_share_of_the_requests_in_work() {
    let (admission, _) = admission(1000);
    let connect = |n, has_share| Arc::new(admission.admit(peer(n), has_share));
    let mut busy: Vec<_> = (0..MAX_ACTIVE)
        .map(|_| InFlight::begin(&connect(1, true)))
        .collect();
    let start = Instant::now();
    assert!(InFlight::begin(&connect(2, true)).admitted().await);
    let request = InFlight::begin(&connect(1, true));
    let (is_admitted, ()) = tokio::join!(request.admitted(), async { busy.truncate(10) });
    assert!(is_admitted && start.elapsed().is_zero());
    // A proxy has the requests of many.
    let proxy: Vec<_> = (0..2 * MAX_ACTIVE)
        .map(|_| InFlight::begin(&connect(3, false)))
        .collect();
    assert!(proxy[0].admitted().await && start.elapsed().is_zero());
    busy.extend((0..MAX_ACTIVE).map(|_| InFlight::begin(&connect(1, true))));
    assert!(!request.admitted().await);
    assert_eq!(start.elapsed(), MAX_WAIT);
}
