//! Choice of the rows for a terminal that has too few. Pure.

use super::rows::Row;

/// Rows of one upgrade.
#[derive(Debug)]
pub(super) struct Block {
    /// True when the upgrade failed or is stalled.
    pub(super) is_trouble: bool,
    /// Row of the upgrade itself.
    pub(super) head: Row,
    /// Rows below it, the most important first.
    pub(super) below: Vec<Row>,
    /// Number of rows that the vendor's reason takes, the first of those below.
    pub(super) reason: usize,
}

/// Rows that fit.
#[derive(Debug)]
pub(super) struct Fitted {
    /// Rows in the order of their blocks.
    pub(super) rows: Vec<Row>,
    /// Number of blocks of which no row fits.
    pub(super) hidden: usize,
}

/// Chooses at most `space` rows: the upgrades that failed or stalled, then their reasons with a node each,
/// then the other upgrades, then the other rows below. A reason that is cut off ends with `…`.
pub(super) fn fit(blocks: Vec<Block>, space: usize) -> Fitted {
    let mut wanted = Vec::new();
    for (place, block) in blocks.iter().enumerate() {
        for row in 0..=block.below.len() {
            let rank = match (block.is_trouble, row) {
                (true, 0) => 0,
                // The reason and a node.
                (true, row) if row <= block.reason + 1 => 1,
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
        // The head counts, too.
        let is_cut = (2..=block.reason).contains(&mine);
        if let Some(last) = rows.last_mut().filter(|_| is_cut) {
            last.text.push('…');
        }
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

    fn block(is_trouble: bool, name: &str, below: usize, reason: usize) -> Block {
        Block {
            is_trouble,
            head: row(name),
            below: (1..=below).map(|n| row(&format!("{name}{n}"))).collect(),
            reason,
        }
    }

    /// Rows that fit, and the number of upgrades that do not.
    fn fitted(space: usize) -> (String, usize) {
        let blocks = vec![
            block(true, "a", 4, 2),
            block(true, "b", 1, 0),
            block(false, "c", 2, 0),
            block(false, "d", 0, 0),
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
            (3, "a a1… b", 2),
            (4, "a a1 a2 b", 2),
            (6, "a a1 a2 a3 b b1", 2),
            (7, "a a1 a2 a3 b b1 c", 1),
            (8, "a a1 a2 a3 b b1 c d", 0),
            (9, "a a1 a2 a3 a4 b b1 c d", 0),
            (11, "a a1 a2 a3 a4 b b1 c c1 c2 d", 0),
            (100, "a a1 a2 a3 a4 b b1 c c1 c2 d", 0),
        ] {
            assert_eq!(fitted(space), (want.to_owned(), hidden), "{space}");
        }
    }
}
