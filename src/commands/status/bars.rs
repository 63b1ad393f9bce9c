//! Live bars on a terminal: one for each upgrade in work and for each that failed, which comes first; below
//! it its nodes in work and those that failed.

mod below;
mod fit;
mod rows;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rolling_upgrade_exporter::report::Report;

use rows::{Key, Row};

/// A bar's length is in thousandths.
const WHOLE: u64 = 1000;

/// What is drawn now.
#[derive(Debug)]
pub(super) struct Bars {
    multi: MultiProgress,
    rows: Vec<ProgressBar>,
    /// Rows as they were drawn last, and the width of the terminal then.
    drawn: (Vec<Row>, u16),
    size: fn() -> (u16, u16),
    /// Upgrades that ran since the watch began: they stay until its end, as failed ones do.
    seen: Vec<Key>,
    trouble: Option<String>,
}

impl Bars {
    /// On standard output, which the table follows at the end; none when it is no terminal that can
    /// be drawn on.
    pub(super) fn on_stdout() -> Option<Self> {
        let out = Term::stdout();
        let can_move = out.is_term() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        can_move.then(|| Self::new(ProgressDrawTarget::stdout(), || Term::stdout().size()))
    }

    /// `size` gives rows and columns.
    fn new(target: ProgressDrawTarget, size: fn() -> (u16, u16)) -> Self {
        Self {
            multi: MultiProgress::with_draw_target(target),
            rows: Vec::new(),
            drawn: (Vec::new(), 0),
            size,
            seen: Vec::new(),
            trouble: None,
        }
    }

    /// Draws what a report tells.
    pub(super) fn show(&mut self, report: &Report) {
        self.trouble = None;
        rows::remember(report, &mut self.seen);
        let (height, width) = (self.size)();
        self.draw(rows::rows(report, &self.seen, height, width), width);
    }

    /// Tells why there is no report, below the last one.
    pub(super) fn trouble(&mut self, why: &str) {
        if self.trouble.as_deref() != Some(why) {
            self.trouble = Some(why.to_owned());
            drop(self.multi.println(rows::line_of(why, (self.size)().1)));
        }
    }

    /// Leaves on the terminal what stands there.
    pub(super) fn leave(&mut self) {
        for bar in self.rows.drain(..) {
            bar.abandon();
        }
    }

    /// Takes away what stands there.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.drawn.0.clear();
        drop(self.multi.clear());
    }

    /// Draws the rows that changed. Each is forced: the library draws only so many in a second, and would
    /// leave the others as they were.
    fn draw(&mut self, rows: Vec<Row>, width: u16) {
        if self.drawn.1 != width {
            self.drawn.0.clear();
        }
        while self.rows.len() > rows.len() {
            if let Some(bar) = self.rows.pop() {
                self.multi.remove(&bar);
            }
        }
        while self.rows.len() < rows.len() {
            let bar = ProgressBar::new(WHOLE);
            self.rows.push(self.multi.add(bar));
        }
        for (place, (bar, row)) in self.rows.iter().zip(&rows).enumerate() {
            if self.drawn.0.get(place) == Some(row) {
                continue;
            }
            bar.set_style(style(row, width));
            bar.set_prefix(row.begin.clone());
            bar.set_position(row.share.unwrap_or_default());
            bar.set_message(row.text.clone());
            bar.force_draw();
        }
        self.drawn = (rows, width);
    }
}

fn style(row: &Row, width: u16) -> ProgressStyle {
    let length = rows::bar_length(width);
    let template = match row.share {
        Some(_) if length > 0 => {
            let colour = row.colour;
            format!("{{prefix:.{colour}}}{{bar:{length}.{colour}/dim}} {{msg}}")
        }
        Some(_) => format!("{{prefix:.{}}}{{msg}}", row.colour),
        None => "{prefix}{msg}".to_owned(),
    };
    let style = ProgressStyle::with_template(&template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("█▓░")
}

#[cfg(test)]
mod tests;
