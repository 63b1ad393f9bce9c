//! Imports of the program's modules from each other, read from the source without its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Library of the program, as its binary names it.
const LIBRARY: &str = "rolling_upgrade_exporter";

/// Import of one path by one module; both begin below the crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}

/// Returns the imports of every module below a folder, apart from tests.
pub(crate) fn of_folder(src: &Path) -> Vec<Import> {
    let mut files = Vec::new();
    collect(src, &mut files);
    let parsed: Vec<(Vec<String>, syn::File)> = files
        .iter()
        .map(|path| {
            let code = std::fs::read_to_string(path).unwrap();
            let file = syn::parse_file(&code).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (module(src, path), file)
        })
        .collect();
    let tests: BTreeSet<Vec<String>> = parsed
        .iter()
        .flat_map(|(module, file)| test_modules(module, &file.items))
        .collect();
    let is_test = |module: &[String]| (1..=module.len()).any(|n| tests.contains(&module[..n]));
    let mut imports: Vec<Import> = parsed
        .iter()
        .filter(|(module, _)| !is_test(module))
        .flat_map(|(module, file)| of_file(module, file))
        .collect();
    imports.sort();
    imports.dedup();
    imports
}

/// Returns the imports of a module with this code.
pub(crate) fn of_code(module: &[&str], code: &str) -> Vec<Import> {
    let module: Vec<String> = module.iter().map(|&part| part.to_owned()).collect();
    of_file(&module, &syn::parse_file(code).unwrap())
}

fn of_file(module: &[String], file: &syn::File) -> Vec<Import> {
    let mut finder = Finder {
        module: module.to_vec(),
        names: BTreeMap::new(),
        found: Vec::new(),
    };
    finder.visit_file(file);
    let mut found = std::mem::take(&mut finder.found);
    // A second look follows the names that the first one learned.
    finder.visit_file(file);
    found.append(&mut finder.found);
    found
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Returns the path of the module in a file: `store::health` for `src/store/health.rs`.
fn module(src: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(src).unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap().to_owned());
    parts.filter(|part| part != "lib").collect()
}

/// Returns the modules that a file declares for tests alone, which have files of their own.
fn test_modules(module: &[String], items: &[syn::Item]) -> Vec<Vec<String>> {
    let declared = items.iter().filter_map(|item| match item {
        syn::Item::Mod(inner) if inner.content.is_none() => Some(inner),
        _ => None,
    });
    let (tests, others): (Vec<_>, Vec<_>) = declared.partition(|inner| is_test(&inner.attrs));
    let is_test_alone = |test: &&syn::ItemMod| others.iter().all(|inner| inner.ident != test.ident);
    let inside = |test: &syn::ItemMod| {
        let name = test.ident.to_string();
        module.iter().cloned().chain([name]).collect()
    };
    tests
        .into_iter()
        .filter(is_test_alone)
        .map(inside)
        .collect()
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let words = match &attribute.meta {
            syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
            _ => return false,
        };
        words == "test"
    })
}

fn parts(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|s| s.ident.to_string()).collect()
}

struct Finder {
    module: Vec<String>,
    /// Modules by the names that they have in the file: those that it declares and imports.
    names: BTreeMap<String, Vec<String>>,
    found: Vec<Import>,
}

impl Finder {
    /// Returns the path below the crate of a path as it is written; `None` for one of another crate.
    fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let supers = path.iter().take_while(|part| *part == "super").count();
        let module = &self.module;
        let (outer, rest) = match first.as_str() {
            "crate" | LIBRARY => (&[][..], rest),
            "self" if rest.first().is_some_and(|part| part == "super") => {
                return self.resolve(rest);
            }
            "self" => (&module[..], rest),
            "super" => (
                &module[..module.len().checked_sub(supers)?],
                &path[supers..],
            ),
            name => (&self.names.get(name)?[..], rest),
        };
        Some(outer.iter().chain(rest).cloned().collect())
    }

    fn add(&mut self, path: &[String]) {
        let Some(to) = self.resolve(path) else { return };
        let from = self.module.join("::");
        let to = to.join("::");
        // A path of one part names a module, or an item of lib.rs.
        if (to.contains("::") || to == "*") && from != to {
            self.found.push(Import { from, to });
        }
    }

    /// Adds what hides imports, which has no level.
    fn add_hidden(&mut self, what: &str) {
        self.found.push(Import {
            from: self.module.join("::"),
            to: what.to_owned(),
        });
    }

    fn add_tree(&mut self, before: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(before, &path.tree);
                before.pop();
            }
            syn::UseTree::Name(name) => {
                self.add_leaf(before, &name.ident, &name.ident.to_string());
            }
            syn::UseTree::Rename(name) => {
                self.add_leaf(before, &name.ident, &name.rename.to_string());
            }
            syn::UseTree::Glob(_) => {
                before.push("*".to_owned());
                self.add(before);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree);
                }
            }
        }
    }

    /// Adds an imported path, which has this name in the file.
    fn add_leaf(&mut self, before: &[String], last: &syn::Ident, name: &str) {
        let last = Some(last.to_string()).filter(|last| last != "self");
        let path: Vec<String> = before.iter().cloned().chain(last).collect();
        self.add(&path);
        // What imports a whole module could hand it on; items of lib.rs are constants.
        if let Some([module]) = self.resolve(&path).as_deref()
            && module.starts_with(|c: char| c.is_ascii_lowercase())
        {
            self.found.push(Import {
                from: self.module.join("::"),
                to: module.clone(),
            });
        }
        let name = if name == "self" {
            path.last().map(String::as_str)
        } else {
            Some(name)
        };
        if let (Some(name), Some(full)) = (name, self.resolve(&path)) {
            self.names.insert(name.to_owned(), full);
        }
    }

    /// Adds the paths in the arguments of a macro or an attribute.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                // The braces of a `use`.
                TokenTree::Group(group) if colons == 2 => {
                    let braces = TokenStream::from(TokenTree::Group(group));
                    if let Ok(tree) = syn::parse2(braces) {
                        self.add_tree(&mut path, &tree);
                    }
                }
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                // Serde takes paths as text.
                TokenTree::Literal(literal) => {
                    let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
                    let named = text.and_then(|text| text.parse::<syn::Path>());
                    if let Ok(named) = named {
                        self.add(&parts(&named));
                    }
                }
                TokenTree::Ident(ident) => {
                    self.add(&path);
                    path = vec![ident.to_string()];
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(mark) if mark.as_char() == '*' && colons == 2 => {
                    path.push("*".to_owned());
                }
                TokenTree::Punct(_) => {}
            }
            self.add(&std::mem::take(&mut path));
            colons = 0;
        }
        self.add(&path);
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Const(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.attrs.iter().any(|a| a.path().is_ident("path")) {
            self.add_hidden("#[path]");
        }
        let name = item.ident.to_string();
        let full = self.module.iter().cloned().chain([name.clone()]);
        self.names.insert(name, full.collect());
        if item.content.is_some() {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if item.ident == "self" {
            self.add_hidden("extern crate self");
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(&parts(path));
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.add_tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.is_ident("include") {
            self.add_hidden("include!");
        }
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}
