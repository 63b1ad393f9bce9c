use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;

fn body(answer: Answer) -> String {
    let body = answer.into_body().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// A request that is answered in a task of its own; it is in the queue when this returns.
async fn ask(reload: &Reload) -> JoinHandle<Answer> {
    let reload = reload.clone();
    let asked = tokio::spawn(async move { reload.answer().await });
    tokio::task::yield_now().await;
    asked
}

#[tokio::test]
async fn answers_when_the_reload_is_over() {
    let (reload, mut queue) = Reload::on();
    let asked = ask(&reload).await;
    let request = queue.next().await;
    assert!(!asked.is_finished());
    request.finish(Ok(()));
    assert_eq!(asked.await.unwrap().status(), 200);
}

#[tokio::test]
async fn tells_what_is_wrong_with_the_config() {
    let (reload, mut queue) = Reload::on();
    let asked = ask(&reload).await;
    let problems = "a.yml:1:2: no\na.yml:3:4: no".to_owned();
    queue.next().await.finish(Err(problems));
    let answer = asked.await.unwrap();
    assert_eq!(answer.status(), 500);
    assert!(body(answer).ends_with("\na.yml:1:2: no\na.yml:3:4: no\n"));
}

#[tokio::test]
async fn tells_that_the_exporter_ends() {
    let (reload, mut queue) = Reload::on();
    let (first, second) = (ask(&reload).await, ask(&reload).await);
    drop(queue.next().await);
    drop(queue);
    for asked in [first, second, ask(&reload).await] {
        assert_eq!(asked.await.unwrap().status(), 503);
    }
}

#[tokio::test]
async fn one_is_in_work_one_waits_and_others_conflict() {
    let (reload, mut queue) = Reload::on();
    let (first, second) = (ask(&reload).await, ask(&reload).await);
    for _ in 0..3 {
        let answer = reload.answer().await;
        assert_eq!(answer.status(), 409);
        assert!(body(answer).contains("another one waits"));
    }
    let request = queue.next().await;
    assert_eq!(reload.answer().await.status(), 409);
    request.finish(Ok(()));
    assert_eq!(first.await.unwrap().status(), 200);
    let third = ask(&reload).await;
    assert_eq!(reload.answer().await.status(), 409);
    for asked in [second, third] {
        queue.next().await.finish(Ok(()));
        assert_eq!(asked.await.unwrap().status(), 200);
    }
    // A SIGHUP is in work as well.
    let work = queue.begin();
    let waiting = ask(&reload).await;
    assert_eq!(reload.answer().await.status(), 409);
    drop(work);
    queue.next().await.finish(Ok(()));
    assert_eq!(waiting.await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_place() {
    let (reload, mut queue) = Reload::on();
    let (working, waiting) = (ask(&reload).await, ask(&reload).await);
    let request = queue.next().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let next = ask(&reload).await;
    assert!(!next.is_finished());
    // The one in work goes on without its client, and its place with it.
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
    assert_eq!(reload.answer().await.status(), 409);
    request.finish(Ok(()));
    queue.next().await.finish(Ok(()));
    assert_eq!(next.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_answered_within_the_limit() {
    let (reload, mut queue) = Reload::on();
    let start = Instant::now();
    let (working, waiting) = (ask(&reload).await, ask(&reload).await);
    let request = queue.next().await;
    let answer = working.await.unwrap();
    assert_eq!((answer.status().as_u16(), start.elapsed()), (504, LIMIT));
    assert!(body(answer).contains("goes on"));
    let answer = waiting.await.unwrap();
    assert_eq!((answer.status().as_u16(), start.elapsed()), (503, LIMIT));
    assert!(body(answer).contains("was not reloaded"));
    // What was withdrawn is not carried out later.
    request.finish(Ok(()));
    let next = tokio::time::timeout(LIMIT, queue.next()).await;
    assert!(next.is_err());
}
