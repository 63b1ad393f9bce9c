//! The page shows every detail, those in trouble first, on a desktop and on a phone.

use serde_json::json;

use crate::details_stage::{DetailsStage, REFUSED};

/// Width and height of a desktop and of a phone.
const SCREENS: [(u32, u32); 2] = [(1280, 900), (390, 844)];

#[tokio::test]
async fn shows_every_detail_without_cutting_a_table() {
    let stage = DetailsStage::start().await;
    let browser = &stage.browser;
    for scheme in ["light", "dark"] {
        for (width, height) in SCREENS {
            browser.size(width, height, scheme).await;
            stage.open("").await;
            let open = "document.querySelectorAll('#live details').forEach(d => d.open = true);
                document.querySelectorAll('.facts .unseen').forEach(e => e.remove())";
            browser.run(open, json!([])).await;
            browser.picture(&format!("details-{width}-{scheme}")).await;
            for (title, told) in DETAILS {
                let card = stage.card(title).await;
                for text in *told {
                    assert!(card.contains(text), "{width}: no {text:?} in {card}");
                }
            }
            let idle = "document.querySelector('#idle-clusters').innerText";
            let idle = browser.text(idle).await;
            let offers = "v1.30.4-r0 (recommended), v1.31.1-r0";
            assert!(idle.contains(offers), "{width}: {idle}");
            let cut = "[document.documentElement, ...document.querySelectorAll('.scrolls')]\
                       .filter(e => e.scrollWidth > e.clientWidth).map(e => e.ariaLabel || e.tagName)";
            assert_eq!(browser.eval(cut).await, json!([]), "{width}");
        }
    }
    assert_eq!(browser.console().await, Vec::<String>::new());
}

/// Texts that a card shows, by its title.
const DETAILS: &[(&str, &[&str])] = &[
    (
        "css-orders-production",
        &[
            "Vendor’s reason: Node replacement: The flavor is sold out in the zone.",
            "1 of 3 nodes done, 1 failed: css-orders-production-ess-esn-2-1",
            "7.6.2 → 7.10.2",
            "Node replacement (2 of 4)",
            "css_upgrade_agency",
            "Cluster state (vendor)\n200 available",
            "Migrates the data.",
        ],
    ),
    (
        "search-logs",
        &[
            "1 in work: search-logs-d-1bge",
            "OpenSearch 2.9.0 → 2.14.0",
            "290 → 2140",
            "Cluster state (vendor)\nchanging",
        ],
    ),
    (
        "cce-shop",
        &[
            "Vendor’s reason: clusterResourceQuotaCheckOfControlPlane: The quota of the cluster is used up. [CCE.01400001]",
            "Can be cancelled\nyes",
            "3 precheck findings",
            "addon-limit-check",
            "addon coredns",
            "The add-on is older than 1.25.1.",
            "CCE.01400017",
            "node 192.168.0.17",
        ],
    ),
    (
        "b-long-silent",
        &[
            "cn-north-4a → cn-north-4c, cn-north-4g",
            "instances: ess-master",
            "cn-north-4c: css-moves-ess-esn-1-1, css-moves-ess-esn-2-1",
            "Precheck good until",
            "in 59m",
        ],
    ),
];

#[tokio::test]
async fn a_phones_first_screen_shows_the_first_failure() {
    let stage = DetailsStage::start().await;
    let browser = &stage.browser;
    browser.size(390, 844, "light").await;
    stage.open("").await;
    browser.picture("phone-first-screen").await;
    let bottom = |what: &str| {
        let e = format!("document.querySelector('article.failed {what}').getBoundingClientRect()");
        format!("{e}.height > 0 && {e}.bottom < innerHeight")
    };
    for what in ["h3", ".badge", ".why", ".where", ".facts div:nth-child(3)"] {
        assert_eq!(browser.eval(&bottom(what)).await, true, "{what}");
    }
    let form = "document.querySelector('form').checkVisibility()";
    assert_eq!(browser.eval(form).await, false);
    browser
        .run("document.querySelector('.fold summary').click()", json!([]))
        .await;
    browser.until(form).await;

    // Open on a wide screen, without a fold; and folded without script as well.
    browser.size(1280, 900, "light").await;
    stage.open("").await;
    assert_eq!(browser.eval(form).await, true);
    let fold = "document.querySelector('.fold').checkVisibility()";
    assert_eq!(browser.eval(fold).await, false);
    let off = json!({"value": true});
    browser
        .cdp("Emulation.setScriptExecutionDisabled", off)
        .await;
    browser.size(390, 844, "light").await;
    stage.open("").await;
    assert_eq!(browser.eval(form).await, false);
    let click = "document.querySelector('.fold summary').click()";
    browser.run(click, json!([])).await;
    browser.until(form).await;
}

#[tokio::test]
async fn orders_what_runs_by_its_silence() {
    let stage = DetailsStage::start().await;
    stage.open("").await;
    let titles = "[...document.querySelectorAll('#part-running h3')].map(e => e.textContent)";
    let longest_first = json!(["b-long-silent", "c-some-silence", "a-just-moved"]);
    for (width, height) in SCREENS {
        stage.browser.size(width, height, "light").await;
        assert_eq!(stage.browser.eval(titles).await, longest_first);
    }
}

#[tokio::test]
async fn the_header_tells_clusters_accounts_and_the_time_of_the_data() {
    let stage = DetailsStage::start().await;
    for (width, height) in SCREENS {
        stage.browser.size(width, height, "light").await;
        stage.open("?state=failed").await;
        let header = stage
            .browser
            .text("document.querySelector('header').innerText")
            .await;
        assert!(
            header.contains("9 clusters in 3 accounts · data of "),
            "{header}"
        );
        let time = "document.querySelector('header time')";
        let age = format!("(Date.now() - new Date({time}.dateTime)) / 1000");
        let age = stage.browser.eval(&age).await.as_f64().unwrap();
        assert!((2.0..60.0).contains(&age), "{age}");
        let clock = format!("{time}.textContent + {time}.nextSibling.data");
        let clock = stage.browser.text(&clock).await;
        let iso = stage.browser.text(&format!("{time}.dateTime")).await;
        let (_, of_day) = iso.trim_end_matches('Z').split_once('T').unwrap();
        assert_eq!(clock, format!("{of_day} UTC"));
    }
}

#[tokio::test]
async fn a_cluster_without_an_answer_has_its_id_and_one_error() {
    let stage = DetailsStage::start().await;
    for (width, height) in SCREENS {
        stage.browser.size(width, height, "light").await;
        stage.open("").await;
        let card = stage.card("2950117").await;
        assert_eq!(card.matches(REFUSED).count(), 1, "{card}");
        assert_eq!(card.matches("2950117").count(), 1, "{card}");
        let page = stage.browser.text("document.body.innerText").await;
        assert_eq!(page.matches(REFUSED).count(), 1, "{page}");
        assert!(
            page.contains("Cannot list the ses clusters of kr-new"),
            "{page}"
        );
        // Where the card is filtered out, its list tells the error.
        stage.open("?state=failed").await;
        let page = stage.browser.text("document.body.innerText").await;
        assert_eq!(page.matches(REFUSED).count(), 1, "{page}");
    }
}
