//! Answers that name no node, or nothing at all.

use super::*;

#[test]
fn an_answer_that_names_nothing_is_no_rest() {
    let mut looks = vec![("running", "2", "ogg"), ("running", "2", "")];
    looks.extend([("running", "2", ""); 3]);
    assert!(states(&looks).iter().all(|state| *state == S::Running));
    let unnamed = [
        ("changing", "2", ""),
        ("running", "2", ""),
        ("running", "2", ""),
    ];
    assert_eq!(states(&unnamed), [S::Pending, S::Pending, S::None]);
}

#[test]
fn without_nodes_the_services_colours_and_the_cluster_decide() {
    let overall = |colour: &str| -> Progress {
        serde_json::from_value(json!({"brokerStatus": colour, "zookeeperStatus": null})).unwrap()
    };
    let cluster = listed("running", "2");
    let mut memory = polled();
    let begun = look(&mut memory, &overall("ORANGE"), &cluster, 9).unwrap();
    assert_eq!((begun.status, begun.nodes.len()), (S::Running, 0));
    let ended = look(&mut memory, &overall("green"), &listed("running", "3"), 10);
    assert_eq!(ended.unwrap().status, S::Succeeded);

    let mut memory = polled();
    let begun = look(&mut memory, &colours("og"), &cluster, 9).unwrap();
    let changing = listed("changing", "2");
    let after = look(&mut memory, &Progress::default(), &changing, 10).unwrap();
    assert_eq!(after.status, S::Running);
    assert_eq!(after.nodes, begun.nodes, "nodes are not taken away");
}

#[test]
fn a_service_that_names_no_node_is_read_by_its_own_colour() {
    let progress: Progress = serde_json::from_value(json!({
        "brokerStatus": "orange",
        "brokerStatusPerNode": null,
        "zookeeperStatus": "green",
        "zookeeperStatusPerNode": [{"hostname": "z", "status": "green"}],
    }))
    .unwrap();
    let observation = observation(&progress, &listed("running", "2"), &polled(), at(1));
    assert_eq!(observation.upgrades[0].status, S::Running);
}

#[test]
fn an_unknown_colour_of_a_service_without_nodes_is_told() {
    let progress: Progress = serde_json::from_value(json!({
        "brokerStatus": "purple",
        "zookeeperStatus": "blue",
        "zookeeperStatusPerNode": [{"hostname": "z", "status": "green"}],
    }))
    .unwrap();
    let observation = observation(&progress, &listed("running", "2"), &polled(), at(1));
    assert_eq!(
        observation.unknown_words,
        ["purple"],
        "a node speaks for the other"
    );
}

#[test]
fn an_end_that_names_no_node_keeps_the_nodes() {
    let played = play(&[("changing", "2", "og"), ("running", "3", "")]);
    assert_eq!(played[1].as_ref().unwrap().status, S::Succeeded);
    assert_eq!(nodes(played[1].as_ref()), [Succeeded, Succeeded]);
}
