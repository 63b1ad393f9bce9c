//! The attacks that every public server meets.

use super::attacks::{
    CONTINUATIONS, GUESSED_LOGINS, HANDSHAKES, IDLE, IDLE_EVERYWHERE, LARGE_HEADS, PIPELINES,
    RESET_STREAMS, SLOW_HEADS, UNREAD_ANSWERS,
};
use super::withstands;

#[tokio::test]
async fn answers_beside_2000_idle_connections() {
    withstands(&IDLE, IDLE.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_idle_connections_of_many_addresses() {
    withstands(&IDLE_EVERYWHERE, IDLE_EVERYWHERE.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_heads_of_a_byte_a_second() {
    withstands(&SLOW_HEADS, SLOW_HEADS.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_clients_that_do_not_read() {
    withstands(&UNREAD_ANSWERS, UNREAD_ANSWERS.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_tls_handshakes_that_never_end() {
    withstands(&HANDSHAKES, HANDSHAKES.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_http2_streams_that_are_reset() {
    withstands(&RESET_STREAMS, RESET_STREAMS.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_a_continuation_flood() {
    withstands(&CONTINUATIONS, CONTINUATIONS.clients, &[]).await;
}

#[tokio::test]
async fn logs_users_in_beside_a_guesser() {
    withstands(&GUESSED_LOGINS, GUESSED_LOGINS.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_heads_of_64_kib() {
    withstands(&LARGE_HEADS, LARGE_HEADS.clients, &[]).await;
}

#[tokio::test]
async fn answers_beside_pipelined_requests() {
    withstands(&PIPELINES, PIPELINES.clients, &[]).await;
}
