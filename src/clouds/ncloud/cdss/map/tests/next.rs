//! Upgrades that follow another one.

use std::sync::Arc;

use super::*;

#[test]
fn after_the_end_it_is_told_again_until_the_next() {
    let played = play(&[
        ("changing", "2", "og"),
        ("running", "3", "gg"),
        ("running", "3", "rg"),
        ("running", "3", "yg"),
        ("running", "3", "og"),
        ("running", "3", "gg"),
    ]);
    let ended = played[1].as_ref().unwrap();
    assert_eq!(ended.status, S::Succeeded);
    assert_eq!(
        played[2].as_ref(),
        Some(ended),
        "a broker that breaks later"
    );
    assert_eq!(played[3].as_ref(), Some(ended));
    let next = played[4].as_ref().unwrap();
    assert_eq!(next.status, S::Running);
    assert_eq!(next.requested, Some(at(4)));
    assert_eq!(next.from_version.as_deref(), Some("3"));
    assert_eq!(next.to_version, None);
    assert_eq!(
        nodes(played[4].as_ref()),
        [Upgrading, Waiting],
        "what was seen of the last upgrade does not count"
    );
    let again = states(&[
        ("changing", "2", "og"),
        ("running", "3", "gg"),
        ("changing", "3", "gg"),
    ]);
    assert_eq!(again, [S::Running, S::Succeeded, S::Pending]);
}

#[test]
fn after_a_forgotten_failure_orange_is_a_new_upgrade() {
    let mut memory = polled();
    let running = listed("running", "2");
    look(&mut memory, &colours("ogg"), &running, 0);
    let failed = look(&mut memory, &colours("rgg"), &running, 1);
    assert_eq!(failed.unwrap().status, S::Failed);
    let again = look(&mut memory.clone(), &colours("org"), &running, 2).unwrap();
    assert_eq!(again.requested, Some(at(0)), "the same upgrade goes on");
    let seen = memory.upgrades.get_mut(&Kind::Version).unwrap();
    Arc::make_mut(seen).forgotten = true;
    let still = look(&mut memory.clone(), &colours("rgg"), &running, 3).unwrap();
    assert_eq!(
        still.status,
        S::Failed,
        "a broken broker alone begins nothing"
    );
    let new = look(&mut memory, &colours("org"), &running, 4).unwrap();
    assert_eq!((new.status, new.requested), (S::Running, Some(at(4))));
}
