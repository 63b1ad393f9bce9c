//! Attacks on the limits themselves: requests and connections that stay below each of them.

use super::attacks::{
    CLOSED_WINDOWS, CONTROL_FRAMES, IDLE_HTTP2, PAGES, PLAIN_ON_TLS, SHORT_CONNECTIONS,
    SHORT_HANDSHAKES, SLOW_BODIES, SLOW_READERS,
};
use super::withstands;

#[tokio::test]
async fn answers_beside_bodies_of_a_byte_a_second() {
    withstands(&SLOW_BODIES, SLOW_BODIES.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_slow_readers() {
    withstands(&SLOW_READERS, SLOW_READERS.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_connections_that_close_at_once() {
    withstands(&SHORT_CONNECTIONS, SHORT_CONNECTIONS.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_tls_handshakes_that_close_at_once() {
    withstands(&SHORT_HANDSHAKES, SHORT_HANDSHAKES.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_requests_for_the_page() {
    withstands(&PAGES, PAGES.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_plain_http_at_the_tls_port() {
    withstands(&PLAIN_ON_TLS, PLAIN_ON_TLS.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_idle_http2_connections() {
    withstands(&IDLE_HTTP2, IDLE_HTTP2.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_a_flood_of_http2_control_frames() {
    withstands(&CONTROL_FRAMES, CONTROL_FRAMES.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_http2_windows_that_stay_closed() {
    withstands(&CLOSED_WINDOWS, CLOSED_WINDOWS.clients, &[]).await;
}
