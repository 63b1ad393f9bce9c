//! Lines whose value is made when they are scraped: only the digits are written then.

use std::sync::Arc;

use jiff::Timestamp;

use super::row::{Decimal, MOST_DIGITS};
use super::shard::Shard;
use crate::clock::Times;

/// Live lines of one family, of all clusters.
#[derive(Debug)]
pub(crate) struct Live {
    /// Beginnings of the lines, up to the values.
    heads: String,
    lines: Vec<Line>,
    /// Accounts by their places.
    accounts: Vec<Arc<str>>,
}

#[derive(Debug)]
struct Line {
    /// End of its head.
    end: usize,
    /// Place of the account by whose clock it is measured.
    account: usize,
    /// Since when, in milliseconds since 1970.
    since: i64,
}

impl Live {
    /// No line.
    pub(crate) const NONE: Self = Self {
        heads: String::new(),
        lines: Vec::new(),
        accounts: Vec::new(),
    };

    /// Takes the lines of a family.
    pub(crate) fn new(shards: &[&Arc<Shard>], family: usize) -> Self {
        let mut live = Self::NONE;
        for shard in shards.iter().filter(|s| s.totals.live.has(family)) {
            for cluster in shard.live(family) {
                let account = live.account(&cluster.state.key.account);
                for line in cluster.series.live_lines(family) {
                    cluster.series.write_head(line, &mut live.heads);
                    live.lines.push(Line {
                        end: live.heads.len(),
                        account,
                        since: line.since.as_millisecond(),
                    });
                }
            }
        }
        live
    }

    /// Returns the place of an account; those of neighbours are mostly one.
    fn account(&mut self, account: &Arc<str>) -> usize {
        if self.accounts.last() != Some(account) {
            self.accounts.push(account.clone());
        }
        self.accounts.len() - 1
    }

    /// Returns about how long the text is, and never less than it is.
    pub(crate) fn len(&self) -> usize {
        self.heads.len() + self.lines.len() * (MOST_DIGITS + 1)
    }

    /// Returns the lines at this moment: what stands before the value, and the value.
    pub(crate) fn lines(&self, times: &Times) -> impl Iterator<Item = (&str, Decimal)> {
        let times = self.accounts.iter().map(|account| times.of(account));
        let now: Vec<i64> = times.map(Timestamp::as_millisecond).collect();
        let mut start = 0;
        self.lines.iter().map(move |line| {
            let head = self.heads.get(start..line.end);
            let head = head.expect("the ends were noted between whole heads");
            start = line.end;
            let millis = now[line.account].saturating_sub(line.since);
            (head, Decimal::from_millis(millis.max(0)))
        })
    }

    /// Writes the lines as they are at this moment.
    pub(crate) fn write(&self, times: &Times, out: &mut String) {
        for (head, value) in self.lines(times) {
            out.push_str(head);
            out.push_str(value.as_str());
            out.push('\n');
        }
    }

    /// Builds lines with these heads, all since one instant.
    #[cfg(test)]
    pub(crate) fn of(heads: &[String], since: Timestamp) -> Self {
        let mut live = Self::NONE;
        let account = live.account(&"a".into());
        for head in heads {
            live.heads.push_str(head);
            live.lines.push(Line {
                end: live.heads.len(),
                account,
                since: since.as_millisecond(),
            });
        }
        live
    }
}
