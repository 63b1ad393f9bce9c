use jiff::Timestamp;

use super::*;
use crate::model::{Kind, Node, NodeStatus, UpgradeStatus};
use crate::text::escaped;

fn observation(upgrade: Upgrade) -> Observation {
    Observation {
        name: "name".into(),
        version: "1".into(),
        raw_status: "running".into(),
        changing: false,
        upgrades: vec![upgrade],
        unknown_words: Vec::new(),
        refused: None,
        ..Observation::default()
    }
}

fn upgrade() -> Upgrade {
    Upgrade::new(Kind::Version, UpgradeStatus::Running)
}

fn task(order: u32, status: TaskStatus) -> Task {
    Task {
        order,
        name: format!("task {order}"),
        status,
        start: None,
        end: None,
        description: None,
    }
}

fn at(second: u32) -> Option<Timestamp> {
    Timestamp::from_second(second.into()).ok()
}

#[test]
fn cuts_long_texts_between_characters() {
    let fits = "한".repeat(MAX_CHARS);
    assert_eq!(label(&fits), fits);
    assert!(!is_cut(&fits));
    let long = label(&"한".repeat(MAX_CHARS + 1));
    assert_eq!(long, format!("{}…", "한".repeat(MAX_CHARS - 1)));
    assert!(is_cut(&long));
    assert_eq!(label(&long), long, "a cut text is not cut again");
    assert!(!is_cut("short…"));
}

#[test]
fn counts_the_characters_of_escapes() {
    for c in ['\n', '\u{9b}', '\u{202e}', '\u{e007f}'] {
        let long = label(&c.to_string().repeat(MAX_CHARS));
        let shown = escaped(&long).chars().count();
        assert!(
            (MAX_CHARS - LONGEST_ESCAPE..=MAX_CHARS).contains(&shown),
            "{c:?}: {shown}"
        );
        assert!(is_cut(&long), "{c:?}");
        assert_eq!(label(&long), long, "{c:?}");
    }
}

#[test]
fn a_cut_text_frees_the_rest() {
    let mut text = "a".repeat(8 << 20);
    cut(&mut text);
    assert!(text.capacity() < 4096, "{}", text.capacity());
}

#[test]
fn ids_have_letters_digits_and_five_marks() {
    for id in [
        "",
        "3427188",
        "ea244205-d641-45d9-9dcb-ab2236bcd07e",
        "arn:aws:kafka:eu-central-1:123456789012:cluster/my_name.1/8f0b",
        &"a".repeat(MAX_ID),
    ] {
        assert_eq!(check_id(id), Ok(()), "{id}");
    }
    for (id, bad) in [
        ("1\n2", '\n'),
        ("\u{1b}[31m", '\u{1b}'),
        ("a b", ' '),
        ("가", '가'),
        ("a\u{202e}", '\u{202e}'),
    ] {
        assert_eq!(check_id(id), Err(IdFault::Character(bad)));
    }
    let long = "a".repeat(MAX_ID + 1);
    assert_eq!(check_id(&long), Err(IdFault::Long(MAX_ID + 1)));
    let text = IdFault::Character('\n').to_string();
    assert!(
        text.starts_with("it has the character '\\n' (U+000A)"),
        "{text}"
    );
}

#[test]
fn an_observation_within_the_bounds_stays_as_it_is() {
    let mut upgrade = upgrade();
    upgrade.nodes = vec![Node::new("n", "data", NodeStatus::Waiting, "running")];
    upgrade.tasks = vec![task(1, TaskStatus::Running)];
    let before = observation(upgrade);
    let mut after = before.clone();
    assert_eq!(apply(&mut after), []);
    assert_eq!(after, before);
}

#[test]
fn cuts_every_label_value_of_an_observation() {
    let long = "x".repeat(MAX_CHARS + 1);
    let fields: [fn(&mut Observation) -> &mut String; 6] = [
        |o| &mut o.name,
        |o| &mut o.version,
        |o| &mut o.raw_status,
        |o| o.upgrades[0].from_version.get_or_insert_default(),
        |o| o.upgrades[0].to_version.get_or_insert_default(),
        |o| &mut o.upgrades[0].tasks[0].name,
    ];
    for field in fields {
        let mut upgrade = upgrade();
        upgrade.tasks = vec![task(1, TaskStatus::Running)];
        let mut observation = observation(upgrade);
        field(&mut observation).clone_from(&long);
        assert_eq!(apply(&mut observation), [Truncated::Label]);
        assert!(is_cut(field(&mut observation)));
    }
    for node in [
        Node::new(&long, "data", NodeStatus::Waiting, ""),
        Node::new("n", &long, NodeStatus::Waiting, ""),
        Node::new("n", "data", NodeStatus::Waiting, &long),
    ] {
        let mut upgrade = upgrade();
        upgrade.nodes = vec![node];
        assert_eq!(apply(&mut observation(upgrade)), [Truncated::Label]);
    }
}

#[test]
fn long_names_that_begin_alike_stay_apart() {
    let long = "x".repeat(MAX_CHARS);
    let mut nodes = NodeCollector::default();
    for (end, status) in [("1", NodeStatus::Waiting), ("2", NodeStatus::Succeeded)] {
        nodes.add(Node::new(&format!("{long}{end}"), "", status, ""));
    }
    let (nodes, _) = nodes.finish();
    let [first, second] = [&nodes[0].key.name, &nodes[1].key.name];
    assert_ne!(first, second);
    for cut in [first, second] {
        assert_eq!(cut.chars().count(), MAX_CHARS);
        assert!(is_cut(cut), "{cut}");
        assert_eq!(name(cut), *cut);
    }
    let controls = name(&"\u{9b}".repeat(MAX_CHARS));
    assert!(escaped(&controls).chars().count() <= MAX_CHARS);
}

#[test]
fn bounds_nodes_that_were_not_collected() {
    let mut upgrade = upgrade();
    let nodes = (0..MAX_NODES + 5).map(|n| n.to_string());
    upgrade.nodes = nodes
        .map(|name| Node::new(&name, "", NodeStatus::Waiting, ""))
        .collect();
    let mut observation = observation(upgrade);
    assert_eq!(apply(&mut observation), [Truncated::Nodes]);
    let upgrade = &observation.upgrades[0];
    assert_eq!(upgrade.nodes.len(), MAX_NODES);
    assert_eq!(upgrade.left_out.nodes.of(NodeStatus::Waiting), 5);
}

#[test]
fn keeps_the_tasks_that_tell_something() {
    let last = 5_000;
    let mut tasks: Vec<Task> = (0..last)
        .map(|order| {
            let mut task = task(order, TaskStatus::Succeeded);
            (task.start, task.end) = (at(order + 1), at(order + 2));
            task
        })
        .collect();
    tasks[2_000].start = at(0);
    tasks[3_000].end = at(9_999_999);
    tasks[4_000].status = TaskStatus::Running;
    tasks[4_001].status = TaskStatus::Failed;
    tasks[4_002].status = TaskStatus::Unknown;
    let mut upgrade = upgrade();
    upgrade.tasks = tasks;
    let mut observation = observation(upgrade);
    assert_eq!(apply(&mut observation), [Truncated::Tasks]);
    let upgrade = &observation.upgrades[0];
    assert_eq!(upgrade.tasks.len(), MAX_TASKS);
    assert_eq!(upgrade.left_out.tasks, 4_000);
    let orders: Vec<u32> = upgrade.tasks.iter().map(|task| task.order).collect();
    assert!(orders.is_sorted());
    for order in [2_000, 3_000, 4_000, 4_001, 4_002] {
        assert!(orders.contains(&order), "{order}");
    }
    assert_eq!(apply(&mut observation), [Truncated::Tasks], "told again");
    assert_eq!(observation.upgrades[0].left_out.tasks, 4_000);
}
