//! The page shows what the simulator does, and filters.

use serde_json::{Value, json};

use crate::stage::{STATES, Stage};

/// The fonts that a text is really drawn with.
async fn fonts(stage: &Stage, selector: &str) -> String {
    let browser = &stage.browser;
    browser.cdp("DOM.enable", json!({})).await;
    browser.cdp("CSS.enable", json!({})).await;
    let root = browser.cdp("DOM.getDocument", json!({})).await;
    let query = json!({"nodeId": root["root"]["nodeId"], "selector": selector});
    let node = browser.cdp("DOM.querySelector", query).await;
    let of = json!({"nodeId": node["nodeId"]});
    browser.cdp("CSS.getPlatformFontsForNode", of).await["fonts"].to_string()
}

#[tokio::test]
async fn shows_what_the_simulator_does_and_filters_it() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    stage.open("").await;
    assert_eq!(stage.names().await, STATES.map(|(_, name)| name));
    let text = browser.text("document.body.innerText").await;
    for told in [
        "failed",
        "running, stalled",
        "노드-하나",
        "节点-1",
        "Upgrade_OpenSearch",
        "Node replacement",
        "Data migration",
        "7.6.2",
        "1 of 3 nodes done, 1 in work",
        "1 of 2 nodes done, 1 failed",
        "not known yet",
        "Cannot list the ses clusters of <b>wrong</b>",
    ] {
        assert!(text.contains(told), "no {told:?} in {text}");
    }
    assert!(
        browser
            .text("document.title")
            .await
            .starts_with("1 failed, 1 stalled")
    );
    browser.picture("light").await;

    // Markup in a name is a name, in a browser too: no dialog, no element.
    assert_eq!(
        browser
            .eval("document.querySelectorAll('img,b,iframe').length")
            .await,
        0
    );
    assert!(
        fonts(&stage, "h3 bdi[lang=ko]").await.contains("CJK"),
        "Korean"
    );
    assert!(
        fonts(&stage, "h3 bdi[lang=zh-Hans]").await.contains("CJK"),
        "Chinese"
    );

    // By link: each count is what its link shows.
    for (state, name) in STATES {
        stage.open("").await;
        let click =
            "const link = document.querySelector(`.counts a[href='?state=${arguments[0]}']`);
            link.click(); return link.querySelector('strong').textContent";
        let count = browser.run(click, json!([state])).await;
        browser
            .until(&format!("location.search === '?state={state}'"))
            .await;
        assert_eq!(stage.names().await, [name], "{state}");
        assert_eq!(count, "1", "{state}");
    }

    // By form.
    stage.open("").await;
    let fill = "document.querySelector('[name=account]').value = 'kr-prod';
        document.querySelector('[name=q]').value = '검색'; document.forms[0].requestSubmit()";
    browser.run(fill, json!([])).await;
    browser
        .until("location.search.includes('account=kr-prod')")
        .await;
    assert_eq!(stage.names().await, ["검색-로그"]);
    assert_eq!(
        browser
            .text("document.querySelector('[name=q]').value")
            .await,
        "검색"
    );
    let json = browser
        .text("document.querySelector('header nav a[href*=api]').getAttribute('href')")
        .await;
    let (_, query) = json.split_once('?').unwrap();
    assert_eq!(
        stage.report(query).await["clusters"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    stage.open("?q=nothing-like-it").await;
    assert!(
        browser
            .text("document.body.innerText")
            .await
            .contains("No cluster matches")
    );
    stage.has_a_quiet_console().await;
}

#[tokio::test]
async fn works_without_script() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    let off = json!({"value": true});
    browser
        .cdp("Emulation.setScriptExecutionDisabled", off)
        .await;
    stage.open("").await;
    assert_eq!(stage.names().await, STATES.map(|(_, name)| name));
    let text = browser.text("document.body.innerText").await;
    assert!(text.contains("Reload the page"), "{text}");
    assert!(!text.contains("Pause refresh"), "{text}");
    let choose = "document.querySelector('[name=state]').value = 'failed'; \
                  document.querySelector('form button').click()";
    browser.run(choose, json!([])).await;
    browser
        .until("location.search.includes('state=failed')")
        .await;
    assert_eq!(stage.names().await, ["搜索-订单"]);
    let opened = "const d = document.querySelector('article details'); \
                  d.querySelector('summary').click(); return d.open";
    assert_eq!(browser.run(opened, json!([])).await, Value::Bool(false));
    stage.has_a_quiet_console().await;
}
