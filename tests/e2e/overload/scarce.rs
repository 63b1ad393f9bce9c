//! More connections than `--web.max-connections`: the scraper's are taken and kept, the attacker's
//! are closed.

use std::time::Duration;

use tokio::time::sleep;

use super::attacks::SCRAPER;
use super::attacks::probe::{self, Request};
use super::attacks::{
    Attack, HANDSHAKES, IDLE, IDLE_EVERYWHERE, IDLE_FROM_SOME, IDLE_HTTP2, Listener, SLOW_HEADS,
    UNREAD_ANSWERS,
};
use super::exporter::Exporter;
use super::{BOUND, Kept, answers_under, turn, withstands};

/// Clients of one address, for [`ROOM`] connections.
const CLIENTS: usize = 200;
const ROOM: &[&str] = &["--web.max-connections=64"];

async fn withstands_in_little_room(attack: &Attack) {
    withstands(attack, CLIENTS, ROOM).await;
}

#[tokio::test]
async fn makes_room_by_closing_idle_connections() {
    withstands_in_little_room(&IDLE).await;
}

#[tokio::test]
async fn makes_room_by_closing_slow_heads() {
    withstands_in_little_room(&SLOW_HEADS).await;
}

#[tokio::test]
async fn makes_room_by_closing_tls_handshakes() {
    withstands_in_little_room(&HANDSHAKES).await;
}

#[tokio::test]
async fn makes_room_by_closing_idle_http2_connections() {
    withstands_in_little_room(&IDLE_HTTP2).await;
}

#[tokio::test]
async fn makes_room_by_closing_connections_that_do_not_read() {
    withstands_in_little_room(&UNREAD_ANSWERS).await;
}

#[tokio::test]
async fn makes_room_beside_idle_connections_of_many_addresses() {
    let _turn = turn().await;
    let exporter = Exporter::start(Listener::Plain, ROOM).await;
    // Each address holds as few connections as the scraper.
    answers_under(&IDLE_EVERYWHERE, CLIENTS, &exporter, Kept::MayClose).await;
}

#[tokio::test]
async fn makes_room_beside_idle_connections_of_some_addresses() {
    withstands_in_little_room(&IDLE_FROM_SOME).await;
}

#[tokio::test]
async fn keeps_the_scrapers_connection_between_two_scrapes() {
    let _turn = turn().await;
    let exporter = Exporter::start(Listener::Plain, ROOM).await;
    let mut kept = probe::connect(&exporter.target, SCRAPER).await.unwrap();
    let request = Request::get("/metrics");
    probe::exchange(&mut *kept, &request).await.unwrap();
    // Each address holds more connections than the scraper; they are closed and made all the time.
    let _running = IDLE_FROM_SOME
        .start_clients(CLIENTS, &exporter.target)
        .await;
    sleep(Duration::from_secs(3)).await;
    let answer = probe::within(BOUND, probe::exchange(&mut *kept, &request)).await;
    answer.unwrap_or_else(|error| panic!("{error}\n{}", exporter.process.output()));
}
