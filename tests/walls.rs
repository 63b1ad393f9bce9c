//! Walls between the modules of the program: a module imports only what stands below it.
//!
//! [`LEVELS`] is the way of the data, from what knows nothing to the command line, and docs/ARCHITECTURE.md
//! says what each module is for. [`EXCEPTIONS`] holds the imports that still run upward. An import that is
//! on neither fails the test, and so does an exception that is not needed any more.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

#[path = "walls/imports.rs"]
mod imports;

use std::collections::BTreeSet;
use std::path::Path;

use imports::Import;
use rolling_upgrade_exporter::cloud::{Cloud, Product, products};
use rolling_upgrade_exporter::clouds::CLOUDS;

/// Modules by level, the lowest first. Modules of one level do not import each other.
const LEVELS: &[&[&str]] = &[
    &["text", "json", "blocking", "assets", "clock", "ready"],
    &["telemetry", "secret"],
    &["http"],
    &["model"],
    &["fields"],
    &["sim"],
    &["cloud"],
    &["config"],
    &["store"],
    &["poll"],
    &["expose", "alert", "report"],
    &["check", "web"],
    &["clouds"],
    &["app"],
    &["cli"],
    &["commands"],
    &["main"],
];

/// Returns the folders of clouds and products, which no other module imports.
fn folders() -> Vec<String> {
    let cloud = |cloud: &&dyn Cloud| format!("cloud::{}", cloud.name());
    let product = |product: &dyn Product| {
        let info = product.info();
        format!("cloud::{}::{}", info.cloud, info.name)
    };
    let clouds = CLOUDS.iter().map(cloud);
    clouds.chain(products(CLOUDS).map(product)).collect()
}

/// Returns true for an entry of a list: of a product in its cloud's, of a cloud in that of all.
fn is_entry(import: &Import, folder: &str) -> bool {
    match folder.rsplit_once("::") {
        Some(("cloud", _)) => import.from == "clouds",
        Some((cloud, _)) => import.from == cloud && import.to == format!("{folder}::PRODUCT"),
        None => false,
    }
}

/// Import that runs upward, with the reason why it is still there.
struct Exception {
    /// Importing module.
    from: &'static str,
    /// Imported path, or its beginning.
    to: &'static str,
    reason: &'static str,
}

/// Ends when a product's line holds what it takes to start an upgrade.
const START: &str = "the command start names the products whose upgrades it can start";

const EXCEPTIONS: &[Exception] = &[
    except("commands::start", "cloud::huawei", START),
    except("commands::start", "cloud::ncloud", START),
];

const fn except(from: &'static str, to: &'static str, reason: &'static str) -> Exception {
    Exception { from, to, reason }
}

/// Returns the level of the top module of a path; `None` for a module that has none.
fn level(path: &str) -> Option<usize> {
    let top = path.split("::").next()?;
    LEVELS.iter().position(|level| level.contains(&top))
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
    let top = |path: &str| path.split("::").next().map(str::to_owned);
    if top(from) != top(to) && other >= own {
        return Some("it runs upward".to_owned());
    }
    let folders = folders();
    let folder = folders
        .iter()
        .find(|folder| is_within(to, folder) && !is_within(from, folder))
        .filter(|folder| !is_entry(import, folder));
    folder.map(|folder| format!("it reaches into {folder}"))
}

fn is_excepted(import: &Import, exception: &Exception) -> bool {
    import.from == exception.from && is_within(&import.to, exception.to)
}

/// Returns the imports without an exception, and the exceptions without an import.
fn judge(imports: &[Import], exceptions: &[Exception]) -> Vec<String> {
    let mut needed = BTreeSet::new();
    let mut faults = Vec::new();
    for import in imports {
        let Some(fault) = fault(import) else { continue };
        let found = exceptions.iter().position(|e| is_excepted(import, e));
        match found {
            Some(index) => drop(needed.insert(index)),
            None => faults.push(format!("{import}: {fault}")),
        }
    }
    for (index, exception) in exceptions.iter().enumerate() {
        if !needed.contains(&index) {
            let Exception { from, to, .. } = exception;
            faults.push(format!(
                "{from} imports nothing of {to} any more: remove the exception"
            ));
        }
    }
    faults
}

fn source() -> Vec<Import> {
    imports::of_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn no_import_runs_upward() {
    let faults = judge(&source(), EXCEPTIONS);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_exception_has_a_reason() {
    for exception in EXCEPTIONS {
        assert!(exception.reason.len() > 20, "{}", exception.from);
    }
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
        "sim::World",
        "sim::serve",
        "store::disk::Own",
        "store::disk::beside::run",
        "web::App",
    ];
    assert_eq!(found, BTreeSet::from(want));
}

#[test]
fn faults_are_upward_imports_and_stale_exceptions() {
    let import = |from: &str, to: &str| Import {
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let exception = |from, to| except(from, to, "");
    let imports = [
        import("web::page", "report::Report"),
        import("store", "model::Key"),
        import("store::health", "alert::Failing"),
        import("model", "novelty::Thing"),
        import("cloud::huawei::css::map", "cloud::ncloud::sign"),
        import("cloud::huawei::css::map", "cloud::huawei::cce"),
        import("cloud::huawei::css::map", "cloud::huawei::time"),
    ];
    let faults = judge(&imports, &[]);
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(faults[0].starts_with("store::health -> alert::Failing"));
    let excepted = [
        exception("store::health", "alert"),
        exception("model", "novelty"),
        exception("cloud::huawei::css::map", "cloud::ncloud"),
        exception("cloud::huawei::css::map", "cloud::huawei::cce"),
    ];
    assert_eq!(judge(&imports, &excepted), Vec::<String>::new());
    let stale = judge(&imports[..2], &excepted[..1]);
    assert_eq!(
        stale,
        ["store::health imports nothing of alert any more: remove the exception"]
    );
}
