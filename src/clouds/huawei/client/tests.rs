//! Tests of the client against the simulated gateway and IAM, over real loopback sockets.

use std::net::SocketAddr;

use super::*;
use crate::clock::Clock;
use crate::cloud::Method;
use crate::cloud::transport::RequestMetrics;
use crate::clouds::huawei::account::Auth;
use crate::clouds::huawei::sim::account::SimulatedAccount;
use crate::clouds::huawei::sim::tests as stage;
use crate::config::Account;
use crate::sim::World;
use crate::sim::scenario::{Fault, FaultAnswer, Scenario};

const CALL: Call = Call::read("List", Method::Get, "/v1.0/{}/clusters");

fn client(account: &Account, transport: &Arc<Transport>) -> Client {
    let context = account.context(&account.products[0], transport.clone());
    Client::new(&context, "css").unwrap()
}

fn world(scenario: Scenario) -> World {
    World::new(scenario, 1.0, Clock::system())
}

fn token_auth(address: SocketAddr, password: &str) -> Auth {
    Auth::Token {
        iam_endpoint: Some(format!("http://{address}").parse().unwrap()),
        domain: "domain A".into(),
        user: "user A".into(),
        password: stage::secret(password),
    }
}

#[tokio::test]
async fn signed_calls_are_let_in_with_what_needs_encoding() {
    let mut scenario = stage::scenario(Vec::new());
    SimulatedAccount::change(&mut scenario, |account| {
        account.security_token = Some("a+b/c==".to_owned().into());
    });
    let (address, world) = stage::serve(world(scenario)).await;
    let Auth::Keys {
        access_key,
        secret_key,
        ..
    } = stage::good_keys()
    else {
        unreachable!("they are keys")
    };
    let auth = Auth::Keys {
        access_key,
        secret_key,
        security_token: Some(stage::secret(" a+b/c==\n")),
    };
    let account = stage::account(address, auth);
    let client = client(&account, &stage::transport(&account));
    let answer = client
        .get(
            Effort::Normal,
            &CALL,
            &[],
            &[("name", "a b~*한"), ("limit", "10")],
        )
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(world.seen(), (1, Vec::new()));
}

#[tokio::test]
async fn a_refused_key_is_tried_once() {
    let (address, world) = stage::serve(world(stage::scenario(Vec::new()))).await;
    let account = stage::account(address, stage::keys("wrong"));
    let transport = stage::transport(&account);
    let first = client(&account, &transport);
    let error = first
        .get(Effort::Normal, &CALL, &[], &[])
        .await
        .unwrap_err();
    assert_eq!(error.code.as_deref(), Some("APIGW.0301"));
    assert!(error.message.contains("secret_key"), "{error}");
    // The account's other product has the same key.
    let second = client(&account, &transport);
    let error = second
        .get(Effort::Normal, &CALL, &[], &[])
        .await
        .unwrap_err();
    assert_eq!((error.reason, error.status), (Reason::Auth, None));
    assert_eq!(world.seen().0, 1);
    let shown = format!("{error} {first:?}");
    assert!(!shown.contains("wrong"), "{shown}");
}

#[tokio::test]
async fn products_share_one_token() {
    let (address, world) = stage::serve(world(stage::scenario(Vec::new()))).await;
    let account = stage::account(address, token_auth(address, "pass\"phrase"));
    let transport = stage::transport(&account);
    let (one, other) = (client(&account, &transport), client(&account, &transport));
    let answers = tokio::join!(
        one.get(Effort::Normal, &CALL, &[], &[]),
        other.get(Effort::Normal, &CALL, &[], &[]),
        one.get(Effort::Normal, &CALL, &[], &[])
    );
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok());
    assert_eq!(world.seen(), (4, Vec::new()), "one token, three calls");
    let super::Auth::Token(source) = &one.auth else {
        unreachable!("it is a token")
    };
    let shown = format!("{one:?} {source:?}");
    assert!(
        !shown.contains("MIISIM") && !shown.contains("phrase"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_refused_password_is_tried_once() {
    let (address, world) = stage::serve(world(stage::scenario(Vec::new()))).await;
    let account = stage::account(address, token_auth(address, "wrong"));
    let client = client(&account, &stage::transport(&account));
    let (x, y) = tokio::join!(
        client.get(Effort::Normal, &CALL, &[], &[]),
        client.get(Effort::Normal, &CALL, &[], &[])
    );
    let error = x.unwrap_err();
    assert_eq!(error.call, "KeystoneCreateUserTokenByPassword");
    assert!(error.message.contains("password"), "{error}");
    assert_eq!(y.unwrap_err().reason, Reason::Auth);
    let later = client
        .get(Effort::Normal, &CALL, &[], &[])
        .await
        .unwrap_err();
    assert_eq!(later.status, None);
    assert_eq!(world.seen().0, 1);
}

#[tokio::test]
async fn a_token_that_dies_early_is_renewed_once() {
    // The tokens are of another world: this one refuses them all.
    let (iam, iam_world) = stage::serve(world(stage::scenario(Vec::new()))).await;
    let mut other = stage::scenario(Vec::new());
    SimulatedAccount::change(&mut other, |account| {
        account.password = "other".to_owned().into();
    });
    let (address, world) = stage::serve(world(other)).await;
    let account = stage::account(address, token_auth(iam, "pass\"phrase"));
    let client = client(&account, &stage::transport(&account));
    let error = client
        .get(Effort::Normal, &CALL, &[], &[])
        .await
        .unwrap_err();
    assert_eq!(error.code.as_deref(), Some("APIGW.0301"));
    assert_eq!((iam_world.seen().0, world.seen().0), (2, 2));
    let error = client
        .get(Effort::Normal, &CALL, &[], &[])
        .await
        .unwrap_err();
    assert_eq!(
        (error.reason, error.status),
        (Reason::Auth, None),
        "it rests"
    );
    assert_eq!((iam_world.seen().0, world.seen().0), (2, 2));
}

#[tokio::test]
async fn many_that_wait_with_a_dead_token_do_not_try_it_one_after_another() {
    let (iam, iam_world) = stage::serve(world(stage::scenario(Vec::new()))).await;
    let mut other = stage::scenario(Vec::new());
    SimulatedAccount::change(&mut other, |account| {
        account.password = "other".to_owned().into();
    });
    let (address, world) = stage::serve(world(other)).await;
    let account = stage::account(address, token_auth(iam, "pass\"phrase"));
    let client = client(&account, &stage::transport(&account));
    let calls = (0..20).map(|_| client.get(Effort::Normal, &CALL, &[], &[]));
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(outcome.unwrap_err().reason, Reason::Auth);
    }
    assert_eq!(
        (iam_world.seen().0, world.seen().0),
        (2, 2),
        "the first token and its successor are each tried once"
    );
}

/// Moves tokio's clock; no call is on its way.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Makes calls, the second of them while the vendor refuses this path for 10 s; returns the requests.
async fn refused_once(path: &str, after: Duration, is_token: bool) -> u64 {
    let clock = Clock::tokio(Clock::system().now());
    let mut scenario = stage::scenario(Vec::new());
    scenario.faults.push(Fault {
        path: path.into(),
        query: None,
        cluster: None,
        from: after,
        lasts: Some(Duration::from_secs(10)),
        answer: FaultAnswer::Unauthorized,
    });
    let (address, world) = stage::serve(World::new(scenario, 1.0, clock.clone())).await;
    let auth = if is_token {
        token_auth(address, "pass\"phrase")
    } else {
        stage::good_keys()
    };
    let account = stage::account(address, auth);
    let requests = RequestMetrics::of(&account.name, account.products[0].product.info().name);
    let transport = Transport::new(&account.connection(), requests.clone(), clock).unwrap();
    let client = client(&account, &Arc::new(transport));
    client.get(Effort::Normal, &CALL, &[], &[]).await.unwrap();
    pass(after + Duration::from_secs(1)).await;
    let time = async {
        while !requests.has("401") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        pass(Duration::from_secs(15)).await;
    };
    let (again, ()) = tokio::join!(client.get(Effort::Normal, &CALL, &[], &[]), time);
    again.unwrap();
    world.seen().0
}

#[tokio::test]
async fn one_odd_refusal_costs_a_pause_and_no_lockout() {
    let minute = Duration::from_secs(60);
    assert_eq!(refused_once("/clusters", minute, false).await, 3);
    let one_token = refused_once("/clusters", minute, true).await;
    assert_eq!(one_token, 4, "the token is kept");
}

#[tokio::test]
async fn one_odd_refusal_of_a_password_costs_a_pause() {
    let dead = Duration::from_secs(25 * 3600);
    assert_eq!(refused_once("/v3/auth/tokens", dead, true).await, 5);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_used_while_it_lives() {
    const HOUR: Duration = Duration::from_secs(3600);
    let clock = Clock::tokio(Clock::system().now());
    let mut scenario = stage::scenario(Vec::new());
    scenario.faults.push(Fault {
        path: "/v3/auth/tokens".into(),
        query: None,
        cluster: None,
        from: HOUR * 40,
        lasts: None,
        answer: FaultAnswer::Forbidden,
    });
    let (address, world) = stage::serve(World::new(scenario, 1.0, clock.clone())).await;
    let account = stage::account(address, token_auth(address, "pass\"phrase"));
    let transport =
        Transport::new(&account.connection(), RequestMetrics::default(), clock).unwrap();
    let client = client(&account, &Arc::new(transport));
    let asked = async || {
        let before = world.seen().0;
        client.get(Effort::Normal, &CALL, &[], &[]).await.unwrap();
        world.seen().0 - before
    };
    assert_eq!(asked().await, 2, "a token and a call");
    pass(HOUR * 23).await;
    assert_eq!(asked().await, 1);
    pass(HOUR / 2).await;
    assert_eq!(asked().await, 2, "half an hour is left");
    pass(HOUR * 71 / 3).await;
    assert_eq!(asked().await, 2, "IAM gives none, and the old one is good");
    assert_eq!(asked().await, 1, "IAM is not asked again at once");
    pass(HOUR).await;
    let error = client
        .get(Effort::Normal, &CALL, &[], &[])
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::Permission);
    assert_eq!(world.seen().1, [""; 0], "no dead token was sent");
}
