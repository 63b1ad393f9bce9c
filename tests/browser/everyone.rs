//! Keyboard, small screens, dark mode, screen readers.

use std::path::Path;

use serde_json::{Value, json};

use crate::details_stage::DetailsStage;
use crate::driver::Browser;
use crate::stage::Stage;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// Texts whose contrast with what is behind them is too low, for both sizes of text.
pub(crate) const FAINT: &str = "
    const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n };
    const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
    const light = c => { const l = c.slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2] };
    const behind = e => { const layers = [];
        for (; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
        return layers.reverse().reduce((under, layer) => over(layer, under),
            matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0, 1] : [255, 255, 255, 1]) };
    const faint = []; let seen = 0;
    for (const e of document.querySelectorAll('body *')) {
        if (e.closest('script,style,noscript,.unseen') || !e.checkVisibility()) continue;
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
        const back = behind(e), fore = over(parse(getComputedStyle(e).color), back);
        const [a, b] = [light(back), light(fore)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        seen++;
        if (ratio < 4.5) faint.push([e.outerHTML.slice(0, 120), ratio]);
    }
    return {faint, seen}";

#[tokio::test]
async fn reads_well_on_any_screen_in_any_light() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    for scheme in ["light", "dark"] {
        for (width, height) in [(1200, 900), (360, 740)] {
            browser.size(width, height, scheme).await;
            stage.open("").await;
            let open = "document.querySelectorAll('details').forEach(d => d.open = true)";
            browser.run(open, json!([])).await;
            let found = browser.run(FAINT, json!([])).await;
            assert_eq!(found["faint"], json!([]), "{scheme} {width}");
            assert!(found["seen"].as_u64().unwrap() > 100, "{found}");
            let wide =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.eval(wide).await, 0, "{scheme} {width}");
            browser.picture(&format!("{scheme}-{width}")).await;
        }
    }
    let dark = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(browser.eval(dark).await, "rgb(13, 17, 23)");
    stage.has_a_quiet_console().await;
}

#[tokio::test]
async fn is_used_by_keyboard_alone() {
    let stage = Stage::set().await;
    let browser = &stage.browser;
    // Nothing moves under the keys.
    stage.open("?state=failed").await;
    let here = "(e => `${e.tagName} ${e.name || e.textContent.trim().slice(0, 20)}`)(document.activeElement)";
    let ring = "getComputedStyle(document.activeElement).outlineStyle";
    let mut way = Vec::new();
    for _ in 0..60 {
        browser.key(TAB).await;
        let at = browser.text(here).await;
        if at.starts_with("BODY") {
            break;
        }
        assert_ne!(browser.text(ring).await, "none", "no ring at {at}");
        way.push(at);
    }
    let mut rest = way.iter();
    for stop in [
        "A Skip to the clusters",
        "A JSON",
        "A Metrics",
        "BUTTON Pause refresh",
        "SELECT account",
        "SELECT product",
        "SELECT state",
        "INPUT q",
        "BUTTON Filter",
        "A ",
        "SUMMARY 2 nodes",
    ] {
        assert!(
            rest.any(|at| at.starts_with(stop)),
            "no {stop:?} in {way:?}"
        );
    }
    // Over the links, then open and close.
    stage.open("?state=failed").await;
    browser.key(TAB).await;
    browser.key(ENTER).await;
    browser.until("document.activeElement.id === 'live'").await;
    browser
        .run(
            "document.querySelector('article summary').focus()",
            json!([]),
        )
        .await;
    browser.key(ENTER).await;
    browser
        .until("!document.querySelector('article details').open")
        .await;
    browser
        .run("document.querySelector('[name=q]').focus()", json!([]))
        .await;
    for key in ["r", "e", "p", "l", ENTER] {
        browser.key(key).await;
    }
    browser.until("location.search.includes('q=repl')").await;
}

/// The rules of axe, where tests/setup.sh could bring it.
#[tokio::test]
async fn breaks_no_rule_of_axe() {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/axe/package/axe.min.js");
    let Ok(axe) = std::fs::read_to_string(&tool) else {
        println!("no {}: not checked", tool.display());
        return;
    };
    let stage = Stage::set().await;
    for (width, scheme) in [(1200, "light"), (360, "dark")] {
        stage.browser.size(width, 900, scheme).await;
        stage.open("").await;
        breaks_no_rule(&stage.browser, &axe).await;
    }
    let stage = DetailsStage::start().await;
    for (width, scheme) in [(1280, "dark"), (390, "light")] {
        stage.browser.size(width, 844, scheme).await;
        for page in ["", "history"] {
            stage.open(page).await;
            breaks_no_rule(&stage.browser, &axe).await;
        }
    }
}

async fn breaks_no_rule(browser: &Browser, axe: &str) {
    browser.run(axe, json!([])).await;
    let check = "window.outcome = undefined; axe.run().then(r => window.outcome = r);";
    browser.run(check, json!([])).await;
    browser.until("window.outcome !== undefined").await;
    let broken = browser
        .eval("outcome.violations.map(v => [v.id, v.help, v.nodes.map(n => n.html)])")
        .await;
    assert_eq!(broken, Value::Array(Vec::new()), "{broken:#}");
    let passed = browser.eval("outcome.passes.length").await;
    assert!(passed.as_u64().unwrap() > 20, "{passed}");
}
