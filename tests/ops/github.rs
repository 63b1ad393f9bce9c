//! .github: the workflow, the forms of issues, and Dependabot, as GitHub reads them.

use rolling_upgrade_exporter::cloud::products;
use rolling_upgrade_exporter::clouds::CLOUDS;
use std::collections::BTreeSet;

use crate::docs::compare_between;
use crate::yaml::Yaml;
use crate::{read, root};

const FORMS: &str = ".github/ISSUE_TEMPLATE";

fn workflow() -> Yaml {
    Yaml::parse(&read(".github/workflows/ci.yml"))
}

fn files(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn ci_runs_the_tests_with_no_right_but_to_read() {
    let workflow = workflow();
    let rights = workflow.get(&["permissions"]).unwrap().entries();
    assert_eq!(rights.len(), 1);
    assert_eq!(workflow.text(&["permissions", "contents"]), "read");
    let job = workflow.get(&["jobs", "test"]).unwrap();
    assert!(job.get(&["permissions"]).is_none());
    let limit: u32 = job.text(&["timeout-minutes"]).parse().unwrap();
    assert!(limit <= 45);
    assert!(workflow.get(&["concurrency", "group"]).is_some());
    let steps = job.list(&["steps"]);
    let checkout = steps.iter().find(|step| {
        let action = step.get(&["uses"]).map(|_| step.text(&["uses"]));
        action.is_some_and(|action| action.starts_with("actions/checkout@"))
    });
    let keeps = checkout.unwrap().text(&["with", "persist-credentials"]);
    assert_eq!(keeps, "false");
    assert_eq!(steps.last().unwrap().text(&["run"]), "tests/run.sh");
}

/// The toolchain of `rust-toolchain.toml` is compared with the same image.
#[test]
fn ci_runs_in_the_image_that_builds_the_program() {
    let image = workflow();
    let image = image.text(&["jobs", "test", "container"]);
    assert!(read("Dockerfile").contains(&format!("\nFROM {image} AS build\n")));
}

#[test]
fn actions_are_pinned_by_commit() {
    let text = read(".github/workflows/ci.yml");
    let actions: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("uses: "))
        .map(|(_, action)| action)
        .collect();
    assert!(actions.len() >= 2);
    for action in actions {
        let (_, version) = action.split_once('@').unwrap();
        let (commit, tag) = version.split_once(" # v").unwrap();
        let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(is_commit && tag.split('.').count() == 3, "{action}");
    }
}

#[test]
fn forms_have_what_github_requires() {
    let mut forms = files(FORMS);
    assert!(forms.remove("config.yml"));
    assert_eq!(forms.len(), 2);
    for file in forms {
        let form = Yaml::parse(&read(&format!("{FORMS}/{file}")));
        assert!(!form.text(&["name"]).is_empty(), "{file}");
        assert!(!form.text(&["description"]).is_empty(), "{file}");
        let mut ids = BTreeSet::new();
        let mut labels = BTreeSet::new();
        for element in form.list(&["body"]) {
            let kind = element.text(&["type"]);
            if kind == "markdown" {
                assert!(!element.text(&["attributes", "value"]).is_empty());
                continue;
            }
            assert!(["dropdown", "input", "textarea"].contains(&kind), "{kind}");
            let id = element.text(&["id"]);
            let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            assert!(id.chars().all(is_id), "{file}: {id}");
            assert!(ids.insert(id.to_owned()), "{file}: {id} twice");
            let label = element.text(&["attributes", "label"]);
            assert!(labels.insert(label.to_owned()), "{file}: {label} twice");
            if kind == "dropdown" {
                let options = element.texts(&["attributes", "options"]);
                let distinct: BTreeSet<_> = options.iter().collect();
                assert!(!options.is_empty() && distinct.len() == options.len());
            }
            if let Some(required) = element.get(&["validations", "required"]) {
                assert_eq!(required.text(&[]), "true", "{file}: {id}");
            }
        }
        assert!(!ids.is_empty(), "{file}");
    }
}

#[test]
fn the_bug_form_offers_every_product() {
    let mut options = String::new();
    for cloud in CLOUDS {
        for product in cloud.products() {
            let (title, name) = (cloud.title(), product.info().name);
            options.extend(["        - \"", title, ": ", name, "\"\n"]);
        }
    }
    let mark = |end: &str| format!("        # products: {end}\n");
    let path = format!("{FORMS}/bug.yml");
    compare_between(&path, &mark("begin"), &mark("end"), &options);
    let form = Yaml::parse(&read(&path));
    let body = form.list(&["body"]);
    let choice = body
        .iter()
        .find(|element| element.text(&["type"]) == "dropdown");
    let offered = choice.unwrap().texts(&["attributes", "options"]);
    let count = products(CLOUDS).count();
    assert_eq!(offered.len(), count + 1, "one for none of them");
}

#[test]
fn the_chooser_leads_vulnerabilities_to_the_policy() {
    let chooser = Yaml::parse(&read(&format!("{FORMS}/config.yml")));
    for link in chooser.list(&["contact_links"]) {
        for key in ["name", "url", "about"] {
            assert!(!link.text(&[key]).is_empty());
        }
    }
    let policy = format!("{}/security/policy", env!("CARGO_PKG_REPOSITORY"));
    let links = chooser.list(&["contact_links"]);
    assert!(links.iter().any(|link| link.text(&["url"]) == policy));
}

#[test]
fn dependabot_follows_crates_images_and_actions() {
    let config = Yaml::parse(&read(".github/dependabot.yml"));
    assert_eq!(config.text(&["version"]), "2");
    let mut ecosystems = BTreeSet::new();
    for update in config.list(&["updates"]) {
        ecosystems.insert(update.text(&["package-ecosystem"]));
        assert_eq!(update.text(&["directory"]), "/");
        assert!(update.get(&["schedule", "interval"]).is_some());
    }
    let want = BTreeSet::from(["cargo", "docker", "docker-compose", "github-actions"]);
    assert_eq!(ecosystems, want);
}
