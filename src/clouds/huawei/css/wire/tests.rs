use serde_json::json;

use super::*;
use crate::json;

fn clusters(document: &Value) -> Result<ClusterList, String> {
    json::read(document.to_string().as_bytes()).map_err(|error| error.to_string())
}

fn details(document: &Value) -> Result<Details, String> {
    json::read(document.to_string().as_bytes()).map_err(|error| error.to_string())
}

fn detail(fields: &Value) -> Result<Detail, String> {
    let page = details(&json!({"detailList": [fields]}))?;
    let mut items = page.parts().1.expect("a list").list;
    Ok(items.pop().expect("an upgrade"))
}

#[test]
fn names_are_trimmed_and_never_empty() {
    for (names, want) in [
        (json!(""), &[][..]),
        (json!(null), &[]),
        (json!({}), &[]),
        (json!([]), &[]),
        (json!(" , ,"), &[]),
        (json!("a"), &["a"]),
        (json!("a, b ,,c"), &["a", "b", "c"]),
        (json!(["a", null, "b"]), &["a", "b"]),
    ] {
        let detail = detail(&json!({"id": "u", "totalNodes": names})).unwrap();
        let read = detail.total_nodes.iter();
        assert!(read.eq(want.iter().copied()), "{names}");
    }
}

#[test]
fn forms_may_differ() {
    let read = detail(&json!({
        "id": 7, "imageInfo": null, "executeTimes": "2.0", "new": [],
        "currentNodeDetail": {"order": 3.0, "name": null, "status": "RUNNING"},
    }))
    .unwrap();
    assert_eq!(read.id, "7");
    assert_eq!(read.execute_times, Some(2));
    assert_eq!(read.steps[0].order, Some(3));
    let page =
        json!({"clusters": [{"id": "c", "datastore": "x", "actions": null, "status": 200.0}]});
    let page = clusters(&page).unwrap();
    let (total, entries) = page.parts();
    assert_eq!(total, None);
    assert_eq!(entries.unwrap().list[0].status, "200");
    assert!(clusters(&json!({})).unwrap().parts().1.is_none());
}

#[test]
fn numbers_that_decide_nothing_are_absent_beyond_2_to_the_53() {
    let float: Value = serde_json::from_str("9007199254740994.0").unwrap();
    let read = detail(&json!({
        "id": "u", "executeTimes": float, "currentNodeDetail": [{"name": "x", "order": float}],
    }))
    .unwrap();
    assert_eq!((read.execute_times, read.steps[0].order), (None, None));
}

#[test]
fn records_that_tell_nothing_are_no_entries() {
    let empty = json!({"id": "", "name": null, "status": 0, "instances": [{}], "datastore": {}});
    for list in [
        json!({}),
        json!(null),
        json!([]),
        json!([{}]),
        json!([empty]),
    ] {
        let page = clusters(&json!({"totalSize": 0, "clusters": list})).unwrap();
        assert_eq!(
            page.parts().1.map(|entries| entries.list.len()),
            Some(0),
            "{list}"
        );
    }
    let empty = json!({"id": "", "status": "", "totalNodes": "", "imageInfo": {"priority": 0}});
    for list in [
        json!({}),
        json!(null),
        json!([]),
        json!([{}]),
        json!([empty]),
    ] {
        let page = details(&json!({"totalSize": 0, "detailList": list})).unwrap();
        assert_eq!(
            page.parts().1.map(|entries| entries.list.len()),
            Some(0),
            "{list}"
        );
    }
}

/// Values that no field of a text can be read from.
fn no_texts() -> [Value; 4] {
    [json!(true), json!(0.5), json!(["x"]), json!({"x": "y"})]
}

#[test]
fn a_field_that_decides_is_named_when_it_cannot_be_read() {
    for wrong in no_texts() {
        for field in ["id", "status"] {
            let mut cluster = json!({"id": "c", "status": "200"});
            cluster[field] = wrong.clone();
            let error = clusters(&json!({"clusters": [{"id": "b"}, cluster]})).unwrap_err();
            let path = format!("clusters[1].{field}: ");
            assert!(error.starts_with(&path), "{wrong}: {error}");
        }
        for field in ["id", "status", "startTime"] {
            let error = detail(&json!({"agencyName": "x", field: wrong})).unwrap_err();
            let path = format!("detailList[0].{field}: ");
            assert!(error.starts_with(&path), "{wrong}: {error}");
        }
        let step = json!({"name": "x", "status": wrong});
        let error = detail(&json!({"currentNodeDetail": [step]})).unwrap_err();
        let path = "detailList[0].currentNodeDetail[0].status: ";
        assert!(error.starts_with(path), "{wrong}: {error}");
    }
    for wrong in [json!(true), json!(1), json!([1]), json!({"x": "y"})] {
        for field in [
            "totalNodes",
            "completedNodes",
            "currentNodeName",
            "currentBatchNodes",
        ] {
            let error = detail(&json!({"id": "u", field: wrong})).unwrap_err();
            let path = format!("detailList[0].{field}: ");
            assert!(error.starts_with(&path), "{wrong}: {error}");
        }
    }
    for wrong in [json!("many"), json!(true), json!([1]), json!({"x": 1})] {
        let error = details(&json!({"totalSize": wrong, "detailList": []})).unwrap_err();
        assert!(error.starts_with("totalSize: "), "{wrong}: {error}");
        let error = clusters(&json!({"totalSize": wrong, "clusters": []})).unwrap_err();
        assert!(error.starts_with("totalSize: "), "{wrong}: {error}");
    }
    for wrong in [json!("x"), json!(7), json!(["x"]), json!([[1]])] {
        let error = details(&json!({"detailList": wrong})).unwrap_err();
        assert!(error.starts_with("detailList"), "{wrong}: {error}");
        let error = clusters(&json!({"clusters": wrong})).unwrap_err();
        assert!(error.starts_with("clusters"), "{wrong}: {error}");
    }
}

#[test]
fn a_field_that_decides_nothing_may_have_any_form() {
    for odd in [
        json!("x"),
        json!(7),
        json!(true),
        json!(["x"]),
        json!({"x": [1]}),
    ] {
        let read = detail(&json!({
            "id": "u", "status": "RUNNING", "endTime": odd, "imageInfo": odd,
            "executeTimes": odd, "migrateParam": odd, "finalAzInfoMap": odd, "agencyName": odd,
            "currentNodeDetail": [{"status": "RUNNING", "name": odd, "order": odd, "desc": odd, "beginTime": odd}],
        }))
        .unwrap_or_else(|error| panic!("{odd}: {error}"));
        assert!(read.is_running());
        let page = clusters(&json!({"clusters": [{
            "id": "c", "name": odd, "datastore": odd, "actions": odd, "instances": odd, "tags": odd,
        }]}));
        let page = page.unwrap_or_else(|error| panic!("{odd}: {error}"));
        assert_eq!(page.parts().1.unwrap().list.len(), 1);
    }
}
