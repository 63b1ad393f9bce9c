use std::sync::Arc;

use hyper::header::HeaderValue;

use super::*;

/// `secret`, at bcrypt's lowest cost.
fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

fn users() -> Users {
    Users::of(&[("alice", &hash("secret")), ("bob", &hash("other"))])
}

fn headers(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    headers
}

fn basic(user: &str, password: &str) -> HeaderMap {
    headers(&format!(
        "Basic {}",
        STANDARD.encode(format!("{user}:{password}"))
    ))
}

#[tokio::test]
async fn nobody_logs_in_where_there_are_no_users() {
    let verdict = Logins::default()
        .check(&Users::default(), &HeaderMap::new())
        .await;
    assert_eq!(verdict, Verdict::Welcome);
}

#[tokio::test]
async fn a_user_comes_in_with_the_own_password_alone() {
    let (logins, users) = (Logins::default(), users());
    for (user, password, want) in [
        ("alice", "secret", Verdict::Welcome),
        ("bob", "other", Verdict::Welcome),
        ("alice", "other", Verdict::Refused),
        ("alice", "", Verdict::Refused),
        ("Alice", "secret", Verdict::Refused),
        ("nobody", "secret", Verdict::Refused),
        ("nobody", "other", Verdict::Refused),
        ("", "", Verdict::Refused),
    ] {
        let verdict = logins.check(&users, &basic(user, password)).await;
        assert_eq!(verdict, want, "{user}:{password}");
    }
}

#[tokio::test]
async fn what_is_no_login_is_refused_without_computing() {
    let (logins, users) = (Logins::default(), users());
    let pair = STANDARD.encode("alice:secret");
    for value in [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWxpY2U=",
        &format!("Bearer {pair}"),
        &pair,
    ] {
        assert_eq!(
            logins.check(&users, &headers(value)).await,
            Verdict::Refused,
            "{value}"
        );
    }
    assert_eq!(
        logins.check(&users, &HeaderMap::new()).await,
        Verdict::Refused
    );
    assert_eq!(logins.computed(), 0);
    let lower = headers(&format!("basic {pair}"));
    assert_eq!(logins.check(&users, &lower).await, Verdict::Welcome);
}

#[tokio::test]
async fn a_password_is_computed_once_until_its_hash_changes() {
    let (logins, users) = (Logins::default(), users());
    for _ in 0..3 {
        assert_eq!(
            logins.check(&users, &basic("alice", "secret")).await,
            Verdict::Welcome
        );
        assert_eq!(
            logins.check(&users, &basic("alice", "wrong")).await,
            Verdict::Refused
        );
    }
    assert_eq!(logins.computed(), 2);
    let changed = Users::of(&[("alice", &hash("new"))]);
    assert_eq!(
        logins.check(&changed, &basic("alice", "secret")).await,
        Verdict::Refused
    );
    assert_eq!(
        logins.check(&changed, &basic("alice", "new")).await,
        Verdict::Welcome
    );
    assert_eq!(logins.computed(), 4);
    // Who was removed is out, whatever is remembered.
    let removed = Users::of(&[("bob", &hash("other"))]);
    assert_eq!(
        logins.check(&removed, &basic("alice", "new")).await,
        Verdict::Refused
    );
}

#[tokio::test]
async fn a_stranger_costs_what_a_user_costs() {
    let (logins, users) = (Logins::default(), users());
    for round in 1..=3 {
        for user in ["alice", "stranger"] {
            let before = logins.computed();
            let guess = format!("guess {round}");
            assert_eq!(
                logins.check(&users, &basic(user, &guess)).await,
                Verdict::Refused
            );
            assert_eq!(logins.computed(), before + 1, "{user}");
            assert_eq!(
                logins.check(&users, &basic(user, &guess)).await,
                Verdict::Refused
            );
            assert_eq!(logins.computed(), before + 1, "{user}, the second time");
        }
    }
}

#[tokio::test]
async fn guesses_do_not_push_a_good_password_out() {
    let (logins, users) = (Logins::default(), users());
    assert_eq!(
        logins.check(&users, &basic("alice", "secret")).await,
        Verdict::Welcome
    );
    for guess in 0..2 * REMEMBERED {
        logins
            .check(&users, &basic("alice", &guess.to_string()))
            .await;
    }
    let before = logins.computed();
    assert_eq!(
        logins.check(&users, &basic("alice", "secret")).await,
        Verdict::Welcome
    );
    assert_eq!(logins.computed(), before);
    let remembered = locked(&logins.remembered);
    assert_eq!(remembered.bad.known.len(), REMEMBERED);
    assert_eq!(remembered.bad.order.len(), REMEMBERED);
}

#[tokio::test]
async fn the_same_login_many_times_at_once_is_computed_once() {
    let (logins, users) = (Arc::new(Logins::default()), Arc::new(users()));
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let (logins, users) = (logins.clone(), users.clone());
            tokio::spawn(async move { logins.check(&users, &basic("alice", "secret")).await })
        })
        .collect();
    for asked in asked {
        assert_eq!(asked.await.unwrap(), Verdict::Welcome);
    }
    assert_eq!(logins.computed(), 1);
}

#[tokio::test]
async fn a_flood_is_turned_away_and_a_known_login_is_not() {
    let (logins, users) = (Arc::new(Logins::default()), Arc::new(users()));
    logins.check(&users, &basic("alice", "secret")).await;
    // Nobody gets a turn while this is held.
    let turn = logins.turn.acquire().await.unwrap();
    let ask = |guess: usize| {
        let (logins, users) = (logins.clone(), users.clone());
        tokio::spawn(async move { logins.check(&users, &basic("x", &guess.to_string())).await })
    };
    let waiting: Vec<_> = (0..=MOST_WAITING).map(ask).collect();
    while logins.waiting.load(Ordering::Relaxed) <= MOST_WAITING {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        logins.check(&users, &basic("x", "one more")).await,
        Verdict::Busy
    );
    assert_eq!(
        logins.check(&users, &basic("alice", "secret")).await,
        Verdict::Welcome
    );
    drop(turn);
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), Verdict::Refused);
    }
    assert_eq!(
        logins.check(&users, &basic("x", "one more")).await,
        Verdict::Refused
    );
}

#[tokio::test]
async fn a_password_ends_after_72_bytes_as_with_go() {
    let long = "x".repeat(72);
    let users = Users::of(&[("alice", &hash(&long))]);
    let logins = Logins::default();
    let longer = format!("{long}and more");
    assert_eq!(
        logins.check(&users, &basic("alice", &longer)).await,
        Verdict::Welcome
    );
    let shorter = "x".repeat(71);
    assert_eq!(
        logins.check(&users, &basic("alice", &shorter)).await,
        Verdict::Refused
    );
}

#[tokio::test]
async fn hashes_of_htpasswd_and_of_the_toolkit_are_understood() {
    // The toolkit's own test: dave, dave123. And one hash under each prefix.
    let dave = "$2y$10$2UXri9cIDdgeKjBo4Rlpx.U3ZLDV8X1IxKmsfOvhcM5oXQt/mLmXq";
    let logins = Logins::default();
    for prefix in ["$2y$", "$2a$", "$2b$"] {
        let users = Users::of(&[("dave", &dave.replace("$2y$", prefix))]);
        assert_eq!(
            logins.check(&users, &basic("dave", "dave123")).await,
            Verdict::Welcome
        );
    }
}

/// As when a client of HTTP/2 resets its streams.
#[tokio::test]
async fn a_hash_whose_request_is_gone_keeps_its_turn_and_is_remembered() {
    let (began, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let logins = Arc::new(Logins {
        computing: Some(Arc::new(move || {
            began.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        })),
        ..Logins::default()
    });
    let users = Arc::new(users());
    let ask = |password: &'static str| {
        let (logins, users) = (logins.clone(), users.clone());
        tokio::spawn(async move { logins.check(&users, &basic("alice", password)).await })
    };
    let gone = ask("secret");
    begins.recv().await.unwrap();
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(logins.waiting.load(Ordering::Relaxed), 1);
    // The next one waits for the one that nobody waits for.
    let next = ask("wrong");
    while logins.waiting.load(Ordering::Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(logins.turn.available_permits(), 0);
    assert_eq!(logins.computed(), 1);
    go.send(()).unwrap();
    begins.recv().await.unwrap();
    go.send(()).unwrap();
    assert_eq!(next.await.unwrap(), Verdict::Refused);
    assert_eq!(ask("secret").await.unwrap(), Verdict::Welcome);
    assert_eq!(logins.computed(), 2);
}
