//! The question of `start`, on a terminal.

use super::*;

impl Stage {
    /// Runs it on a terminal on which a person types `early` before the program begins, and `answer`
    /// when it has asked.
    async fn typed(&self, args: &[&str], early: &str, answer: &str) -> Told {
        // The shell takes the first line; what is typed with it waits in the terminal.
        let line = format!("read -r begin; exec {PROGRAM} {}", args.join(" "));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]);
        command.env("SHELL", "/bin/sh");
        let early = format!("begin\n{early}");
        self.wait(&mut command, Some((&early, answer))).await
    }
}

#[tokio::test]
async fn asks_on_a_terminal_and_sends_only_after_yes_or_the_id() {
    let stage = Stage::set("").await;
    for answer in ["y\n", "\n", "events\n"] {
        let told = stage.typed(EVENTS, "", answer).await;
        assert_eq!(told.code, Some(1), "{told:?}");
        told.says("Type yes, or 3432149, to send it; anything else stops here:");
        told.says("nothing was sent");
    }
    assert_eq!(stage.seen().await.1, 0);
    let told = stage.typed(EVENTS, "", "3432149\n").await;
    assert_eq!(told.code, Some(0), "{told:?}");
    // The three cautions of the vendor's page.
    told.says("- The config group must be one that was made for the Kafka version to go to.");
    told.says("- Data may be lost and connections may drop for moments while it runs.");
    told.says("- Topics whose partitions are being replicated hold it up.");
    told.says("The vendor took the request");
    told.says("Follow it with");
    assert_eq!(stage.seen().await.1, 1);
}

#[tokio::test]
async fn takes_no_for_a_no_where_the_cluster_is_named_no() {
    let stage = Stage::set("").await;
    let mut args = EVENTS.to_vec();
    args[3] = "--cluster=3432150";
    let told = stage.typed(&args, "", "no\n").await;
    assert_eq!(told.code, Some(1), "{told:?}");
    told.says("Cluster no (3432150)");
    told.says("nothing was sent");
    assert_eq!(stage.seen().await.1, 0);
    let told = stage.typed(&args, "", "yes\n").await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(stage.seen().await.1, 1);
}

#[tokio::test]
async fn discards_what_was_typed_before_the_question() {
    let stage = Stage::set("").await;
    for early in ["yes\n", "3432149\nyes\n", "ye"] {
        // It would complete the last one.
        let told = stage.typed(EVENTS, early, "s\n").await;
        assert_eq!(told.code, Some(1), "{told:?}");
        told.says("nothing was sent");
    }
    assert_eq!(stage.seen().await.1, 0);
}
