//! How states, times and lengths read.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::model::{NodeStatus, TaskStatus};
use crate::report::{Attention, ClusterReport, Word, format};
use crate::text::{Foreign, escaped};

/// Returns the sign of a part of the page; never alone, always beside a word. U+FE0E asks for text, not
/// for a coloured picture.
pub(super) fn sign(attention: Attention) -> &'static str {
    match attention {
        Attention::Failed => "\u{2716}\u{fe0e}",
        Attention::Stalled => "\u{26a0}\u{fe0e}",
        Attention::Silent => "?",
        Attention::Running => "\u{25b6}\u{fe0e}",
        Attention::Ended => "\u{2714}\u{fe0e}",
        Attention::Idle => "\u{2013}",
    }
}

/// Renders the name that a cluster goes by; its id where the name is not known, as before the first
/// good poll.
pub(super) fn name(cluster: &ClusterReport) -> Markup {
    foreign(format::name(cluster), cluster.language)
}

/// Renders a fact with its name.
pub(super) fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// Renders a fact that needs the room of two.
pub(super) fn wide_fact(name: &str, value: &Markup) -> Markup {
    html! { div.wide { dt { (name) } dd { (value) } } }
}

/// Renders a fact that needs a row of its own, with values that are not broken where one fits a line.
pub(super) fn row_fact(name: &str, values: &[Markup]) -> Markup {
    html! { div.row { dt { (name) } dd { @for (place, value) in values.iter().enumerate() {
        @if place > 0 { " " }
        span { (value) @if place + 1 < values.len() { "," } }
    } } } }
}

/// Characters that the column of a fact holds in one line.
const COLUMN: usize = 18;

/// Renders a fact with the room that a value of this many characters needs.
pub(super) fn fitting_fact(name: &str, characters: usize, value: &Markup) -> Markup {
    if characters > COLUMN {
        wide_fact(name, value)
    } else {
        fact(name, value)
    }
}

/// Renders an arrow, which screen readers read as a word.
pub(super) fn arrow() -> Markup {
    html! { span aria-hidden="true" { "→" } span.unseen { "to" } " " }
}

/// Writes a word of the metrics for people.
pub(super) fn plain(word: &str) -> String {
    escaped(&format::plain(word)).into_owned()
}

/// Renders the state of a node as a cell's text.
pub(super) fn node_state(status: &Word<NodeStatus>) -> Markup {
    let step = match status.known() {
        Some(NodeStatus::Failed) => FAILED,
        Some(NodeStatus::Upgrading) => IN_WORK,
        Some(NodeStatus::Succeeded) => DONE,
        Some(NodeStatus::Waiting) => WAITING,
        Some(NodeStatus::Unknown) | None => UNKNOWN,
    };
    self::step(step, status.as_str())
}

/// Renders the state of a task as a cell's text.
pub(super) fn task_state(status: &Word<TaskStatus>) -> Markup {
    let step = match status.known() {
        Some(TaskStatus::Failed) => FAILED,
        Some(TaskStatus::Running) => IN_WORK,
        Some(TaskStatus::Succeeded) => DONE,
        Some(TaskStatus::Waiting) => WAITING,
        Some(TaskStatus::Unknown) | None => UNKNOWN,
    };
    self::step(step, status.as_str())
}

/// Sign of a node or a task by its state, and the part of the page whose colour it has.
type Step = (&'static str, Attention);

const FAILED: Step = ("\u{2716}\u{fe0e}", Attention::Failed);
const IN_WORK: Step = ("\u{25b6}\u{fe0e}", Attention::Running);
const DONE: Step = ("\u{2714}\u{fe0e}", Attention::Ended);
const WAITING: Step = ("\u{25cb}", Attention::Idle);
const UNKNOWN: Step = ("?", Attention::Silent);

fn step((sign, part): Step, word: &str) -> Markup {
    html! { span class={ "step " (part.as_str()) } { span aria-hidden="true" { (sign) } " " (plain(word)) } }
}

/// Language of a cloud's texts, as an HTML `lang`; `None` where they are English.
pub(super) type Language = Option<&'static str>;

/// Renders text of others: in its own direction, whatever is in it, and in its language, so that Chinese and Korean readers get their own forms of the characters.
pub(super) fn foreign(text: &str, language: Language) -> Markup {
    isolated(&escaped(text), language)
}

/// Renders a sentence that holds text of the vendor, as [`foreign`] does a name.
pub(super) fn sentence(text: &str, language: Language) -> Markup {
    isolated(&Foreign(text).to_string(), language)
}

fn isolated(text: &str, language: Language) -> Markup {
    let language = language.filter(|_| !text.is_ascii());
    html! { bdi lang=[language] { (text) } }
}

/// A time as how long ago it was, with the time itself for who asks.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    stamp(at, &format::ago(at, now))
}

/// A time that reads as `text`.
pub(super) fn stamp(at: Timestamp, text: &str) -> Markup {
    html! { time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ")) title=(at.strftime("%Y-%m-%d %H:%M:%S UTC")) { (text) } }
}

/// A time of the day in UTC, with the day when that is not today.
pub(super) fn clock(at: Timestamp, now: Timestamp) -> Markup {
    let day = |t: Timestamp| t.strftime("%Y-%m-%d").to_string();
    let form = if day(at) == day(now) {
        "%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M"
    };
    stamp(at, &at.strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_another_day_has_its_day() {
        let now: Timestamp = "2026-11-28T00:00:10Z".parse().unwrap();
        let text = |at: &str| clock(at.parse().unwrap(), now).into_string();
        assert!(text("2026-11-28T00:00:01Z").contains(">00:00:01<"));
        assert!(text("2026-11-27T23:59:59Z").contains(">2026-11-27 23:59<"));
        let ago = ago("2026-11-27T23:59:59Z".parse().unwrap(), now).into_string();
        assert!(ago.contains(r#"datetime="2026-11-27T23:59:59Z""#), "{ago}");
        assert!(ago.ends_with(">11s ago</time>"), "{ago}");
    }

    #[test]
    fn a_name_says_its_language_when_it_is_not_plain() {
        let html = |text, language| foreign(text, Some(language)).into_string();
        assert_eq!(html("events", "ko"), "<bdi>events</bdi>");
        assert_eq!(html("검색", "ko"), r#"<bdi lang="ko">검색</bdi>"#);
        assert_eq!(html("搜索", "zh-Hans"), r#"<bdi lang="zh-Hans">搜索</bdi>"#);
    }
}
