//! Upgrades and changes of the zone, side by side.

use std::time::Duration;

use super::scripted::{none, one, page, refused, scripted};
use super::*;

#[tokio::test]
async fn a_cloud_that_refuses_zone_changes_still_tells_upgrades() {
    let (css, asked) = scripted(vec![
        page(1, 0..1),
        none(),
        refused("CSS.0001"),
        none(),
        page(1, 0..1),
        none(),
        refused("CSS.0001"),
    ])
    .await;
    let observe = async || {
        css.observe("0", &Memory::default(), Duration::from_secs(60))
            .await
            .unwrap()
    };
    observe().await;
    observe().await;
    css.discover().await.unwrap();
    observe().await;
    let az = |line: &&String| line.contains("action_mode=AZ_MIGRATION");
    let asked = asked.lock().unwrap().clone();
    assert_eq!((asked.len(), asked.iter().filter(az).count()), (7, 2));
}

#[tokio::test]
async fn a_zone_change_that_is_not_over_is_asked_for_while_the_version_changes_too() {
    let (css, _) = scripted(vec![
        page(1, 0..1),
        one("RUNNING"),
        one("RUNNING"),
        one("RUNNING"),
        one("SUCCESS"),
    ])
    .await;
    let mut memory = Memory::default();
    let mut last = Vec::new();
    for _ in 0..2 {
        let seen = css
            .observe("0", &memory, Duration::from_secs(60))
            .await
            .unwrap();
        remember(&mut memory, &seen);
        last = seen.upgrades.iter().map(|u| (u.kind, u.status)).collect();
    }
    assert_eq!(
        last,
        [
            (Kind::Version, UpgradeStatus::Running),
            (Kind::AzMigration, UpgradeStatus::Succeeded)
        ]
    );
}

#[tokio::test]
async fn one_empty_answer_does_not_take_a_failure_back() {
    let mut answers = vec![page(1, 0..1), one("FAILED"), none()];
    answers.extend([none(), none(), none(), none()]);
    let (css, _) = scripted(answers).await;
    let fresh = Duration::from_secs(60);
    let mut memory = Memory::default();
    let mut told = Vec::new();
    for _ in 0..3 {
        let seen = css.observe("0", &memory, fresh).await.unwrap();
        remember(&mut memory, &seen);
        told.push(seen.upgrades.first().map(|upgrade| upgrade.status));
    }
    let failed = Some(UpgradeStatus::Failed);
    assert_eq!(told, [failed, failed, None]);
}

#[tokio::test]
async fn a_refusal_does_not_take_away_a_zone_change_that_is_known() {
    for (word, want) in [
        ("FAILED", Ok(Some(UpgradeStatus::Failed))),
        ("RUNNING", Err(Reason::Refused)),
    ] {
        let answers = vec![
            page(1, 0..1),
            none(),
            one(word),
            none(),
            refused("CSS.0077"),
        ];
        let (css, _) = scripted(answers).await;
        let fresh = Duration::from_secs(60);
        let mut memory = Memory::default();
        let seen = css.observe("0", &memory, fresh).await.unwrap();
        remember(&mut memory, &seen);
        let then = css.observe("0", &memory, fresh).await;
        let told = then.map(|seen| seen.upgrades.first().map(|upgrade| upgrade.status));
        assert_eq!(told.map_err(|error| error.reason), want, "{word}");
    }
}
