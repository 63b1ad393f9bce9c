//! Walls between the modules of the program: a module imports only what stands below it, and words of
//! vendors and products stand in their folders.
//!
//! [`LEVELS`] is the way of the data, from what knows nothing to the command line, and docs/ARCHITECTURE.md
//! says what each module is for. An import of anything else fails the test. There are no exceptions, so that
//! no circle of modules is left.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

#[path = "walls/imports.rs"]
mod imports;
#[path = "walls/words.rs"]
mod words;

use std::collections::BTreeSet;
use std::path::Path;

use imports::Import;
use rolling_upgrade_exporter::cloud::{Cloud, Product, products};
use rolling_upgrade_exporter::clouds::CLOUDS;
use words::Found;

/// Modules by level, the lowest first. Modules of one level do not import each other.
const LEVELS: &[&[&str]] = &[
    &["text", "json", "blocking", "assets", "clock", "ready"],
    &["telemetry", "secret"],
    &["model"],
    &["http"],
    &["fields"],
    &["sim"],
    &["cloud"],
    &["clouds"],
    &["config"],
    &["store"],
    &["poll"],
    &["expose", "alert", "report"],
    &["check", "web"],
    &["app"],
    &["cli"],
    &["commands"],
    &["main"],
];

/// Modules that hand the list of all clouds down.
const LISTERS: &[&str] = &["app", "cli", "commands"];

/// Returns the folders of clouds and products, which no other module imports.
fn folders() -> Vec<String> {
    let cloud = |cloud: &&dyn Cloud| format!("clouds::{}", cloud.name());
    let product = |product: &dyn Product| {
        let info = product.info();
        format!("clouds::{}::{}", info.cloud, info.name)
    };
    let clouds = CLOUDS.iter().map(cloud);
    clouds.chain(products(CLOUDS).map(product)).collect()
}

/// Returns true for an entry of a list: of a product in its cloud's, of a cloud in that of all.
fn is_entry(import: &Import, folder: &str) -> bool {
    match folder.rsplit_once("::") {
        Some(("clouds", _)) => import.from == "clouds",
        Some((cloud, _)) => import.from == cloud && import.to == format!("{folder}::PRODUCT"),
        None => false,
    }
}

fn top(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

/// Words of [`words::of_vendors`] that are no vendor's in the source.
const GENERAL_WORDS: &[&str] = &["kubernetes"];

/// Word of a vendor or a product outside its folder, with the reason why it stands there.
struct WordException {
    /// Path of the file, or its beginning.
    file: &'static str,
    /// The word; empty for every one.
    word: &'static str,
    reason: &'static str,
}

const WORD_EXCEPTIONS: &[WordException] = &[
    WordException {
        file: "src/expose/family.rs",
        word: "",
        reason: "HELP texts are promises to users, and some tell what a product lacks",
    },
    WordException {
        file: "src/web/page.rs",
        word: "css",
        reason: "the page has a style sheet of this name",
    },
];

/// Returns the words without an exception, and the exceptions without a word.
fn judge_words(found: &[Found], exceptions: &[WordException]) -> Vec<String> {
    let is_of = |found: &Found, exception: &WordException| {
        found.file.starts_with(exception.file)
            && (exception.word.is_empty() || exception.word == found.word)
    };
    let lacks = |found: &&Found| !exceptions.iter().any(|e| is_of(found, e));
    let mut faults: Vec<String> = found
        .iter()
        .filter(lacks)
        .map(ToString::to_string)
        .collect();
    let is_stale = |e: &&WordException| !found.iter().any(|found| is_of(found, e));
    let stale = exceptions.iter().filter(is_stale);
    faults.extend(stale.map(|WordException { file, word, .. }| {
        format!("{file} has no {word:?} any more: remove the exception")
    }));
    faults
}

/// Returns the level of the top module of a path; `None` for a module that has none.
fn level(path: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&top(path)))
}

fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Returns what is wrong with an import; `None` for one that runs downward or stays in its module.
fn fault(import: &Import) -> Option<String> {
    let (from, to) = (&*import.from, &*import.to);
    let (Some(own), Some(other)) = (level(from), level(to)) else {
        return Some(
            "no level: name a path that this test can follow, or add the module to LEVELS in \
             tests/walls.rs"
                .to_owned(),
        );
    };
    if top(from) != top(to) && other >= own {
        return Some("it runs upward".to_owned());
    }
    if top(to) == "clouds" && !LISTERS.contains(&top(from)) && top(from) != "clouds" {
        return Some("the list of all clouds is handed down".to_owned());
    }
    let folders = folders();
    let folder = folders
        .iter()
        .find(|folder| is_within(to, folder) && !is_within(from, folder))
        .filter(|folder| !is_entry(import, folder));
    folder.map(|folder| format!("it reaches into {folder}"))
}

/// Returns every import that is wrong, with the reason.
fn judge(imports: &[Import]) -> Vec<String> {
    let judged = imports.iter();
    let judged = judged.filter_map(|import| Some(format!("{import}: {}", fault(import)?)));
    judged.collect()
}

/// Returns the top modules that import each other, directly or through others.
fn circle(imports: &[Import]) -> BTreeSet<&str> {
    let edges = imports.iter();
    let edges = edges.map(|import| (top(&import.from), top(&import.to)));
    let mut edges: BTreeSet<(&str, &str)> = edges.filter(|(from, to)| from != to).collect();
    loop {
        let before = edges.len();
        let from: BTreeSet<&str> = edges.iter().map(|edge| edge.0).collect();
        let to: BTreeSet<&str> = edges.iter().map(|edge| edge.1).collect();
        // A module that imports nothing, or that nothing imports, is in no circle.
        edges.retain(|edge| to.contains(edge.0) && from.contains(edge.1));
        if edges.len() == before {
            return edges.into_iter().map(|edge| edge.0).collect();
        }
    }
}

fn import(from: &str, to: &str) -> Import {
    Import {
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

fn source() -> Vec<Import> {
    imports::of_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn no_import_runs_upward() {
    let faults = judge(&source());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Shown by itself, without [`LEVELS`].
#[test]
fn no_circle_of_modules_is_left() {
    let imports = source();
    assert!(imports.len() > 500, "{}", imports.len());
    assert_eq!(circle(&imports), BTreeSet::new());
}

#[test]
fn a_circle_is_found_through_other_modules() {
    let mut imports = vec![
        import("web::page", "report::Report"),
        import("report", "store::State"),
        import("store::disk", "model::Key"),
        import("store::disk", "store::health"),
    ];
    assert_eq!(circle(&imports), BTreeSet::new());
    imports.push(import("store::health", "web::App"));
    assert_eq!(circle(&imports), BTreeSet::from(["report", "store", "web"]));
}

#[test]
fn every_exception_has_a_reason() {
    for exception in WORD_EXCEPTIONS {
        assert!(exception.reason.len() > 20, "{}", exception.file);
    }
}

#[test]
fn no_word_of_a_vendor_stands_outside_its_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vendors = words::of_vendors(GENERAL_WORDS);
    for word in ["naver", "huawei", "ncloud", "ses", "css", "kafka"] {
        assert!(vendors.contains(word), "{word}: {vendors:?}");
    }
    let found = words::in_folders(root, &["src", "crates"], &vendors);
    let faults = judge_words(&found, WORD_EXCEPTIONS);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn finds_words_in_comments_names_and_texts() {
    let words = BTreeSet::from(["ses".to_owned(), "huawei".to_owned()]);
    let code =
        "// Of SES.\nfn start_ses() {}\nstruct SesCall;\nlet sesame = \"uses\";\nHUAWEICLOUD_SDK";
    let lines = code.lines().enumerate();
    let found = words::in_lines(lines, &words);
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [0, 1, 2, 4]);
}

#[test]
fn leaves_tests_out_of_the_search_for_words() {
    let code = "a\n#[cfg(test)]\nmod tests {\n    b\n}\nc\n    #[cfg(test)]\n    #[must_use]\n    \
                fn d() {\n    }\n#[cfg(test)]\npub(crate) mod beside;\ne";
    let (lines, modules) = words::without_tests(code);
    let lines: Vec<&str> = lines.into_iter().map(|(_, line)| line).collect();
    assert_eq!((lines, modules), (vec!["a", "c", "e"], vec!["beside"]));
}

#[test]
fn faults_are_words_and_stale_exceptions() {
    let found = |file: &str, word: &str| Found {
        file: file.to_owned(),
        line: 7,
        word: word.to_owned(),
    };
    let exception = |file, word| WordException {
        file,
        word,
        reason: "",
    };
    let words = [found("src/model.rs", "ses"), found("src/page.rs", "css")];
    let exceptions = [exception("src/page.rs", "css"), exception("src/app.rs", "")];
    let faults = judge_words(&words, &exceptions);
    let want = [
        "src/model.rs:7: ses",
        "src/app.rs has no \"\" any more: remove the exception",
    ];
    assert_eq!(faults, want);
}

/// A module of the map imports only what stands above it there.
#[test]
fn the_map_has_every_module_in_the_order_of_the_levels() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, map) = text.split_once("\n| module | what it does |").unwrap();
    let rows = map.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let modules: Vec<&str> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let levels: Vec<usize> = modules.iter().filter_map(|module| level(module)).collect();
    assert!(levels.is_sorted(), "{modules:?}");
    let mapped: BTreeSet<&str> = modules.into_iter().collect();
    let known: BTreeSet<&str> = LEVELS.iter().copied().flatten().copied().collect();
    let missing: Vec<_> = known.symmetric_difference(&mapped).collect();
    assert_eq!(missing, [&"main"], "it starts the rest");
}

#[test]
fn telemetry_imports_nothing_but_text() {
    let upward: Vec<String> = source()
        .iter()
        .filter(|import| is_within(&import.from, "telemetry"))
        .filter(|import| !is_within(&import.to, "telemetry") && !is_within(&import.to, "text"))
        .map(ToString::to_string)
        .collect();
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

/// The rule sees every form of an import, and nothing else.
#[test]
fn finds_imports_in_every_form() {
    let code = r#"
        mod beside;
        use crate::web::App;
        use super::super::poll::{Deps, worker::{self, Worker}};
        use std::fmt;
        use crate::check::*;
        use rolling_upgrade_exporter::sim::World;
        pub(crate) use crate::model::Kind as Form;
        fn f(a: crate::alert::Rule) -> bool {
            println!("{}", crate::expose::render(&[]));
            beside::run(worker::start(), Form::Version, self::Own);
            matches!(a, crate::report::A { .. })
        }
        #[cfg(test)]
        mod tests {
            use crate::app::run;
        }
        use crate::cli::*;
        use super::super::*;
        fn g() {
            use self::super::super::sim as other;
            other::serve::<self::super::super::check::Live>();
        }
        macro_rules! m {
            () => { use $crate::{app::{signals as s, run}, ready::*}; use $crate::assets::*; };
        }
        #[derive(Deserialize)]
        struct S {
            #[serde(deserialize_with = "crate::json::text", default)]
            a: String,
        }
        #[path = "../page.rs"]
        mod page;
        extern crate self as me;
        include!("other.rs");
    "#;
    let found = imports::of_code(&["store", "disk"], code);
    let found: BTreeSet<&str> = found.iter().map(|import| &*import.to).collect();
    let want = [
        "#[path]",
        "*",
        "alert::Rule",
        "app::run",
        "app::signals",
        "assets::*",
        "check::*",
        "check::Live",
        "cli::*",
        "expose::render",
        "extern crate self",
        "include!",
        "json::text",
        "model::Kind",
        "model::Kind::Version",
        "poll::Deps",
        "poll::worker",
        "poll::worker::Worker",
        "poll::worker::start",
        "ready::*",
        "report::A",
        "sim",
        "sim::World",
        "sim::serve",
        "store::disk::Own",
        "store::disk::beside::run",
        "web::App",
    ];
    assert_eq!(found, BTreeSet::from(want));
}

#[test]
fn faults_are_upward_imports_and_imports_of_a_folder() {
    let imports = [
        import("web::page", "report::Report"),
        import("store", "model::Key"),
        import("store::health", "alert::Failing"),
        import("report", "alert::Rule"),
        import("model", "novelty::Thing"),
        import("clouds::huawei::css::map", "clouds::ncloud::sign"),
        import("clouds::huawei::css::map", "clouds::huawei::cce"),
        import("clouds::huawei::css::map", "clouds::huawei::time"),
        import("commands::start", "clouds::huawei"),
        import("commands::start", "clouds::CLOUDS"),
        import("poll", "clouds::CLOUDS"),
    ];
    let faults = judge(&imports);
    let found: Vec<&str> = faults
        .iter()
        .map(|fault| fault.split(':').next().unwrap())
        .collect();
    let want = [
        "store",
        "report -> alert",
        "model -> novelty",
        "clouds",
        "clouds",
        "commands",
        "poll -> clouds",
    ];
    assert_eq!(found, want, "{faults:?}");
    assert!(faults[0].starts_with("store::health -> alert::Failing"));
}
