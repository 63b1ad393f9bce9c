//! The simulated `rollingUpgrade`: it refuses what the vendor would, and else the upgrade begins.

use serde_json::{Value, json};

use super::super::super::sim::account::SimulatedAccount;
use super::super::super::sim::{find, refusal, success};
use super::SERVICE;
use crate::sim::{Answer, World};

/// The code that the vendor documents: the version is not later than the cluster's. The vendor's
/// page holds no other code, so the rest of them here are made up.
const NOT_LATER: u32 = 10153;
const NO_SUCH_VERSION: u32 = 10151;
const WRONG_CONFIG_GROUP: u32 = 10152;
const CHANGING: u32 = 10154;

pub(super) fn answer(world: &World, body: &Value) -> Answer {
    let number = |name: &str| body[name].as_u64();
    let numbers = (
        number("serviceGroupInstanceNo"),
        number("upgradeKafkaVersionCode"),
        number("upgradeConfigGroupNo"),
    );
    let (Some(id), Some(code), Some(group)) = numbers else {
        return refusal(400, 400, "잘못된 요청입니다.", world.now())
            .refusing("the three numbers of a rolling upgrade are integers");
    };
    let cluster = match find(world, SERVICE.product, &id.to_string()) {
        Ok(cluster) => cluster,
        Err(answer) => return answer,
    };
    let no = |code, message| refusal(200, code, message, world.now());
    let Some(to) = version(world, code) else {
        return no(NO_SUCH_VERSION, "지원하지 않는 Kafka 버전입니다.");
    };
    let moment = world.moment(cluster);
    if parts(&to) <= parts(cluster.version(moment.as_ref())) {
        return no(
            NOT_LATER,
            "업데이트된 Kafka 버전은 현재 클러스터 버전보다 이후여야 합니다.",
        );
    }
    let account = SimulatedAccount::of(world);
    let mut groups = account.config_groups.iter();
    if !groups.any(|known| known.number == group && known.version == to) {
        return no(
            WRONG_CONFIG_GROUP,
            "Kafka 버전에 맞는 Config Group이 아닙니다.",
        );
    }
    match world.order(cluster, &to) {
        Some(_) => success(&json!(true), world.now()),
        None => no(CHANGING, "클러스터가 변경 중입니다."),
    }
}

/// Returns the version of this code among those that the scenario knows. A code is the version's digits
/// with those of the manager, as in the vendor's documents: 2823006 is Kafka 2.8.2.
fn version(world: &World, code: u64) -> Option<String> {
    let code = code.to_string();
    let clusters = world.clusters(SERVICE.product);
    clusters
        .flat_map(|cluster| world.versions(cluster, 1))
        .find(|version| {
            let digits: String = version.chars().filter(char::is_ascii_digit).collect();
            format!("{digits}3006") == code
        })
}

fn parts(version: &str) -> Vec<u64> {
    let parts = version.split('.');
    parts.map(|part| part.parse().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::super::sim::account::ConfigGroup;
    use super::super::super::super::sim::tests::{cluster, scenario, world};
    use super::*;
    use crate::sim::timeline::State;

    /// Cluster 2 is at rest on 2.8.2, for so many seconds.
    fn rest(elapsed: u64) -> World {
        let mut one = cluster("cdss", "2", ["2.8.2", "3.7.1"], &[("b1", "broker")]);
        one.starts_after = None;
        let mut scenario = scenario("KR", vec![one]);
        let groups = [(170, "3.7.1"), (171, "2.8.2")].map(|(number, version)| ConfigGroup {
            number,
            version: version.to_owned(),
        });
        SimulatedAccount::change(&mut scenario, |account| {
            account.config_groups = groups.to_vec();
        });
        world(scenario, elapsed)
    }

    fn ask(world: &World, id: u64, code: u64, group: u64) -> (u64, bool) {
        let answer = answer(
            world,
            &json!({"serviceGroupInstanceNo": id, "upgradeKafkaVersionCode": code, "upgradeConfigGroupNo": group}),
        );
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        (body["code"].as_u64().unwrap(), answer.refused.is_some())
    }

    #[test]
    fn what_the_vendor_would_refuse_starts_nothing() {
        let world = rest(0);
        assert_eq!(ask(&world, 9, 3_713_006, 170), (10001, true));
        assert_eq!(ask(&world, 2, 371, 170), (10151, false));
        assert_eq!(ask(&world, 2, 2_823_006, 171), (10153, false));
        assert_eq!(ask(&world, 2, 3_713_006, 171), (10152, false));
        let text = json!({"serviceGroupInstanceNo": "2", "upgradeKafkaVersionCode": 1, "upgradeConfigGroupNo": 1});
        assert_eq!(answer(&world, &text).status, 400);
        let cluster = world.cluster("cdss", "2").unwrap();
        assert_eq!(world.moment(cluster), None);
    }

    #[test]
    fn what_was_started_is_seen_and_stands_in_the_way_of_another() {
        let mut world = rest(0);
        assert_eq!(ask(&world, 2, 3_713_006, 170), (0, false));
        assert_eq!(ask(&world, 2, 3_713_006, 170), (10154, false));
        let id = |world: &World| world.cluster("cdss", "2").unwrap().clone();
        let moment = world.moment(&id(&world)).unwrap();
        assert_eq!((moment.state, moment.ordered), (State::Running, true));
        assert_eq!((&*moment.from, &*moment.to), ("2.8.2", "3.7.1"));
        // Two minutes take one.
        world.speed = 1e6;
        std::thread::sleep(Duration::from_millis(5));
        let ended = world.moment(&id(&world)).unwrap();
        assert_eq!((ended.state, ended.version()), (State::Succeeded, "3.7.1"));
        assert_eq!(ask(&world, 2, 3_713_006, 170), (10153, false));
    }
}
