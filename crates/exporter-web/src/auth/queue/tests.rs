use std::net::{IpAddr, Ipv4Addr};

use super::*;

fn login(user: &str, client: u8) -> Login {
    Login {
        user: user.into(),
        client: IpAddr::from(Ipv4Addr::new(192, 0, 2, client)).into(),
    }
}

/// A login that waits for its turn.
struct Waiting {
    place: Place,
    turn: oneshot::Receiver<()>,
}

impl Waiting {
    fn is_started(&mut self) -> bool {
        self.turn.try_recv().is_ok()
    }

    fn is_displaced(&mut self) -> bool {
        self.turn.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }
}

fn own_lane() -> LaneName {
    LaneName::User(b"a".to_vec())
}

fn join(queue: &Queue, lane: LaneName, login: Login) -> Result<Waiting, LoginRefusal> {
    let (place, turn) = queue.join(lane, login)?;
    Ok(Waiting { place, turn })
}

#[test]
fn clients_have_their_turns_one_after_the_other() {
    let queue = Queue::default();
    let mut guesser: Vec<_> = (0..=SHARE)
        .map(|_| join(&queue, own_lane(), login("a", 1)).unwrap())
        .collect();
    assert!(guesser[0].is_started());
    let mut others = [2, 2, 3].map(|client| join(&queue, own_lane(), login("a", client)).unwrap());
    // The client that came during the guesser's first hash has the next one.
    drop(guesser.remove(0));
    assert!(others[0].is_started());
    drop(std::mem::replace(
        &mut others[0],
        join(&queue, own_lane(), login("a", 4)).unwrap(),
    ));
    let mut order = Vec::new();
    let [four, two, three] = others;
    let mut rest: Vec<(u8, Waiting)> = vec![(4, four), (2, two), (3, three)];
    rest.extend(guesser.into_iter().map(|waiting| (1, waiting)));
    while !rest.is_empty() {
        let started = rest
            .iter_mut()
            .position(|(_, waiting)| waiting.is_started());
        order.push(rest.remove(started.expect("one is in work")).0);
    }
    assert_eq!(order, [3, 1, 4, 2, 1, 1, 1, 1, 1, 1, 1]);
    assert!(queue.0.lock().lanes.is_empty());
}

#[test]
fn a_user_name_has_one_hash_in_work() {
    let queue = Queue::default();
    let mut first = join(&queue, LaneName::Shared, login("a", 1)).unwrap();
    let mut second = join(&queue, LaneName::Shared, login("a", 2)).unwrap();
    let mut other = join(&queue, LaneName::Shared, login("b", 1)).unwrap();
    let mut third = join(&queue, LaneName::Shared, login("c", 1)).unwrap();
    assert!(first.is_started() && other.is_started());
    assert!(!second.is_started() && !third.is_started());
    drop(other);
    assert!(third.is_started() && !second.is_started());
    drop(first);
    assert!(second.is_started());
}

#[test]
fn a_place_that_is_left_wakes_the_next() {
    let queue = Queue::default();
    let mut first = join(&queue, own_lane(), login("a", 1)).unwrap();
    assert!(first.is_started());
    let mut waiting = [1, 2, 3].map(|client| join(&queue, own_lane(), login("a", client)).unwrap());
    assert_eq!(queue.len(), (3, 1));
    let [one, two, three] = &mut waiting;
    // Its turn comes, and nothing waits for that any more.
    drop(first);
    assert_eq!(queue.len(), (2, 1));
    assert!(two.is_started(), "its client had no turn yet");
    assert!(!one.is_started() && !three.is_started());
    let [one, two, mut three] = waiting;
    drop((one, two));
    assert!(three.is_started());
    drop(three.turn);
    drop(three.place);
    assert_eq!(queue.len(), (0, 0));
}

#[test]
fn a_newcomer_displaces_the_newest_login_of_who_has_most() {
    let queue = Queue::default();
    let join_as = |client| join(&queue, own_lane(), login("a", client));
    // One is in work, and eight clients fill the queue.
    let mut working = join_as(100).unwrap();
    assert!(working.is_started());
    let mut waiting: Vec<_> = (0..MOST_WAITING)
        .map(|n| join_as(u8::try_from(n / SHARE).unwrap()).unwrap())
        .collect();
    assert_eq!(queue.len(), (MOST_WAITING, 1));
    let mut newcomer = join_as(200).unwrap();
    assert_eq!(queue.len(), (MOST_WAITING, 1));
    let displaced: Vec<_> = (0..MOST_WAITING)
        .filter(|n| waiting[*n].is_displaced())
        .collect();
    assert_eq!(
        displaced,
        [MOST_WAITING - 1],
        "the last in turn of those with most"
    );
    drop(waiting.pop());
    assert_eq!(queue.len(), (MOST_WAITING, 1));
    assert!(!newcomer.is_displaced());
    // It goes on until all have as many.
    let mut places = vec![newcomer];
    let joined = |places: &mut Vec<_>| loop {
        match join_as(200) {
            Ok(place) => places.push(place),
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(joined(&mut places), LoginRefusal::Busy);
    assert_eq!(places.len(), 7);
    assert!(!places.iter_mut().any(Waiting::is_displaced));
    assert_eq!(queue.len(), (MOST_WAITING, 1));
    drop((waiting, places, working));
    assert!(queue.0.lock().lanes.is_empty());
}

#[test]
fn a_client_with_one_login_is_not_displaced() {
    let queue = Queue::default();
    let join_as = |client| join(&queue, own_lane(), login("a", client));
    let all: Vec<_> = (0..=u8::try_from(MOST_WAITING).unwrap())
        .map(|client| join_as(client).unwrap())
        .collect();
    assert_eq!(join_as(200).err(), Some(LoginRefusal::Busy));
    assert_eq!(queue.len(), (MOST_WAITING, 1));
    drop(all);
}
