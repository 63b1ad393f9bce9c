//! Frame of every page: head, style, footer, and the policy that browsers hold it to.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{SCRIPT, STYLE, words};
use crate::text::escaped;

/// The page's own style and script, the little picture for the tab, requests to where the page comes
/// from; nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// Colour of the picture in the tab while nothing is wrong.
pub(super) const CALM: &str = "2da44e";

/// A page and the policy that it needs.
#[derive(Debug)]
pub(in crate::web) struct Page {
    pub(in crate::web) html: String,
    /// `Content-Security-Policy`.
    pub(in crate::web) policy: &'static str,
}

/// Renders a page with a title, a picture for the tab and a body.
pub(super) fn page(title: &Markup, icon: &str, body: &Markup) -> Page {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href=(icon);
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    Page {
        html: markup.into_string(),
        policy: &POLICY,
    }
}

/// Renders the time of a page, and the version of the exporter.
pub(super) fn footer(generated: Timestamp, version: &str) -> Markup {
    html! {
        footer { p {
            "As of " (words::stamp(generated, &generated.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()))
            ". rolling-upgrade-exporter " (escaped(version))
        } }
    }
}

/// Returns a picture for the tab: a dot in this colour.
pub(super) fn icon(colour: &str) -> String {
    format!(
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E\
         %3Ccircle cx='4' cy='4' r='4' fill='%23{colour}'/%3E%3C/svg%3E"
    )
}
