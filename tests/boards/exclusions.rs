//! `dashboards/.lint`: the rules that the boards break on purpose. Reads the form in which the file
//! is written, which is less than YAML.

use std::path::Path;

/// One rule that is excluded.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Exclusion {
    pub(crate) rule: String,
    pub(crate) reason: String,
    /// The titles of a board and a panel; none means everywhere.
    pub(crate) entries: Vec<(String, String)>,
}

impl Exclusion {
    /// Whether it speaks of what this rule says of this panel.
    pub(crate) fn covers(&self, rule: &str, board: &str, panel: &str) -> bool {
        let entry = |(b, p): &(String, String)| b == board && p == panel;
        self.rule == rule && (self.entries.is_empty() || self.entries.iter().any(entry))
    }
}

/// The exclusions in the file.
pub(crate) fn read() -> Vec<Exclusion> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/.lint");
    parse(&std::fs::read_to_string(path).unwrap())
}

fn parse(text: &str) -> Vec<Exclusion> {
    let mut out: Vec<Exclusion> = Vec::new();
    let mut lines = text.lines().filter(|l| !l.starts_with('#'));
    assert_eq!(lines.next(), Some("exclusions:"));
    for line in lines {
        if let Some(rule) = line.strip_prefix("  ").filter(|r| !r.starts_with(' ')) {
            out.push(Exclusion {
                rule: rule
                    .strip_suffix(':')
                    .unwrap_or_else(|| panic!("{line}"))
                    .to_owned(),
                ..Exclusion::default()
            });
            continue;
        }
        let last = out.last_mut().unwrap_or_else(|| panic!("{line}"));
        if let Some(reason) = line.strip_prefix("    reason: ") {
            reason.clone_into(&mut last.reason);
        } else if let Some(board) = line.strip_prefix("    - dashboard: ") {
            last.entries.push((board.to_owned(), String::new()));
        } else if let Some(panel) = line.strip_prefix("      panel: ") {
            let entry = last.entries.last_mut().unwrap_or_else(|| panic!("{line}"));
            panel.clone_into(&mut entry.1);
        } else {
            assert_eq!(line, "    entries:", "not understood");
        }
    }
    out
}

#[test]
fn an_exclusion_covers_what_it_names() {
    let text = "# why\nexclusions:\n  a-rule:\n    reason: A.\n  b-rule:\n    reason: B.\n    entries:\n    - dashboard: D\n      panel: P\n";
    let found = parse(text);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].reason.as_str(), found[1].reason.as_str()),
        ("A.", "B.")
    );
    assert!(found[0].covers("a-rule", "D", "any") && !found[0].covers("b-rule", "D", "any"));
    assert!(found[1].covers("b-rule", "D", "P") && !found[1].covers("b-rule", "D", "Q"));
}
