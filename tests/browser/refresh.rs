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
    stage.pair.exporter.terminate().await;
    let note = "document.getElementById('note').textContent";
    let gone = format!("{note}.startsWith('No answer from the exporter since ')");
    stage.browser.until(&gone).await;
    let shown = stage
        .browser
        .text("document.getElementById('live').innerText")
        .await;
    assert!(shown.contains("搜索-订单"), "what was known stays: {shown}");
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
    assert_eq!(stage.browser.eval("window.mark").await, "same page");
}
