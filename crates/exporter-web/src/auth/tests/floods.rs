//! Many logins at once: what they wait for, and what they do not.

use super::*;

const BUSY: Verdict = Verdict::Refused(LoginRefusal::Busy);

/// Logins and users in many tasks.
#[derive(Clone)]
struct Scene {
    logins: Arc<Logins>,
    users: Arc<Users>,
}

impl Scene {
    fn new(users: Users) -> Self {
        Self {
            logins: Arc::default(),
            users: Arc::new(users),
        }
    }

    fn user(&self, name: &str) -> &PasswordHash {
        self.users.hash(name.as_bytes()).unwrap()
    }

    fn spawn(&self, user: &str, password: &str, client: usize) -> tokio::task::JoinHandle<Verdict> {
        let (scene, headers) = (self.clone(), basic(user, password));
        tokio::spawn(async move {
            let Self { logins, users } = scene;
            logins.check(&users, &headers, address(client)).await
        })
    }

    /// Guesses so often at a user's password from a client.
    fn flood(&self, user: &str, guesses: usize, client: usize) {
        for guess in 0..guesses {
            drop(self.spawn(user, &format!("{client}-{guess}"), client));
        }
    }
}

#[tokio::test]
async fn a_costly_hash_delays_no_other_user() {
    let costly = bcrypt::hash("costly", 5).unwrap();
    let (cheap, other) = (hash("cheap"), hash("other"));
    let users = Users::of(&[("costly", &costly), ("cheap", &cheap), ("other", &other)]);
    let scene = Scene::new(users);
    let logins = &scene.logins;
    logins
        .probe
        .hold(&[scene.user("costly"), scene.users.decoy().unwrap()]);
    scene.flood("costly", 300, 1);
    for stranger in 0..300 {
        drop(scene.spawn(&format!("stranger-{stranger}"), "guess", 2));
    }
    logins.until(2 * SHARE, 3).await;
    for (user, client) in [("cheap", 1), ("other", 2), ("cheap", 3)] {
        assert_eq!(
            scene.spawn(user, user, client).await.unwrap(),
            Verdict::Welcome
        );
    }
    let login = scene.spawn("costly", "costly", 3);
    logins.until(2 * SHARE + 1, 3).await;
    assert!(!login.is_finished());
    logins.probe.hold(&[]);
    assert_eq!(login.await.unwrap(), Verdict::Welcome);
}

#[tokio::test]
async fn a_flood_at_one_user_delays_none_of_the_same_cost() {
    let scene = Scene::new(users());
    scene.logins.probe.hold(&[scene.user("alice")]);
    for client in 1..=20 {
        scene.flood("alice", 10, client);
    }
    scene.logins.until(MOST_WAITING, 1).await;
    let login = scene.spawn("bob", "other", 1);
    assert_eq!(login.await.unwrap(), Verdict::Welcome);
    scene.logins.probe.hold(&[]);
}

#[tokio::test]
async fn an_unknown_user_costs_what_all_cost_or_10() {
    for (costs, want) in [([4, 4], 4), ([5, 5], 5), ([4, 5], 10)] {
        let hashes = costs.map(|cost| bcrypt::hash("secret", cost).unwrap());
        let users = Users::of(&[("alice", &hashes[0]), ("bob", &hashes[1])]);
        let logins = Logins::default();
        let verdict = logins
            .check_here(&users, &basic("stranger", "secret"))
            .await;
        assert_eq!(verdict, REFUSED);
        assert_eq!(logins.probe.costs(), [want], "{costs:?}");
        logins.check_here(&users, &basic("bob", "secret")).await;
        assert_eq!(logins.probe.costs(), [want, costs[1]], "{costs:?}");
    }
}

#[tokio::test]
async fn an_address_has_a_share_and_others_have_room() {
    let scene = Scene::new(users());
    let logins = &scene.logins;
    let known = basic("bob", "other");
    assert_eq!(
        logins.check_here(&scene.users, &known).await,
        Verdict::Welcome
    );
    logins
        .probe
        .hold(&[scene.user("alice"), scene.users.decoy().unwrap()]);
    scene.flood("alice", 100, 1);
    scene.flood("stranger", 100, 1);
    logins.until(SHARE, 2).await;
    assert_eq!(scene.spawn("x", "one more", 1).await.unwrap(), SHARE_TAKEN);
    // What is remembered needs no place.
    assert_eq!(
        logins.check_here(&scene.users, &known).await,
        Verdict::Welcome
    );
    let other = scene.spawn("alice", "secret", 2);
    logins.until(SHARE + 1, 2).await;
    for client in 3..100 {
        scene.flood("x", 1, client);
    }
    logins.until(MOST_WAITING, 2).await;
    assert_eq!(scene.spawn("x", "one more", 100).await.unwrap(), BUSY);
    logins.probe.hold(&[]);
    assert_eq!(other.await.unwrap(), Verdict::Welcome);
    logins.until(0, 0).await;
    assert_eq!(scene.spawn("x", "one more", 1).await.unwrap(), REFUSED);
}

#[tokio::test]
async fn a_few_addresses_that_fill_the_queue_lock_no_user_out() {
    let scene = Scene::new(users());
    let logins = &scene.logins;
    logins.probe.hold(&[scene.user("alice")]);
    let clients = MOST_WAITING / SHARE;
    scene.flood("alice", 1, 0);
    logins.until(0, 1).await;
    let floods: Vec<_> = (1..=clients)
        .flat_map(|client| (0..SHARE).map(move |guess| (client, format!("{client}-{guess}"))))
        .map(|(client, guess)| scene.spawn("alice", &guess, client))
        .collect();
    logins.until(MOST_WAITING, 1).await;
    let login = scene.spawn("alice", "secret", 50);
    let displaced = async {
        while !floods.iter().any(tokio::task::JoinHandle::is_finished) {
            assert!(!login.is_finished());
            tokio::task::yield_now().await;
        }
    };
    let displaced = tokio::time::timeout(PATIENCE, displaced).await;
    assert!(displaced.is_ok(), "the newcomer has no place");
    logins.until(MOST_WAITING, 1).await;
    logins.probe.hold(&[]);
    assert_eq!(login.await.unwrap(), Verdict::Welcome);
    let verdicts = futures_util::future::join_all(floods).await;
    let busy = verdicts.iter().filter(|v| v.as_ref().unwrap() == &BUSY);
    assert_eq!(busy.count(), 1, "one gave its place");
}

/// As when a client of HTTP/2 resets its streams.
#[tokio::test]
async fn a_hash_whose_request_is_gone_keeps_its_turn_and_is_remembered() {
    let scene = Scene::new(users());
    let logins = &scene.logins;
    logins.probe.hold(&[scene.user("alice")]);
    let gone = scene.spawn("alice", "secret", 1);
    while logins.computed() < 1 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    // The next one waits for the one that no request waits for.
    let next = scene.spawn("alice", "wrong", 1);
    logins.until(1, 1).await;
    assert_eq!(logins.computed(), 1);
    logins.probe.hold(&[]);
    assert_eq!(next.await.unwrap(), REFUSED);
    let again = scene.spawn("alice", "secret", 1);
    assert_eq!(again.await.unwrap(), Verdict::Welcome);
    assert_eq!(logins.computed(), 2);
}

#[tokio::test]
async fn requests_that_are_gone_leave_their_places_and_results() {
    let scene = Scene::new(users());
    let logins = &scene.logins;
    logins.probe.hold(&[scene.user("alice")]);
    scene.flood("alice", 1, 1);
    logins.until(0, 1).await;
    // The first of these computes for the second, and goes away before its turn.
    let leader = scene.spawn("alice", "secret", 1);
    logins.until(1, 1).await;
    let follower = scene.spawn("alice", "secret", 2);
    let waiting = scene.spawn("alice", "another", 1);
    logins.until(2, 1).await;
    for gone in [leader, waiting] {
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
    }
    logins.until(1, 1).await;
    logins.probe.hold(&[]);
    assert_eq!(follower.await.unwrap(), Verdict::Welcome);
    logins.until(0, 0).await;
    assert!(logins.flights.lock().is_empty());
}
