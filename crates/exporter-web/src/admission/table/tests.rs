use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn origin(text: &str) -> ClientNetwork {
    ClientNetwork::from(text.parse::<IpAddr>().unwrap())
}

/// A table whose handles are numbers, and a clock that moves a minute with each connection.
struct Fixture {
    table: Table<u32>,
    now: Instant,
    next: u32,
}

impl Fixture {
    fn new(limit: usize, share: usize) -> Self {
        Self {
            table: Table::new(limit, share),
            now: Instant::now(),
            next: 0,
        }
    }

    /// Admits a connection from `peer`, and returns its place and the one that it replaced.
    fn admit(&mut self, peer: &str) -> (Ticket, Option<(u32, Closed)>) {
        self.now += 60 * SECOND;
        self.admit_now(peer, true)
    }

    fn admit_now(&mut self, peer: &str, has_share: bool) -> (Ticket, Option<(u32, Closed)>) {
        self.next += 1;
        let handle = self.next;
        self.table.admit(origin(peer), has_share, self.now, handle)
    }

    fn active(&mut self, peer: &str) -> Ticket {
        let (ticket, _) = self.admit(peer);
        self.table.begin(ticket, self.now);
        ticket
    }
}

#[test]
fn closes_the_longest_idle_of_the_address_with_most() {
    let mut fixture = Fixture::new(4, 4);
    fixture.admit("10.0.0.1");
    fixture.admit("10.0.0.2");
    fixture.admit("10.0.0.2");
    assert_eq!(fixture.admit("10.0.0.3").1, None);
    assert_eq!(fixture.admit("10.0.0.1").1, Some((2, Closed::Room)));
    // Now the first address holds most.
    assert_eq!(fixture.admit("10.0.0.3").1, Some((1, Closed::Room)));
    assert_eq!(fixture.table.counts().new, 4);
}

#[test]
fn a_connection_with_a_request_outlasts_idle_ones() {
    let mut fixture = Fixture::new(3, 3);
    fixture.active("10.0.0.1");
    fixture.active("10.0.0.1");
    fixture.admit("10.0.0.2");
    assert_eq!(fixture.admit("10.0.0.3").1, Some((3, Closed::Room)));
    let counts = fixture.table.counts();
    assert_eq!((counts.new, counts.active), (1, 2));
}

#[test]
fn a_request_makes_a_connection_young_again() {
    let mut fixture = Fixture::new(2, 2);
    let (first, _) = fixture.admit("10.0.0.1");
    fixture.admit("10.0.0.1");
    fixture.table.begin(first, fixture.now);
    fixture.table.finish(first, fixture.now).unwrap();
    assert_eq!(fixture.admit("10.0.0.2").1, Some((2, Closed::Room)));
}

#[test]
fn an_address_at_its_share_replaces_its_own() {
    let mut fixture = Fixture::new(8, 2);
    fixture.active("10.0.0.1");
    fixture.admit("10.0.0.1");
    fixture.admit("10.0.0.2");
    assert_eq!(fixture.admit("10.0.0.1").1, Some((2, Closed::Share)));
    let (ticket, _) = fixture.admit("10.0.0.3");
    fixture.table.remove(ticket);
    // Also where all of them are busy.
    let mut fixture = Fixture::new(8, 2);
    fixture.active("10.0.0.1");
    fixture.active("10.0.0.1");
    assert_eq!(fixture.admit("10.0.0.1").1, Some((1, Closed::Share)));
}

#[test]
fn a_proxy_has_no_share() {
    let mut fixture = Fixture::new(8, 2);
    for _ in 0..8 {
        assert_eq!(fixture.admit_now("10.0.0.1", false).1, None);
    }
}

#[test]
fn busy_strangers_do_not_end_who_came_just_now() {
    let mut fixture = Fixture::new(9, 4);
    for n in 0..8 {
        fixture.active(&format!("10.0.0.{}", n % 4));
    }
    let (newcomer, _) = fixture.admit("10.9.9.9");
    for n in 0..4 {
        let closed = fixture.admit_now(&format!("10.0.0.{n}"), true).1;
        assert_eq!(closed, Some((n + 1, Closed::Room)));
    }
    assert!(fixture.table.remove(newcomer).is_some());
}

#[test]
fn young_connections_of_strangers_do_not_end_a_kept_one() {
    let mut fixture = Fixture::new(11, 11);
    let (kept, _) = fixture.admit("10.9.9.9");
    fixture.now += 60 * SECOND;
    for _ in 0..50 {
        for n in 0..2 {
            fixture.admit_now(&format!("10.0.0.{n}"), true);
        }
    }
    assert!(fixture.table.remove(kept).is_some());
}

#[test]
fn busy_connections_of_an_address_do_not_end_its_new_one() {
    let mut fixture = Fixture::new(8, 3);
    for _ in 0..3 {
        fixture.active("10.0.0.1");
    }
    let (new, closed) = fixture.admit_now("10.0.0.1", true);
    assert_eq!(closed, Some((1, Closed::Share)));
    let (_, closed) = fixture.admit_now("10.0.0.1", true);
    assert_eq!(closed, Some((2, Closed::Share)));
    assert!(fixture.table.remove(new).is_some());
}

#[test]
fn bounds_the_answers_that_nobody_reads() {
    let mut fixture = Fixture::new(9, 9);
    let greedy = [0; 2].map(|_| fixture.active("10.0.0.1"));
    let fair = fixture.active("10.0.0.2");
    assert_eq!(fixture.table.hold(greedy[0], 400, 1000, fixture.now), None);
    assert_eq!(fixture.table.hold(greedy[1], 300, 1000, fixture.now), None);
    assert_eq!(fixture.table.hold(fair, 300, 1000, fixture.now), None);
    assert_eq!(fixture.table.hold(fair, 300, 1000, fixture.now), Some(1));
    // What was read counts no longer.
    fixture.table.release(greedy[1], 300);
    assert_eq!(fixture.table.hold(fair, 400, 1000, fixture.now), None);
}

#[test]
fn a_client_that_reads_keeps_its_answer() {
    let mut fixture = Fixture::new(9, 9);
    let reading = fixture.active("10.0.0.1");
    let stalled = fixture.active("10.0.0.2");
    assert_eq!(fixture.table.hold(reading, 800, 1000, fixture.now), None);
    assert_eq!(fixture.table.hold(stalled, 100, 1000, fixture.now), None);
    fixture.now += STALL;
    fixture.table.take(reading, fixture.now);
    let (new, _) = fixture.admit_now("10.0.0.3", true);
    fixture.table.begin(new, fixture.now);
    // The other one holds less, and does not read.
    assert_eq!(fixture.table.hold(new, 200, 1000, fixture.now), Some(2));
    assert_eq!(fixture.table.hold(new, 200, 1000, fixture.now), Some(1));
}

#[test]
fn a_closed_connection_changes_nothing_more() {
    let mut fixture = Fixture::new(1, 1);
    let (gone, _) = fixture.admit("10.0.0.1");
    fixture.admit("10.0.0.2");
    fixture.table.begin(gone, fixture.now);
    assert_eq!(fixture.table.hold(gone, 10, 1000, fixture.now), None);
    fixture.table.release(gone, 10);
    assert_eq!(fixture.table.finish(gone, fixture.now), None);
    assert_eq!(fixture.table.remove(gone), None);
    assert_eq!(
        fixture.table.counts(),
        Counts {
            new: 1,
            idle: 0,
            active: 0
        }
    );
}

#[test]
fn only_connections_without_a_request_end_at_once() {
    let mut fixture = Fixture::new(4, 4);
    fixture.active("10.0.0.1");
    fixture.admit("10.0.0.1");
    let served = fixture.active("10.0.0.2");
    fixture.table.finish(served, fixture.now);
    fixture.admit("10.0.0.3");
    let mut removed = fixture.table.remove_new();
    removed.sort_unstable();
    assert_eq!(removed, [2, 4]);
    assert_eq!(
        fixture.table.counts(),
        Counts {
            new: 0,
            idle: 1,
            active: 1
        }
    );
}

proptest! {
    #[test]
    fn never_exceeds_its_limits_and_loses_no_connection(
        steps in prop::collection::vec((0_u8..5, 0_usize..12, 0_u64..4), 1..200)
    ) {
        let (limit, share) = (6, 3);
        let mut fixture = Fixture::new(limit, share);
        let mut open: Vec<(Ticket, u32)> = Vec::new();
        for (step, pick, seconds) in steps {
            fixture.now += SECOND * u32::try_from(seconds).unwrap();
            if step < 2 || open.is_empty() {
                let peer = format!("10.0.0.{}", pick % 4);
                let (ticket, closed) = fixture.admit_now(&peer, true);
                if let Some((handle, _)) = closed {
                    let place = open.iter().position(|(_, known)| *known == handle);
                    open.swap_remove(place.expect("only an open one is closed"));
                }
                open.push((ticket, fixture.next));
            } else {
                let place = pick % open.len();
                let ticket = open[place].0;
                match step {
                    2 => fixture.table.begin(ticket, fixture.now),
                    3 => {
                        if let Some(moved) = fixture.table.finish(ticket, fixture.now) {
                            open[place].0 = moved;
                        }
                    }
                    _ => {
                        let (_, handle) = open.swap_remove(place);
                        prop_assert_eq!(fixture.table.remove(ticket), Some(handle));
                    }
                }
            }
            let counts = fixture.table.counts();
            prop_assert_eq!(counts.new + counts.idle + counts.active, open.len());
            prop_assert!(open.len() <= limit);
            prop_assert!(fixture.table.origins.values().all(|held| (1..=share).contains(&held.len())));
        }
    }
}
