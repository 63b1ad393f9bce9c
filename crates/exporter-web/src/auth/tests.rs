mod floods;

use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use parking_lot::Condvar;

use super::queue::{MOST_WAITING, SHARE};
use super::results::REMEMBERED;
use super::*;

const REFUSED: Verdict = Verdict::Refused(LoginRefusal::Credentials);
/// For what is held up, or does not come; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
const SHARE_TAKEN: Verdict = Verdict::Refused(LoginRefusal::Share);

/// Sees every hash that is computed, and holds some of them up.
#[derive(Clone, Default)]
pub(super) struct Probe {
    costs: Arc<Mutex<Vec<u32>>>,
    held: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Probe {
    pub(super) fn computes(&self, hash: &PasswordHash) {
        self.costs.lock().push(hash.cost);
        let (held, changed) = &*self.held;
        let is_held = |held: &mut Vec<String>| held.iter().any(|h| h == hash.text.expose_secret());
        changed.wait_while_for(&mut held.lock(), is_held, PATIENCE);
    }

    /// Holds the computation of these hashes up; no longer that of others.
    fn hold(&self, hashes: &[&PasswordHash]) {
        let texts = hashes
            .iter()
            .map(|hash| hash.text.expose_secret().to_owned());
        *self.held.0.lock() = texts.collect();
        self.held.1.notify_all();
    }

    /// The costs of the hashes so far.
    fn costs(&self) -> Vec<u32> {
        self.costs.lock().clone()
    }
}

impl Logins {
    fn computed(&self) -> usize {
        self.probe.costs().len()
    }

    async fn check_here(&self, users: &Users, headers: &HeaderMap) -> Verdict {
        self.check(users, headers, address(1)).await
    }

    /// Waits until so many logins wait, and so many are in work.
    async fn until(&self, waiting: usize, working: usize) {
        let settled = async {
            while self.queue.len() != (waiting, working) {
                tokio::task::yield_now().await;
            }
        };
        let settled = tokio::time::timeout(PATIENCE, settled).await;
        assert!(settled.is_ok(), "{:?} wait and work", self.queue.len());
    }
}

fn address(number: usize) -> IpAddr {
    Ipv4Addr::from(0xc000_0200 + u32::try_from(number).unwrap()).into()
}

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
        .check_here(&Users::default(), &HeaderMap::new())
        .await;
    assert_eq!(verdict, Verdict::Welcome);
}

#[tokio::test]
async fn a_user_comes_in_with_the_own_password_alone() {
    let (logins, users) = (Logins::default(), users());
    for (user, password, want) in [
        ("alice", "secret", Verdict::Welcome),
        ("bob", "other", Verdict::Welcome),
        ("alice", "other", REFUSED),
        ("alice", "", REFUSED),
        ("Alice", "secret", REFUSED),
        ("nobody", "secret", REFUSED),
        ("nobody", "other", REFUSED),
        ("", "", REFUSED),
    ] {
        let verdict = logins.check_here(&users, &basic(user, password)).await;
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
            logins.check_here(&users, &headers(value)).await,
            REFUSED,
            "{value}"
        );
    }
    assert_eq!(
        logins.check_here(&users, &HeaderMap::new()).await,
        Verdict::NoCredentials
    );
    assert_eq!(logins.computed(), 0);
    let lower = headers(&format!("basic {pair}"));
    assert_eq!(logins.check_here(&users, &lower).await, Verdict::Welcome);
}

#[tokio::test]
async fn a_password_is_computed_once_until_its_hash_changes() {
    let (logins, users) = (Logins::default(), users());
    for _ in 0..3 {
        assert_eq!(
            logins.check_here(&users, &basic("alice", "secret")).await,
            Verdict::Welcome
        );
        assert_eq!(
            logins.check_here(&users, &basic("alice", "wrong")).await,
            REFUSED
        );
    }
    assert_eq!(logins.computed(), 2);
    let changed = Users::of(&[("alice", &hash("new"))]);
    assert_eq!(
        logins.check_here(&changed, &basic("alice", "secret")).await,
        REFUSED
    );
    assert_eq!(
        logins.check_here(&changed, &basic("alice", "new")).await,
        Verdict::Welcome
    );
    assert_eq!(logins.computed(), 4);
    // Who was removed is out, whatever is remembered.
    let removed = Users::of(&[("bob", &hash("other"))]);
    assert_eq!(
        logins.check_here(&removed, &basic("alice", "new")).await,
        REFUSED
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
                logins.check_here(&users, &basic(user, &guess)).await,
                REFUSED
            );
            assert_eq!(logins.computed(), before + 1, "{user}");
            assert_eq!(
                logins.check_here(&users, &basic(user, &guess)).await,
                REFUSED
            );
            assert_eq!(logins.computed(), before + 1, "{user}, the second time");
        }
    }
}

#[tokio::test]
async fn guesses_do_not_push_a_good_password_out() {
    let (logins, users) = (Logins::default(), users());
    assert_eq!(
        logins.check_here(&users, &basic("alice", "secret")).await,
        Verdict::Welcome
    );
    for guess in 0..2 * REMEMBERED {
        logins
            .check_here(&users, &basic("alice", &guess.to_string()))
            .await;
    }
    let before = logins.computed();
    assert_eq!(
        logins.check_here(&users, &basic("alice", "secret")).await,
        Verdict::Welcome
    );
    assert_eq!(logins.computed(), before);
    let remembered = logins.results.lock();
    assert_eq!(remembered.bad.known.len(), REMEMBERED);
    assert_eq!(remembered.bad.order.len(), REMEMBERED);
}

#[tokio::test]
async fn the_same_login_many_times_at_once_is_computed_once() {
    let (logins, users) = (Arc::new(Logins::default()), Arc::new(users()));
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let (logins, users) = (logins.clone(), users.clone());
            tokio::spawn(async move { logins.check_here(&users, &basic("alice", "secret")).await })
        })
        .collect();
    for asked in asked {
        assert_eq!(asked.await.unwrap(), Verdict::Welcome);
    }
    assert_eq!(logins.computed(), 1);
}

#[tokio::test]
async fn a_password_ends_after_72_bytes_as_with_go() {
    let long = "x".repeat(72);
    let users = Users::of(&[("alice", &hash(&long))]);
    let logins = Logins::default();
    let longer = format!("{long}and more");
    assert_eq!(
        logins.check_here(&users, &basic("alice", &longer)).await,
        Verdict::Welcome
    );
    let shorter = "x".repeat(71);
    assert_eq!(
        logins.check_here(&users, &basic("alice", &shorter)).await,
        REFUSED
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
            logins.check_here(&users, &basic("dave", "dave123")).await,
            Verdict::Welcome
        );
    }
}
