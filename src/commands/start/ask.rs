//! The question before a start, which `y` and a stray Enter do not answer.

use std::io::{self, BufRead, Write};

use anyhow::Context;

use super::plan::Plan;
use crate::commands::Failure;

/// Asks on the terminal. Anything but the cluster's name, its id or `yes` is a no, and so is the end
/// of the input.
pub(super) async fn agreed(plan: &Plan) -> Result<bool, Failure> {
    let names: Vec<String> = [plan.name(), plan.cluster.clone()]
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect();
    let mut out = io::stderr().lock();
    write!(
        out,
        "\nType {}, or yes, to send it; anything else stops here: ",
        names.join(" or ")
    )?;
    out.flush()?;
    drop(out);
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = line.await.context("cannot read the answer")??;
    Ok(is_yes(&line, &names))
}

fn is_yes(line: &str, names: &[String]) -> bool {
    let answer = line.trim();
    answer == "yes" || names.iter().any(|name| name == answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_word_is_a_yes() {
        let names = ["events".to_owned(), "3432149".to_owned()];
        for good in ["yes\n", " events \n", "3432149"] {
            assert!(is_yes(good, &names), "{good}");
        }
        for bad in [
            "",
            "\n",
            "y\n",
            "Y\n",
            "YES\n",
            "event\n",
            "no\n",
            "yes events\n",
        ] {
            assert!(!is_yes(bad, &names), "{bad}");
        }
    }
}
