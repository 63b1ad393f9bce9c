//! Tests of the CAs that an Alertmanager is trusted by.

use super::*;
use watched_file::hang::hang;

#[tokio::test]
async fn a_ca_of_ones_own_is_trusted_and_another_is_not() {
    let fake = Fake::start_tls([ok()]).await;
    let ca = |name| Alertmanager {
        ca_file: Some(tls_data(name)),
        ..fake.config()
    };
    assert_eq!(post(&ca("ca.pem")).await, Ok(()));
    assert_eq!(fake.requests().len(), 1);
    let failure = post(&ca("other-ca.pem")).await.unwrap_err();
    assert_eq!(failure.remedy, Remedy::Wait);
    assert!(failure.text.contains("certificate"), "{}", failure.text);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_self_signed_alertmanager_in_the_ca_file_is_trusted() {
    let fake = Fake::start_tls_as("self-signed", [ok()]).await;
    let ca = |name| Alertmanager {
        ca_file: Some(tls_data(name)),
        ..fake.config()
    };
    assert_eq!(post(&ca("self-signed.pem")).await, Ok(()));
    assert!(post(&ca("ca.pem")).await.is_err());
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_ca_file_may_come_later_and_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let fake = Fake::start_tls([ok()]).await;
    let endpoint = open(&Alertmanager {
        ca_file: Some(path.clone()),
        ..fake.config()
    });
    let failure = endpoint.post("[]".to_owned()).await.unwrap_err();
    assert_eq!(failure.remedy, Remedy::Wait);
    assert!(failure.text.contains("ca_file"), "{}", failure.text);
    std::fs::copy(tls_data("ca.pem"), &path).unwrap();
    assert_eq!(endpoint.post("[]".to_owned()).await, Ok(()));

    std::fs::copy(tls_data("other-ca.pem"), &path).unwrap();
    let endpoint = open(&Alertmanager {
        ca_file: Some(path.clone()),
        ..fake.config()
    });
    assert!(endpoint.post("[]".to_owned()).await.is_err());
    std::fs::copy(tls_data("ca.pem"), &path).unwrap();
    assert_eq!(endpoint.post("[]".to_owned()).await, Ok(()));
}

/// The runtime has one thread here, which would be blocked by a read of its own.
#[tokio::test]
async fn a_ca_file_that_hangs_fails_the_post_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::copy(tls_data("ca.pem"), &path).unwrap();
    let fake = Fake::start_tls([ok()]).await;
    let mut endpoint = open(&Alertmanager {
        ca_file: Some(path.clone()),
        ..fake.config()
    });
    endpoint.timeout = Duration::from_millis(200);
    let hang = hang(&path);
    for _ in 0..3 {
        let post = endpoint.post("[]".to_owned());
        let post = tokio::time::timeout(TIMEOUT / 2, post).await;
        let failure = post.expect("it ends in time").unwrap_err();
        assert_eq!(failure.remedy, Remedy::Wait);
        let text = &failure.text;
        assert!(text.contains("ca.pem: its disk does not answer"), "{text}");
    }
    hang.until_stuck();
    assert_eq!(hang.stuck(), 1, "one thread for all posts");
    drop(hang);
    endpoint.timeout = TIMEOUT;
    let begun = Instant::now();
    while endpoint.post("[]".to_owned()).await.is_err() {
        assert!(begun.elapsed() < TIMEOUT, "it never recovers");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
