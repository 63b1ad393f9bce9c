//! Choice of the rows for a terminal that has too few. Pure.

use super::rows::Row;

/// Rows below a failed or stalled upgrade that come before other upgrades: the reason and a node.
const FIRST: usize = 2;

/// Rows of one upgrade.
#[derive(Debug)]
pub(super) struct Block {
    /// True when the upgrade failed or is stalled.
    pub(super) is_trouble: bool,
    /// Row of the upgrade itself.
    pub(super) head: Row,
    /// Rows below it, the most important first.
    pub(super) below: Vec<Row>,
}

/// Rows that fit.
#[derive(Debug)]
pub(super) struct Fitted {
    /// Rows in the order of their blocks.
    pub(super) rows: Vec<Row>,
    /// Number of blocks of which no row fits.
    pub(super) hidden: usize,
}

/// Chooses at most `space` rows: the upgrades that failed or stalled, then their first rows below, then
/// the other upgrades, then the other rows below.
pub(super) fn fit(blocks: Vec<Block>, space: usize) -> Fitted {
    let mut wanted = Vec::new();
    for (place, block) in blocks.iter().enumerate() {
        for row in 0..=block.below.len() {
            let rank = match (block.is_trouble, row) {
                (true, 0) => 0,
                (true, 1..=FIRST) => 1,
                (false, 0) => 2,
                (true, _) => 3,
                (false, _) => 4,
            };
            wanted.push((rank, place, row));
        }
    }
    wanted.sort_unstable();
    wanted.truncate(space);
    let mut rows = Vec::new();
    let mut hidden = 0;
    for (place, block) in blocks.into_iter().enumerate() {
        let mine = wanted.iter().filter(|(_, block, _)| *block == place);
        let mine = mine.count();
        if mine == 0 {
            hidden += 1;
        }
        let all = std::iter::once(block.head).chain(block.below);
        rows.extend(all.take(mine));
    }
    Fitted { rows, hidden }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row {
            begin: String::new(),
            share: None,
            colour: "",
            text: text.to_owned(),
        }
    }

    fn block(is_trouble: bool, name: &str, below: usize) -> Block {
        Block {
            is_trouble,
            head: row(name),
            below: (1..=below).map(|n| row(&format!("{name}{n}"))).collect(),
        }
    }

    /// Rows that fit, and the number of upgrades that do not.
    fn fitted(space: usize) -> (String, usize) {
        let blocks = vec![
            block(true, "a", 3),
            block(true, "b", 1),
            block(false, "c", 2),
            block(false, "d", 0),
        ];
        let fitted = fit(blocks, space);
        let texts: Vec<String> = fitted.rows.into_iter().map(|row| row.text).collect();
        (texts.join(" "), fitted.hidden)
    }

    #[test]
    fn trouble_takes_the_rows_first() {
        for (space, want, hidden) in [
            (1, "a", 3),
            (2, "a b", 2),
            (3, "a a1 b", 2),
            (5, "a a1 a2 b b1", 2),
            (6, "a a1 a2 b b1 c", 1),
            (7, "a a1 a2 b b1 c d", 0),
            (8, "a a1 a2 a3 b b1 c d", 0),
            (10, "a a1 a2 a3 b b1 c c1 c2 d", 0),
            (100, "a a1 a2 a3 b b1 c c1 c2 d", 0),
        ] {
            assert_eq!(fitted(space), (want.to_owned(), hidden), "{space}");
        }
    }
}
