//! `POST /-/reload`: hands the order on, and answers with what became of it.

use hyper::StatusCode;
use tokio::sync::{mpsc, oneshot};

use super::route::{Answer, text};

/// Whether the config can be read anew over HTTP.
#[derive(Debug, Clone)]
pub enum Reload {
    /// `--web.enable-lifecycle` was not given.
    Off,
    /// Whoever reads the other end does it, one order after the other.
    On(mpsc::Sender<Order>),
}

/// The order to read the config anew: where to tell how it went. The error is what is wrong with the
/// config, a line for each problem.
pub type Order = oneshot::Sender<Result<(), String>>;

/// Orders that wait for one that is under way. Whoever comes then waits, too.
const WAITING: usize = 16;

impl Reload {
    /// A way for orders, and its end.
    pub fn on() -> (Self, mpsc::Receiver<Order>) {
        let (orders, end) = mpsc::channel(WAITING);
        (Self::On(orders), end)
    }

    /// Orders it, and answers once it was done or refused.
    pub(super) async fn answer(&self) -> Answer {
        let Self::On(orders) = self else {
            return text(
                StatusCode::FORBIDDEN,
                "reloading over HTTP is off: start the exporter with --web.enable-lifecycle, \
                 or send it SIGHUP\n",
            );
        };
        let (order, outcome) = oneshot::channel();
        // An error is an exporter that is about to end; the outcome tells the same.
        drop(orders.send(order).await);
        match outcome.await {
            Ok(Ok(())) => text(StatusCode::OK, "reloaded\n"),
            Ok(Err(why)) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the config was not reloaded, nothing changed:\n{why}\n"),
            ),
            Err(_) => text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the exporter is ending, the config was not reloaded\n",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn body(answer: Answer) -> String {
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn answers_when_the_order_was_carried_out() {
        let (reload, mut orders) = Reload::on();
        let asked = tokio::spawn(async move { reload.answer().await });
        let order = orders.recv().await.unwrap();
        assert!(!asked.is_finished());
        order.send(Ok(())).unwrap();
        assert_eq!(asked.await.unwrap().status(), 200);
    }

    #[tokio::test]
    async fn tells_what_is_wrong_with_the_config() {
        let (reload, mut orders) = Reload::on();
        let asked = tokio::spawn(async move { reload.answer().await });
        let order = orders.recv().await.unwrap();
        order
            .send(Err("a.yml:1:2: no\na.yml:3:4: no".into()))
            .unwrap();
        let answer = asked.await.unwrap();
        assert_eq!(answer.status(), 500);
        assert!(
            body(answer)
                .await
                .ends_with("\na.yml:1:2: no\na.yml:3:4: no\n")
        );
    }

    #[tokio::test]
    async fn tells_that_the_exporter_ends() {
        let (reload, orders) = Reload::on();
        drop(orders);
        assert_eq!(reload.answer().await.status(), 503);
    }
}
