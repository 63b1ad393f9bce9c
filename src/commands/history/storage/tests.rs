use std::collections::BTreeMap;
use std::fs;

use rolling_upgrade_exporter::model::{
    Kind, PastCluster, PastKey, Upgrade, UpgradeStatus, UpgradeView,
};
use rolling_upgrade_exporter::model::{Node, NodeStatus};
use rolling_upgrade_exporter::store::disk::database::{Batch, Database};
use rolling_upgrade_exporter::text::json;
use tempfile::TempDir;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// Returns an upgrade of a node that took so many seconds up to its end.
fn past(id: &str, status: UpgradeStatus, ended: i64, took: i64) -> PastUpgrade {
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.nodes = vec![Node::new("n-1", "", NodeStatus::Succeeded, "")];
    PastUpgrade {
        key: PastKey {
            cluster: PastCluster {
                account: "kr".to_owned(),
                product: "ses".to_owned(),
                location: String::new(),
                cluster_id: id.to_owned(),
            },
            kind: Kind::Version,
            first_seen: at(ended - took),
        },
        cloud: "ncloud".to_owned(),
        cloud_region: "KR".to_owned(),
        cluster_name: format!("name-{id}"),
        ended: at(ended),
        upgrade: UpgradeView {
            status_since: at(ended),
            started: None,
            ended: Some(at(ended)),
            last_progress: at(ended),
            stalled: false,
            ratio: None,
            estimated_end: None,
            task_order: None,
            node_work: [None].into(),
            upgrade: upgrade.into(),
        },
    }
}

/// Upgrade of a report: id, end, number of nodes, and usual duration.
type Row = (String, i64, usize, Option<f64>);

/// Reports these upgrades by a filter, with the number of those beyond its limit.
fn report(upgrades: &[PastUpgrade], filter: HistoryFilter) -> (Vec<Row>, u64) {
    let mut gathered = Gathered::new(filter);
    for upgrade in upgrades {
        gathered.add(&json::to_string(upgrade).unwrap());
    }
    let past = PastUpgrades::new(gathered.upgrades, 0);
    let report = HistoryReport::new(&past, &gathered.filter, at(0));
    let upgrades = report.upgrades.into_iter().map(|upgrade| {
        let ended = upgrade.ended.as_second();
        let median = upgrade.earlier_median_seconds;
        (upgrade.cluster_id, ended, upgrade.nodes.len(), median)
    });
    (upgrades.collect(), report.more)
}

#[test]
fn upgrades_that_are_left_out_still_tell_the_usual_duration() {
    use UpgradeStatus::{Failed, Succeeded};
    let all = [
        past("a", Failed, 900, 10),
        past("b", Failed, 900, 10),
        past("a", Succeeded, 700, 30),
        past("c", Failed, 650, 10),
        past("a", Succeeded, 600, 50),
    ];
    let row = |id: &str, ended, nodes, median| (id.to_owned(), ended, nodes, median);
    let failed = HistoryFilter {
        outcomes: vec![Failed],
        ..HistoryFilter::default()
    };
    let limited = HistoryFilter {
        limit: Some(1),
        ..failed.clone()
    };
    let (listed, more) = report(&all, limited);
    assert_eq!((listed, more), (vec![row("a", 900, 1, Some(50.0))], 2));
    let of_one = HistoryFilter {
        clusters: vec!["name-a".to_owned()],
        ..HistoryFilter::default()
    };
    let (listed, more) = report(&all, of_one);
    let want = vec![
        row("a", 900, 1, Some(50.0)),
        row("a", 700, 1, Some(50.0)),
        row("a", 600, 1, None),
    ];
    assert_eq!((listed, more), (want, 0));
    // Upgrades that ended at one time are listed by id, whichever comes first.
    let mut turned = all;
    turned.swap(0, 1);
    let (listed, _) = report(
        &turned,
        HistoryFilter {
            limit: Some(1),
            ..failed
        },
    );
    assert_eq!(listed, [row("a", 900, 1, Some(50.0))]);
}

/// Makes a database with one upgrade.
fn database() -> (TempDir, Database) {
    let folder = TempDir::new().unwrap();
    let mut database = Database::open(folder.path()).unwrap().database;
    let past = past("a", UpgradeStatus::Succeeded, 900, 10);
    let upgrades = BTreeMap::from([(past.key.clone(), Arc::new(past))]);
    database
        .write(&Batch {
            upgrades,
            ..Batch::default()
        })
        .unwrap();
    (folder, database)
}

#[test]
fn an_upgrade_is_read_from_a_stopped_exporters_folder() {
    let (folder, database) = database();
    drop(database);
    let (report, unreadable) = gather(folder.path(), HistoryFilter::default()).unwrap();
    assert_eq!((report.upgrades.len(), unreadable), (1, 0));
}

#[test]
fn a_folder_that_cannot_be_read_is_told_with_a_remedy() {
    let (folder, database) = database();
    let error = |folder: &Path| {
        let failure = gather(folder, HistoryFilter::default()).unwrap_err();
        assert_eq!(failure.exit_code(), 1);
        failure.to_string()
    };
    let locked = error(folder.path());
    let remedy = "if an exporter runs, read its history with --url";
    assert!(
        locked.contains("state.db: ") && locked.contains(remedy),
        "{locked}"
    );
    drop(database);
    let missing = error(&folder.path().join("missing"));
    let remedy =
        "missing has no state of an exporter: name the folder that `serve` has in --storage.path";
    assert!(missing.ends_with(remedy), "{missing}");
    let no_folder = error(&folder.path().join("state.db"));
    assert!(
        no_folder.ends_with("(os error 20): name a folder with --storage.path"),
        "{no_folder}"
    );
    fs::write(folder.path().join("state.db"), "no database ".repeat(1000)).unwrap();
    drop(fs::remove_file(folder.path().join("state.db-wal")));
    let corrupt = error(folder.path());
    assert!(corrupt.contains("is corrupt"), "{corrupt}");
}

#[test]
fn records_that_cannot_be_read_are_counted() {
    let mut gathered = Gathered::new(HistoryFilter::default());
    gathered.add("{}");
    gathered.add(&json::to_string(&past("a", UpgradeStatus::Succeeded, 900, 10)).unwrap());
    gathered.add("no JSON");
    assert_eq!((gathered.upgrades.len(), gathered.unreadable), (1, 2));
}
