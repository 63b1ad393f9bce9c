//! The page brings what is new into place, and leaves to the reader what is the reader's.

use serde_json::json;

use crate::harness::start_exporter;
use crate::stage::Stage;

#[tokio::test]
async fn refreshes_in_place_and_tells_when_it_cannot() {
    let mut stage = Stage::set().await;
    stage.browser.size(800, 500, "light").await;
    stage.open("").await;
    let prepare = "
        window.mark = 'same page';
        const of = name => [...document.querySelectorAll('article')]
            .find(a => a.querySelector('h3').textContent === name);
        window.failed = of('搜索-订单').querySelector('details');
        window.moves = of('moves');
        failed.open = false;
        of('done').querySelector('details').open = true;
        document.querySelector('[name=q]').value = 'half a wo';
        window.progress = moves.querySelector('progress');
        window.first = document.querySelector('footer time').textContent;
        moves.querySelector('summary').focus();
        scrollTo(0, 300);
        window.was = scrollY;
        const range = document.createRange();
        range.selectNodeContents(failed.parentNode.querySelector('h3'));
        getSelection().addRange(range);
        return progress.value";
    stage.browser.run(prepare, json!([])).await;
    stage
        .browser
        .until("document.querySelector('footer time').textContent > window.first")
        .await;
    let step = "window.moves.innerText.includes('Node replacement')";
    stage.browser.until(step).await;
    for kept in [
        "window.mark === 'same page'",
        "performance.getEntriesByType('navigation').length === 1",
        "window.failed.isConnected && !window.failed.open",
        "window.moves.querySelector('progress') === window.progress",
        "[...document.querySelectorAll('article.ended details')].every(d => d.open)",
        "document.querySelector('[name=q]').value === 'half a wo'",
        "document.activeElement === window.moves.querySelector('summary')",
        "scrollY === window.was && scrollY > 0",
        "getSelection().toString() === '搜索-订单'",
    ] {
        assert_eq!(stage.browser.eval(kept).await, true, "{kept}");
    }
    stage.has_a_quiet_console().await;

    // Paused, it stays as it is.
    stage
        .browser
        .run("document.getElementById('pause').click()", json!([]))
        .await;
    let then = stage
        .browser
        .text("document.querySelector('footer time').textContent")
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let now = stage
        .browser
        .text("document.querySelector('footer time').textContent")
        .await;
    assert_eq!(then, now);
    stage
        .browser
        .run("document.getElementById('pause').click()", json!([]))
        .await;
    let moved = format!("document.querySelector('footer time').textContent !== '{now}'");
    stage.browser.until(&moved).await;

    // The exporter goes and comes back on the same port.
    let last = "document.querySelector('footer time').textContent";
    stage.pair.exporter.terminate().await;
    let note = "document.getElementById('note')";
    let gone = format!("{note}.textContent.startsWith('No answer from the exporter since ')");
    stage.browser.until(&gone).await;
    let told = stage.browser.text(&format!("{note}.textContent")).await;
    let since = format!(
        "since {}",
        stage.browser.text(last).await.split_once(' ').unwrap().1
    );
    assert!(
        told.contains(&since) && since.ends_with(" UTC"),
        "{told}: {since}"
    );
    let shown = stage
        .browser
        .text("document.getElementById('live').innerText")
        .await;
    assert!(shown.contains("搜索-订单"), "what was known stays: {shown}");
    let dim = "['header', 'search', '#live']\
               .every(e => getComputedStyle(document.querySelector(e)).opacity < 0.6)";
    let clear = format!("getComputedStyle({note}).opacity === '1'");
    for (width, height) in [(1280, 900), (390, 844)] {
        stage.browser.size(width, height, "light").await;
        stage
            .browser
            .run("scrollTo(0, document.body.scrollHeight)", json!([]))
            .await;
        let at = format!("{note}.getBoundingClientRect()");
        let in_sight = format!("{at}.top >= 0 && {at}.bottom < innerHeight && scrollY > 0");
        for what in [dim, &clear, &in_sight] {
            assert_eq!(stage.browser.eval(what).await, true, "{width}: {what}");
        }
        stage.browser.picture(&format!("dead-{width}")).await;
    }
    let title = stage.browser.text("document.title").await;
    assert!(title.starts_with("No answer"), "{title}");
    // That nobody listens is all that the console was told.
    for told in stage.browser.console().await {
        assert!(told.contains("ERR_CONNECTION_REFUSED"), "{told}");
    }
    let port = stage.pair.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let name = format!("config-{port}.yml");
    let config = std::fs::read_to_string(stage.pair.folder.path().join(name)).unwrap();
    stage.pair.exporter = start_exporter(stage.pair.folder.path(), port, &config);
    stage
        .browser
        .until("!document.body.classList.contains('failing')")
        .await;
    let bright = "getComputedStyle(document.getElementById('live')).opacity";
    assert_eq!(stage.browser.eval(bright).await, "1");
    let title = "!document.title.startsWith('No answer')";
    stage.browser.until(title).await;
    assert_eq!(stage.browser.eval("window.mark").await, "same page");
}
