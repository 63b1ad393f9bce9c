//! The question before a start. Only a deliberate answer counts: no name, no `y`, no stray Enter, and
//! nothing that was typed before it was asked.

use std::io::{self, BufRead, Write};

use anyhow::Context;
use rustix::termios::{QueueSelector, tcflush};

use super::plan::Plan;
use crate::commands::Failure;

/// Asks on the terminal. Anything but `yes` or the cluster's id is a no, and so is the end of the input.
/// A cluster's name is a no: a cluster may be called `no`.
pub(super) async fn agreed(plan: &Plan) -> Result<bool, Failure> {
    tcflush(io::stdin(), QueueSelector::IFlush)
        .context("cannot discard what was typed before the question")?;
    let mut out = io::stderr().lock();
    write!(
        out,
        "\nType yes, or {}, to send it; anything else stops here: ",
        plan.cluster
    )?;
    out.flush()?;
    drop(out);
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = line.await.context("cannot read the answer")??;
    Ok(is_yes(&line, &plan.cluster))
}

fn is_yes(line: &str, id: &str) -> bool {
    let answer = line.trim();
    answer == "yes" || (answer == id && !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_yes_or_the_id_and_nothing_else() {
        for good in ["yes\n", " yes \n", "3432149", "3432149\r\n"] {
            assert!(is_yes(good, "3432149"), "{good}");
        }
        for bad in [
            "",
            "\n",
            "y\n",
            "Y\n",
            "YES\n",
            "no\n",
            "events\n",
            "343214\n",
            "yes 3432149\n",
        ] {
            assert!(!is_yes(bad, "3432149"), "{bad}");
            assert!(!is_yes(bad, ""), "{bad}");
        }
    }
}
